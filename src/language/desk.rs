//! What the host's desk says, in pages and in the mail that leads to it. Start with [`DeskPhrases`].

use super::Said;

/// What the host's desk says.
#[derive(Clone, Copy, Debug)]
pub struct DeskPhrases {
    // Coming in and going out.
    /// A heading: where the desk is opened.
    pub sign_in: &'static str,
    /// What it is for.
    pub sign_in_text: &'static str,
    /// The button.
    pub send_link: &'static str,
    /// After it, whoever asked.
    pub sent: Said,
    /// Where mail is not set up.
    pub no_mail: &'static str,
    /// A heading, with the host's name: a link was followed.
    pub open: fn(&str) -> String,
    /// What it does.
    pub open_text: &'static str,
    /// The button.
    pub open_button: &'static str,
    /// The link was used, or is too old.
    pub link_gone: Said,
    /// A link, to where another is asked for.
    pub another_link: &'static str,
    /// A button.
    pub sign_out: &'static str,

    // The mail with the link.
    /// Its subject.
    pub mail_subject: &'static str,
    /// Its heading.
    pub mail_heading: &'static str,
    /// A sentence more, with the clock until which the link opens it.
    pub mail_text: fn(&str) -> String,
    /// Under it.
    pub mail_not_you: &'static str,

    // Around every page.
    /// Above the host's name.
    pub desk: &'static str,
    /// Names the links to the pages.
    pub pages: &'static str,
    /// A page.
    pub bookings: &'static str,
    /// A page.
    pub calendars: &'static str,
    /// A page.
    pub explain: &'static str,
    /// A page.
    pub pause: &'static str,

    // Bookings.
    /// A heading: of those that await a decision.
    pub to_decide: &'static str,
    /// There are none.
    pub none_ahead: &'static str,
    /// Before a date.
    pub today: &'static str,
    /// Before a date.
    pub tomorrow: &'static str,
    /// A link, and a heading.
    pub past: &'static str,
    /// There are none.
    pub none_past: &'static str,
    /// A link.
    pub newer: &'static str,
    /// A link.
    pub older: &'static str,
    /// A link that leads to declining.
    pub decline_more: &'static str,
    /// Above the links to files.
    pub export: &'static str,
    /// A state, in a word or two: the guest's address is not confirmed.
    pub unconfirmed: &'static str,
    /// A state: the host decides.
    pub undecided: &'static str,
    /// A state: on its way to the calendar.
    pub reserved: &'static str,
    /// A state: in the calendar.
    pub confirmed: &'static str,
    /// A state.
    pub cancelled: &'static str,
    /// A state.
    pub declined: &'static str,
    /// A state.
    pub lapsed: &'static str,

    // One booking.
    /// A link: back.
    pub all_bookings: &'static str,
    /// The label of what goes into the mail to the guest.
    pub word: &'static str,
    /// A label.
    pub note: &'static str,
    /// Beside it.
    pub note_hint: &'static str,
    /// A button.
    pub save: &'static str,
    /// A question, with the guest's name.
    pub did_come: fn(&str) -> String,
    /// An answer.
    pub came: &'static str,
    /// An answer.
    pub missed: &'static str,
    /// A button: neither.
    pub unmark: &'static str,

    // Moving it.
    /// A heading.
    pub free_times: &'static str,
    /// There are none.
    pub no_free_times: &'static str,
    /// A heading.
    pub other_time: &'static str,
    /// What it means.
    pub other_text: &'static str,
    /// A label.
    pub date: &'static str,
    /// A label.
    pub clock: &'static str,
    /// A mistake.
    pub time_missing: &'static str,

    // How the calendars do.
    /// A heading: what the host is alerted to.
    pub attention: &'static str,
    /// A heading.
    pub sources: &'static str,
    /// With how long ago.
    pub read: fn(&str) -> String,
    /// It was not, since the process began.
    pub never_read: &'static str,
    /// With when.
    pub next_look: fn(&str) -> String,
    /// The pass is under way.
    pub looking: &'static str,
    /// A stretch of time that is past.
    pub ago: fn(&str) -> String,
    /// A stretch of time that is ahead.
    pub within: fn(&str) -> String,
    /// Less than a minute.
    pub moments: &'static str,
    /// With how long ago it began.
    pub failing: fn(&str) -> String,
    /// A heading.
    pub not_understood: &'static str,
    /// How such events count.
    pub not_understood_text: &'static str,
    /// There is nothing.
    pub all_understood: &'static str,
    /// An event without a UID.
    pub some_event: &'static str,

    // Why a time is free or not.
    /// A heading.
    pub explain_title: &'static str,
    /// A label.
    pub meeting: &'static str,
    /// The button.
    pub explain_button: &'static str,
    /// The answer.
    pub on_offer: &'static str,
    /// The answer, before why.
    pub not_on_offer: &'static str,
    /// Why: an event.
    pub busy: &'static str,
    /// Why: a booking.
    pub booked: &'static str,
    /// Why.
    pub outside_hours: &'static str,
    /// Why.
    pub off_grid: &'static str,
    /// Why.
    pub unread: &'static str,
    /// Beside a rule that holds.
    pub yes: &'static str,
    /// Beside a rule that does not.
    pub no: &'static str,
    /// Beside what decides nothing.
    pub remark: &'static str,
    /// Above what is said in English in every language; empty in English.
    pub in_english: &'static str,

    // Taking no new bookings.
    /// A heading.
    pub pause_title: &'static str,
    /// What it does.
    pub pause_text: &'static str,
    /// A label.
    pub until: &'static str,
    /// Beside it.
    pub until_hint: &'static str,
    /// The button.
    pub pause_button: &'static str,
    /// It is so.
    pub paused: &'static str,
    /// It is so, until that date and clock.
    pub paused_until: fn(&str) -> String,
    /// The button.
    pub resume: &'static str,
    /// A mistake.
    pub until_past: &'static str,

    // What guests read of it.
    /// A heading, without a full stop.
    pub guest_paused: &'static str,
    /// With the host's name.
    pub guest_paused_text: fn(&str) -> String,
    /// With the host's name and a date.
    pub guest_paused_until: fn(&str, &str) -> String,
}
