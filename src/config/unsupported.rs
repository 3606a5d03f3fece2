//! What the format has and this version does not do yet. It is refused at its place, never silently ignored.
//! Once it works, its line goes, and the comment marks in `config/officehours.toml` with it (a test compares the two).

/// A key, or one value of a key, that is refused.
pub(super) struct Unsupported {
    /// The key's path without indices.
    pub(super) key: &'static str,
    /// Only this value of it; `None`: the key itself.
    pub(super) value: Option<&'static str>,
}

/// All of it.
pub(super) const UNSUPPORTED: &[Unsupported] = &[
    Unsupported { key: "host.subscription", value: None },
    Unsupported { key: "host.folder", value: None },
    Unsupported { key: "host.hours.from_calendar", value: None },
];
