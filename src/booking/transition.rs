//! The one transition function of a booking: (booking, command, now) -> (booking, effects). Decides; performs nothing.

use super::{Appointment, Booking, BookingState, OnDecline, Reply, Says, judge};
use crate::availability::Interval;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What happens to a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The guest's address was confirmed.
    ConfirmEmail,
    /// The host approves.
    Approve,
    /// The host declines.
    Decline,
    /// The guest calls it off.
    CancelByGuest,
    /// The host calls it off at the desk.
    CancelByHost,
    /// The guest moves it to another slot.
    Move(Interval),
    /// The host moves it at the desk, to any time.
    MoveByHost(Interval),
    /// Its time to be confirmed is over.
    Expire,
    /// The calendar server has its event.
    EventWritten {
        /// As of this SEQUENCE.
        sequence: u32,
        /// As of a booking that awaits approval.
        tentative: bool,
        /// LOCATION as it was read back, in one line.
        place: String,
    },
    /// The host moved its event on the calendar, or gave it another place.
    EventEdited {
        /// As the event was known when that was seen: of a booking that has changed since, it is no longer so.
        from: Appointment,
        /// As the event is.
        to: Appointment,
    },
    /// The host deleted, cancelled or declined its event on the calendar.
    EventGone,
    /// Its event came to the calendar after its end: a write that was thought lost has arrived.
    EventLate,
    /// The guest's calendar declined the invitation: are they asked whether to cancel?
    AskToCancel,
    /// The host accepts the other time that the guest's calendar proposed.
    AcceptProposal,
    /// The guest's calendar answered the invitation by mail.
    Replied(Box<Reply>, OnDecline),
}

/// What has to be done because of a change. Stored with it, performed by the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Write the event as the booking stands.
    PutEvent,
    /// Remove the event from the server.
    DeleteEvent,
    /// Send a message.
    Mail(Message),
}

/// Which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// To the guest: the link that confirms the address. Nothing that the guest typed is in it.
    ConfirmAddress,
    /// To the guest: the invitation, an iMIP REQUEST.
    Invitation,
    /// To the guest: another time, an iMIP REQUEST with a higher SEQUENCE.
    Moved,
    /// To the guest: the host moved it; an iMIP REQUEST with a higher SEQUENCE.
    MovedByHost,
    /// To the guest: the host has given it another place; an iMIP REQUEST of the same SEQUENCE, for nothing is to be answered anew
    /// (RFC 5546 3.2.2.2).
    PlaceChanged,
    /// To the guest: an iMIP CANCEL.
    Cancelled,
    /// To the guest: the host called it off; an iMIP CANCEL.
    CancelledByHost,
    /// To the guest: the host did not approve.
    Declined,
    /// To the guest: it is soon.
    Reminder,
    /// To the guest, whose calendar declined the invitation: the link to cancel.
    AskToCancel,
    /// To the guest, whose calendar asks for it: the invitation as it stands, an iMIP REQUEST of the same SEQUENCE.
    Again,
    /// To the host: a booking to approve or decline.
    ApprovalRequest,
    /// To the host: a new booking.
    HostBooked,
    /// To the host: a booking has moved.
    HostMoved,
    /// To the host: a booking was called off.
    HostCancelled,
    /// To the host: the guest proposes another time (COUNTER). Nothing has changed.
    HostProposal,
    /// To the host: the guest sends somebody else. Nothing has changed.
    HostDelegated,
}

impl Message {
    /// Whether it goes to the guest; else to the host.
    pub fn is_to_guest(self) -> bool {
        match self {
            Message::ConfirmAddress
            | Message::Invitation
            | Message::Moved
            | Message::MovedByHost
            | Message::PlaceChanged
            | Message::Cancelled
            | Message::CancelledByHost
            | Message::Declined
            | Message::Reminder
            | Message::AskToCancel
            | Message::Again => true,
            Message::ApprovalRequest
            | Message::HostBooked
            | Message::HostMoved
            | Message::HostCancelled
            | Message::HostProposal
            | Message::HostDelegated => false,
        }
    }
}

/// The booking's state does not allow the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the booking is {0}")]
pub struct Refused(pub BookingState);

