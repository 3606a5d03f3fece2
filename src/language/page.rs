//! What pages say. Start with [`PagePhrases`].

/// What pages say.
#[derive(Clone, Copy, Debug)]
pub struct PagePhrases {
    // Around every page.
    /// A link, first on every page, past what all have.
    pub skip: &'static str,
    /// Names the links to the same page in other languages.
    pub languages: &'static str,
    /// Names the way back.
    pub you_are_here: &'static str,
    /// A button: puts an address where it can be pasted.
    pub copy: &'static str,
    /// The same button, when it has.
    pub copied: &'static str,
    /// Beside what may be left empty.
    pub optional: &'static str,
    /// Between a meeting's title and whom it is with, on a line of its own.
    pub with: &'static str,
    /// A time where the guest is.
    pub for_you: fn(&str) -> String,
    /// Before a date and time where the guest is.
    pub for_you_label: &'static str,
    /// Before the name of the host's zone.
    pub times_in: &'static str,
    /// Before the name of the guest's zone.
    pub your_zone: &'static str,

    /// Names the frame that a page elsewhere shows ours in.
    pub frame: &'static str,

    // Whom to meet, and about what.
    /// Above a host's name, and the title of the list of hosts.
    pub office_hours: &'static str,
    /// Above the list of hosts.
    pub whom: &'static str,
    /// Where hosts are not listed.
    pub not_listed: &'static str,
    /// A host without meeting types.
    pub nothing_to_book: &'static str,
    /// Beside a meeting type.
    pub confirms_address: &'static str,
    /// Beside a meeting type that the host decides on.
    pub on_request: &'static str,
    /// Nothing can be booked for now.
    pub paused: &'static str,
    /// Why, with the host's name.
    pub paused_because: fn(&str) -> String,

    // A month, a day, its free times.
    /// Names the links to other months.
    pub months: &'static str,
    /// A link.
    pub month_before: &'static str,
    /// A link.
    pub month_after: &'static str,
    /// Names the table of a month.
    pub month_caption: fn(&str) -> String,
    /// How many a day has; of none, that there is none.
    pub free_times: fn(i64) -> String,
    /// What the number under a day is.
    pub legend: &'static str,
    /// A day without a free time.
    pub none_on_day: &'static str,
    /// A heading, with the month's name.
    pub none_in_month: fn(&str) -> String,
    /// Before a date, which is a link.
    pub first_free: &'static str,
    /// Nowhere a free time.
    pub none_at_all: &'static str,
    /// Opens the choice of a zone.
    pub change_zone: &'static str,
    /// Opens the choice of a zone, when none is chosen.
    pub show_zone: &'static str,
    /// The label of that choice.
    pub your_time_zone: &'static str,
    /// Its button.
    pub show: &'static str,
    /// Opens the list of a month's free times.
    pub all_in_month: fn(&str) -> String,
    /// Of a meeting for several.
    pub seats_left: fn(i64) -> String,

    // The form.
    /// A link: to the month.
    pub all_times: &'static str,
    /// A label.
    pub name: &'static str,
    /// A label.
    pub email: &'static str,
    /// What the address is for, where it is confirmed first.
    pub email_for_link: &'static str,
    /// What the address is for.
    pub email_for_invitation: &'static str,
    /// What the address is for, where no mail is sent.
    pub email_for_host: &'static str,
    /// A label.
    pub note: &'static str,
    /// The label of a field that catches robots.
    pub leave_empty: &'static str,
    /// The button.
    pub book: &'static str,
    /// The button, where the host decides.
    pub ask: &'static str,
    /// Who gets what is typed.
    pub under_form: fn(&str) -> String,
    /// Above the mistakes.
    pub look_again: fn(i64) -> String,
    /// Of a meeting for several: how many of how many.
    pub seats_of: fn(i64, i64) -> String,

