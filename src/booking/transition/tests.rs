//! Each command in each state, and what follows.

use super::*;
use crate::booking::{EventPlace, Guest, Ignored, Said};

fn hour(h: i64) -> Interval {
    let at = |h: i64| Timestamp::from_second(h * 3600).unwrap();
    Interval::new(at(h), at(h + 1)).unwrap()
}

fn booking(state: BookingState) -> Booking {
    let is_told = state == BookingState::Confirmed;
    let made = Booking::sample(hour(100), state);
    let guest = Guest { email: "g@example.org".into(), ..made.guest };
    let uid = "u".into();
    let (told, told_time) = (is_told.then_some(0), is_told.then(|| hour(100)));
    Booking { guest, uid, told, told_time, updated_at: Timestamp::UNIX_EPOCH, ..made }
}

fn edited(from: Interval, to: Interval) -> Command {
    let at = |time| Appointment { time, place: String::new() };
    Command::EventEdited { from: at(from), to: at(to) }
}

fn apply(booking: &Booking, command: Command) -> (Booking, Vec<Effect>) {
    transition(booking, &command, Timestamp::UNIX_EPOCH).unwrap().unwrap()
}

/// The calendar server has the event, which says no place.
const fn written(sequence: u32, tentative: bool) -> Command {
    Command::EventWritten { sequence, tentative, place: String::new() }
}

const AS_BOOKED: Command = written(0, false);

const ALL: [fn() -> Command; 15] = [
    || Command::ConfirmEmail,
    || Command::Approve,
    || Command::Decline,
    || Command::CancelByGuest,
    || Command::CancelByHost,
    || Command::Move(hour(200)),
    || Command::MoveByHost(hour(200)),
    || Command::Expire,
    || written(0, false),
    || edited(hour(100), hour(300)),
    || Command::EventGone,
    || Command::EventLate,
    || Command::AskToCancel,
    || Command::AcceptProposal,
    || replied(reply(Says::Declined, 10), OnDecline::Ask),
];

/// An answer to the first invitation, given at this second.
fn reply(what: Says, second: i64) -> Reply {
    Reply {
        uid: "u".into(),
        from: "g@example.org".into(),
        attendee: "g@example.org".into(),
        said: Said { what, comment: String::new() },
        sequence: 0,
        stamp: Some(Timestamp::from_second(second).unwrap()),
        tokens: Vec::new(),
    }
}

fn replied(reply: Reply, on_decline: OnDecline) -> Command {
    Command::Replied(Box::new(reply), on_decline)
}

#[test]
fn an_ended_booking_never_holds_a_slot_again() {
    for ended in [BookingState::Cancelled, BookingState::Declined, BookingState::Expired] {
        for command in ALL {
            if let Ok(Some((next, effects))) = transition(&booking(ended), &command(), Timestamp::UNIX_EPOCH) {
                let removed = (command(), next.state, effects.as_slice());
                assert_eq!(removed, (Command::EventLate, ended, &[Effect::DeleteEvent][..]), "{next:?}");
            }
        }
    }
}

#[test]
fn a_booking_is_confirmed_only_by_its_event_on_the_server() {
    for state in BookingState::ALL {
        for command in ALL {
            if let Ok(Some((next, _))) = transition(&booking(state), &command(), Timestamp::UNIX_EPOCH)
                && next.state == BookingState::Confirmed
                && state != BookingState::Confirmed
            {
                assert!(matches!(command(), Command::EventWritten { tentative: false, .. }));
            }
        }
    }
}

#[test]
fn mail_goes_after_the_event_is_written() {
    let reserved = booking(BookingState::Reserved);
    let (confirmed, effects) = apply(&reserved, written(0, false));
    assert_eq!(confirmed.state, BookingState::Confirmed);
    assert_eq!(effects, [Effect::Mail(Message::Invitation), Effect::Mail(Message::HostBooked)]);
    let (moved, effects) = apply(&confirmed, Command::Move(hour(200)));
    assert_eq!((moved.state, moved.sequence, effects), (BookingState::Reserved, 1, vec![Effect::PutEvent]));
    // The write of the old time, answered late, confirms nothing; nor does that of a booking that was to be approved.
    let tentative = written(0, true);
    assert_eq!(transition(&reserved, &tentative, Timestamp::UNIX_EPOCH), Ok(None));
    assert_eq!(transition(&moved, &written(0, false), Timestamp::UNIX_EPOCH), Ok(None));
    let (_, effects) = apply(&moved, written(1, false));
    assert_eq!(effects, [Effect::Mail(Message::Moved), Effect::Mail(Message::HostMoved)]);
}

