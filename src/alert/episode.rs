//! From how things are to whom to tell: each episode is told once, however often it is seen, and its end once. Start with [`plan`].

use super::AlertKind;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Between two mails of one kind lies at least this; what comes up meanwhile is told together.
const BETWEEN: SignedDuration = SignedDuration::from_hours(1);

/// Something that is wrong at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What.
    pub kind: AlertKind,
    /// Which: an account, a booking. The same while it is the same episode.
    pub subject: String,
    /// In words for the host, who and what; never for the log.
    pub what: String,
    /// Since when, as far as is known.
    pub since: Timestamp,
}

/// What is known of how things are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What is wrong.
    pub conditions: Vec<Condition>,
    /// What nobody can tell just now: of these, episodes go on as they were. `None`: of every subject.
    pub unknown: Vec<(AlertKind, Option<String>)>,
}

/// What is remembered of something that is or was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// What.
    pub kind: AlertKind,
    /// Which.
    pub subject: String,
    /// In words for the host.
    pub what: String,
    /// Since when.
    pub since: Timestamp,
    /// When it became worth telling.
    pub raised_at: Option<Timestamp>,
    /// When the host was mailed.
    pub told_at: Option<Timestamp>,
    /// When it was over; only of one whose end is still to be told.
    pub ended_at: Option<Timestamp>,
}

/// When a mail of a kind was last decided, an alert or an all-clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastNotice {
    /// Of which kind.
    pub kind: AlertKind,
    /// Whether it said that something is over.
    pub over: bool,
    /// When.
    pub at: Timestamp,
}

/// A mail to the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What each episode is about, in words for the host.
    pub about: Vec<String>,
    /// Which each is of: an account, a booking.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// When it was decided.
    pub at: Timestamp,
}

impl Notice {
    /// As the store keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| unreachable!("a notice has no maps and no floats"))
    }
}

/// What follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is remembered from now on: instead of all that was.
    pub episodes: Vec<Episode>,
    /// Mails to send: of which kind, whether about the end.
    pub notices: Vec<(AlertKind, bool, Notice)>,
    /// What is worth telling from now on.
    pub raised: Vec<(AlertKind, String)>,
    /// What is over and was worth telling.
    pub over: Vec<(AlertKind, String)>,
}

/// How the host is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tellable {
    /// How long that which may pass is not told.
    pub after: SignedDuration,
    /// Whether there are mails at all.
    pub by_mail: bool,
}

/// Decides at `now` what follows from what is known, what is remembered, and which mails there were.
pub fn plan(known: &Known, remembered: &[Episode], last: &[LastNotice], how: Tellable, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    for condition in &known.conditions {
        let before = remembered.iter().find(|episode| is_of(episode, condition.kind, &condition.subject));
        let since = before.map_or(condition.since, |before| before.since.min(condition.since));
        let wait = if condition.kind.may_pass() { how.after } else { SignedDuration::ZERO };
        let was_raised = before.and_then(|before| before.raised_at);
        let raised_at = was_raised.or_else(|| (now.duration_since(since) >= wait).then_some(now));
        if was_raised.is_none() && raised_at.is_some() {
            plan.raised.push((condition.kind, condition.subject.clone()));
        }
        plan.episodes.push(Episode {
            kind: condition.kind,
            subject: condition.subject.clone(),
            what: condition.what.clone(),
            since,
            raised_at,
            told_at: before.and_then(|before| before.told_at),
            // One that comes back before its end was told never ended.
            ended_at: None,
        });
    }
    for episode in remembered {
        if plan.episodes.iter().any(|next| is_of(next, episode.kind, &episode.subject)) {
            continue;
        }
        let unknown = |(kind, subject): &(AlertKind, Option<String>)| {
            *kind == episode.kind && subject.as_ref().is_none_or(|subject| *subject == episode.subject)
        };
        if episode.ended_at.is_some() || known.unknown.iter().any(unknown) {
            plan.episodes.push(episode.clone());
            continue;
        }
        if episode.raised_at.is_some() {
            plan.over.push((episode.kind, episode.subject.clone()));
        }
        // Nobody is told of the end of what they never heard of.
        if episode.told_at.is_some() {
            plan.episodes.push(Episode { ended_at: Some(now), ..episode.clone() });
        }
    }
    plan.episodes.sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
    if how.by_mail {
        plan.tell(last, now);
    }
    plan
}

impl Plan {
    /// Puts all that is to be told of a kind into one mail, unless there was one within the hour.
    fn tell(&mut self, last: &[LastNotice], now: Timestamp) {
        for kind in AlertKind::ALL {
            for over in [false, true] {
                let recent = |notice: &&LastNotice| {
                    (notice.kind, notice.over) == (kind, over) && now.duration_since(notice.at) < BETWEEN
                };
                if last.iter().any(|notice| recent(&notice)) {
                    continue;
                }
                let due = |episode: &&mut Episode| {
                    episode.kind == kind
                        && match over {
                            false => episode.raised_at.is_some() && episode.told_at.is_none(),
                            true => episode.ended_at.is_some(),
                        }
                };
                let (mut about, mut subjects) = (Vec::new(), Vec::new());
                for episode in self.episodes.iter_mut().filter(due) {
                    about.push(episode.what.clone());
                    subjects.push(episode.subject.clone());
                    episode.told_at = Some(now);
                }
                if over {
                    self.episodes.retain(|episode| episode.kind != kind || episode.ended_at.is_none());
                }
                if !about.is_empty() {
                    self.notices.push((kind, over, Notice { about, subjects, at: now }));
                }
            }
        }
    }
}

