//! Which events make a host busy: TRANSP, STATUS, the host's own PARTSTAT, Outlook's BUSYSTATUS (RFC 5545 3.8.2.7,
//! 3.8.1.11, 3.2.12; MS-OXCICAL). Start with [`blocks`].

use super::who::is_one_of;
use super::{AllDay, BusyRules, Tentative, Unanswered};
use crate::ical::Event;

/// True when the event, in the version that holds for an instance, makes the host busy.
pub(crate) fn blocks(event: &Event<'_>, all_day: bool, rules: &BusyRules) -> bool {
    let value = |name: &str| event.component.get(name).map(|property| property.value.trim());
    if is_cancelled(event) || (all_day && rules.counting.all_day == AllDay::Free) {
        return false;
    }
    let answer = answer(event, rules);
    if answer == Answer::Declined {
        return false;
    }
    if all_day && rules.counting.all_day == AllDay::Busy {
        return true;
    }
    match rules.counting.unanswered {
        // A stranger's all-day invitation must not empty a day, a timed one may be meant.
        Unanswered::Timed if all_day && answer == Answer::None => return false,
        Unanswered::Free if answer == Answer::None => return false,
        _ => {}
    }
    let outlook = value("X-MICROSOFT-CDO-BUSYSTATUS").or_else(|| value("X-MICROSOFT-CDO-INTENDEDSTATUS"));
    let outlook = outlook.map(str::to_ascii_uppercase);
    let outlook = outlook.map(|status| match status.as_str() {
        "WORKINGELSEWHERE" if rules.counting.working_elsewhere => "BUSY".to_owned(),
        _ => status,
    });
    let (mut busy, mut tentative) = match value("TRANSP").map(str::to_ascii_uppercase).as_deref() {
        Some("TRANSPARENT") => (false, false),
        // Outlook says "free" beside an explicit OPAQUE: the busier of the two counts.
        Some("OPAQUE") => (true, outlook.as_deref() == Some("TENTATIVE")),
        _ => {
            (!matches!(outlook.as_deref(), Some("FREE" | "WORKINGELSEWHERE")), outlook.as_deref() == Some("TENTATIVE"))
        }
    };
    match outlook.as_deref() {
        Some("BUSY" | "OOF") => (busy, tentative) = (true, false),
        Some("TENTATIVE") if !busy => (busy, tentative) = (true, true),
        _ => {}
    }
    busy |= rules.counting.transparent;
    tentative |=
        value("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("TENTATIVE")) || answer == Answer::Tentative;
    busy && !(tentative && rules.counting.tentative == Tentative::Free)
}

/// True when its title is one of those that the host has ignored.
pub(crate) fn is_ignored(event: &Event<'_>, rules: &BusyRules) -> bool {
    let titles = &rules.counting.ignore_titles;
    if titles.is_empty() {
        return false;
    }
    let summary = event.summary();
    titles.iter().any(|title| title.is_of(&summary))
}

/// STATUS:CANCELLED.
pub(crate) fn is_cancelled(event: &Event<'_>) -> bool {
    event.component.get("STATUS").is_some_and(|status| status.value.trim().eq_ignore_ascii_case("CANCELLED"))
}

/// What the host answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Declined,
    None,
    Tentative,
    /// Accepted, or the host is not listed: then the invitation came by a list.
    Comes,
}

/// The host's PARTSTAT; of several of their addresses the one that makes most busy.
fn answer(event: &Event<'_>, rules: &BusyRules) -> Answer {
    if rules.owner.is_empty() {
        return Answer::Comes;
    }
    let attendees = event.component.properties.iter().filter(|property| property.name == "ATTENDEE");
    let answers = attendees.filter(|attendee| is_one_of(attendee, &rules.owner)).map(|attendee| {
        match attendee.param("PARTSTAT").map(|answer| answer.trim().to_ascii_uppercase()).as_deref() {
            Some("DECLINED" | "DELEGATED") => Answer::Declined,
            // "If not specified … the default value is NEEDS-ACTION".
            None | Some("NEEDS-ACTION" | "") => Answer::None,
            Some("TENTATIVE") => Answer::Tentative,
            Some(_) => Answer::Comes,
        }
    });
    match answers.max() {
        // Who invites comes, though they list themselves without an answer.
        Some(Answer::None) if event.component.get("ORGANIZER").is_some_and(|host| is_one_of(host, &rules.owner)) => {
            Answer::Comes
        }
        answer => answer.unwrap_or(Answer::Comes),
    }
}