#[test]
fn a_tentative_event_that_was_under_way_does_not_confirm_what_was_approved_meanwhile() {
    let tentative = written(0, true);
    let awaiting = Booking { told: None, told_time: None, ..booking(BookingState::AwaitingApproval) };
    let (_, effects) = apply(&awaiting, tentative.clone());
    assert_eq!(effects, [Effect::Mail(Message::ApprovalRequest)]);
    let (approved, effects) = apply(&awaiting, Command::Approve);
    assert_eq!((approved.state, effects), (BookingState::Reserved, vec![Effect::PutEvent]));
    assert_eq!(transition(&approved, &tentative, Timestamp::UNIX_EPOCH), Ok(None));
    assert_eq!(apply(&approved, AS_BOOKED).0.state, BookingState::Confirmed);
}

#[test]
fn a_guest_is_told_who_moved_the_booking() {
    let written = |sequence| written(sequence, false);
    let (moved, effects) = apply(&booking(BookingState::Confirmed), Command::MoveByHost(hour(200)));
    assert!(moved.placed_by_host && effects == [Effect::PutEvent]);
    let (confirmed, effects) = apply(&moved, written(1));
    assert_eq!(effects, [Effect::Mail(Message::MovedByHost)]);
    let (again, _) = apply(&confirmed, Command::Move(hour(300)));
    let (_, effects) = apply(&again, written(2));
    assert_eq!(effects, [Effect::Mail(Message::Moved), Effect::Mail(Message::HostMoved)]);
    // One who was never told gets an invitation to the new time.
    let (moved, _) = apply(&booking(BookingState::Reserved), Command::MoveByHost(hour(200)));
    assert_eq!(apply(&moved, written(1)).1[0], Effect::Mail(Message::Invitation));
}

#[test]
fn cancelling_again_changes_nothing_and_deletes_the_event_once() {
    let (cancelled, effects) = apply(&booking(BookingState::Confirmed), Command::CancelByGuest);
    assert_eq!(effects, [Effect::DeleteEvent, Effect::Mail(Message::Cancelled), Effect::Mail(Message::HostCancelled)]);
    assert_eq!(transition(&cancelled, &Command::CancelByGuest, Timestamp::UNIX_EPOCH), Ok(None));
}

#[test]
fn a_cancel_found_on_the_calendar_does_not_delete_again() {
    let (_, effects) = apply(&booking(BookingState::Confirmed), Command::EventGone);
    assert_eq!(effects, [Effect::Mail(Message::CancelledByHost)]);
}

#[test]
fn a_guest_who_declined_is_asked_once_for_each_invitation() {
    let (asked, effects) = apply(&booking(BookingState::Confirmed), Command::AskToCancel);
    assert_eq!((asked.state, effects), (BookingState::Confirmed, vec![Effect::Mail(Message::AskToCancel)]));
    assert_eq!(transition(&asked, &Command::AskToCancel, Timestamp::UNIX_EPOCH), Ok(None));
    let (moved, _) = apply(&asked, edited(hour(100), hour(200)));
    assert!(transition(&moved, &Command::AskToCancel, Timestamp::UNIX_EPOCH).unwrap().is_some());
}

#[test]
fn a_guest_who_declines_by_mail_is_asked_or_cancelled_as_the_host_wishes() {
    let confirmed = booking(BookingState::Confirmed);
    let declines = |on_decline| apply(&confirmed, replied(reply(Says::Declined, 10), on_decline));
    let (asked, effects) = declines(OnDecline::Ask);
    assert_eq!((asked.state, effects), (BookingState::Confirmed, vec![Effect::Mail(Message::AskToCancel)]));
    let (cancelled, effects) = declines(OnDecline::Cancel);
    assert_eq!(cancelled.state, BookingState::Cancelled);
    assert_eq!(effects, apply(&confirmed, Command::CancelByGuest).1);
    let (noted, effects) = declines(OnDecline::Nothing);
    assert_eq!((noted.state, effects), (BookingState::Confirmed, vec![]));
    for booking in [asked, cancelled, noted] {
        assert_eq!(booking.answered.unwrap().said.what, Says::Declined);
    }
    // The calendar server has told it already: nobody is asked twice.
    let (told, _) = apply(&confirmed, Command::AskToCancel);
    assert_eq!(apply(&told, replied(reply(Says::Declined, 10), OnDecline::Ask)).1, []);
}

#[test]
fn the_same_answer_again_and_an_older_one_change_nothing() {
    let (declined, _) = apply(&booking(BookingState::Confirmed), replied(reply(Says::Declined, 10), OnDecline::Ask));
    for second in [10, 9] {
        let again = replied(reply(Says::Accepted, second), OnDecline::Ask);
        assert_eq!(transition(&declined, &again, Timestamp::UNIX_EPOCH), Ok(None));
    }
    let (accepted, effects) = apply(&declined, replied(reply(Says::Accepted, 11), OnDecline::Ask));
    assert_eq!((accepted.answered.unwrap().said.what, effects), (Says::Accepted, vec![]));
    let unstamped = Reply { stamp: None, ..reply(Says::Tentative, 0) };
    assert_eq!(judge(&unstamped, &declined, Timestamp::UNIX_EPOCH), Err(Ignored::Older));
}

