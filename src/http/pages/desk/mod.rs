//! The host's desk: `/desk` and what is beneath it, for who has a session there. Start with [`Seat`], which every page of it asks for;
//! then one file a page.

mod booking;
mod bookings;
mod calendars;
mod cookie;
mod explain;
mod export;
mod moving;
mod pausing;
mod seat;
mod sign_in;

pub(in super::super) use booking::{act, show as booking};
pub(in super::super) use bookings::{past, show};
pub(in super::super) use calendars::show as calendars;
pub(in super::super) use explain::show as explain;
pub(in super::super) use export::export;
pub(in super::super) use moving::{choose, move_to};
pub(in super::super) use pausing::{pause, show as pausing};
pub(in super::super) use sign_in::{ask, leave, link, open};

use super::{Frame, Visit};
use crate::booking::BookingState;
use crate::http::assets::ASSETS;
use crate::language::{DeskPhrases, Language};
use jiff::civil::{Date, DateTime};

/// The pages that the head of each leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Bookings,
    Calendars,
    Explain,
    Pause,
}

/// A link at the head.
struct TabLink {
    url: String,
    label: &'static str,
    current: bool,
}

/// What every page at the desk begins with.
struct Head {
    host_name: String,
    tabs: Vec<TabLink>,
    leave: String,
    form_token: String,
    /// Empty, or that no new bookings are taken.
    paused: String,
    /// To where that is changed.
    pausing: String,
}

fn phrases(language: Language) -> &'static DeskPhrases {
    &language.phrases().desk
}

/// A frame in the desk's style.
fn frame(visit: &Visit, title: &str) -> Frame {
    let mut frame = Frame::new(visit, title);
    frame.styles.insert(0, ASSETS.desk.clone());
    frame
}

/// The path of a page beneath the desk.
fn path(visit: &Visit, rest: &str, query: &[(&str, &str)]) -> String {
    visit.path_with(&format!("{}{rest}", visit.links().desk()), query)
}

/// A state in a word or two, and the word for its style.
fn state_in_words(state: BookingState, d: &DeskPhrases) -> (&'static str, &'static str) {
    match state {
        BookingState::AwaitingEmail => ("waiting", d.unconfirmed),
        BookingState::AwaitingApproval => ("waiting", d.undecided),
        BookingState::Reserved => ("good", d.reserved),
        BookingState::Confirmed => ("good", d.confirmed),
        BookingState::Cancelled => ("over", d.cancelled),
        BookingState::Declined => ("over", d.declined),
        BookingState::Expired => ("over", d.lapsed),
    }
}

/// `Today, Friday 27 November 2026`.
fn day_title(date: Date, today: Date, language: Language) -> String {
    let (d, long) = (phrases(language), language.long_date(date));
    match date {
        date if date == today => format!("{}, {long}", d.today),
        date if today.tomorrow().is_ok_and(|tomorrow| tomorrow == date) => format!("{}, {long}", d.tomorrow),
        _ => long,
    }
}

/// `Friday 27 November 2026`; with its clock, where that is not midnight.
pub(super) fn date_and_clock(at: DateTime, language: Language) -> String {
    match at.time() == jiff::civil::Time::midnight() {
        true => language.long_date(at.date()),
        false => format!("{}, {}", language.long_date(at.date()), language.clock(at)),
    }
}
