//! English.

use super::{Clock, HostWords, Locale, MailPhrases, Phrases, Words, counted};
use jiff::civil::Weekday;

pub(super) const PHRASES: Phrases = Phrases {
    name: "English",
    locale: Locale {
        weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        weekdays_short: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        weekdays_narrow: ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"],
        months: [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        long_date: |weekday, day, month, year| format!("{weekday} {day} {month} {year}"),
        month_title: |month, year| format!("{month} {year}"),
        clock: Clock::Hours24,
        times: |start, end| format!("{start}–{end}"),
        first_weekday: Weekday::Monday,
        minutes: |count| counted(count, count == 1, "minute", "minutes"),
        hours: |count| counted(count, count == 1, "hour", "hours"),
    },
    label: |word| format!("{word}:"),
    with: |title, host| format!("{title} with {host}"),
    move_or_cancel: "Move or cancel:",
    mail: MailPhrases {
        what: "What",
        when: "When",
        before: "Before",
        place: "Where",
        who: "Who",
        note: "Note",
        for_guest: "For the guest:",
        for_you: "For you:",
        confirm_address: Words {
            heading: "Please confirm your booking",
            opening: |_| "This time was asked for with your address. If that was you, please confirm it.".into(),
        },
        invitation: Words {
            heading: "You are booked",
            opening: |host| format!("Your meeting is in the calendar of {host}."),
        },
        moved: Words {
            heading: "Your booking has a new time",
            opening: |host| format!("You have moved it; it is in the calendar of {host} at its new time."),
        },
        moved_by_host: Words {
            heading: "Your booking has a new time",
            opening: |host| format!("{host} has moved it."),
        },
        cancelled: Words {
            heading: "Your booking is cancelled",
            opening: |_| "You have cancelled it; the meeting does not take place.".into(),
        },
        cancelled_by_host: Words {
            heading: "Your booking was cancelled",
            opening: |host| format!("{host} has cancelled it; the meeting does not take place."),
        },
        declined: Words {
            heading: "Your booking was declined",
            opening: |host| format!("{host} cannot meet you at this time."),
        },
        reminder: Words {
            heading: "A reminder of your booking",
            opening: |host| format!("You will meet {host} soon."),
        },
        ask_to_cancel: Words {
            heading: "Do you want to cancel your booking?",
            opening: |host| {
                format!(
                    "Your calendar declined the invitation, but {host} still expects you. If you cannot come, please \
                     cancel the booking, so that others can have the time."
                )
            },
        },
        reminder_subject: |subject| format!("Reminder: {subject}"),
        not_you: "If it was not you, do nothing: the time becomes free again by itself.",
        confirm_link: "Confirm the booking",
        change_link: "Move or cancel it",
        again_link: "Book another time",
        approval_request: HostWords {
            subject: |subject| format!("To approve: {subject}"),
            heading: "A booking awaits your approval",
            opening: "Its time is held for the guest until you decide.",
        },
        host_booked: HostWords {
            subject: |subject| format!("Booked: {subject}"),
            heading: "You have a new booking",
            opening: "It is in your calendar.",
        },
        host_moved: HostWords {
            subject: |subject| format!("Moved: {subject}"),
            heading: "A booking has a new time",
            opening: "The guest has moved it. It is in your calendar at its new time.",
        },
        host_cancelled: HostWords {
            subject: |subject| format!("Cancelled: {subject}"),
            heading: "A booking was cancelled",
            opening: "The guest has cancelled it. Its time is free again.",
        },
        decide_link: "Approve or decline",
        host_link: "See or cancel it",
        answer_goes_to_guest: "An answer to this message goes to the guest.",
        digest_subject: |date| format!("Your bookings on {date}"),
        digest_heading: |count| counted(count, count == 1, "booking", "bookings"),
        test: [
            "A test of officehours",
            "Mail works",
            "This message was sent by “officehours check --mail”.",
        ],
    },
};
