//! A folder of `.ics` files (`[[host.folder]]`, a vdir as vdirsyncer writes it): each file is an object of our copy.
//! Start with [`FolderSync::pass`].

use super::board::SourceSettings;
use super::lone::{Lone, Reading};
use super::plan::plan;
use super::pull::{Pass, SyncError, and_more};
use crate::ical::check_whole;
use crate::store::{CalendarKey, PullCommit, PullOutcome, Store, StoredCalendar, StoredObject};
use jiff::{SignedDuration, Timestamp};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A larger file is no calendar object.
const MAX_FILE: u64 = 20 * 1024 * 1024;
/// A file changed so lately is read again the next time: it can change once more within one tick of the file system's
/// clock.
const SETTLED: SignedDuration = SignedDuration::from_secs(2);

/// Brings our copy of a folder up to date.
#[derive(Clone)]
pub struct FolderSync {
    pub(super) lone: Lone,
    path: PathBuf,
}

impl std::fmt::Debug for FolderSync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FolderSync({}, {})", self.lone.key.host, self.path.display())
    }
}

impl FolderSync {
    /// The folder at a path.
    pub fn new(path: PathBuf, reading: Reading, store: Store) -> FolderSync {
        let href = path.display().to_string();
        let name = path.file_name().map_or_else(|| href.clone(), |name| name.to_string_lossy().into_owned());
        let key = CalendarKey { host: reading.host.id.clone(), account: format!("folder:{href}"), href };
        FolderSync { lone: Lone { reading, key, name, store }, path }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One pass at `now`. Fails as a whole only when the store does.
    pub async fn pass(&self, now: Timestamp) -> Result<Pass, SyncError> {
        let stored = self.lone.row().await?;
        let mut brought = PullOutcome::default();
        let result = self.read_into(&mut brought, &stored, now).await;
        self.lone.passed(&stored, brought, result, now).await
    }

    async fn read_into(
        &self,
        brought: &mut PullOutcome,
        stored: &StoredCalendar,
        now: Timestamp,
    ) -> Result<(), SyncError> {
        let held = self.lone.store.object_etags(&stored.key).await?;
        let (path, device) = (self.path.clone(), stored.ctag.clone());
        let scanned = tokio::task::spawn_blocking(move || scan(&path, &held, device.as_deref(), now)).await;
        let what = match scanned {
            Ok(Ok(Scan { changed, unread: Some(what), .. })) => {
                // What is said to be gone may be what cannot be read, under another name.
                brought.add(self.lone.store.commit_part(&stored.key, changed).await?);
                what
            }
            Ok(Ok(Scan { device, changed, removed, unread: None })) => {
                let commit = PullCommit {
                    key: stored.key.clone(),
                    token: None,
                    ctag: Some(device),
                    changed,
                    removed,
                    full: false,
                    read_at: now,
                    listed: true,
                };
                brought.add(self.lone.store.commit_pull(commit).await?);
                return Ok(());
            }
            Ok(Err(what)) => what,
            Err(error) => error.to_string(),
        };
        Err(SyncError::Folder { folder: self.path.clone(), what })
    }

    /// The folder as a source, with when it was read.
    pub async fn sources(&self) -> Result<Vec<(SourceSettings, Option<Timestamp>)>, SyncError> {
        let stored = self.lone.store.calendar(&self.lone.key).await?;
        let zone = self.lone.reading.host.zone.clone();
        Ok(vec![(self.lone.source(zone), stored.and_then(|stored| stored.read_at))])
    }
}

/// What a folder has that we do not hold, and the other way round.
struct Scan {
    /// The file system that it is on.
    device: String,
    changed: Vec<StoredObject>,
    removed: Vec<String>,
    /// What of it cannot be read, in words: it is busy, nobody knows when.
    unread: Option<String>,
}

/// Compares a folder with what we hold of it. One that cannot be listed is an error, in words; one file that cannot be read does not stop
/// the others.
fn scan(
    folder: &Path,
    held: &[(String, Option<String>)],
    device_before: Option<&str>,
    now: Timestamp,
) -> Result<Scan, String> {
    let in_words = |error: io::Error| error.to_string();
    let device = fs::metadata(folder).map_err(in_words)?.dev().to_string();
    let (mut listed, mut unread) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(in_words)? {
        let path = entry.map_err(in_words)?.path();
        match in_folder(&path, now) {
            Ok(found) => listed.extend(found),
            Err(what) => unread.push(what),
        }
    }
    if listed.is_empty()
        && unread.is_empty()
        && !held.is_empty()
        && device_before.is_some_and(|before| before != device)
    {
        return Err("it is empty, and on another file system than before: is the right one mounted?".to_owned());
    }
    let plan = plan(held, &listed, str::to_owned);
    let (mut changed, mut removed) = (Vec::new(), plan.forget);
    for name in plan.fetch {
        match read_whole(folder, &name) {
            Ok(Some(data)) => {
                let etag = listed.iter().find(|(listed, _)| *listed == name).and_then(|(_, etag)| etag.clone());
                changed.push(StoredObject { href: name, etag, data });
            }
            Ok(None) => removed.push(name),
            Err(what) => unread.push(what),
        }
    }
    // The same each time, for whoever is told.
    unread.sort_unstable();
    let unread = unread.first().map(|what| format!("{what}{}", and_more(unread.len() - 1)));
    Ok(Scan { device, changed, removed, unread })
}

/// A file that counts, with its version.
fn in_folder(path: &Path, now: Timestamp) -> Result<Option<(String, Option<String>)>, String> {
    let Some(name) = calendar_file(path)? else { return Ok(None) };
    let metadata = unless_gone(path, fs::metadata)?.filter(Metadata::is_file);
    Ok(metadata.map(|metadata| (name, version(&metadata, now))))
}

/// A file's text; `None` when it is gone meanwhile.
fn read_whole(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, String> {
    let data = unless_gone(&folder.join(name), read_file)?;
    if let Some(data) = &data {
        check_whole(data).map_err(|fault| format!("{name:?}: {fault}; write it whole, or move it away"))?;
    }
    Ok(data)
}

/// The name of a file that counts: `.ics`, and not hidden, as files are that are still being written.
fn calendar_file(path: &Path) -> Result<Option<String>, String> {
    let name = path.file_name().unwrap_or_default();
    let is_ics = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ics"));
    if !is_ics || name.as_encoded_bytes().starts_with(b".") {
        return Ok(None);
    }
    match name.to_str() {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(format!("the name of {name:?} is not UTF-8; give it another")),
    }
}

/// `None` when there is nothing at the path any more. A link that leads nowhere is an error.
fn unless_gone<T>(path: &Path, read: impl FnOnce(PathBuf) -> io::Result<T>) -> Result<Option<T>, String> {
    let gone = || matches!(fs::symlink_metadata(path), Err(error) if error.kind() == ErrorKind::NotFound);
    match read(path.to_owned()) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound && gone() => Ok(None),
        Err(error) => Err(format!("{:?}: {error}", path.file_name().unwrap_or_default())),
    }
}

fn read_file(path: PathBuf) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut data)?;
    if data.len() as u64 > MAX_FILE {
        return Err(io::Error::other("it is larger than 20 MiB"));
    }
    Ok(data)
}

