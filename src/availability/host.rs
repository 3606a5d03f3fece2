//! A host: a person whose time can be booked.

use super::{Hours, MeetingType};
use crate::ical::Zone;
use crate::language::Language;
use jiff::SignedDuration;
use std::fmt;
use std::sync::Arc;

/// The `id` of a host, as in URLs: `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(Arc<str>);

/// The `id` of something in a URL is `a-z`, `0-9`, `-`, 1 to 64 long, and neither starts nor ends with `-`.
pub(super) fn is_url_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl HostId {
    /// `None` when it is no id.
    pub fn new(id: &str) -> Option<HostId> {
        is_url_id(id).then(|| HostId(id.into()))
    }

    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person whose time can be booked.
#[derive(Clone, Debug)]
pub struct Host {
    /// In URLs.
    pub id: HostId,
    /// As guests see it.
    pub name: String,
    /// Where the host gets mail, without `mailto:`.
    pub email: String,
    /// Further addresses of the host, without `mailto:`; their PARTSTAT counts too.
    pub aliases: Vec<String>,
    /// The zone of the hours, of days, and of floating times.
    pub zone: Zone,
    /// A calendar not read for longer: nothing can be booked.
    pub max_staleness: SignedDuration,
    /// When the host is willing to meet, unless the meeting type says otherwise.
    pub hours: Hours,
    /// True when there is a calendar that bookings go to; else times are shown, and none can be booked.
    pub takes_bookings: bool,
    /// What the host reads, and guests who say no other.
    pub language: Language,
    /// What can be booked, in the order of the config.
    pub meetings: Vec<Arc<MeetingType>>,
}

impl Host {
    /// The meeting type of that id.
    pub fn meeting(&self, id: &str) -> Option<&Arc<MeetingType>> {
        self.meetings.iter().find(|meeting| meeting.id.as_str() == id)
    }
}
