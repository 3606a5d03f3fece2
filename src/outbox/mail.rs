//! The mail lane: tells guests and hosts, in order for each booking, again for days while the mail server is away. It waits for
//! nothing of the calendar lane, nor that for it. Start with [`MailOutbox::run`].

use super::lane::{Means, Open, Pace, work};
use super::record::finished;
use super::retry::mail_retry;
use crate::availability::Clock;
use crate::booking::{Booking, BookingState, Effect, Message, Payload};
use crate::desk::{Desk, OutboxSignal};
use crate::mail::{Links, Mailer, MessageError, Occasion, SendError, booking_message};
use crate::store::{EffectOutcome, FinishEffect, Lane, OutboxEntry, Store, StoreError};
use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A lease longer than any message may take.
const PACE: Pace = Pace { lane: Lane::Mail, lease: SignedDuration::from_mins(10), at_once: 4, of_one_host: 4 };

/// The mail lane.
#[derive(Debug)]
pub struct MailOutbox {
    /// The way to the mail server; `None` while mail is not set up: what is to be sent waits. Replaced when the config changes.
    pub mailer: Arc<ArcSwapOption<Mailer>>,
    /// Keeps the entries.
    pub store: Store,
    /// Knows the hosts and the links.
    pub desk: Desk,
    /// Wakes us.
    pub signal: OutboxSignal,
    /// Tells the time.
    pub clock: Clock,
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the outbox entry cannot be read: {0}")]
    Payload(#[from] serde_json::Error),
    #[error("the host of the booking is no longer in the config")]
    NoHost,
    #[error("mail is no longer set up")]
    NoMailServer,
}

impl Failure {
    /// Whether it stays so, however often it is tried.
    fn is_final(&self) -> bool {
        matches!(self, Failure::Send(SendError::Message(_)) | Failure::Message(_) | Failure::Payload(_))
    }
}

impl MailOutbox {
    /// Sends what is due until `shutdown`; what is under way then is finished. Fails only when the store does, and not by a
    /// full disk: that passes.
    pub async fn run(&self, shutdown: CancellationToken) -> Result<(), StoreError> {
        let means = Means { store: &self.store, signal: &self.signal, clock: &self.clock };
        let open = || match self.mailer.load().is_some() {
            true => Open::AllBut(Vec::new()),
            false => Open::Nobody,
        };
        let mails = work(PACE, means, open, |entry| self.deliver(entry, &shutdown), &shutdown);
        let (digests, links) = (self.send_digests_until(&shutdown), self.send_desk_links_until(&shutdown));
        let ((), (), ()) = tokio::try_join!(mails, digests, links)?;
        Ok(())
    }

    /// Sends one message and records what came of it.
    async fn deliver(&self, entry: OutboxEntry, shutdown: &CancellationToken) {
        let outcome = match self.send(&entry).await {
            Ok(()) => EffectOutcome::Done { booking: None, object: None },
            Err(failure) => self.failed(&entry, &failure),
        };
        let finish = FinishEffect {
            id: entry.id,
            at: self.clock.now(),
            outcome,
            expected_updated_at: None,
            more_effects: Vec::new(),
        };
        if let Err(error) = finished(&self.store, finish, shutdown).await {
            tracing::error!(booking = %entry.booking, %error, "What came of a mail could not be recorded; it will be sent again, as the same message.");
        }
    }

    fn failed(&self, entry: &OutboxEntry, failure: &Failure) -> EffectOutcome {
        let (now, attempts, error) = (self.clock.now(), entry.attempts + 1, failure.to_string());
        let again = if failure.is_final() { None } else { mail_retry(entry.created_at, attempts, now) };
        match again {
            Some(due_at) => {
                let needs_host = matches!(failure, Failure::Send(SendError::Server(_)));
                if needs_host {
                    tracing::error!(host = %entry.host, booking = %entry.booking, attempts, %error, "A mail could not be sent, and will not be until the host acts.");
                } else {
                    tracing::warn!(host = %entry.host, booking = %entry.booking, attempts, %error, "A mail could not be sent; it will be tried again.");
                }
                EffectOutcome::Retry { due_at, error, needs_host }
            }
            None => {
                tracing::error!(host = %entry.host, booking = %entry.booking, attempts, %error, "A mail was given up: somebody has not been told.");
                EffectOutcome::Failed { error }
            }
        }
    }

    async fn send(&self, entry: &OutboxEntry) -> Result<(), Failure> {
        let mailer = self.mailer.load_full().ok_or(Failure::NoMailServer)?;
        let payload = Payload::from_json(&entry.payload)?;
        let Effect::Mail(message) = payload.effect else { return Ok(()) };
        let Some(booking) = self.store.booking(entry.booking).await? else { return Ok(()) };
        if is_moot(message, &booking, payload.sequence, self.clock.now()) {
            return Ok(());
        }
        let host = self.desk.host(entry.host.as_str()).ok_or(Failure::NoHost)?;
        let links = self.desk.links();
        let (guest, confirm) = self.desk.guest_links(booking.id);
        let links = Links {
            guest,
            confirm,
            host: links.host_booking(&self.desk.host_token(booking.id)),
            meeting: links.meeting(&booking.host, &booking.meeting),
        };
        let occasion = Occasion::new(&booking, &host, message, &payload, links);
        mailer.send(booking_message(&occasion, mailer.sender())?).await?;
        tracing::info!(host = %entry.host, booking = %booking.id, "A mail was sent.");
        Ok(())
    }
}

/// Whether nobody can do any more what the message asks for.
fn is_moot(message: Message, booking: &Booking, sequence: u32, now: Timestamp) -> bool {
    match message {
        Message::Reminder | Message::AskToCancel => {
            booking.state != BookingState::Confirmed || booking.sequence != sequence || booking.time.start() <= now
        }
        Message::ConfirmAddress => booking.state != BookingState::AwaitingEmail,
        Message::ApprovalRequest => booking.state != BookingState::AwaitingApproval,
        _ => false,
    }
}