fn is_of(episode: &Episode, kind: AlertKind, subject: &str) -> bool {
    episode.kind == kind && episode.subject == subject
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    const HOW: Tellable = Tellable { after: SignedDuration::from_hours(1), by_mail: true };

    /// A host over time, as the store remembers.
    #[derive(Default)]
    struct Host {
        episodes: Vec<Episode>,
        last: Vec<LastNotice>,
    }

    impl Host {
        /// What is mailed at this minute, while these are wrong.
        fn mails(&mut self, minute: i64, wrong: &[(AlertKind, &str)], how: Tellable) -> Vec<String> {
            let conditions = wrong.iter().map(|(kind, subject)| Condition {
                kind: *kind,
                subject: (*subject).to_owned(),
                what: (*subject).to_owned(),
                since: at(minute),
            });
            let known = Known { conditions: conditions.collect(), unknown: Vec::new() };
            self.follow(&known, minute, how)
        }

        fn follow(&mut self, known: &Known, minute: i64, how: Tellable) -> Vec<String> {
            let plan = plan(known, &self.episodes, &self.last, how, at(minute));
            self.episodes = plan.episodes;
            let mails = plan.notices.into_iter().map(|(kind, over, notice)| {
                self.last.push(LastNotice { kind, over, at: at(minute) });
                format!("{}{}", if over { "over: " } else { "" }, notice.about.join(" "))
            });
            mails.collect()
        }
    }

    use AlertKind::{Conflict, LoginRefused, Unreachable};

    #[test]
    fn an_episode_is_told_once_and_its_end_once() {
        let mut host = Host::default();
        assert_eq!(host.mails(0, &[(LoginRefused, "work")], HOW), ["work"]);
        for minute in 1..300 {
            assert_eq!(host.mails(minute, &[(LoginRefused, "work")], HOW), [""; 0]);
        }
        assert_eq!(host.mails(300, &[], HOW), ["over: work"]);
        assert!(host.episodes.is_empty());
        assert_eq!(host.mails(301, &[], HOW), [""; 0]);
    }

    #[test]
    fn what_may_pass_is_told_only_after_a_while_and_not_at_all_when_it_passes() {
        let mut host = Host::default();
        assert_eq!(host.mails(0, &[(Unreachable, "work")], HOW), [""; 0]);
        assert_eq!(host.mails(59, &[(Unreachable, "work")], HOW), [""; 0]);
        assert_eq!(host.mails(60, &[(Unreachable, "work")], HOW), ["work"]);
        assert_eq!(host.mails(61, &[], HOW), ["over: work"]);
        assert_eq!(host.mails(200, &[(Unreachable, "work")], HOW), [""; 0]);
        assert_eq!(host.mails(230, &[], HOW), [""; 0], "it passed by itself");
    }

    #[test]
    fn of_one_kind_there_is_one_mail_an_hour_with_all_that_came_up() {
        let mut host = Host::default();
        assert_eq!(host.mails(0, &[(Conflict, "a")], HOW), ["a"]);
        assert_eq!(host.mails(1, &[(Conflict, "a"), (Conflict, "b"), (LoginRefused, "work")], HOW), ["work"]);
        assert_eq!(host.mails(59, &[(Conflict, "b"), (Conflict, "c")], HOW), ["over: work", "over: a"]);
        assert_eq!(host.mails(60, &[(Conflict, "b"), (Conflict, "c")], HOW), ["b c"]);
    }

    #[test]
    fn what_goes_up_and_down_all_the_time_makes_no_flood() {
        let mut host = Host::default();
        let mails: usize = (0..600)
            .map(|minute| {
                let wrong: &[(AlertKind, &str)] = if minute % 4 < 2 { &[(LoginRefused, "work")] } else { &[] };
                host.mails(minute, wrong, HOW).len()
            })
            .sum();
        assert!(mails <= 20, "{mails} mails in ten hours");
    }

    #[test]
    fn what_cannot_be_seen_just_now_goes_on_as_it_was() {
        let mut host = Host::default();
        assert_eq!(host.mails(0, &[(LoginRefused, "work"), (Conflict, "a")], HOW), ["work", "a"]);
        let blind =
            Known { conditions: Vec::new(), unknown: vec![(LoginRefused, Some("work".to_owned())), (Conflict, None)] };
        assert_eq!(host.follow(&blind, 100, HOW), [""; 0]);
        assert_eq!(host.episodes.len(), 2);
        assert_eq!(host.mails(101, &[], HOW), ["over: work", "over: a"]);
    }

    #[test]
    fn without_mail_it_is_remembered_and_told_once_there_is_mail() {
        let mut host = Host::default();
        let silent = Tellable { by_mail: false, ..HOW };
        assert_eq!(host.mails(0, &[(LoginRefused, "work")], silent), [""; 0]);
        assert_eq!(host.mails(10, &[(LoginRefused, "work")], HOW), ["work"]);
    }
}
