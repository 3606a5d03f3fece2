//! Effects on their way out: each is claimed, performed and recorded, in order for each booking, again until it is done.
//! Start with [`Outbox`].

mod calendar;
mod event;
mod retry;

pub use calendar::{Outbox, Targets};
pub use event::event_text;
pub use retry::{Retry, retry};