    // Mistakes in it.
    /// Nothing was typed.
    pub name_missing: &'static str,
    /// It has line breaks or control characters.
    pub name_in_one_line: &'static str,
    /// Nothing was typed.
    pub email_missing: &'static str,
    /// It has line breaks or control characters.
    pub email_in_one_line: &'static str,
    /// It has not the form of an address.
    pub email_wrong: &'static str,
    /// The question must be answered.
    pub answer_missing: &'static str,
    /// How long it is, and how long it may be, in characters.
    pub too_long: fn(usize, usize) -> String,
    /// Only a program sends it.
    pub zone_unknown: &'static str,
    /// The field that catches robots was filled in.
    pub robot: &'static str,
    /// For a guest whose browser has not worked, where no mail can confirm their address.
    pub no_proof: &'static str,
    /// To a form that does not come from its page.
    pub not_of_page: &'static str,
    /// No time was chosen to move the booking to.
    pub choose_a_time: &'static str,
    /// After why a time cannot be had.
    pub choose_another: &'static str,
    /// The box was not ticked.
    pub tick_to_cancel: &'static str,
    /// The host chose nothing.
    pub choose_what: &'static str,

    // Why a time cannot be had: headings, without a full stop.
    /// By an event or another booking: which is not said.
    pub taken: &'static str,
    /// Within the notice that the host wants.
    pub too_soon: &'static str,
    /// Beyond the horizon.
    pub too_far: &'static str,
    /// The day has as many bookings as the host wants.
    pub day_full: &'static str,
    /// A stranger who types an address in learns nothing about its owner.
    pub guest_limit: &'static str,
    /// Why a slot cannot be had: the host has no calendar for bookings.
    pub unbookable: &'static str,
    /// The same of all times of a host, whose name is given.
    pub unbookable_text: fn(&str) -> String,
    /// It is not ahead.
    pub past: &'static str,
    /// It is outside the hours or off the grid.
    pub no_slot: &'static str,
    /// When a form was sent for it.
    pub kept: &'static str,
    /// A heading.
    pub nearest: &'static str,
    /// A link.
    pub see_all: &'static str,
    /// On a button with another time.
    pub book_instead: &'static str,

    // The guest's page of a booking: headings and what they mean.
    /// A heading, and what to confirm.
    pub confirm_title: &'static str,
    /// With the address.
    pub confirm_text: fn(&str) -> String,
    /// The button.
    pub confirm_button: &'static str,
    /// For an address that somebody else typed.
    pub confirm_not_you: &'static str,
    /// It has been.
    pub over: &'static str,
    /// In the calendar.
    pub booked: &'static str,
    /// With the host's name.
    pub booked_text: fn(&str) -> String,
    /// With the guest's address.
    pub invitation_goes: fn(&str) -> String,
    /// Booked, not in the calendar yet.
    pub reserved: &'static str,
    /// With the host's name.
    pub reserved_text: fn(&str) -> String,
    /// With the guest's address.
    pub invitation_follows: fn(&str) -> String,
    /// A mail to the guest's address could not be delivered.
    pub missed_mail: fn(&str) -> String,
    /// Waiting for the address to be confirmed, where no mail is sent.
    pub unconfirmed: &'static str,
    /// With until when, or nothing.
    pub unconfirmed_text: fn(&str) -> String,
    /// Waiting to be confirmed, where mail is sent.
    pub one_more_step: &'static str,
    /// With until when, or nothing, and the guest's address.
    pub open_the_link: fn(&str, &str) -> String,
    /// With a clock, a date and a zone; begins with a blank.
    pub until: fn(&str, &str, &str) -> String,
    /// The host decides.
    pub asked: &'static str,
    /// With the host's name.
    pub asked_text: fn(&str) -> String,
    /// With the guest's address.
    pub answer_goes: fn(&str) -> String,
    /// By the guest or the host.
    pub cancelled: &'static str,
    /// After it was cancelled.
    pub free_again: &'static str,
    /// By the host.
    pub declined: &'static str,
    /// With the host's name.
    pub declined_text: fn(&str) -> String,
    /// Neither confirmed nor decided in time.
    pub lapsed: &'static str,
    /// Why.
    pub lapsed_text: &'static str,
    /// A heading.
    pub add: &'static str,
    /// A button.
    pub download: &'static str,
    /// A button.
    pub outlook_work: &'static str,
    /// A heading.
    pub change: &'static str,
    /// Beside the address of the page.
    pub keep_address: &'static str,
    /// A label.
    pub address_of_page: &'static str,
    /// A button.
    pub move_link: &'static str,
    /// Opens the form.
    pub cancel: &'static str,
    /// Beside a box.
    pub cancel_tick: &'static str,
    /// The button.
    pub cancel_now: &'static str,
    /// A label.
    pub booked_by: &'static str,
    /// A label.
    pub note_label: &'static str,
    /// A button.
    pub another: &'static str,
    /// In the text of an event, with the address of the page.
    pub change_or_cancel: fn(&str) -> String,
    /// A link: back from choosing another time.
    pub the_booking: &'static str,
    /// After a meeting and its host, before its time.
    pub so_far: &'static str,
    /// The button.
    pub move_button: &'static str,

