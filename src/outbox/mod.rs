//! Effects on their way out: each is claimed, performed and recorded, in order for each booking, again until it is done.
//! Start with [`Outbox`]; mail has [`MailOutbox`].

mod calendar;
mod event;
mod lane;
mod mail;
mod record;
mod retry;

pub use calendar::{Outbox, Targets};
pub use event::event_text;
pub use mail::MailOutbox;
pub use retry::{Retry, mail_retry, retry};
