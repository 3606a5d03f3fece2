//! Every text that a guest or a host reads, as fields: a language that lacks one does not compile. Start with [`Phrases`].
//!
//! A text with a gap is a function of what fills it, so that each language puts it where it belongs.

use super::{AlertPhrases, DeskPhrases, GuestPhrases, Locale, PagePhrases};

/// What is said in a language.
#[derive(Clone, Copy, Debug)]
pub struct Phrases {
    /// What the language is called in itself.
    pub name: &'static str,
    /// Dates, clocks and lengths.
    pub locale: Locale,
    /// A word and what it introduces, as `When:`.
    pub label: fn(&str) -> String,
    /// A meeting's title, and with whom it is.
    pub with: fn(&str, &str) -> String,
    /// Above the guest's link, in the event of the invitation.
    pub move_or_cancel: &'static str,
    /// The host's desk.
    pub desk: DeskPhrases,
    /// Mails.
    pub mail: MailPhrases,
    /// Alerts to a host.
    pub alert: AlertPhrases,
    /// Pages beside booking.
    pub guest: GuestPhrases,
    /// Pages.
    pub page: PagePhrases,
}

/// What mails say.
#[derive(Clone, Copy, Debug)]
pub struct MailPhrases {
    /// Names of facts: which meeting.
    pub what: &'static str,
    /// When it is.
    pub when: &'static str,
    /// When, or where, it was before.
    pub before: &'static str,
    /// Where it is.
    pub place: &'static str,
    /// The time that the guest proposes instead.
    pub proposed: &'static str,
    /// Who comes in the guest's place.
    pub deputy: &'static str,
    /// What the guest wrote with the calendar's answer.
    pub comment: &'static str,
    /// Who comes.
    pub who: &'static str,
    /// What the guest wrote.
    pub note: &'static str,
    /// The line of the guest's own wall clock: before the time there.
    pub for_guest: &'static str,
    /// The same line, in a mail to the guest.
    pub for_you: &'static str,

    /// To the guest: the address is to be confirmed.
    pub confirm_address: Words,
    /// To the guest: booked.
    pub invitation: Words,
    /// To the guest: moved by the guest.
    pub moved: Words,
    /// To the guest: moved by the host.
    pub moved_by_host: Words,
    /// To the guest: the host has given it another place.
    pub place_changed: Words,
    /// To the guest: cancelled by the guest.
    pub cancelled: Words,
    /// To the guest: cancelled by the host.
    pub cancelled_by_host: Words,
    /// To the guest: not approved.
    pub declined: Words,
    /// To the guest: it is soon.
    pub reminder: Words,
    /// To the guest, whose calendar answered that they do not come: is it to be cancelled?
    pub ask_to_cancel: Words,
    /// A reminder's subject, from the subject of the invitation.
    pub reminder_subject: fn(&str) -> String,
    /// Under a confirmation of an address.
    pub not_you: &'static str,
    /// A link: the address is confirmed there.
    pub confirm_link: &'static str,
    /// A link: the booking can be changed there.
    pub change_link: &'static str,
    /// A link: other times are there.
    pub again_link: &'static str,

    /// To the host: to be approved.
    pub approval_request: HostWords,
    /// To the host: booked.
    pub host_booked: HostWords,
    /// To the host: moved.
    pub host_moved: HostWords,
    /// To the host: cancelled.
    pub host_cancelled: HostWords,
    /// To the host: the guest proposes another time.
    pub host_proposal: HostWords,
    /// To the host: the guest sends somebody else.
    pub host_delegated: HostWords,
    /// A link: it is decided there.
    pub decide_link: &'static str,
    /// A link: what the guest proposes is accepted there.
    pub accept_link: &'static str,
    /// A link: the host's page of the booking.
    pub host_link: &'static str,
    /// Under each mail to the host about one booking.
    pub answer_goes_to_guest: &'static str,

    /// The host's list of a day: its subject, of the date.
    pub digest_subject: fn(&str) -> String,
    /// Its heading: how many bookings the day has.
    pub digest_heading: fn(i64) -> String,

    /// A test of the mail server: subject, heading, text.
    pub test: [&'static str; 3],
}

/// A mail to a guest.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// What happened, in a line.
    pub heading: &'static str,
    /// A sentence more, with the host's name.
    pub opening: fn(&str) -> String,
}

/// A mail to a host about one booking.
#[derive(Clone, Copy, Debug)]
pub struct HostWords {
    /// The subject, from that of the guest's mail.
    pub subject: fn(&str) -> String,
    /// What happened, in a line.
    pub heading: &'static str,
    /// A sentence more.
    pub opening: &'static str,
}
