//! Every section and key that may be written. A test holds the annotated example against it.

/// The section's path without indices, and its keys.
pub(super) const KEYS: &[(&str, &[&str])] = &[
    ("", &["server", "store", "mail", "limits", "host"]),
    (
        "server",
        &["listen", "public_url", "trusted_proxies", "metrics_listen", "directory", "dns", "language", "embed", "look"],
    ),
    ("server.look", &["accent", "logo", "stylesheet", "footer"]),
    ("store", &["path", "keep", "keep_events"]),
    ("mail", &["smtp", "password", "from", "organizer", "templates"]),
    ("mail.password", SECRET),
    (
        "limits",
        &[
            "bookings_per_ip",
            "bookings_per_guest",
            "bookings_in_all",
            "requests_per_ip",
            "open_per_guest",
            "proof_of_work",
            "block",
        ],
    ),
    (
        "host",
        &[
            "id",
            "name",
            "email",
            "aliases",
            "time_zone",
            "max_staleness",
            "language",
            "reminders",
            "account",
            "subscription",
            "folder",
            "bookings",
            "hours",
            "meeting",
            "look",
        ],
    ),
    ("host.look", &["accent", "logo", "photo", "stylesheet", "footer"]),
    (
        "host.account",
        &[
            "id",
            "url",
            "username",
            "password",
            "auth",
            "calendars",
            "poll",
            "insecure",
            "ca_file",
            "trusted_hosts",
            "user_agent",
            "all_day",
            "tentative",
            "unanswered",
            "transparent",
            "working_elsewhere",
            "travel_time",
            "ignore_titles",
        ],
    ),
    ("host.account.password", SECRET),
    ("host.account.auth", &["google"]),
    ("host.account.auth.google", &["client_id", "client_secret", "auth_url", "token_url", "scope"]),
    ("host.account.auth.google.client_secret", SECRET),
    (
        "host.subscription",
        &[
            "url",
            "poll",
            "all_day",
            "tentative",
            "unanswered",
            "transparent",
            "working_elsewhere",
            "travel_time",
            "ignore_titles",
        ],
    ),
    (
        "host.folder",
        &[
            "path",
            "all_day",
            "tentative",
            "unanswered",
            "transparent",
            "working_elsewhere",
            "travel_time",
            "ignore_titles",
        ],
    ),
    ("host.bookings", &["calendar", "grace", "notify", "alerts", "alert_after", "digest", "declined"]),
    ("host.hours", &["weekly", "dates", "from_calendar", "availability"]),
    ("host.hours.from_calendar", &["calendar", "summary"]),
    (
        "host.meeting",
        &[
            "id",
            "title",
            "description",
            "duration",
            "step",
            "buffer_before",
            "buffer_after",
            "notice",
            "horizon",
            "per_day",
            "per_guest",
            "seats",
            "location",
            "confirm",
            "reminders",
            "questions",
            "hours",
        ],
    ),
    ("host.meeting.questions", &["id", "label", "required"]),
    ("host.meeting.hours", &["weekly", "dates"]),
];

const SECRET: &[&str] = &["file", "credential", "command", "env"];

/// Keys whose values are never shown, not even in the line of a mistake: they are secret or may carry a secret.
const PRIVATE: &[&str] = &["password", "smtp", "url", "command", "auth", "google", "client_secret"];

/// First segments of a URL that no host may take: `/b/{token}`, `/desk`, `/healthz`, and room for our own files.
pub(super) const RESERVED_HOSTS: &[&str] =
    &["api", "assets", "b", "desk", "h", "healthz", "metrics", "readyz", "static"];

/// `/{host}/freebusy.ifb` is the host's.
pub(super) const RESERVED_MEETINGS: &[&str] = &["freebusy"];

/// Fields of the booking form and of the API's requests that are ours.
pub(super) const RESERVED_QUESTIONS: &[&str] = &[
    "answers",
    "email",
    "form",
    "lang",
    "language",
    "name",
    "note",
    "once",
    "proof",
    "start",
    "time_zone",
    "token",
    "tz",
    "website",
];

/// The keys of a section.
pub(super) fn keys_of(section: &str) -> &'static [&'static str] {
    KEYS.iter().find(|(path, _)| *path == section).map_or(&[], |(_, keys)| keys)
}

/// How a section is written.
pub(super) fn header(section: &str) -> String {
    match section {
        "" => "at the top of the file".to_owned(),
        "host" | "host.account" | "host.subscription" | "host.folder" | "host.meeting" => format!("in [[{section}]]"),
        "server" | "server.look" | "host.look" | "store" | "mail" | "limits" | "host.bookings" | "host.hours" => {
            format!("in [{section}]")
        }
        _ => format!("in `{}`", section.rsplit('.').next().unwrap_or(section)),
    }
}

/// True when what is written after this key may be shown.
pub(super) fn is_public(key: &str) -> bool {
    !PRIVATE.contains(&key) && KEYS.iter().any(|(_, keys)| keys.contains(&key))
}

/// What to do instead about a key that `section` does not have.
pub(super) fn advice(section: &str, key: &str) -> String {
    let known = keys_of(section);
    if let Some(near) = nearest(key, known) {
        return format!("did you mean `{near}`?");
    }
    let elsewhere: Vec<String> =
        KEYS.iter().filter(|(_, keys)| keys.contains(&key)).map(|(path, _)| header(path)).take(3).collect();
    match elsewhere.is_empty() {
        true => format!("known here: {}", known.join(", ")),
        false => format!("it is known {}", elsewhere.join(" or ")),
    }
}

/// The candidate that differs from `word` by a slip of the fingers.
pub(super) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_lowercase().replace('-', "_");
    let scored = candidates.iter().map(|candidate| (distance(&lower, &candidate.to_lowercase()), *candidate));
    let limit = (word.chars().count() / 3).clamp(1, 3);
    scored.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, near)| near)
}

/// How many letters to insert, drop or change (Levenshtein), with two letters swapped counting once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&above, j) + usize::from(x != y)).min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(&y) && b.get(j - 1) == Some(&x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        assert_eq!(nearest("pol", keys_of("host.account")), Some("poll"));
        assert_eq!(nearest("pasword", keys_of("host.account")), Some("password"));
        assert_eq!(nearest("max-staleness", keys_of("host")), Some("max_staleness"));
        assert_eq!(nearest("tiem_zone", keys_of("host")), Some("time_zone"));
        assert_eq!(nearest("colour", keys_of("host")), None);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn a_key_in_the_wrong_section_is_told_where_it_belongs() {
        assert_eq!(advice("host", "poll"), "it is known in [[host.account]] or in [[host.subscription]]");
        assert_eq!(advice("store", "colour"), "known here: path, keep, keep_events");
    }
}
