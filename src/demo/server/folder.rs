//! The calendars in a folder: one folder a calendar, one `.ics` file an object, and `calendar.json` with what the files do not say.
//! Each file is written beside its place and renamed, so a crash leaves the old or the new one; what a crash (or a hand) changed in
//! between is found by its digest when the folder is read, and gets a revision of its own. Start with [`Folder`].

use super::collection::{Calendar, Object, etag};
use super::path::encode;
use super::xml::Element;
use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

const ABOUT: &str = "calendar.json";

/// Where the calendars are kept.
pub(super) struct Folder {
    root: PathBuf,
}

/// `calendar.json`.
#[derive(Serialize, Deserialize)]
struct About {
    id: String,
    revision: u64,
    components: Vec<String>,
    properties: Vec<Element>,
    objects: BTreeMap<String, AboutObject>,
    deleted: BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
struct AboutObject {
    etag: String,
    revision: u64,
    /// Seconds since 1970.
    modified: i64,
}

impl Folder {
    /// The folder, made if it is not there.
    pub(super) fn open(root: PathBuf) -> io::Result<Folder> {
        fs::create_dir_all(&root)?;
        Ok(Folder { root })
    }

    fn calendar(&self, name: &str) -> PathBuf {
        self.root.join(file_name(name))
    }

    /// All calendars in the folder. A file that changed since it was last looked at counts as changed now.
    pub(super) fn load(&self, now: Timestamp) -> io::Result<BTreeMap<String, Calendar>> {
        let mut calendars = BTreeMap::new();
        for entry in fs::read_dir(&self.root)? {
            let path = entry?.path();
            if let Some(name) = name_of(&path)
                && path.join(ABOUT).is_file()
            {
                calendars.insert(name, load(&path, now)?);
            }
        }
        Ok(calendars)
    }

    /// Makes the folder of a new calendar; what a deletion that was cut short left there goes.
    pub(super) fn make(&self, name: &str, calendar: &Calendar) -> io::Result<()> {
        let folder = self.calendar(name);
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        self.save(name, calendar)
    }

    /// Writes what the objects' files do not say.
    pub(super) fn save(&self, name: &str, calendar: &Calendar) -> io::Result<()> {
        let about = |object: &Object| AboutObject {
            etag: object.etag.clone(),
            revision: object.revision,
            modified: object.modified.as_second(),
        };
        let about = About {
            id: calendar.id.clone(),
            revision: calendar.revision,
            components: calendar.components.clone(),
            properties: calendar.properties.clone(),
            objects: calendar.objects.iter().map(|(name, object)| (name.clone(), about(object))).collect(),
            deleted: calendar.deleted.clone(),
        };
        let folder = self.calendar(name);
        fs::create_dir_all(&folder)?;
        write(&folder.join(ABOUT), &serde_json::to_vec(&about)?)
    }

    /// Deletes a calendar: first out of sight in one step, then for good.
    pub(super) fn delete(&self, name: &str) -> io::Result<()> {
        let folder = self.calendar(name);
        fs::remove_file(folder.join(ABOUT))?;
        fs::remove_dir_all(folder)
    }

    /// Writes an object.
    pub(super) fn save_object(&self, calendar: &str, name: &str, data: &[u8]) -> io::Result<()> {
        write(&self.calendar(calendar).join(object_file_name(name)), data)
    }

    /// Deletes an object.
    pub(super) fn delete_object(&self, calendar: &str, name: &str) -> io::Result<()> {
        fs::remove_file(self.calendar(calendar).join(object_file_name(name)))
    }
}

fn load(path: &Path, now: Timestamp) -> io::Result<Calendar> {
    let about_path = path.join(ABOUT);
    let about: About = serde_json::from_slice(&fs::read(&about_path)?).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} cannot be read: {error}", about_path.display()))
    })?;
    let mut calendar = Calendar::new(about.id, about.components, about.properties);
    calendar.revision = about.revision;
    calendar.deleted = about.deleted;
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let Some(name) = object_name_of(&path) else { continue };
        let data = Bytes::from(fs::read(&path)?);
        let known = about.objects.get(&name).filter(|known| known.etag == etag(&data));
        let (revision, modified) = match known {
            Some(known) => (known.revision, Timestamp::from_second(known.modified).unwrap_or(now)),
            None => {
                calendar.revision += 1;
                (calendar.revision, now)
            }
        };
        calendar.deleted.remove(&name);
        calendar.objects.insert(name, Object::new(data, revision, modified));
    }
    for name in about.objects.into_keys() {
        if !calendar.objects.contains_key(&name) {
            calendar.revision += 1;
            calendar.deleted.insert(name, calendar.revision);
        }
    }
    Ok(calendar)
}

