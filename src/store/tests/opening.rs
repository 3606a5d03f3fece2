//! One daemon, our own sound file, the newest schema; and copies of it.

use super::*;
use crate::store::{Access, StoreError, StoreErrorKind};
use rusqlite::Connection;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn refused(path: &Path, access: Access) -> StoreError {
    match Store::open(path, access) {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_new_store_is_readable_by_its_owner_alone_and_outlasts_its_closing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/db");
    let store = Store::open(&path, Access::Daemon).unwrap();
    store.replace_secret("none", "mark", [7; 32]).await.unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    for file in ["db", "db-wal", "db-shm", "db.lock"] {
        assert_eq!(mode(&path.with_file_name(file)), 0o600, "{file}");
    }
    store.close().await;
    assert_eq!(store.booking(booking(1, minutes(0, 1)).id).await.unwrap_err().kind(), StoreErrorKind::Closed);
    let store = Store::open(&path, Access::Daemon).unwrap();
    assert_eq!(store.bookings(None, Default::default()).await.unwrap().len(), 1);
    assert_eq!(store.secret("mark").await.unwrap(), Some([7; 32]), "a mark is for good");
}

#[tokio::test]
async fn a_second_daemon_is_refused_by_name_of_the_first_and_a_tool_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = Store::open(&path, Access::Daemon).unwrap();
    let error = refused(&path, Access::Daemon);
    assert_eq!(error.kind(), StoreErrorKind::InUse);
    assert!(error.to_string().contains(&format!("in use by process {}", std::process::id())), "{error}");
    let tool = Store::open(&path, Access::Tool).unwrap();
    assert_eq!(tool.take(booking(1, minutes(60, 90))).await, Reserved::Done);
    assert_eq!(store.take(booking(2, minutes(60, 90))).await, Reserved::Overlaps, "they write to one store");
    store.close().await;
    Store::open(&path, Access::Daemon).unwrap().close().await;
    tool.close().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    Store::open(&path, Access::Daemon).unwrap().close().await;
    let raw = Connection::open(&path).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    for access in [Access::Daemon, Access::Tool] {
        let error = refused(&path, access);
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("schema 99"), "{error}");
    }
    assert_eq!(raw.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), 99);
}

#[tokio::test]
async fn a_store_of_the_first_schema_is_brought_up_to_date_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch(include_str!("../migrations/0001.sql")).unwrap();
    raw.execute_batch(
        "INSERT INTO account (host, account, addresses, discovered_at) VALUES ('noether', 'work', '[\"mailto:a@example.edu\"]', 0);
         PRAGMA application_id = 0x4f664872; PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(raw);
    let store = Store::open(&path, Access::Daemon).unwrap();
    let facts = store.account(&host(), "work").await.unwrap().unwrap().facts.unwrap();
    assert_eq!((facts.addresses, facts.subscribed), (vec!["mailto:a@example.edu".to_owned()], Vec::new()));
}

#[tokio::test]
async fn a_tool_changes_no_schema_beneath_a_running_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let daemon = Store::open(&path, Access::Daemon).unwrap();
    daemon.sql("PRAGMA user_version = 0").await.unwrap();
    let error = refused(&path, Access::Tool);
    assert!(matches!(error, StoreError::OlderInUse { found: 0, .. }), "{error}");
    assert_eq!(error.kind(), StoreErrorKind::InUse);
}

#[tokio::test]
async fn another_programs_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (other, text) = (folder.path().join("other.db"), folder.path().join("text"));
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    std::fs::write(&text, "no database, but long enough to have a header: ".repeat(100)).unwrap();
    for path in [other, text] {
        let error = refused(&path, Access::Daemon);
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_by_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = Store::open(&path, Access::Daemon).unwrap();
    for number in 0..200 {
        store.take(booking(number, minutes(30 * number as i64, 30 * number as i64 + 30))).await;
    }
    store.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    let page = bytes.len() / 2 / 4096 * 4096;
    bytes[page..page + 8192].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let error = refused(&path, Access::Daemon);
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert_eq!(error.kind(), StoreErrorKind::Unusable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_one_whole_file_made_while_others_write_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db"), Access::Daemon).unwrap();
    store.take(booking(1000, minutes(-90, -60))).await;
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 0..100 {
                store.take(booking(number, minutes(30 * number as i64, 30 * number as i64 + 30))).await;
            }
        }
    });
    let copy = folder.path().join("copy");
    store.backup(&copy).await.unwrap();
    writer.await.unwrap();
    assert_eq!(mode(&copy), 0o600);
    assert!(matches!(store.backup(&copy).await, Err(StoreError::Exists { .. })));
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["copy", "db", "db-shm", "db-wal", "db.lock"], "nothing is left lying about");
    let copy = Store::open(&copy, Access::Daemon).unwrap();
    let bookings = copy.bookings(None, Default::default()).await.unwrap();
    assert!(bookings.iter().any(|kept| kept.id == booking(1000, minutes(0, 1)).id));
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_stores_nothing_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db"), Access::Daemon).unwrap();
    store.sql("PRAGMA max_page_count = 1").await.unwrap(); // SQLite takes it as "no more than there are"
    let mut stored = 0;
    let error = loop {
        let number = stored as u128;
        match store.reserve(new(booking(number, minutes(30 * stored, 30 * stored + 30)))).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), StoreErrorKind::Disk, "{error:?}");
    assert_eq!(store.bookings(None, Default::default()).await.unwrap().len() as i64, stored);
    store.sql("PRAGMA max_page_count = 100000").await.unwrap();
    assert_eq!(store.take(booking(stored as u128, minutes(30 * stored, 30 * stored + 30))).await, Reserved::Done);
}

