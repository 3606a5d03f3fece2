//! Spanish.

use super::{Clock, HostWords, Locale, MailPhrases, Phrases, Words, counted};
use jiff::civil::Weekday;

pub(super) const PHRASES: Phrases = Phrases {
    name: "Español",
    locale: Locale {
        weekdays: ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
        weekdays_short: ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
        weekdays_narrow: ["lu", "ma", "mi", "ju", "vi", "sá", "do"],
        months: [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
        long_date: |weekday, day, month, year| format!("{weekday}, {day} de {month} de {year}"),
        month_title: |month, year| format!("{month} de {year}"),
        clock: Clock::Hours24,
        times: |start, end| format!("{start}–{end}"),
        first_weekday: Weekday::Monday,
        minutes: |count| counted(count, count == 1, "minuto", "minutos"),
        hours: |count| counted(count, count == 1, "hora", "horas"),
    },
    label: |word| format!("{word}:"),
    with: |title, host| format!("{title} con {host}"),
    move_or_cancel: "Cambiar o cancelar:",
    mail: MailPhrases {
        what: "Asunto",
        when: "Cuándo",
        before: "Antes",
        place: "Dónde",
        who: "Quién",
        note: "Mensaje",
        for_guest: "Hora del invitado:",
        for_you: "Su hora local:",
        confirm_address: Words {
            heading: "Confirme su reserva, por favor",
            opening: |_| "Se ha pedido esta cita con su dirección. Si ha sido usted, confírmela, por favor.".into(),
        },
        invitation: Words {
            heading: "Su cita está reservada",
            opening: |host| format!("Está anotada en el calendario de {host}."),
        },
        moved: Words {
            heading: "Su cita tiene una nueva hora",
            opening: |host| format!("Usted la ha cambiado; en el calendario de {host} figura la nueva hora."),
        },
        moved_by_host: Words {
            heading: "Su cita tiene una nueva hora",
            opening: |host| format!("{host} la ha cambiado."),
        },
        cancelled: Words {
            heading: "Su cita está cancelada",
            opening: |_| "Usted la ha cancelado; no tendrá lugar.".into(),
        },
        cancelled_by_host: Words {
            heading: "Su cita ha sido cancelada",
            opening: |host| format!("{host} la ha cancelado; no tendrá lugar."),
        },
        declined: Words {
            heading: "Su solicitud no ha sido aceptada",
            opening: |host| format!("{host} no puede recibirle a esa hora."),
        },
        reminder: Words {
            heading: "Recordatorio de su cita",
            opening: |host| format!("Su cita con {host} será pronto."),
        },
        ask_to_cancel: Words {
            heading: "¿Desea cancelar su cita?",
            opening: |host| {
                format!(
                    "Su calendario ha rechazado la invitación, pero {host} sigue esperándole. Si no puede acudir, \
                     cancele la cita, por favor, para que otras personas puedan aprovecharla."
                )
            },
        },
        reminder_subject: |subject| format!("Recordatorio: {subject}"),
        not_you: "Si no ha sido usted, no haga nada: la hora volverá a quedar libre por sí sola.",
        confirm_link: "Confirmar la reserva",
        change_link: "Cambiar o cancelar",
        again_link: "Reservar otra hora",
        approval_request: HostWords {
            subject: |subject| format!("Por decidir: {subject}"),
            heading: "Una reserva espera su aprobación",
            opening: "La hora queda reservada para el invitado hasta que usted decida.",
        },
        host_booked: HostWords {
            subject: |subject| format!("Reservado: {subject}"),
            heading: "Tiene una nueva reserva",
            opening: "Está anotada en su calendario.",
        },
        host_moved: HostWords {
            subject: |subject| format!("Cambiado: {subject}"),
            heading: "Una reserva tiene una nueva hora",
            opening: "El invitado la ha cambiado. En su calendario figura la nueva hora.",
        },
        host_cancelled: HostWords {
            subject: |subject| format!("Cancelado: {subject}"),
            heading: "Se ha cancelado una reserva",
            opening: "El invitado la ha cancelado. La hora vuelve a estar libre.",
        },
        decide_link: "Aprobar o rechazar",
        host_link: "Ver o cancelar",
        answer_goes_to_guest: "La respuesta a este mensaje llega al invitado.",
        digest_subject: |date| format!("Sus reservas del {date}"),
        digest_heading: |count| counted(count, count == 1, "reserva", "reservas"),
        test: [
            "Una prueba de officehours",
            "El correo funciona",
            "Este mensaje se ha enviado con «officehours check --mail».",
        ],
    },
};
