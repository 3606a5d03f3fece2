//! French. Before `:` stands a no-break space.

use super::{Clock, HostWords, Locale, MailPhrases, Phrases, Words, counted};
use jiff::civil::Weekday;

pub(super) const PHRASES: Phrases = Phrases {
    name: "Français",
    locale: Locale {
        weekdays: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
        weekdays_short: ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
        weekdays_narrow: ["lu", "ma", "me", "je", "ve", "sa", "di"],
        months: [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
        long_date: |weekday, day, month, year| {
            let day = if day == 1 { "1er".to_owned() } else { day.to_string() };
            format!("{weekday} {day} {month} {year}")
        },
        month_title: |month, year| format!("{month} {year}"),
        clock: Clock::Hours24,
        times: |start, end| format!("{start}–{end}"),
        first_weekday: Weekday::Monday,
        minutes: |count| counted(count, count < 2, "minute", "minutes"),
        hours: |count| counted(count, count < 2, "heure", "heures"),
    },
    label: |word| format!("{word}\u{a0}:"),
    with: |title, host| format!("{title} avec {host}"),
    move_or_cancel: "Déplacer ou annuler\u{a0}:",
    mail: MailPhrases {
        what: "Objet",
        when: "Date",
        before: "Auparavant",
        place: "Lieu",
        who: "Avec",
        note: "Message",
        for_guest: "Chez l’invité\u{a0}:",
        for_you: "Chez vous\u{a0}:",
        confirm_address: Words {
            heading: "Veuillez confirmer votre réservation",
            opening: |_| {
                "Ce rendez-vous a été demandé avec votre adresse. Si c’est bien vous, veuillez le confirmer.".into()
            },
        },
        invitation: Words {
            heading: "Votre rendez-vous est réservé",
            opening: |host| format!("Il est inscrit dans l’agenda de {host}."),
        },
        moved: Words {
            heading: "Votre rendez-vous a un nouvel horaire",
            opening: |host| format!("Vous l’avez déplacé\u{a0}; l’agenda de {host} indique le nouvel horaire."),
        },
        moved_by_host: Words {
            heading: "Votre rendez-vous a un nouvel horaire",
            opening: |host| format!("{host} l’a déplacé."),
        },
        cancelled: Words {
            heading: "Votre rendez-vous est annulé",
            opening: |_| "Vous l’avez annulé\u{a0}; il n’aura pas lieu.".into(),
        },
        cancelled_by_host: Words {
            heading: "Votre rendez-vous a été annulé",
            opening: |host| format!("{host} l’a annulé\u{a0}; il n’aura pas lieu."),
        },
        declined: Words {
            heading: "Votre demande n’a pas été acceptée",
            opening: |host| format!("{host} ne peut pas vous recevoir à cette heure-là."),
        },
        reminder: Words {
            heading: "Rappel de votre rendez-vous",
            opening: |host| format!("Votre rendez-vous avec {host} approche."),
        },
        ask_to_cancel: Words {
            heading: "Souhaitez-vous annuler votre rendez-vous\u{a0}?",
            opening: |host| {
                format!(
                    "Votre agenda a décliné l’invitation, mais {host} vous attend toujours. Si vous ne pouvez pas \
                     venir, veuillez annuler le rendez-vous, afin que d’autres puissent en profiter."
                )
            },
        },
        reminder_subject: |subject| format!("Rappel\u{a0}: {subject}"),
        not_you: "Si ce n’est pas vous, ne faites rien\u{a0}: l’horaire se libérera de lui-même.",
        confirm_link: "Confirmer la réservation",
        change_link: "Déplacer ou annuler",
        again_link: "Réserver un autre horaire",
        approval_request: HostWords {
            subject: |subject| format!("À décider\u{a0}: {subject}"),
            heading: "Une réservation attend votre accord",
            opening: "L’horaire reste réservé à l’invité jusqu’à votre décision.",
        },
        host_booked: HostWords {
            subject: |subject| format!("Réservé\u{a0}: {subject}"),
            heading: "Vous avez une nouvelle réservation",
            opening: "Elle est inscrite dans votre agenda.",
        },
        host_moved: HostWords {
            subject: |subject| format!("Déplacé\u{a0}: {subject}"),
            heading: "Une réservation a un nouvel horaire",
            opening: "L’invité l’a déplacée. Votre agenda indique le nouvel horaire.",
        },
        host_cancelled: HostWords {
            subject: |subject| format!("Annulé\u{a0}: {subject}"),
            heading: "Une réservation a été annulée",
            opening: "L’invité l’a annulée. L’horaire est de nouveau libre.",
        },
        decide_link: "Accepter ou refuser",
        host_link: "Voir ou annuler",
        answer_goes_to_guest: "Une réponse à ce message parvient à l’invité.",
        digest_subject: |date| format!("Vos réservations du {date}"),
        digest_heading: |count| counted(count, count < 2, "réservation", "réservations"),
        test: [
            "Un test d’officehours",
            "Le courrier fonctionne",
            "Ce message a été envoyé par «\u{a0}officehours check --mail\u{a0}».",
        ],
    },
};
