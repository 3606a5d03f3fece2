//! The calendars and what is in them, with the history that sync-collection needs (RFC 6578). Start with [`Calendars`].
//! Every change goes to the folder first, if there is one.

use super::folder::Folder;
use super::icalendar::{self, CalendarObject};
use super::xml::{APPLE, CALDAV, DAV, Element, Name};
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;

/// All calendars of the user, by their name in the URL.
pub(super) struct Calendars {
    all: BTreeMap<String, Calendar>,
    folder: Option<Folder>,
}

/// One calendar.
#[derive(Debug)]
pub(super) struct Calendar {
    /// New for each calendar that is made, so that a token of a deleted calendar is not taken for one of its successor.
    pub(super) id: String,
    /// Counts the changes.
    pub(super) revision: u64,
    /// What PROPPATCH and MKCALENDAR set, as it came.
    pub(super) properties: Vec<Element>,
    /// VEVENT, VTODO, VJOURNAL.
    pub(super) components: Vec<String>,
    pub(super) objects: BTreeMap<String, Object>,
    /// Names that are gone, with the revision that removed them.
    pub(super) deleted: BTreeMap<String, u64>,
}

/// One calendar object resource.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// As it came.
    pub(super) data: Bytes,
    /// Strong, with its quotes: a digest of the data.
    pub(super) etag: String,
    /// The calendar's revision that wrote it.
    pub(super) revision: u64,
    pub(super) modified: Timestamp,
    /// Empty when the data has none that can be read.
    pub(super) uid: String,
}

impl Object {
    pub(super) fn new(data: Bytes, revision: u64, modified: Timestamp) -> Object {
        let uid = CalendarObject::parse(&data).map(|object| object.uid).ok().or_else(|| {
            let calendar = icalendar::parse(&data)?;
            calendar
                .components
                .iter()
                .find_map(|component| component.property("UID"))
                .map(|uid| uid.value.trim().to_owned())
        });
        Object { etag: etag(&data), uid: uid.unwrap_or_default(), data, revision, modified }
    }
}

/// The entity tag of data.
pub(super) fn etag(data: &[u8]) -> String {
    let mut tag = String::from("\"");
    for byte in Sha256::digest(data).iter().take(16) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// What a PUT did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    Created,
    Replaced,
}

