//! Effects on their way out: each is claimed, performed and recorded, in order for each booking, again until it is done.
//! Start with [`Outbox`]; mail has [`MailOutbox`], alerts have [`AlertOutbox`].

mod alert;
mod calendar;
mod desk_link;
mod digest;
mod event;
mod lane;
mod mail;
mod record;
mod retry;

pub use alert::AlertOutbox;
#[cfg(test)]
pub(crate) use lane::{Means, Open, Pace, work};

pub use calendar::{Outbox, Targets};
pub use event::event_text;
pub use mail::MailOutbox;
pub use retry::{Retry, mail_retry, retry};
