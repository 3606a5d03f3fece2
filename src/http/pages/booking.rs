//! `/b/{token}`: the guest's own page of a booking, its invitation, its cancelling and the confirming of the address.

use super::sooner::Choice;
use super::subscribe::encoded;
use super::when::When;
use super::{Frame, Visit, page};
use crate::booking::BookingState;
use crate::desk::BookingView;
use crate::http::fault::{Fault, rfc3339};
use crate::http::guest;
use crate::http::input;
use crate::http::state::AppState;
use crate::ical::Zone;
use crate::language::Language;
use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

/// How many of the times that are sooner the page of a booking has.
const FIRST_SOONER: usize = 3;

#[derive(Template)]
#[template(path = "booking.html", config = "src/http/pages/askama.toml")]
struct BookingPage {
    frame: Frame,
    /// A word for the style: `good`, `waiting` or `over`.
    mood: &'static str,
    heading: &'static str,
    text: String,
    title: String,
    host_name: String,
    /// Empty when the host is no longer configured.
    host_url: String,
    /// Empty when the meeting type is no longer configured.
    meeting_url: String,
    location: String,
    when: When,
    guest_name: String,
    guest_email: String,
    /// A mail to the guest could not be delivered.
    missed_mail: bool,
    note: String,
    answers: Vec<(String, String)>,
    /// The public address of this page.
    url: String,
    invitation: String,
    google: String,
    outlook_home: String,
    outlook_work: String,
    /// It is ahead and holds its slot.
    open: bool,
    cancel: String,
    form_token: String,
    reschedule: String,
    /// Empty when it cannot be moved.
    sooner_url: String,
    /// What the list of sooner times is, or why there is none.
    sooner_text: &'static str,
    /// The first few.
    sooner: Vec<Choice>,
    /// A mistake in the cancel form.
    mistake: &'static str,
}

#[derive(Template)]
#[template(path = "confirm.html", config = "src/http/pages/askama.toml")]
struct ConfirmPage {
    frame: Frame,
    title: String,
    host_name: String,
    when: When,
    guest_email: String,
    action: String,
}

/// `GET /b/{token}`.
pub(in super::super) async fn show(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, Fault> {
    let view = state.desk.booking(&token).await?;
    Ok(page(visit.language, &shown(&state, &view, &visit)))
}

/// `POST /b/{token}/cancel`, with `confirm=yes`: programs that press buttons do not tick boxes.
pub(in super::super) async fn cancel(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let (fields, _) = input::form(&headers, body).await?;
    let view = state.desk.booking(&token).await?;
    let (is_of_page, is_wanted) = (fields.is_of(&view.form_token), fields.get("confirm") == Some("yes"));
    if !is_of_page || !is_wanted {
        let mut shown = shown(&state, &view, &visit);
        shown.mistake = if is_wanted { visit.phrases().not_of_page } else { visit.phrases().tick_to_cancel };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(visit.language, &shown)).into_response());
    }
    let view = state.desk.cancel(&token).await?;
    Ok(see(&visit, &view))
}

/// `GET /b/{token}/confirm`: shows what is to be confirmed.
pub(in super::super) async fn confirmation(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, Fault> {
    let view = state.desk.booking_to_confirm(&token).await?;
    if view.booking.state != BookingState::AwaitingEmail {
        return Ok(see(&visit, &view));
    }
    Ok(page(
        visit.language,
        &ConfirmPage {
            frame: Frame::of_host(&visit, &view.booking.host, visit.phrases().confirm_title),
            title: view.booking.title.clone(),
            host_name: host_name(&view),
            when: When::new(view.booking.time, &host_zone(&view), guest_zone_of(&view).as_ref(), visit.language),
            guest_email: view.booking.guest.email.clone(),
            action: visit.path(&visit.links().confirmation(&token)),
        },
    ))
}

/// `POST /b/{token}/confirm`.
pub(in super::super) async fn confirm(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    input::form_without_fields(&headers, body).await?;
    let view = state.desk.confirm_email(&token).await?;
    Ok(see(&visit, &view))
}

/// `GET /b/{token}/invitation.ics`.
pub(in super::super) async fn invitation(
    State(state): State<AppState>,
    Path(token): Path<String>,
) -> Result<Response, Fault> {
    let text = state.desk.invitation(&token).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"invitation.ics\""),
    ];
    Ok((headers, text).into_response())
}

