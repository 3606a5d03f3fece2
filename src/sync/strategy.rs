//! What was learnt of a calendar's server by what it was seen to do, remembered over restarts: [`Strategy`]. Never by its name.

use crate::caldav::{ETag, Member, Object};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a calendar is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Strategy {
    /// How changes are found.
    pub way: Way,
    /// Its list leaves out objects that a query by time names: both are asked at each pass, and count together.
    pub hides: bool,
    /// It gives objects no versions: they are read anew whenever the calendar is listed.
    pub unversioned: bool,
    /// How many sync reports have failed that a list could stand in for, since one was answered by a token.
    pub failures: u8,
    /// Hrefs to read once more: their version is a time in whole seconds, and may stand for two states.
    pub again: Vec<String>,
}

/// How changes are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Not known yet: by sync tokens first.
    #[default]
    Unknown,
    /// By sync tokens (RFC 6578).
    Tokens,
    /// By the calendar's CTag, and a list where that has changed.
    Ctag,
    /// By a list at each pass.
    List,
}

/// After so many failures the server has no sync tokens that hold.
const MOST_FAILURES: u8 = 3;
/// More objects than this are not read once more.
const MOST_AGAIN: usize = 50;

impl Strategy {
    /// As it was stored; what cannot be read is learnt anew.
    pub fn parse(stored: Option<&str>) -> Strategy {
        stored.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// As it is stored; `None` for what goes without saying.
    pub fn stored(&self) -> Option<String> {
        if *self == Strategy::default() { None } else { serde_json::to_string(self).ok() }
    }

    /// Whether the next pass may begin with sync tokens.
    pub fn takes_tokens(&self) -> bool {
        matches!(self.way, Way::Unknown | Way::Tokens) && !self.hides
    }

    /// Notes that a sync report failed where a list did not.
    pub fn note_failed_report(&mut self) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= MOST_FAILURES {
            self.way = Way::List;
        }
    }

    /// Notes what a list says of the server's versions.
    pub fn note_list(&mut self, listed: &[Member]) {
        self.unversioned = !listed.is_empty() && listed.iter().all(|member| member.etag.is_none());
    }

    /// Notes what is to be read once more: of the objects that were read just now, those whose version is a time in whole
    /// seconds; of many, the latest.
    pub fn note_read(&mut self, objects: &[Object]) {
        let is_coarse = |object: &&Object| object.etag.as_ref().is_some_and(ETag::may_be_a_time);
        let mut coarse: Vec<&Object> = objects.iter().filter(is_coarse).collect();
        // Times of one form sort as their texts do.
        coarse.sort_by(|a, b| b.etag.as_ref().map(ETag::as_str).cmp(&a.etag.as_ref().map(ETag::as_str)));
        self.again = coarse.into_iter().take(MOST_AGAIN).map(|object| object.href.to_string()).collect();
    }
}

impl fmt::Display for Strategy {
    /// For people to read, in `check`: "read by sync tokens".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.way {
            Way::Unknown => "not read yet",
            Way::Tokens => "read by sync tokens",
            Way::Ctag => "read by its CTag and lists; the server has no sync tokens that hold",
            Way::List => "read by a list each time; the server has neither sync tokens that hold nor CTags",
        })?;
        if self.hides {
            f.write_str("; its lists leave out events, which are asked for by time as well")?;
        }
        if self.unversioned {
            f.write_str("; it gives events no versions, so that each is read at every list")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caldav::Href;

    #[test]
    fn what_is_learnt_is_stored_and_what_cannot_be_read_is_learnt_anew() {
        let again = vec!["/c/a.ics".to_owned()];
        let strategy = Strategy { way: Way::Ctag, hides: true, again, failures: 1, unversioned: false };
        assert_eq!(Strategy::parse(strategy.stored().as_deref()), strategy);
        assert_eq!(Strategy::default().stored(), None);
        for text in [None, Some("listing"), Some("{\"way\": \"by post\"}")] {
            assert_eq!(Strategy::parse(text), Strategy::default());
        }
        assert!(!strategy.takes_tokens() && Strategy::default().takes_tokens());
        assert!(!Strategy { way: Way::Tokens, hides: true, ..Strategy::default() }.takes_tokens());
    }

    #[test]
    fn of_many_objects_with_times_for_versions_the_latest_are_read_once_more() {
        let object = |n: usize, etag: &str| Object {
            href: Href::new(format!("/c/{n}.ics")),
            etag: ETag::new(etag),
            data: Vec::new(),
        };
        let mut strategy = Strategy::default();
        let mut objects: Vec<Object> = (0..200).map(|n| object(n, &format!("{}", 1_795_447_000 + n))).collect();
        objects.push(object(900, "9e107d9d372bb6826bd81d3542a419d6"));
        strategy.note_read(&objects);
        assert_eq!(strategy.again.len(), 50);
        assert_eq!(strategy.again[0], "/c/199.ics");
        strategy.note_read(&objects[200..]);
        assert!(strategy.again.is_empty());
    }
}