/// What is not the same after a file was replaced or written; `None` when that cannot be told.
fn version(metadata: &Metadata, now: Timestamp) -> Option<String> {
    let changed = Timestamp::new(metadata.ctime(), i32::try_from(metadata.ctime_nsec()).ok()?).ok()?;
    (now.duration_since(changed) > SETTLED).then(|| {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        format!("{}-{}-{}.{}-{changed}", metadata.ino(), metadata.len(), modified.0, modified.1)
    })
}

#[cfg(test)]
mod tests {
    use super::super::lone::tests::{Bench, calendar, event, noon};
    use super::*;
    use crate::sync::Source;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    struct Vdir {
        bench: Bench,
        folder: TempDir,
        source: Source,
    }

    impl Vdir {
        fn new() -> Vdir {
            let (bench, reading) = Bench::new();
            let folder = tempfile::tempdir().unwrap();
            let source = Source::Folder(FolderSync::new(folder.path().to_owned(), reading, bench.store.clone()));
            Vdir { bench, folder, source }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, start: &str) {
            fs::write(self.at(name), calendar(&event(name, start))).unwrap();
        }

        /// Hrefs that a pass added, changed and removed. All files count as changed long ago.
        async fn pass(&self) -> [String; 3] {
            let calendar = self.source.pass(noon(0)).await.unwrap().calendars.remove(0);
            calendar.result.unwrap();
            let outcome = calendar.brought;
            [outcome.added, outcome.changed, outcome.removed].map(|hrefs| hrefs.join(" "))
        }
    }

    fn of(added: &str, changed: &str, removed: &str) -> [String; 3] {
        [added, changed, removed].map(str::to_owned)
    }

