//! Which events of a calendar count, as the config says of each calendar. Start with [`BusyRules`].

use crate::ical::Zone;
use std::fmt;

/// How the events of one calendar are read as busy time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusyRules {
    /// The zone of floating times and dates (RFC 4791 7.3), and of a TZID that nothing defines.
    pub zone: Zone,
    /// The host's own calendar user addresses, lower case, `mailto:` included where it is a mail address.
    pub owner: Vec<String>,
    /// Which events count.
    pub counting: Counting,
}

/// Which events count: what the RFCs leave to the host, and what programs write that the host knows better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counting {
    /// How all-day events count.
    pub all_day: AllDay,
    /// How STATUS:TENTATIVE and PARTSTAT=TENTATIVE count.
    pub tentative: Tentative,
    /// How an invitation counts that the host has not answered (PARTSTAT=NEEDS-ACTION).
    pub unanswered: Unanswered,
    /// Whether events that say of themselves that they leave the host free count: TRANSP:TRANSPARENT, Outlook's FREE.
    pub transparent: bool,
    /// Whether Outlook's WORKINGELSEWHERE counts.
    pub working_elsewhere: bool,
    /// Whether X-APPLE-TRAVEL-DURATION is busy before the start.
    pub travel_time: bool,
    /// Events with these titles never count.
    pub ignore_titles: Vec<Title>,
}

impl Default for Counting {
    fn default() -> Counting {
        Counting {
            all_day: AllDay::default(),
            tentative: Tentative::default(),
            unanswered: Unanswered::default(),
            transparent: false,
            working_elsewhere: false,
            travel_time: true,
            ignore_titles: Vec::new(),
        }
    }
}

/// How all-day events count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AllDay {
    /// TRANSP decides, as RFC 5545 has it.
    #[default]
    Obey,
    /// They are always busy.
    Busy,
    /// They are never busy.
    Free,
}

/// How tentative events count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tentative {
    /// As busy.
    #[default]
    Busy,
    /// As free.
    Free,
}

/// How invitations count that the host has not answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unanswered {
    /// Timed ones as busy, all-day ones as free: a stranger's must not empty a day.
    #[default]
    Timed,
    /// As if the host would come.
    Busy,
    /// As free.
    Free,
}

/// A title, or with a trailing `*` how titles begin. Case and outer blanks do not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    written: String,
    lower: String,
    begins: bool,
}

impl Title {
    /// `None` when it says nothing: empty, or `*` alone, which would be every event.
    pub fn new(written: &str) -> Option<Title> {
        let written = written.trim();
        let begins = written.ends_with('*');
        let lower = written.strip_suffix('*').unwrap_or(written).trim_start().to_lowercase();
        (!lower.trim().is_empty()).then(|| Title { written: written.to_owned(), lower, begins })
    }

    /// True for a title that it means.
    pub fn is_of(&self, summary: &str) -> bool {
        let summary = summary.trim().to_lowercase();
        if self.begins { summary.starts_with(&self.lower) } else { summary == self.lower }
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// What differs from the default, as the config writes it; empty when nothing does.
impl fmt::Display for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Vec::new();
        match self.all_day {
            AllDay::Obey => {}
            AllDay::Busy => said.push("all_day = \"busy\"".to_owned()),
            AllDay::Free => said.push("all_day = \"free\"".to_owned()),
        }
        if self.tentative == Tentative::Free {
            said.push("tentative = \"free\"".to_owned());
        }
        match self.unanswered {
            Unanswered::Timed => {}
            Unanswered::Busy => said.push("unanswered = \"busy\"".to_owned()),
            Unanswered::Free => said.push("unanswered = \"free\"".to_owned()),
        }
        if self.transparent {
            said.push("transparent = \"busy\"".to_owned());
        }
        if self.working_elsewhere {
            said.push("working_elsewhere = \"busy\"".to_owned());
        }
        if !self.travel_time {
            said.push("travel_time = false".to_owned());
        }
        if !self.ignore_titles.is_empty() {
            let titles: Vec<String> = self.ignore_titles.iter().map(|title| format!("{:?}", title.written)).collect();
            said.push(format!("ignore_titles = [{}]", titles.join(", ")));
        }
        f.write_str(&said.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_whole_of_it_in_any_case_or_its_beginning() {
        let means = |written: &str, summary: &str| Title::new(written).unwrap().is_of(summary);
        assert!(means("Home office", " home OFFICE "));
        assert!(!means("Home office", "Home office with Ada"));
        assert!(means("Canceled: *", "CANCELED: Faculty meeting"));
        assert!(!means("Canceled: *", "Canceled:"));
        assert!(means("ÜBUNG*", "Übungsgruppe"));
        assert_eq!((Title::new("*"), Title::new("  ")), (None, None), "that would be every event");
    }

    #[test]
    fn only_what_differs_is_told() {
        assert_eq!(Counting::default().to_string(), "");
        let counting = Counting {
            all_day: AllDay::Free,
            tentative: Tentative::Free,
            unanswered: Unanswered::Busy,
            transparent: true,
            working_elsewhere: true,
            travel_time: false,
            ignore_titles: Title::new(" Lunch* ").into_iter().collect(),
        };
        assert_eq!(
            counting.to_string(),
            "all_day = \"free\", tentative = \"free\", unanswered = \"busy\", transparent = \"busy\", \
             working_elsewhere = \"busy\", travel_time = false, ignore_titles = [\"Lunch*\"]"
        );
    }
}
