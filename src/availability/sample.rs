//! A host who is in no config: what templates are tried with, and what tests start from.

use super::{Host, HostId, Hours};
use crate::ical::Zone;
use crate::language::Language;
use jiff::SignedDuration;

impl Host {
    /// Emmy Noether in Berlin, who reads English, takes bookings, and has neither hours nor meeting types.
    pub fn sample() -> Host {
        let Some(id) = HostId::new("noether") else { unreachable!("it is an id") };
        Host {
            id,
            name: "Emmy Noether".to_owned(),
            email: "noether@example.edu".to_owned(),
            aliases: Vec::new(),
            zone: Zone::named("Europe/Berlin").unwrap_or_else(Zone::utc),
            max_staleness: SignedDuration::from_mins(30),
            hours: Hours::default(),
            takes_bookings: true,
            language: Language::English,
            meetings: Vec::new(),
        }
    }
}