#[tokio::test]
async fn a_query_that_panics_is_rolled_back_and_stops_nothing() {
    let store = Store::memory().unwrap();
    let broken = store.write(|tx| -> crate::store::Result<crate::store::End<()>> {
        tx.execute("INSERT INTO secret VALUES ('half', zeroblob(32))", ())?;
        panic!("this panic is part of a test")
    });
    assert_eq!(broken.await.unwrap_err().kind(), StoreErrorKind::Closed);
    assert_eq!(store.secret("half").await.unwrap(), None);
}

#[tokio::test]
async fn a_store_of_the_first_schema_is_brought_up_in_place_with_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch(include_str!("../migrations/0001.sql")).unwrap();
    raw.pragma_update(None, "application_id", 0x4f66_4872).unwrap();
    raw.pragma_update(None, "user_version", 1).unwrap();
    let columns = "host, meeting, title, location, buffer_before, buffer_after, seats, guest_name, guest_email, guest_key, guest_note, \
                   answers, sequence, placed_by_host, created_at, updated_at";
    raw.execute_batch(&format!(
        "INSERT INTO booking (id, state, starts_at, ends_at, uid, guest_token_hash, host_token_hash, {columns})
         VALUES ('00000000-0000-0000-0000-000000000001', 'reserved', 1, 2, 'u', zeroblob(32), zeroblob(32), 'noether', 'talk', '', '', 0, 0, 1,
             '', '', '', '', '[]', 0, 0, 0, 0);
         INSERT INTO effect (booking, host, lane, kind, payload, created_at, due_at)
         VALUES ('00000000-0000-0000-0000-000000000001', 'noether', 'calendar', 'put-event', '{{}}', 0, 0);"
    ))
    .unwrap();
    drop(raw);
    let store = Store::open(&path, Access::Daemon).unwrap();
    let entry = store.effect(1).await.unwrap().unwrap();
    assert_eq!((entry.payload.as_str(), entry.needs_host), ("{}", false));
    assert_eq!(store.alerts(&host()).await.unwrap(), []);
}

#[tokio::test]
async fn a_store_of_the_schema_before_is_brought_up_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch(include_str!("../migrations/0001.sql")).unwrap();
    raw.pragma_update(None, "application_id", 0x4f66_4872).unwrap();
    raw.pragma_update(None, "user_version", 1).unwrap();
    let id = uuid::Uuid::from_u128(1);
    raw.execute(
        "INSERT INTO booking (id, host, meeting, title, location, starts_at, ends_at, buffer_before, buffer_after, seats, state,
             guest_name, guest_email, guest_key, guest_note, answers, uid, sequence, told, placed_by_host, created_at, updated_at,
             guest_token_hash, host_token_hash)
         VALUES (?1, 'noether', 'office-hour', 'Office hour', '', 1800003600000000, 1800005400000000, 0, 0, 1, 'confirmed',
             'Ada', 'ada@example.org', 'ada@example.org', '', '[]', 'u', 0, 0, 0, 1800000060000000, 1800000120000000, zeroblob(32), zeroblob(32))",
        [id.to_string()],
    )
    .unwrap();
    drop(raw);
    let store = Store::open(&path, Access::Daemon).unwrap();
    let kept = store.booking(BookingId(id)).await.unwrap().unwrap();
    assert_eq!((kept.guest.language, kept.told_time, kept.declined), (None, Some(minutes(60, 90)), None));
    let ahead = store.ahead(&host(), minutes(0, 100)).await.unwrap();
    assert_eq!((ahead[0].firm_at, ahead[0].reminded_at), (minute(2), None));
}