/// What a command leads to: the booking as it is then, and the effects in the order in which they are to happen.
/// `Ok(None)`: it is so already; nothing changes.
pub fn transition(
    booking: &Booking,
    command: &Command,
    now: Timestamp,
) -> Result<Option<(Booking, Vec<Effect>)>, Refused> {
    use BookingState::*;
    let state = booking.state;
    let mut next = Booking { updated_at: now, ..booking.clone() };
    let mut effects = Vec::new();
    match command {
        Command::ConfirmEmail => match state {
            AwaitingEmail => {
                next.state = Reserved;
                next.expires_at = None;
                effects.push(Effect::PutEvent);
            }
            AwaitingApproval | Reserved | Confirmed => return Ok(None),
            Cancelled | Declined | Expired => return Err(Refused(state)),
        },
        Command::Approve => match state {
            AwaitingApproval => {
                next.state = Reserved;
                next.expires_at = None;
                effects.push(Effect::PutEvent);
            }
            Reserved | Confirmed => return Ok(None),
            AwaitingEmail | Cancelled | Declined | Expired => return Err(Refused(state)),
        },
        Command::Decline => match state {
            AwaitingApproval => {
                next.state = Declined;
                next.sequence += 1;
                effects.extend([Effect::DeleteEvent, Effect::Mail(Message::Declined)]);
            }
            Declined => return Ok(None),
            _ => return Err(Refused(state)),
        },
        Command::CancelByGuest | Command::CancelByHost => {
            if matches!(state, Cancelled) {
                return Ok(None);
            }
            if !state.holds_slot() {
                return Err(Refused(state));
            }
            next.state = Cancelled;
            next.sequence += 1;
            if state != AwaitingEmail {
                effects.push(Effect::DeleteEvent);
            }
            let by_guest = matches!(command, Command::CancelByGuest);
            effects.extend(told_of_cancel(booking, by_guest));
            if by_guest && state != AwaitingEmail {
                effects.push(Effect::Mail(Message::HostCancelled));
            }
        }
        Command::Move(time) | Command::MoveByHost(time) => {
            if !state.holds_slot() {
                return Err(Refused(state));
            }
            if *time == booking.time {
                return Ok(None);
            }
            next.time = *time;
            next.placed_by_host = matches!(command, Command::MoveByHost(_));
            next.sequence += 1;
            match state {
                // Nothing is on the calendar yet.
                AwaitingEmail => {}
                AwaitingApproval => effects.push(Effect::PutEvent),
                _ => {
                    next.state = Reserved;
                    effects.push(Effect::PutEvent);
                }
            }
        }
        Command::Expire => match state {
            AwaitingEmail | AwaitingApproval => {
                next.state = Expired;
                next.sequence += 1;
                if state == AwaitingApproval {
                    effects.push(Effect::DeleteEvent);
                }
            }
            _ => return Ok(None),
        },
        // Only the event as the booking stands now confirms it: a later change has its own write under way.
        Command::EventWritten { sequence, tentative, place } => match state {
            Reserved if *sequence == booking.sequence && !tentative => {
                next.state = Confirmed;
                let (guest, host) = match (was_told(booking), booking.placed_by_host) {
                    // Who has moved it, or has accepted what the guest proposed, knows.
                    (true, true) => (Message::MovedByHost, None),
                    (true, false) => (Message::Moved, Some(Message::HostMoved)),
                    (false, _) => (Message::Invitation, Some(Message::HostBooked)),
                };
                read_place(&mut next, place);
                (next.told, next.told_time) = (Some(next.sequence), Some(next.time));
                effects.extend([Some(guest), host].into_iter().flatten().map(Effect::Mail));
            }
            AwaitingApproval if *sequence == booking.sequence && *tentative && !was_told(booking) => {
                read_place(&mut next, place);
                effects.push(Effect::Mail(Message::ApprovalRequest));
            }
            _ => return Ok(None),
        },
        Command::EventEdited { from, to } => match state {
            // While it is reserved its own write is under way, which meets the event as the host left it.
            Confirmed | AwaitingApproval if from != to && *from == booking.event_appointment() => {
                let is_moved = to.time != from.time;
                if to.place != from.place {
                    (next.location, next.event_location) = (to.place.clone(), to.place.clone());
                }
                if is_moved {
                    next.time = to.time;
                    next.placed_by_host = true;
                    next.sequence += 1;
                }
                if was_told(booking) {
                    (next.told, next.told_time) = (Some(next.sequence), Some(next.time));
                    effects.push(Effect::Mail(if is_moved { Message::MovedByHost } else { Message::PlaceChanged }));
                }
            }
            _ => return Ok(None),
        },
        Command::EventGone => match state {
            Reserved | Confirmed | AwaitingApproval => {
                next.state = Cancelled;
                next.sequence += 1;
                effects.extend(told_of_cancel(booking, false));
            }
            _ => return Ok(None),
        },
        // Once for each version of the invitation, however often the calendar is read.
        Command::AskToCancel => match state {
            Confirmed if booking.declined != Some(booking.sequence) => {
                next.declined = Some(booking.sequence);
                effects.push(Effect::Mail(Message::AskToCancel));
            }
            _ => return Ok(None),
        },
        Command::AcceptProposal => match (state, booking.proposal()) {
            (Confirmed, Some(time)) if time.start() > now && time != booking.time => {
                next.time = time;
                // It may lie where nothing is on offer: the host knows.
                next.placed_by_host = true;
                next.sequence += 1;
                next.state = Reserved;
                effects.push(Effect::PutEvent);
            }
            // Pressed twice.
            _ if state.holds_slot() && booking.proposed() == Some(booking.time) => return Ok(None),
            _ => return Err(Refused(state)),
        },
        Command::Replied(reply, on_decline) => {
            let Ok(answered) = judge(reply, booking, now) else { return Ok(None) };
            next.answered = Some(answered);
            let follows = match (&reply.said.what, on_decline) {
                (Says::Declined, OnDecline::Ask) => Some(Command::AskToCancel),
                (Says::Declined, OnDecline::Cancel) => Some(Command::CancelByGuest),
                (Says::Declined, OnDecline::Nothing) | (Says::Accepted | Says::Tentative, _) => None,
                (Says::Delegated(_), _) => {
                    effects.push(Effect::Mail(Message::HostDelegated));
                    None
                }
                (Says::Proposes(..), _) => {
                    effects.push(Effect::Mail(Message::HostProposal));
                    None
                }
                (Says::Again, _) => {
                    effects.push(Effect::Mail(Message::Again));
                    None
                }
            };
            if let Some(follows) = follows
                && let Some((then, more)) = transition(&next, &follows, now)?
            {
                (next, effects) = (then, more);
            }
        }
        Command::EventLate => match state {
            Cancelled | Declined | Expired => effects.push(Effect::DeleteEvent),
            AwaitingEmail | AwaitingApproval | Reserved | Confirmed => return Ok(None),
        },
    }
    Ok(Some((next, effects)))
}