/// A calendar's folder never starts with a dot, whatever the calendar's name.
fn file_name(name: &str) -> String {
    let encoded = encode(name).replace('~', "%7E");
    match encoded.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}"),
        None => encoded,
    }
}

/// An object's file ends in `.ics`; one whose name does not gets `~.ics` after it.
fn object_file_name(name: &str) -> String {
    let file = file_name(name);
    if file.ends_with(".ics") { file } else { format!("{file}~.ics") }
}

fn name_of(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_str().filter(|file| !file.starts_with('.'))?;
    Some(percent_decode_str(file).decode_utf8().ok()?.into_owned()).filter(|name| super::path::is_name(name))
}

fn object_name_of(path: &Path) -> Option<String> {
    let name = name_of(path).filter(|name| name.ends_with(".ics"))?;
    // A `~` in a name of its own is written %7E, so this suffix is only ever ours.
    let ours = path.to_str().is_some_and(|path| path.ends_with("~.ics"));
    Some(if ours { name.strip_suffix("~.ics").unwrap_or(&name).to_owned() } else { name })
}

/// Replaces a file in one step.
fn write(path: &Path, data: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, data)?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::super::collection::{Calendars, Change};
    use super::*;

    fn open(root: &Path) -> Calendars {
        Calendars::open(Some(Folder::open(root.to_owned()).unwrap()), Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn everything_is_there_after_a_restart_and_old_tokens_go_on() {
        let root = tempfile::tempdir().unwrap();
        let mut calendars = open(root.path());
        let property = Element::new("urn:x", "p").with_text("v");
        let made = Calendar::new("id".to_owned(), vec!["VEVENT".to_owned()], vec![property.clone()]);
        calendars.make(".Büro", made).unwrap();
        let names = ["a.ics", "no-suffix", "~.ics", "B c+%.ics", ".hidden.ics", "gone.ics"];
        for name in names {
            calendars.put(".Büro", name, Bytes::from(name), Timestamp::UNIX_EPOCH).unwrap();
        }
        let token = calendars.get(".Büro").unwrap().sync_token();
        calendars.delete(".Büro", "gone.ics").unwrap();
        drop(calendars);
        fs::write(root.path().join("stray.txt"), "not a calendar").unwrap();
        let calendars = open(root.path());
        let calendar = calendars.get(".Büro").unwrap();
        assert_eq!(calendar.properties, [property]);
        let mut found: Vec<&str> = calendar.objects.keys().map(String::as_str).collect();
        found.push("gone.ics");
        found.sort_unstable();
        let mut expected = names;
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert!(calendar.objects.iter().all(|(name, object)| object.data == *name.as_bytes()));
        assert_eq!(calendar.changes(calendar.revision_of(&token), 9).0, [Change::Gone("gone.ics")]);
    }

    #[test]
    fn files_that_a_hand_put_changed_or_removed_are_seen_as_changes() {
        let root = tempfile::tempdir().unwrap();
        let mut calendars = open(root.path());
        calendars.make("c", Calendar::new("id".to_owned(), Vec::new(), Vec::new())).unwrap();
        for name in ["a.ics", "b.ics", "same.ics"] {
            calendars.put("c", name, Bytes::from_static(b"1"), Timestamp::UNIX_EPOCH).unwrap();
        }
        drop(calendars);
        fs::write(root.path().join("c/a.ics"), "2").unwrap();
        fs::write(root.path().join("c/new.ics"), "1").unwrap();
        fs::remove_file(root.path().join("c/b.ics")).unwrap();
        let calendars = open(root.path());
        let mut changes = calendars.get("c").unwrap().changes(Some(3), 9).0;
        changes.sort_by_key(|change| format!("{change:?}"));
        assert_eq!(changes, [Change::Gone("b.ics"), Change::Present("a.ics"), Change::Present("new.ics")]);
    }
}