    // How to follow a feed.
    /// What a host's feed is called.
    pub feed_of: fn(&str) -> String,
    /// A heading.
    pub subscribe: &'static str,
    /// What it brings.
    pub subscribe_text: &'static str,
    /// Opens the feeds of single meeting types.
    pub one_kind: &'static str,
    /// A label.
    pub plain_address: &'static str,
    /// Opens the answer.
    pub how_soon: &'static str,
    /// The answer.
    pub how_soon_text: &'static str,
    /// How often each program asks: its name, and how often.
    pub pace: [[&'static str; 2]; 6],

    // The host's page of a booking.
    /// Above it.
    pub for_host: &'static str,
    /// The address is not confirmed yet.
    pub host_unconfirmed: &'static str,
    /// The host is to decide.
    pub host_decides: &'static str,
    /// Booked, not in the calendar yet.
    pub host_reserved: &'static str,
    /// In the calendar.
    pub host_booked: &'static str,
    /// By either of them.
    pub host_cancelled: &'static str,
    /// By the host.
    pub host_declined: &'static str,
    /// Neither confirmed nor decided in time.
    pub host_lapsed: &'static str,
    /// A label.
    pub guest: &'static str,
    /// Above the choices.
    pub what_to_do: &'static str,
    /// A choice.
    pub approve: &'static str,
    /// A choice.
    pub decline: &'static str,
    /// A choice of the host's: move it to the time that the guest proposed.
    pub accept_proposal: fn(&str) -> String,
    /// A choice.
    pub cancel_this: &'static str,
    /// The button.
    pub go_ahead: &'static str,

    // Pages that say what went wrong: a title, and what to do about it.
    /// Not well-formed, or in a format that is not known.
    pub fault_malformed: Said,
    /// A form of another site.
    pub fault_cross_site: Said,
    /// No such address or booking.
    pub fault_not_found: Said,
    /// The address does not know the method.
    pub fault_not_allowed: Said,
    /// It did not arrive in time.
    pub fault_timeout: Said,
    /// The same request is under way.
    pub fault_in_progress: Said,
    /// Cancelled, declined or lapsed.
    pub fault_closed: Said,
    /// More than a body may have.
    pub fault_too_large: Said,
    /// A field is wrong.
    pub fault_invalid: Said,
    /// Over a limit.
    pub fault_too_many: Said,
    /// A fault of ours.
    pub fault_internal: Said,
    /// The calendar cannot be read.
    pub fault_stale: Said,
    /// The store cannot be written to.
    pub fault_unsaved: Said,
}

/// A title, and a sentence more.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// A line, without a full stop.
    pub title: &'static str,
    /// What to do about it.
    pub text: &'static str,
}
