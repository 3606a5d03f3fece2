//! What the pages say that serve a guest beside booking: following a feed, the door sign, something sooner, the guest's own
//! calendar beside the free times. Start with [`GuestPhrases`].

/// What those pages say.
#[derive(Clone, Copy, Debug)]
pub struct GuestPhrases {
    // How to follow a feed.
    /// A link to the page that tells how.
    pub how_to_subscribe: &'static str,
    /// A heading over the feed of all meeting types.
    pub all_kinds: &'static str,
    /// Before how often a program asks.
    pub asks: &'static str,
    /// Apple's programs.
    pub apple: &'static str,
    /// A button: in Google's calendar.
    pub add_google: &'static str,
    /// A button: in Apple's calendar.
    pub add_apple: &'static str,
    /// A button: in Outlook.
    pub add_outlook: &'static str,
    /// All other programs.
    pub other_programs: &'static str,
    /// What to do in them.
    pub other_programs_text: &'static str,
    /// A heading over a QR code.
    pub on_phone: &'static str,
    /// What the QR code does.
    pub on_phone_text: &'static str,
    /// Names a QR code, with the address in it.
    pub qr_of: fn(&str) -> String,

    // The door sign.
    /// A link, and the title.
    pub sign: &'static str,
    /// Above the sign, not printed.
    pub sign_hint: &'static str,
    /// A link.
    pub week_before: &'static str,
    /// A link.
    pub week_after: &'static str,
    /// A heading, with the first date.
    pub week_of: fn(&str) -> String,
    /// Weekday, day and month.
    pub day_month: fn(&str, i8, &str) -> String,
    /// A day without hours.
    pub closed: &'static str,
    /// A day that is open from its first minute to its last.
    pub all_day: &'static str,
    /// A week without hours.
    pub no_hours: &'static str,
    /// Beside the QR code.
    pub scan_to_book: &'static str,
    /// Before the address.
    pub or_open: &'static str,

    // Something sooner than a booking.
    /// A heading, and a link.
    pub sooner: &'static str,
    /// What the list is.
    pub sooner_text: &'static str,
    /// Nothing is free sooner.
    pub sooner_none: &'static str,
    /// A link: to the whole list.
    pub sooner_all: &'static str,
    /// A button.
    pub move_here: &'static str,
    /// The time of the booking, before it is moved.
    pub your_time: &'static str,
    /// A heading over the time that was chosen.
    pub sooner_time: &'static str,
    /// A heading over the rest of the list.
    pub sooner_others: &'static str,
    /// A heading: how to be told of what becomes free.
    pub sooner_follow: &'static str,
    /// What the feed is, and whom it tells what.
    pub sooner_follow_text: &'static str,
    /// The title of an event of the feed: the meeting's title, and with whom.
    pub sooner_event: fn(&str, &str) -> String,
    /// In the text of such an event, above the link.
    pub sooner_event_text: &'static str,
    /// What the feed is called: the meeting's title, and with whom.
    pub sooner_feed: fn(&str, &str) -> String,

    // The guest's own calendar.
    /// A link, and the title.
    pub overlay: &'static str,
    /// What it does.
    pub overlay_text: &'static str,
    /// What becomes of what is given.
    pub overlay_private: &'static str,
    /// A label.
    pub overlay_file: &'static str,
    /// Beside it, where files can be dropped.
    pub overlay_drop: &'static str,
    /// A label.
    pub overlay_url: &'static str,
    /// Where that address is found.
    pub overlay_url_hint: &'static str,
    /// Beside the choice of a zone.
    pub overlay_zone_hint: &'static str,
    /// The button.
    pub overlay_button: &'static str,
    /// How many suit, of how many: a heading.
    pub overlay_suit: fn(i64, i64) -> String,
    /// None suits: a heading.
    pub overlay_none: &'static str,
    /// How many entries count as busy because they were not understood.
    pub overlay_unread: fn(i64) -> String,
    /// A link.
    pub overlay_again: &'static str,
    /// Neither a file nor an address was given.
    pub overlay_missing: &'static str,
    /// It is no whole calendar.
    pub overlay_not_calendar: &'static str,
    /// It is too large: how many MB fit.
    pub overlay_too_large: fn(i64) -> String,
    /// The address is not one of https.
    pub overlay_not_https: &'static str,
    /// Nothing can be read there.
    pub overlay_unreachable: &'static str,
}
