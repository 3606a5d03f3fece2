//! German.

use super::{Clock, HostWords, Locale, MailPhrases, Phrases, Words, counted};
use jiff::civil::Weekday;

pub(super) const PHRASES: Phrases = Phrases {
    name: "Deutsch",
    locale: Locale {
        weekdays: ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
        weekdays_short: ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
        weekdays_narrow: ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
        months: [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        long_date: |weekday, day, month, year| format!("{weekday}, {day}. {month} {year}"),
        month_title: |month, year| format!("{month} {year}"),
        clock: Clock::Hours24,
        times: |start, end| format!("{start}–{end} Uhr"),
        first_weekday: Weekday::Monday,
        minutes: |count| counted(count, count == 1, "Minute", "Minuten"),
        hours: |count| counted(count, count == 1, "Stunde", "Stunden"),
    },
    label: |word| format!("{word}:"),
    with: |title, host| format!("{title} mit {host}"),
    move_or_cancel: "Verschieben oder absagen:",
    mail: MailPhrases {
        what: "Was",
        when: "Wann",
        before: "Bisher",
        place: "Wo",
        who: "Wer",
        note: "Nachricht",
        for_guest: "Beim Gast:",
        for_you: "Bei Ihnen:",
        confirm_address: Words {
            heading: "Bitte bestätigen Sie Ihre Buchung",
            opening: |_| {
                "Dieser Termin wurde mit Ihrer Adresse angefragt. Wenn Sie das waren, bestätigen Sie ihn bitte.".into()
            },
        },
        invitation: Words {
            heading: "Ihr Termin ist gebucht",
            opening: |host| format!("Er steht im Kalender von {host}."),
        },
        moved: Words {
            heading: "Ihr Termin hat eine neue Zeit",
            opening: |host| format!("Sie haben ihn verschoben; im Kalender von {host} steht er zur neuen Zeit."),
        },
        moved_by_host: Words {
            heading: "Ihr Termin hat eine neue Zeit",
            opening: |host| format!("{host} hat ihn verschoben."),
        },
        cancelled: Words {
            heading: "Ihr Termin ist abgesagt",
            opening: |_| "Sie haben ihn abgesagt; er findet nicht statt.".into(),
        },
        cancelled_by_host: Words {
            heading: "Ihr Termin wurde abgesagt",
            opening: |host| format!("{host} hat ihn abgesagt; er findet nicht statt."),
        },
        declined: Words {
            heading: "Ihre Anfrage wurde abgelehnt",
            opening: |host| format!("{host} kann Sie zu dieser Zeit nicht treffen."),
        },
        reminder: Words {
            heading: "Erinnerung an Ihren Termin",
            opening: |host| format!("Ihr Termin mit {host} steht kurz bevor."),
        },
        ask_to_cancel: Words {
            heading: "Möchten Sie Ihren Termin absagen?",
            opening: |host| {
                format!(
                    "Ihr Kalender hat die Einladung abgelehnt, aber {host} erwartet Sie weiterhin. Wenn Sie nicht \
                     kommen können, sagen Sie den Termin bitte ab, damit andere ihn nutzen können."
                )
            },
        },
        reminder_subject: |subject| format!("Erinnerung: {subject}"),
        not_you: "Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Der Termin wird von selbst wieder frei.",
        confirm_link: "Buchung bestätigen",
        change_link: "Verschieben oder absagen",
        again_link: "Einen anderen Termin buchen",
        approval_request: HostWords {
            subject: |subject| format!("Zur Entscheidung: {subject}"),
            heading: "Eine Buchung wartet auf Ihre Zusage",
            opening: "Die Zeit bleibt für den Gast reserviert, bis Sie entscheiden.",
        },
        host_booked: HostWords {
            subject: |subject| format!("Gebucht: {subject}"),
            heading: "Sie haben eine neue Buchung",
            opening: "Sie steht in Ihrem Kalender.",
        },
        host_moved: HostWords {
            subject: |subject| format!("Verschoben: {subject}"),
            heading: "Eine Buchung hat eine neue Zeit",
            opening: "Der Gast hat sie verschoben. In Ihrem Kalender steht sie zur neuen Zeit.",
        },
        host_cancelled: HostWords {
            subject: |subject| format!("Abgesagt: {subject}"),
            heading: "Eine Buchung wurde abgesagt",
            opening: "Der Gast hat sie abgesagt. Die Zeit ist wieder frei.",
        },
        decide_link: "Zusagen oder ablehnen",
        host_link: "Ansehen oder absagen",
        answer_goes_to_guest: "Eine Antwort auf diese Nachricht geht an den Gast.",
        digest_subject: |date| format!("Ihre Buchungen am {date}"),
        digest_heading: |count| counted(count, count == 1, "Buchung", "Buchungen"),
        test: [
            "Ein Test von officehours",
            "Die Mail funktioniert",
            "Diese Nachricht wurde von „officehours check --mail“ gesendet.",
        ],
    },
};