/// To the booking's own page, so that reloading it does nothing.
pub(super) fn see(visit: &Visit, view: &BookingView) -> Response {
    let to = visit.path(&visit.links().booking(&view.guest_token));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

pub(super) fn host_name(view: &BookingView) -> String {
    view.host.as_ref().map_or_else(|| view.booking.host.to_string(), |host| host.name.clone())
}

/// UTC when the host is no longer configured.
pub(super) fn host_zone(view: &BookingView) -> Zone {
    view.host.as_ref().map_or_else(Zone::utc, |host| host.zone.clone())
}

/// The zone that the guest booked in.
pub(super) fn guest_zone_of(view: &BookingView) -> Option<Zone> {
    view.booking.guest.time_zone.as_deref().and_then(guest::zone)
}

/// The page of a booking, with the first of the times that are sooner.
fn shown(state: &AppState, view: &BookingView, visit: &Visit) -> BookingPage {
    let shown = booking_page(view, visit, state.now());
    if shown.sooner_url.is_empty() {
        return shown;
    }
    state.desk.demand(&view.booking.host);
    let offer = state.desk.sooner(view);
    let first = offer.slots.iter().take(FIRST_SOONER).map(|slot| super::sooner::choice(slot.time, view, visit));
    BookingPage { sooner_text: super::sooner::about(&offer, visit), sooner: first.collect(), ..shown }
}

fn booking_page(view: &BookingView, visit: &Visit, now: Timestamp) -> BookingPage {
    let (booking, links) = (&view.booking, visit.links());
    let open = booking.state.holds_slot() && booking.time.start() > now;
    let (mood, heading, text) = state_in_words(view, visit.language, now);
    let zone = host_zone(view);
    let url = links.booking(&view.guest_token);
    let add = AddLinks::new(view, &url, visit.language);
    let mut frame = Frame::of_host(visit, &booking.host, format!("{heading} – {}", booking.title));
    if booking.guest.time_zone.is_none() {
        frame = frame.with_zone(&zone);
    }
    BookingPage {
        frame,
        mood,
        heading,
        text,
        title: booking.title.clone(),
        host_name: host_name(view),
        host_url: view.host.as_ref().map(|host| visit.path(&links.host(&host.id))).unwrap_or_default(),
        meeting_url: view
            .meeting
            .as_ref()
            .map(|meeting| visit.path(&links.meeting(&booking.host, &meeting.id)))
            .unwrap_or_default(),
        location: booking.location.clone(),
        when: When::new(
            booking.time,
            &zone,
            visit.zone.clone().or_else(|| guest_zone_of(view)).as_ref(),
            visit.language,
        ),
        guest_name: booking.guest.name.clone(),
        guest_email: booking.guest.email.clone(),
        missed_mail: view.missed_mail,
        note: booking.guest.note.clone(),
        answers: answers(view),
        invitation: visit.path(&links.invitation(&view.guest_token)),
        google: add.google,
        outlook_home: add.outlook_home,
        outlook_work: add.outlook_work,
        open,
        cancel: visit.path(&links.cancel(&view.guest_token)),
        form_token: view.form_token.clone(),
        reschedule: visit.path(&links.reschedule(&view.guest_token)),
        sooner_url: view
            .meeting
            .as_ref()
            // What still waits has one thing to be done first.
            .filter(|_| open && mood == "good")
            .map(|_| visit.path(&links.sooner(&view.guest_token)))
            .unwrap_or_default(),
        sooner_text: "",
        sooner: Vec::new(),
        url,
        mistake: "",
    }
}

/// The questions that were answered.
pub(super) fn answers(view: &BookingView) -> Vec<(String, String)> {
    let answered = view.booking.guest.answers.iter().filter(|answer| !answer.text.is_empty());
    answered.map(|answer| (answer.label.clone(), answer.text.clone())).collect()
}

/// What the state means for the guest. A mail is spoken of only when mail is set up.
fn state_in_words(view: &BookingView, language: Language, now: Timestamp) -> (&'static str, &'static str, String) {
    let (booking, host) = (&view.booking, host_name(view));
    let over = booking.time.end() <= now;
    let mail = |text: String| if view.mailed { format!(" {text}") } else { String::new() };
    let (t, email) = (&language.phrases().page, booking.guest.email.as_str());
    match booking.state {
        BookingState::Confirmed | BookingState::Reserved if over => ("over", t.over, String::new()),
        BookingState::Confirmed => {
            ("good", t.booked, format!("{}{}", (t.booked_text)(&host), mail((t.invitation_goes)(email))))
        }
        BookingState::Reserved => {
            ("good", t.reserved, format!("{}{}", (t.reserved_text)(&host), mail((t.invitation_follows)(email))))
        }
        BookingState::AwaitingEmail if !view.mailed => {
            ("waiting", t.unconfirmed, (t.unconfirmed_text)(&until(view, language)))
        }
        BookingState::AwaitingEmail => ("waiting", t.one_more_step, (t.open_the_link)(&until(view, language), email)),
        BookingState::AwaitingApproval => {
            ("waiting", t.asked, format!("{}{}", (t.asked_text)(&host), mail((t.answer_goes)(email))))
        }
        BookingState::Cancelled => ("over", t.cancelled, t.free_again.into()),
        BookingState::Declined => ("over", t.declined, (t.declined_text)(&host)),
        BookingState::Expired => ("over", t.lapsed, t.lapsed_text.into()),
    }
}

fn until(view: &BookingView, language: Language) -> String {
    let zone = host_zone(view);
    let text = view.booking.expires_at.map(|at| {
        let local = zone.civil(at);
        (language.phrases().page.until)(
            &language.clock(local),
            &language.long_date(local.date()),
            &super::when::label(&zone, at),
        )
    });
    text.unwrap_or_default()
}

/// Links that put the booking into a calendar on the web.
struct AddLinks {
    google: String,
    outlook_home: String,
    outlook_work: String,
}

impl AddLinks {
    fn new(view: &BookingView, url: &str, language: Language) -> AddLinks {
        let booking = &view.booking;
        let title = encoded(&format!("{} – {}", booking.title, host_name(view)));
        let (details, location) =
            (encoded(&(language.phrases().page.change_or_cancel)(url)), encoded(&booking.location));
        let basic = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let dates = format!("{}%2F{}", basic(booking.time.start()), basic(booking.time.end()));
        let (start, end) = (encoded(&rfc3339(booking.time.start())), encoded(&rfc3339(booking.time.end())));
        let compose = format!(
            "calendar/0/deeplink/compose?path=%2Fcalendar%2Faction%2Fcompose&rru=addevent&subject={title}&startdt={start}&enddt={end}&body={details}&location={location}"
        );
        AddLinks {
            google: format!(
                "https://calendar.google.com/calendar/render?action=TEMPLATE&text={title}&dates={dates}&details={details}&location={location}"
            ),
            outlook_home: format!("https://outlook.live.com/{compose}"),
            outlook_work: format!("https://outlook.office.com/{compose}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::visit::tests::visit;
    use super::*;
    use crate::availability::Interval;
    use crate::booking::{Booking, Guest};
    use jiff::SignedDuration;

    fn view(state: BookingState, mailed: bool) -> BookingView {
        let start: Timestamp = "2026-12-01T13:00:00Z".parse().unwrap();
        let made = Booking::sample(Interval::new(start, start + SignedDuration::from_mins(30)).unwrap(), state);
        let time_zone = Some("America/New_York".into());
        let guest = Guest { name: "<b>Ada</b>".into(), email: "ada@example.edu".into(), time_zone, ..made.guest };
        let booking = Booking { location: "Room 2.12".into(), guest, ..made };
        BookingView {
            booking,
            host: None,
            meeting: None,
            guest_token: "secret".into(),
            form_token: "form".into(),
            mailed,
            missed_mail: false,
        }
    }

    fn html(state: BookingState, mailed: bool, now: &str) -> String {
        booking_page(&view(state, mailed), &visit(""), now.parse().unwrap()).render().unwrap()
    }

    const BEFORE: &str = "2026-11-24T12:00:00Z";

    #[test]
    fn no_page_speaks_of_a_mail_where_none_is_sent() {
        for state in BookingState::ALL {
            let text = state_in_words(&view(state, false), Language::English, BEFORE.parse().unwrap()).2;
            assert!(!text.contains("ada@example.edu") && !text.contains("mail"), "{state}: {text}");
        }
        assert!(
            state_in_words(&view(BookingState::Confirmed, true), Language::English, BEFORE.parse().unwrap())
                .2
                .contains("ada@example.edu")
        );
    }

    #[test]
    fn a_page_speaks_the_language_that_is_asked_for_and_leads_to_the_others() {
        let view = view(BookingState::Confirmed, true);
        let page = |query| booking_page(&view, &visit(query), BEFORE.parse().unwrap()).render().unwrap();
        let german = page("lang=de&tz=Europe/Paris");
        for part in [
            "<html lang=\"de\"",
            "Dienstag, 1. Dezember 2026",
            "Buchung absagen",
            "Kopiert",
            "hreflang=\"fr\"",
            "lang=de",
        ] {
            assert!(german.contains(part), "{part}\n{german}");
        }
        assert!(!german.contains("Cancel the booking") && !german.contains("Booked by"));
        assert!(page("lang=fr").contains("mardi 1er décembre 2026"));
        assert!(page("").contains("<html lang=\"en\""));
    }

    #[test]
    fn what_is_over_cannot_be_cancelled_or_moved() {
        assert!(html(BookingState::Confirmed, false, BEFORE).contains("/meet/b/secret/cancel"));
        for (state, now) in [(BookingState::Cancelled, BEFORE), (BookingState::Confirmed, "2026-12-01T13:30:00Z")] {
            let html = html(state, false, now);
            assert!(!html.contains("/b/secret/cancel") && !html.contains("/b/secret/move"), "{state}");
        }
    }

    #[test]
    fn both_clocks_are_shown_and_names_are_escaped() {
        let html = html(BookingState::Confirmed, false, BEFORE);
        assert!(html.contains("13:00–13:30") && html.contains("08:00–08:30") && html.contains("New York, UTC−5"));
        assert!(!html.contains("<b>Ada"));
    }

    #[test]
    fn links_to_calendars_on_the_web_are_escaped() {
        let add = AddLinks::new(
            &view(BookingState::Confirmed, false),
            "https://example.edu/meet/b/secret",
            Language::English,
        );
        assert!(add.google.contains("dates=20261201T130000Z%2F20261201T133000Z"));
        assert!(add.google.contains("location=Room%202.12"));
        assert!(add.outlook_home.contains("startdt=2026-12-01T13%3A00%3A00Z"));
    }
}
