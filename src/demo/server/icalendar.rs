//! Just enough of RFC 5545 to refuse what is no calendar object (RFC 4791 section 4.1) and to answer a filter. The server keeps the
//! bytes as they came; this is only looked at. Start with [`CalendarObject`]. Reading is separate from the daemon's on purpose:
//! the server must not share its mistakes.

const MAX_DEPTH: usize = 8;

/// A component, its properties and the components in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Component {
    /// In upper case.
    pub(super) name: String,
    pub(super) properties: Vec<Property>,
    pub(super) components: Vec<Component>,
}

/// A property, as written except for the case of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    /// In upper case.
    pub(super) name: String,
    /// Names in upper case; values without quotes.
    pub(super) parameters: Vec<(String, String)>,
    pub(super) value: String,
}

impl Component {
    /// The first property of that name.
    pub(super) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

impl Property {
    /// The value of the first parameter of that name.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Which precondition of RFC 4791 section 5.3.2.1 the data fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    /// It is not iCalendar.
    Data,
    /// It is iCalendar, but not one object: a METHOD, no UID, two UIDs, two types of component.
    Object,
}

impl Invalid {
    /// The precondition's name in the CalDAV namespace.
    pub(super) fn condition(self) -> &'static str {
        match self {
            Invalid::Data => "valid-calendar-data",
            Invalid::Object => "valid-calendar-object-resource",
        }
    }
}

/// One calendar object: a VCALENDAR with the components of one UID.
#[derive(Clone, Debug)]
pub(super) struct CalendarObject {
    pub(super) uid: String,
    /// VEVENT, VTODO or VJOURNAL.
    pub(super) component: String,
}

impl CalendarObject {
    /// Checks data that a client wants to store.
    pub(super) fn parse(data: &[u8]) -> Result<CalendarObject, Invalid> {
        let calendar = parse(data).ok_or(Invalid::Data)?;
        if calendar.property("VERSION").is_none_or(|version| version.value.trim() != "2.0") {
            return Err(Invalid::Data);
        }
        let mut members = calendar.components.iter().filter(|component| component.name != "VTIMEZONE");
        let first = members.next().ok_or(Invalid::Object)?;
        let uid =
            first.property("UID").map(|uid| uid.value.trim()).filter(|uid| !uid.is_empty()).ok_or(Invalid::Object)?;
        let alike = |other: &Component| {
            other.name == first.name && other.property("UID").is_some_and(|other| other.value.trim() == uid)
        };
        if !members.all(alike) || calendar.property("METHOD").is_some() {
            return Err(Invalid::Object);
        }
        if first.name == "VEVENT"
            && calendar.components.iter().any(|c| c.name == "VEVENT" && c.property("DTSTART").is_none())
        {
            return Err(Invalid::Data);
        }
        Ok(CalendarObject { uid: uid.to_owned(), component: first.name.clone() })
    }
}

/// The one VCALENDAR of the data; `None` when it is not iCalendar.
pub(super) fn parse(data: &[u8]) -> Option<Component> {
    let text = std::str::from_utf8(data).ok()?.trim_start_matches('\u{feff}');
    if text.contains(|c: char| c.is_ascii_control() && !matches!(c, '\r' | '\n' | '\t')) {
        return None;
    }
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let mut open: Vec<Component> = Vec::new();
    let mut calendar = None;
    for line in unfolded.split('\n').filter(|line| !line.trim().is_empty()) {
        let property = property(line)?;
        match property.name.as_str() {
            "BEGIN" if open.len() < MAX_DEPTH && calendar.is_none() => {
                open.push(Component { name: property.value.trim().to_ascii_uppercase(), ..Component::default() });
            }
            "BEGIN" => return None,
            "END" => {
                let component =
                    open.pop().filter(|component| component.name.eq_ignore_ascii_case(property.value.trim()))?;
                match open.last_mut() {
                    Some(parent) => parent.components.push(component),
                    None => calendar = Some(component),
                }
            }
            _ => open.last_mut()?.properties.push(property),
        }
    }
    calendar.filter(|calendar| open.is_empty() && calendar.name == "VCALENDAR")
}

/// One unfolded line: `NAME;PARAM=value;PARAM="quoted":value`.
fn property(line: &str) -> Option<Property> {
    let mut quoted = false;
    let colon = line.char_indices().find_map(|(at, character)| {
        quoted ^= character == '"';
        (character == ':' && !quoted).then_some(at)
    })?;
    let (head, value) = line.split_at_checked(colon)?;
    let mut quoted = false;
    let mut parts = head.split(|character| {
        quoted ^= character == '"';
        character == ';' && !quoted
    });
    let name = parts.next()?.to_ascii_uppercase();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let parameters = parts
        .map(|part| part.split_once('=').map(|(key, value)| (key.to_ascii_uppercase(), value.replace('"', ""))))
        .collect::<Option<Vec<_>>>()?;
    Some(Property { name, parameters, value: value.strip_prefix(':').unwrap_or(value).to_owned() })
}

#[cfg(test)]
pub(super) fn event(uid: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        lines.trim_end().replace('\n', "\r\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_taken_with_its_uid() {
        let text = event("a@b", "DTSTART;TZID=\"Europe/Berlin: x;y\":20260101T100000\nSUMMARY:a fol\n ded line");
        let object = CalendarObject::parse(text.as_bytes()).unwrap();
        assert_eq!((object.uid.as_str(), object.component.as_str()), ("a@b", "VEVENT"));
        let calendar = parse(text.as_bytes()).unwrap();
        let event = &calendar.components[0];
        assert_eq!(event.property("DTSTART").unwrap().parameter("TZID"), Some("Europe/Berlin: x;y"));
        assert_eq!(event.property("SUMMARY").unwrap().value, "a folded line");
    }

    #[test]
    fn what_is_no_calendar_object_is_refused_by_name() {
        let good = event("1", "DTSTART:20260101T100000Z");
        let check = |text: &str| CalendarObject::parse(text.as_bytes()).map(|object| object.uid);
        assert_eq!(check(&good), Ok("1".to_owned()));
        for (text, invalid) in [
            (String::new(), Invalid::Data),
            ("hello".to_owned(), Invalid::Data),
            (good.replace("END:VCALENDAR\r\n", ""), Invalid::Data),
            (good.replace("VERSION:2.0", "VERSION:1.0"), Invalid::Data),
            (good.replace("DTSTART", "DTSTART without colon\r\nX"), Invalid::Data),
            (good.replace("DTSTART:20260101T100000Z\r\n", ""), Invalid::Data),
            (good.replace("UID:1", "SUMMARY:\u{7}\r\nUID:1"), Invalid::Data),
            (format!("{good}{good}"), Invalid::Data),
            (format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}", "BEGIN:X\r\n".repeat(10_000)), Invalid::Data),
            (good.replace("UID:1\r\n", ""), Invalid::Object),
            (good.replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"), Invalid::Object),
            (good.replace("END:VEVENT\r\n", "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nEND:VEVENT\r\n"), Invalid::Object),
            ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n".to_owned(), Invalid::Object),
        ] {
            assert_eq!(check(&text), Err(invalid), "{text:.200}");
        }
        assert_eq!(CalendarObject::parse(b"BEGIN:VCALENDAR\xff").map(|o| o.uid), Err(Invalid::Data));
    }
}