#[test]
fn an_answer_counts_only_from_the_guest_and_for_the_invitation_that_stands() {
    let confirmed = booking(BookingState::Confirmed);
    let judged = |reply: Reply, booking: &Booking| judge(&reply, booking, Timestamp::UNIX_EPOCH).map(drop);
    let declined = || reply(Says::Declined, 10);
    assert_eq!(judged(declined(), &confirmed), Ok(()));
    let shouted =
        Booking { guest: Guest { email: " G@Example.org".into(), ..confirmed.guest.clone() }, ..confirmed.clone() };
    assert_eq!(judged(declined(), &shouted), Ok(()), "whatever the case");
    for stranger in [
        Reply { from: "eve@example.net".into(), ..declined() },
        Reply { attendee: "eve@example.net".into(), ..declined() },
        Reply { from: String::new(), attendee: String::new(), ..declined() },
    ] {
        assert_eq!(judged(stranger, &confirmed), Err(Ignored::Stranger));
    }
    let (moved, _) = apply(&confirmed, edited(confirmed.time, hour(200)));
    assert_eq!(judged(declined(), &moved), Err(Ignored::Outdated), "of the old time");
    assert_eq!(judged(Reply { sequence: 1, ..declined() }, &moved), Ok(()));
    let (moving, _) = apply(&confirmed, Command::Move(hour(200)));
    assert_eq!(judged(declined(), &moving), Err(Ignored::Outdated), "while it is on its way");
    let future = Timestamp::from_second(3 * 24 * 3600).unwrap();
    assert_eq!(judged(Reply { stamp: Some(future), ..declined() }, &confirmed), Err(Ignored::Future));
    assert_eq!(judge(&declined(), &confirmed, hour(100).start()).map(drop), Err(Ignored::NoInvitation), "it has begun");
    for state in BookingState::ALL.into_iter().filter(|state| *state != BookingState::Confirmed) {
        let other = Booking { told: Some(0), ..booking(state) };
        let expected = if state == BookingState::Reserved { Ok(()) } else { Err(Ignored::NoInvitation) };
        assert_eq!(judged(declined(), &other), expected, "{state}");
    }
    assert_eq!(judged(declined(), &Booking { told: None, ..confirmed }), Err(Ignored::NoInvitation));
}

#[test]
fn what_a_guest_proposes_moves_nothing_and_the_host_hears_of_it_a_few_times_at_most() {
    let mut booking = booking(BookingState::Confirmed);
    let proposal = Says::Proposes(hour(300).start(), hour(300).end());
    let mut mails = Vec::new();
    for second in 1..20 {
        let what = if second % 2 == 0 { proposal.clone() } else { Says::Delegated("c@example.org".into()) };
        let command = replied(reply(what, second), OnDecline::Cancel);
        if let Some((next, effects)) = transition(&booking, &command, Timestamp::UNIX_EPOCH).unwrap() {
            assert_eq!((next.time, next.state, next.sequence), (booking.time, booking.state, booking.sequence));
            booking = next;
            mails.extend(effects);
        }
    }
    let [delegated, proposed] = [Message::HostDelegated, Message::HostProposal].map(Effect::Mail);
    assert_eq!(mails, [delegated.clone(), proposed, delegated]);
    // An answer that mails nobody, or only once, is believed all the same.
    assert!(
        transition(&booking, &replied(reply(Says::Declined, 30), OnDecline::Ask), Timestamp::UNIX_EPOCH)
            .unwrap()
            .is_some()
    );
}

#[test]
fn nothing_is_mailed_to_a_guest_who_was_not_told() {
    let (_, effects) = apply(&booking(BookingState::Reserved), Command::CancelByHost);
    assert_eq!(effects, [Effect::DeleteEvent]);
    let (_, effects) = apply(&booking(BookingState::AwaitingEmail), Command::CancelByGuest);
    assert_eq!(effects, []);
}