/// A change since a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change<'a> {
    /// The object is new or changed.
    Present(&'a str),
    /// The object is gone.
    Gone(&'a str),
}

impl Calendar {
    pub(super) fn new(id: String, components: Vec<String>, properties: Vec<Element>) -> Calendar {
        let (objects, deleted) = (BTreeMap::new(), BTreeMap::new());
        Calendar { id, revision: 0, properties, components, objects, deleted }
    }

    /// The token of this state (RFC 6578 section 4: a URI).
    pub(super) fn sync_token(&self) -> String {
        self.token_at(self.revision)
    }

    fn token_at(&self, revision: u64) -> String {
        format!("data:,{}-{revision}", self.id)
    }

    /// The revision of a token; `None` for a token that this calendar never gave.
    pub(super) fn revision_of(&self, token: &str) -> Option<u64> {
        let (id, revision) = token.strip_prefix("data:,")?.rsplit_once('-')?;
        let number: u64 = revision.parse().ok()?;
        (id == self.id && number <= self.revision && number.to_string() == revision).then_some(number)
    }

    /// What changed after a revision, oldest first, at most `limit`; and the token to go on with. A first sync (`None`) names no
    /// object that is gone.
    pub(super) fn changes(&self, since: Option<u64>, limit: usize) -> (Vec<Change<'_>>, String) {
        let after = since.unwrap_or(0);
        let present = self.objects.iter().map(|(name, object)| (object.revision, Change::Present(name)));
        let gone =
            self.deleted.iter().filter(|_| since.is_some()).map(|(name, revision)| (*revision, Change::Gone(name)));
        let mut changes: Vec<_> =
            present.chain(gone).filter(|(revision, _)| since.is_none() || *revision > after).collect();
        changes.sort_by_key(|(revision, _)| *revision);
        let token = match changes.get(limit) {
            Some(_) => {
                self.token_at(limit.checked_sub(1).and_then(|last| changes.get(last)).map_or(after, |(at, _)| *at))
            }
            None => self.sync_token(),
        };
        changes.truncate(limit);
        (changes.into_iter().map(|(_, change)| change).collect(), token)
    }

    /// The name of the object that has this UID.
    pub(super) fn with_uid(&self, uid: &str) -> Option<&str> {
        self.objects.iter().find(|(_, object)| !uid.is_empty() && object.uid == uid).map(|(name, _)| name.as_str())
    }

    /// Sets a property, or takes it away.
    fn apply(&mut self, change: PropertyChange) {
        let name = match &change {
            PropertyChange::Set(element) => &element.name,
            PropertyChange::Remove(name) => name,
        };
        self.properties.retain(|element| element.name != *name);
        if let PropertyChange::Set(element) = change {
            self.properties.push(element);
        }
    }
}

/// One instruction of PROPPATCH.
#[derive(Clone, Debug)]
pub(super) enum PropertyChange {
    Set(Element),
    Remove(Name),
}

impl PropertyChange {
    pub(super) fn name(&self) -> &Name {
        match self {
            PropertyChange::Set(element) => &element.name,
            PropertyChange::Remove(name) => name,
        }
    }
}

/// The properties of a calendar as the demo makes it.
pub(super) fn properties(display_name: &str, color: &str, transparency: super::Transparency) -> Vec<Element> {
    let transparency = match transparency {
        super::Transparency::Opaque => "opaque",
        super::Transparency::Transparent => "transparent",
    };
    vec![
        Element::new(DAV, "displayname").with_text(display_name),
        Element::new(APPLE, "calendar-color").with_text(color),
        Element::new(CALDAV, "schedule-calendar-transp").with(Element::new(CALDAV, transparency)),
    ]
}

impl Calendars {
    /// Those of the folder, or none and nothing kept.
    pub(super) fn open(folder: Option<Folder>, now: Timestamp) -> io::Result<Calendars> {
        let all = folder.as_ref().map_or_else(|| Ok(BTreeMap::new()), |folder| folder.load(now))?;
        Ok(Calendars { all, folder })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Calendar)> {
        self.all.iter()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Calendar> {
        self.all.get(name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Makes a calendar where none is.
    pub(super) fn make(&mut self, name: &str, calendar: Calendar) -> io::Result<()> {
        if let Some(folder) = &self.folder {
            folder.make(name, &calendar)?;
        }
        self.all.insert(name.to_owned(), calendar);
        Ok(())
    }

    /// Deletes a calendar with all that is in it.
    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        if let Some(folder) = &self.folder {
            folder.delete(name)?;
        }
        self.all.remove(name);
        Ok(())
    }

    /// Changes properties of a calendar, all of them.
    pub(super) fn change_properties(&mut self, name: &str, changes: Vec<PropertyChange>) -> io::Result<()> {
        let Some(calendar) = self.all.get_mut(name) else { return Ok(()) };
        for change in changes {
            calendar.apply(change);
        }
        save(self.folder.as_ref(), name, calendar)
    }

    /// Stores an object, unchecked. `None` when the calendar is not there.
    pub(super) fn put(&mut self, calendar: &str, name: &str, data: Bytes, now: Timestamp) -> io::Result<Option<Put>> {
        let Some(found) = self.all.get_mut(calendar) else { return Ok(None) };
        if let Some(folder) = &self.folder {
            folder.save_object(calendar, name, &data)?;
        }
        found.revision += 1;
        found.deleted.remove(name);
        let before = found.objects.insert(name.to_owned(), Object::new(data, found.revision, now));
        save(self.folder.as_ref(), calendar, found)?;
        Ok(Some(if before.is_some() { Put::Replaced } else { Put::Created }))
    }

    /// Deletes an object, if it is there.
    pub(super) fn delete(&mut self, calendar: &str, name: &str) -> io::Result<()> {
        let Some(found) = self.all.get_mut(calendar).filter(|found| found.objects.contains_key(name)) else {
            return Ok(());
        };
        if let Some(folder) = &self.folder {
            folder.delete_object(calendar, name)?;
        }
        found.revision += 1;
        found.objects.remove(name);
        found.deleted.insert(name.to_owned(), found.revision);
        save(self.folder.as_ref(), calendar, found)
    }
}

fn save(folder: Option<&Folder>, name: &str, calendar: &Calendar) -> io::Result<()> {
    folder.map_or(Ok(()), |folder| folder.save(name, calendar))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(changes: &[(&str, Option<&'static str>)]) -> Calendar {
        let mut calendars = Calendars::open(None, Timestamp::UNIX_EPOCH).unwrap();
        calendars.make("c", Calendar::new("id".to_owned(), Vec::new(), Vec::new())).unwrap();
        for (name, data) in changes {
            match data {
                Some(data) => {
                    calendars.put("c", name, Bytes::from_static(data.as_bytes()), Timestamp::UNIX_EPOCH).unwrap();
                }
                None => calendars.delete("c", name).unwrap(),
            }
        }
        calendars.all.remove("c").unwrap()
    }

    fn names(changes: &[Change<'_>]) -> String {
        let name = |change: &Change<'_>| match change {
            Change::Present(name) => format!("+{name}"),
            Change::Gone(name) => format!("-{name}"),
        };
        changes.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_sync_names_what_came_and_what_went_since_its_token() {
        let c = calendar(&[
            ("a", Some("1")),
            ("b", Some("1")),
            ("a", Some("2")),
            ("b", None),
            ("d", Some("1")),
            ("d", None),
        ]);
        assert_eq!(names(&c.changes(None, 99).0), "+a");
        assert_eq!(names(&c.changes(Some(0), 99).0), "+a -b -d");
        assert_eq!(names(&c.changes(Some(3), 99).0), "-b -d");
        assert_eq!(names(&c.changes(Some(6), 99).0), "");
        let again = calendar(&[("a", Some("1")), ("a", None), ("a", Some("3"))]);
        assert_eq!(names(&again.changes(Some(1), 99).0), "+a");
    }

    #[test]
    fn pages_of_a_limited_sync_together_name_everything() {
        let c = calendar(&[("a", Some("1")), ("b", Some("1")), ("c", Some("2")), ("b", None), ("d", Some("1"))]);
        let (mut since, mut all) = (Some(0), Vec::new());
        for _ in 0..9 {
            let (changes, token) = c.changes(since, 1);
            all.extend(changes);
            since = c.revision_of(&token);
        }
        assert_eq!((names(&all).as_str(), since), ("+a +c -b +d", Some(5)));
    }

    #[test]
    fn only_tokens_that_were_given_are_known() {
        let c = calendar(&[("a", Some("1"))]);
        assert_eq!(c.revision_of(&c.sync_token()), Some(1));
        for token in
            ["", "data:,id-2", "data:,other-1", "data:,id-+1", "data:,id-01", "1", "data:,id-99999999999999999999"]
        {
            assert_eq!(c.revision_of(token), None, "{token}");
        }
    }
}
