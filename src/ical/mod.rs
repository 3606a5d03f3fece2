//! RFC 5545 text to values and back. Reading: [`line`](ContentLines) to [`component`](Component) to event; start with
//! [`read`]. Time zones: [`Zone`].

mod component;
mod edit;
mod event;
mod line;
mod observance;
mod rule;
mod time;
mod whole;
pub mod write;
mod zone;
mod zone_name;

pub use component::{Component, read};
pub use edit::replace_event;
pub(crate) use event::{Event, read_time};
pub use line::{ContentLines, NoProperty, Property};
pub use rule::{Frequency, RecurrenceRule, RuleError, Skip, Until, WeekdayNum};
pub use time::{EventTime, Length};
pub(crate) use time::{Written, parse_written};
pub use whole::{NotWhole, check_whole};
pub(crate) use zone::Steady;
pub use zone::Zone;
pub(crate) use zone_name::{ZoneNames, calendar_zone, disagreement};