    #[tokio::test]
    async fn files_are_added_replaced_and_removed() {
        let vdir = Vdir::new();
        assert_eq!(vdir.bench.busy(&vdir.source).await, (vec![], None), "never read");
        vdir.write("a.ics", "20300603T080000Z");
        vdir.write("b.ICS", "20300604T080000Z");
        vdir.write(".b.ics.swp", "20300605T080000Z");
        vdir.write(".hidden.ics", "20300605T080000Z");
        fs::write(vdir.at("displayname"), "Family").unwrap();
        fs::create_dir(vdir.at("folder.ics")).unwrap();
        assert_eq!(vdir.pass().await, of("a.ics b.ICS", "", ""));
        assert_eq!(vdir.pass().await, of("", "", ""));
        let (busy, as_of) = vdir.bench.busy(&vdir.source).await;
        assert_eq!((busy.join(" "), as_of), ("2030-06-03T08:00:00Z 2030-06-04T08:00:00Z".to_owned(), Some(noon(0))));

        // As vdirsyncer does; of the same size.
        vdir.write("a.ics.tmp", "20300603T090000Z");
        fs::rename(vdir.at("a.ics.tmp"), vdir.at("a.ics")).unwrap();
        assert_eq!(vdir.pass().await, of("", "a.ics", ""));
        fs::remove_file(vdir.at("b.ICS")).unwrap();
        assert_eq!(vdir.pass().await, of("", "", "b.ICS"));
        // The last one may go too.
        fs::remove_file(vdir.at("a.ics")).unwrap();
        assert_eq!(vdir.pass().await, of("", "", "a.ics"));
        assert_eq!(vdir.bench.busy(&vdir.source).await, (vec![], Some(noon(0))));
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_not_gone() {
        let vdir = Vdir::new();
        vdir.write("a.ics", "20300603T080000Z");
        vdir.write("b.ics", "20300604T080000Z");
        vdir.pass().await;
        let known = vdir.bench.busy(&vdir.source).await;
        let breaks: [(&str, &dyn Fn()); 4] = [
            ("a.ics", &|| fs::write(vdir.at("a.ics"), "BEGIN:VCALENDAR\r\n").unwrap()),
            ("a.ics", &|| fs::write(vdir.at("a.ics"), "").unwrap()),
            ("a.ics", &|| {
                fs::remove_file(vdir.at("a.ics")).unwrap();
                symlink("nowhere", vdir.at("a.ics")).unwrap();
            }),
            ("", &|| fs::remove_dir_all(vdir.folder.path()).unwrap()),
        ];
        for (file, break_it) in breaks {
            break_it();
            let error = vdir.bench.failure(&vdir.source, noon(5)).await;
            assert!(error.contains(file) && error.contains(vdir.folder.path().to_str().unwrap()), "{error}");
            assert_eq!(vdir.bench.busy(&vdir.source).await, known);
        }
        fs::create_dir(vdir.folder.path()).unwrap();
        vdir.write("b.ics", "20300604T080000Z");
        assert_eq!(vdir.pass().await, of("", "", "a.ics"));
    }

    #[tokio::test]
    async fn one_file_that_cannot_be_read_does_not_hide_the_others() {
        let vdir = Vdir::new();
        vdir.write("b.ics", "20300604T080000Z");
        fs::write(vdir.at("a.ics"), "BEGIN:VCALENDAR\r\n").unwrap();
        let error = vdir.bench.failure(&vdir.source, noon(0)).await;
        assert!(error.contains("a.ics"), "{error}");
        assert_eq!(vdir.bench.busy(&vdir.source).await, (vec![], None), "never read");
        vdir.write("a.ics", "20300603T080000Z");
        assert_eq!(vdir.pass().await, of("a.ics", "", ""));

        fs::write(vdir.at("a.ics"), "BEGIN:VCALENDAR\r\n").unwrap();
        fs::remove_file(vdir.at("b.ics")).unwrap();
        vdir.write("c.ics", "20300605T080000Z");
        let mut pass = vdir.source.pass(noon(5)).await.unwrap();
        assert_eq!(pass.calendars.remove(0).brought.added, ["c.ics"]);
        let (busy, as_of) = vdir.bench.busy(&vdir.source).await;
        let known = "2030-06-03T08:00:00Z 2030-06-04T08:00:00Z 2030-06-05T08:00:00Z";
        assert_eq!((busy.join(" "), as_of), (known.to_owned(), Some(noon(0))), "what is gone stays until all is read");
        vdir.write("a.ics", "20300603T090000Z");
        assert_eq!(vdir.pass().await, of("", "a.ics", "b.ics"));
    }

    #[test]
    fn an_empty_folder_of_another_file_system_is_not_mounted() {
        let folder = tempfile::tempdir().unwrap();
        let held = [("a.ics".to_owned(), None)];
        let scan = |device| scan(folder.path(), &held, device, noon(0));
        let device = fs::metadata(folder.path()).unwrap().dev().to_string();
        assert_eq!(scan(Some(&device)).unwrap_or_else(|what| panic!("{what}")).removed, ["a.ics"]);
        assert!(scan(Some("none")).is_err_and(|what| what.contains("mounted")));
    }

    #[test]
    fn a_file_changed_just_now_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let metadata = fs::metadata(folder.path()).unwrap();
        let changed = Timestamp::from_second(metadata.ctime()).unwrap();
        assert_eq!(version(&metadata, changed + SignedDuration::from_secs(1)), None);
        assert_eq!(version(&metadata, changed - SignedDuration::from_hours(1)), None);
        assert!(version(&metadata, changed + SignedDuration::from_secs(4)).is_some());
    }
}
