//! Components (RFC 5545 3.4, 3.6): BEGIN and END to a tree, without recursion, healing what is broken so that one bad
//! event never costs its neighbours. Start with [`read`].

use super::line::{ContentLines, Property};
use std::borrow::Cow;

/// Deeper nesting than any calendar has is passed over.
const MAX_DEPTH: usize = 8;

/// A component with its properties and the components within it.
#[derive(Clone, Debug)]
pub struct Component<'a> {
    /// In upper case: `VEVENT`.
    pub name: Cow<'a, str>,
    /// The line of its BEGIN, from 1.
    pub line: usize,
    /// In the order of the file.
    pub properties: Vec<Property<'a>>,
    /// In the order of the file.
    pub components: Vec<Component<'a>>,
    /// Lines within it that are no properties.
    pub bad_lines: Vec<usize>,
    /// False when its END is missing.
    pub ended: bool,
}

impl<'a> Component<'a> {
    /// The first property of that name (upper case).
    pub fn get(&self, name: &str) -> Option<&Property<'a>> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The components of that name (upper case) directly within it.
    pub fn children<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Component<'a>> {
        self.components.iter().filter(move |component| component.name == name)
    }
}

/// What a text holds: its VCALENDARs. Components that stand outside of one are in one of their own.
pub fn read(data: &[u8]) -> Vec<Component<'_>> {
    let mut tree = Tree { calendars: Vec::new(), open: Vec::new(), too_deep: 0 };
    for line in ContentLines::new(data) {
        match line {
            Ok(property) if property.name == "BEGIN" => tree.begin(&property),
            Ok(property) if property.name == "END" => tree.end(&property.value.trim().to_ascii_uppercase()),
            Ok(property) => {
                if let (0, Some(open)) = (tree.too_deep, tree.open.last_mut()) {
                    open.properties.push(property);
                }
            }
            Err(bad) => {
                if let (0, Some(open)) = (tree.too_deep, tree.open.last_mut()) {
                    open.bad_lines.push(bad.line);
                }
            }
        }
    }
    while !tree.open.is_empty() {
        tree.close(false);
    }
    tree.calendars
}

struct Tree<'a> {
    calendars: Vec<Component<'a>>,
    open: Vec<Component<'a>>,
    too_deep: usize,
}

impl<'a> Tree<'a> {
    fn begin(&mut self, property: &Property<'a>) {
        let name = match &property.value {
            Cow::Borrowed(value) if value.trim().bytes().all(|b| !b.is_ascii_lowercase()) => {
                Cow::Borrowed(value.trim())
            }
            value => Cow::Owned(value.trim().to_ascii_uppercase()),
        };
        match name.as_ref() {
            // These stand in no other component: if one is open, its END is missing.
            "VCALENDAR" => self.unwind(0),
            "VEVENT" | "VTODO" | "VJOURNAL" | "VFREEBUSY" | "VTIMEZONE" | "VAVAILABILITY" => {
                if self.open.is_empty() {
                    self.open.push(component("VCALENDAR".into(), property.line));
                }
                self.unwind(1);
            }
            // Nor do these in one of their own kind.
            "STANDARD" | "DAYLIGHT" | "VALARM" | "AVAILABLE" => {
                let open = self.open.last().map(|open| open.name.as_ref());
                if matches!(open, Some("STANDARD" | "DAYLIGHT" | "VALARM" | "AVAILABLE")) {
                    self.close(false);
                }
            }
            _ => {}
        }
        if self.open.len() >= MAX_DEPTH || self.too_deep > 0 {
            self.too_deep += 1;
        } else {
            self.open.push(component(name, property.line));
        }
    }

    fn end(&mut self, name: &str) {
        if self.too_deep > 0 && name != "VCALENDAR" {
            self.too_deep -= 1;
        } else if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
            self.unwind(at + 1);
            self.close(true);
        }
    }

    /// Closes, as without END, all but the outer `depth`.
    fn unwind(&mut self, depth: usize) {
        self.too_deep = 0;
        while self.open.len() > depth {
            self.close(false);
        }
    }

    fn close(&mut self, ended: bool) {
        let Some(mut done) = self.open.pop() else { return };
        done.ended = ended;
        match self.open.last_mut() {
            Some(parent) => parent.components.push(done),
            None => self.calendars.push(done),
        }
    }
}

fn component(name: Cow<'_, str>, line: usize) -> Component<'_> {
    Component { name, line, properties: Vec::new(), components: Vec::new(), bad_lines: Vec::new(), ended: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(component: &Component<'_>) -> String {
        let inner: Vec<String> = component.components.iter().map(shape).collect();
        let properties = component.properties.len();
        let end = if component.ended { "" } else { "!" };
        if inner.is_empty() {
            format!("{}{properties}{end}", component.name)
        } else {
            format!("{}{properties}{end}({})", component.name, inner.join(" "))
        }
    }

    fn shapes(lines: &str) -> String {
        read(lines.replace(' ', "\n").as_bytes()).iter().map(shape).collect::<Vec<_>>().join(" + ")
    }

    #[test]
    fn components_nest() {
        assert_eq!(
            shapes("BEGIN:VCALENDAR V:2 begin:vevent A:1 BEGIN:VALARM B:1 END:VALARM C:1 end:vevent END:VCALENDAR"),
            "VCALENDAR1(VEVENT2(VALARM1))"
        );
    }

    #[test]
    fn a_missing_end_costs_nothing_but_itself() {
        assert_eq!(
            shapes("BEGIN:VCALENDAR BEGIN:VEVENT A:1 BEGIN:VALARM B:1 BEGIN:VEVENT C:1 END:VEVENT"),
            "VCALENDAR0!(VEVENT1!(VALARM1!) VEVENT1)"
        );
        assert_eq!(
            shapes(
                "BEGIN:VCALENDAR BEGIN:VTIMEZONE BEGIN:STANDARD A:1 BEGIN:DAYLIGHT B:1 BEGIN:VEVENT C:1 END:VCALENDAR"
            ),
            "VCALENDAR0(VTIMEZONE0!(STANDARD1! DAYLIGHT1!) VEVENT1!)"
        );
        assert_eq!(shapes("BEGIN:VEVENT A:1 END:VEVENT"), "VCALENDAR0!(VEVENT1)");
    }

    #[test]
    fn several_calendars_in_one_file_are_read() {
        assert_eq!(
            shapes(
                "BEGIN:VCALENDAR BEGIN:VEVENT END:VEVENT END:VCALENDAR BEGIN:VCALENDAR BEGIN:VEVENT END:VEVENT END:VCALENDAR"
            ),
            "VCALENDAR0(VEVENT0) + VCALENDAR0(VEVENT0)"
        );
    }

    #[test]
    fn nesting_without_end_is_passed_over_and_what_follows_is_read() {
        let mut text = "BEGIN:VCALENDAR\n".to_owned();
        text.push_str(&"BEGIN:X\n".repeat(100_000));
        text.push_str("BEGIN:VEVENT\nA:1\nEND:VEVENT\nEND:VCALENDAR\n");
        let calendars = read(text.as_bytes());
        assert_eq!(calendars[0].children("VEVENT").count(), 1);
    }
}