/// The effects of a new booking, in the state that its meeting type's `confirm` gives it.
pub fn first_effects(state: BookingState) -> Vec<Effect> {
    match state {
        BookingState::AwaitingEmail => vec![Effect::Mail(Message::ConfirmAddress)],
        BookingState::Reserved | BookingState::AwaitingApproval => vec![Effect::PutEvent],
        _ => Vec::new(),
    }
}

/// The place of the event, as it was read back. What differs from when it was last read is the host's edit; the first time, it is how
/// the server writes ours, if we wrote one.
fn read_place(booking: &mut Booking, place: &str) {
    if booking.event_location == place {
        return;
    }
    if booking.event.is_some() || booking.location.is_empty() {
        booking.location = place.to_owned();
    }
    booking.event_location = place.to_owned();
}

/// Whether the guest has an invitation.
fn was_told(booking: &Booking) -> bool {
    booking.told.is_some()
}

/// A CANCEL goes only to a guest who has the invitation, or who waits for the host's decision.
fn told_of_cancel(booking: &Booking, by_guest: bool) -> Option<Effect> {
    let message = if by_guest { Message::Cancelled } else { Message::CancelledByHost };
    (was_told(booking) || booking.state == BookingState::AwaitingApproval).then_some(Effect::Mail(message))
}

#[cfg(test)]
mod tests;