#[test]
fn another_place_is_mailed_without_asking_for_a_new_answer() {
    let confirmed = Booking {
        location: "Room 1".into(),
        event_location: "Room 1, Main building".into(),
        ..booking(BookingState::Confirmed)
    };
    let to = |time, place: &str| Appointment { time, place: place.into() };
    let edit = |to| Command::EventEdited { from: confirmed.event_appointment(), to };
    let (elsewhere, effects) = apply(&confirmed, edit(to(confirmed.time, "Room 2")));
    assert_eq!(effects, [Effect::Mail(Message::PlaceChanged)]);
    assert_eq!((elsewhere.location.as_str(), elsewhere.event_location.as_str()), ("Room 2", "Room 2"));
    assert_eq!((elsewhere.sequence, elsewhere.told, elsewhere.placed_by_host), (0, Some(0), false));
    // Seen once more, by a pass that had read before: it is so already.
    assert_eq!(transition(&elsewhere, &edit(to(confirmed.time, "Room 2")), Timestamp::UNIX_EPOCH), Ok(None));
    // With another time it is one mail, and a new answer is asked for.
    let (moved, effects) = apply(&confirmed, edit(to(hour(200), "Room 2")));
    assert_eq!(effects, [Effect::Mail(Message::MovedByHost)]);
    assert_eq!((moved.location.as_str(), moved.sequence, moved.time), ("Room 2", 1, hour(200)));
    // A move alone leaves the place as we say it, however the server writes it.
    let (moved, _) = apply(&confirmed, edit(to(hour(200), "Room 1, Main building")));
    assert_eq!(moved.location, "Room 1");
    // Who was told nothing yet is told the new place with the rest.
    let asked = Booking { told: None, state: BookingState::AwaitingApproval, ..confirmed.clone() };
    let (elsewhere, effects) = apply(&asked, edit(to(confirmed.time, "")));
    assert_eq!((elsewhere.location.as_str(), effects), ("", vec![]));
}

#[test]
fn a_place_that_is_read_back_is_the_servers_way_of_ours_at_first_and_the_hosts_edit_later() {
    let reserved =
        Booking { location: "Room 1".into(), event_location: "Room 1".into(), ..booking(BookingState::Reserved) };
    let written = |place: &str| Command::EventWritten { sequence: 0, tentative: false, place: place.into() };
    let (first, _) = apply(&reserved, written("ROOM 1"));
    assert_eq!((first.location.as_str(), first.event_location.as_str()), ("Room 1", "ROOM 1"));
    let place = EventPlace { account: "work".into(), href: "/u.ics".into(), etag: None };
    let again = Booking { state: BookingState::Reserved, event: Some(place), told: Some(0), ..first };
    let (same, _) = apply(&again, written("ROOM 1"));
    assert_eq!(same.location, "Room 1");
    let (edited, effects) = apply(&again, written("Room 2"));
    assert_eq!(edited.location, "Room 2");
    assert_eq!(effects[0], Effect::Mail(Message::Moved), "one mail says both");
    // No server makes up a place: the host was there before we read it back.
    let nowhere = Booking { location: String::new(), event_location: String::new(), ..reserved };
    assert_eq!(apply(&nowhere, written("Room 2")).0.location, "Room 2");
}

#[test]
fn a_move_of_the_hosts_that_was_seen_before_the_booking_moved_is_none() {
    let (confirmed, late) = (booking(BookingState::Confirmed), edited(hour(50), hour(60)));
    assert_eq!(transition(&confirmed, &late, Timestamp::UNIX_EPOCH), Ok(None));
}

#[test]
fn every_change_of_time_raises_the_sequence() {
    for state in BookingState::ALL {
        for command in ALL {
            let before = booking(state);
            if let Ok(Some((next, _))) = transition(&before, &command(), Timestamp::UNIX_EPOCH) {
                assert!(next.time == before.time || next.sequence > before.sequence, "{:?} in {state}", command());
            }
        }
    }
}

#[test]
fn a_proposal_is_accepted_once_and_only_of_the_invitation_that_stands() {
    let confirmed = booking(BookingState::Confirmed);
    let accept = |booking: &Booking, now| transition(booking, &Command::AcceptProposal, now);
    let (start, now) = (Timestamp::UNIX_EPOCH, hour(250).start());
    assert!(accept(&confirmed, start).is_err(), "nothing was proposed");
    let proposes = |to: Interval| replied(reply(Says::Proposes(to.start(), to.end()), 10), OnDecline::Ask);
    let (proposed, _) = apply(&confirmed, proposes(hour(200)));
    assert!(accept(&proposed, now).is_err(), "that time is over");
    let (accepted, effects) = accept(&proposed, start).unwrap().unwrap();
    assert_eq!((accepted.time, accepted.sequence, accepted.state), (hour(200), 1, BookingState::Reserved));
    assert_eq!((accepted.placed_by_host, effects), (true, vec![Effect::PutEvent]));
    assert_eq!(accept(&accepted, start), Ok(None), "once");
    let (told, effects) = apply(&accepted, written(1, false));
    assert_eq!((told.told_time, effects), (Some(hour(200)), vec![Effect::Mail(Message::MovedByHost)]));
    let (moved, _) = apply(&proposed, edited(proposed.time, hour(300)));
    assert!(accept(&moved, start).is_err(), "the host has moved it since");
}
