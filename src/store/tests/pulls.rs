//! A token is stored with the changes it covers, and what is not known is never an empty calendar.

use super::*;
use crate::store::{
    AccountFacts, CalendarEntry, CalendarKey, CalendarRole, Failure, PullCommit, PullOutcome, StoreErrorKind,
    StoredObject,
};

fn key() -> CalendarKey {
    CalendarKey { host: host(), account: "work".into(), href: "/cal/".into() }
}

fn entry(href: &str) -> CalendarEntry {
    CalendarEntry {
        href: href.into(),
        name: "Work".into(),
        role: CalendarRole { busy: true, writable: Some(true) },
        time_zone: Some("Asia/Tokyo".into()),
    }
}

fn object(name: &str, data: &str) -> StoredObject {
    StoredObject { href: format!("/cal/{name}.ics"), etag: Some(format!("\"{data}\"")), data: data.as_bytes().to_vec() }
}

fn pull(token: &str, changed: Vec<StoredObject>, removed: &[&str]) -> PullCommit {
    PullCommit {
        key: key(),
        token: Some(token.to_owned()),
        ctag: None,
        changed,
        removed: removed.iter().map(|name| format!("/cal/{name}.ics")).collect(),
        full: false,
        read_at: minute(1),
        listed: false,
    }
}

async fn with_calendar() -> Store {
    let store = Store::memory().unwrap();
    store.set_calendars(&host(), "work", vec![entry("/cal/")]).await.unwrap();
    store
}

fn hrefs(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("/cal/{name}.ics")).collect()
}

#[tokio::test]
async fn a_pull_says_what_is_new_what_is_other_and_what_is_gone() {
    let store = with_calendar().await;
    let first = store.commit_pull(pull("t1", vec![object("a", "1"), object("b", "1")], &[])).await.unwrap();
    assert_eq!(first, PullOutcome { added: hrefs(&["a", "b"]), ..PullOutcome::default() });
    let second = pull("t2", vec![object("a", "2"), object("b", "1"), object("c", "1")], &["never-known"]);
    let second = store.commit_pull(second).await.unwrap();
    assert_eq!(second, PullOutcome { added: hrefs(&["c"]), changed: hrefs(&["a"]), removed: vec![] });
    let full = PullCommit { full: true, token: None, ..pull("", vec![object("c", "1")], &[]) };
    assert_eq!(
        store.commit_pull(full).await.unwrap(),
        PullOutcome { removed: hrefs(&["a", "b"]), ..PullOutcome::default() }
    );
    assert_eq!(store.objects(&key()).await.unwrap(), vec![object("c", "1")]);
    assert_eq!(store.object_etags(&key()).await.unwrap(), vec![("/cal/c.ics".to_owned(), Some("\"1\"".to_owned()))]);
    let calendar = store.calendar(&key()).await.unwrap().unwrap();
    assert_eq!((calendar.sync_token, calendar.read_at, calendar.listed_at), (None, Some(minute(1)), Some(minute(1))));
}

#[tokio::test]
async fn a_pull_that_cannot_be_stored_whole_leaves_the_old_token() {
    let store = with_calendar().await;
    store.commit_pull(pull("t1", vec![object("a", "1")], &[])).await.unwrap();
    store
        .sql(
            "CREATE TRIGGER no BEFORE INSERT ON object WHEN NEW.href LIKE '%bad%' BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .await
        .unwrap();
    let half = pull("t2", vec![object("a", "2"), object("bad", "1")], &[]);
    assert_eq!(store.commit_pull(half).await.unwrap_err().kind(), StoreErrorKind::Other);
    assert_eq!(store.objects(&key()).await.unwrap(), vec![object("a", "1")]);
    assert_eq!(store.calendar(&key()).await.unwrap().unwrap().sync_token.as_deref(), Some("t1"));
}

#[tokio::test]
async fn an_unknown_calendar_is_an_error_and_never_an_empty_one() {
    let store = Store::memory().unwrap();
    assert_eq!(store.objects(&key()).await.unwrap_err().kind(), StoreErrorKind::UnknownCalendar);
    assert_eq!(store.object_etags(&key()).await.unwrap_err().kind(), StoreErrorKind::UnknownCalendar);
    assert_eq!(store.commit_pull(pull("t", vec![], &[])).await.unwrap_err().kind(), StoreErrorKind::UnknownCalendar);
    assert_eq!(store.mark_read(&key(), minute(1)).await.unwrap_err().kind(), StoreErrorKind::UnknownCalendar);
}

#[tokio::test]
async fn discovering_again_keeps_how_far_a_calendar_was_read_and_forgets_what_is_gone() {
    let store = with_calendar().await;
    store.set_calendars(&host(), "other", vec![entry("/cal/")]).await.unwrap();
    store.commit_pull(pull("t1", vec![object("a", "1")], &[])).await.unwrap();
    store.set_strategy(&key(), Some("{}".into())).await.unwrap();
    let renamed = CalendarEntry { name: "Arbeit".into(), ..entry("/cal/") };
    store.set_calendars(&host(), "work", vec![renamed, entry("/new/")]).await.unwrap();
    let calendar = store.calendar(&key()).await.unwrap().unwrap();
    assert_eq!((calendar.name.as_str(), calendar.sync_token.as_deref()), ("Arbeit", Some("t1")));
    assert_eq!((calendar.strategy.as_deref(), calendar.time_zone.as_deref()), (Some("{}"), Some("Asia/Tokyo")));
    assert_eq!(store.objects(&key()).await.unwrap().len(), 1);
    store.set_calendars(&host(), "work", vec![entry("/new/")]).await.unwrap();
    assert_eq!(store.calendar(&key()).await.unwrap(), None);
    assert_eq!(store.calendars(&host()).await.unwrap().len(), 2, "the other account's is still there");
    assert_eq!(store.stats().await.unwrap().objects, 0);
}

#[tokio::test]
async fn a_failure_is_remembered_until_the_next_success_and_frees_nothing() {
    let store = with_calendar().await;
    store.commit_pull(pull("t1", vec![object("a", "1")], &[])).await.unwrap();
    let failure = Failure { error: "503".into(), at: minute(2) };
    store.mark_failed(&key(), failure.clone()).await.unwrap();
    let calendar = store.calendar(&key()).await.unwrap().unwrap();
    assert_eq!((calendar.failure, calendar.read_at), (Some(failure.clone()), Some(minute(1))));
    assert_eq!(store.objects(&key()).await.unwrap().len(), 1);
    store.mark_read(&key(), minute(3)).await.unwrap();
    let calendar = store.calendar(&key()).await.unwrap().unwrap();
    assert_eq!((calendar.failure, calendar.read_at), (None, Some(minute(3))));

    store.mark_account_failed(&host(), "work", failure.clone()).await.unwrap();
    let account = store.account(&host(), "work").await.unwrap().unwrap();
    assert_eq!((account.facts, account.failure), (None, Some(failure)));
    let facts = AccountFacts {
        url: Some("https://cal.example.edu/".to_owned()),
        subscribed: vec![("Holidays".to_owned(), "/h/".to_owned())],
        principal: Some("/p/".into()),
        addresses: vec!["mailto:noether@example.edu".into()],
        server: None,
        discovered_at: minute(4),
    };
    store.set_account(&host(), "work", facts.clone()).await.unwrap();
    let account = store.account(&host(), "work").await.unwrap().unwrap();
    assert_eq!((account.facts, account.failure), (Some(facts), None));
    store.forget_account(&host(), "work").await.unwrap();
    assert_eq!(store.known_accounts().await.unwrap(), vec![]);
}

#[tokio::test]
async fn our_own_write_is_stored_at_once_and_can_be_forgotten() {
    let store = with_calendar().await;
    store.put_object(&key(), object("a", "1")).await.unwrap();
    store.put_object(&key(), object("a", "2")).await.unwrap();
    assert_eq!(store.object(&key(), "/cal/a.ics").await.unwrap(), Some(object("a", "2")));
    assert!(store.forget_object(&key(), "/cal/a.ics").await.unwrap());
    assert!(!store.forget_object(&key(), "/cal/a.ics").await.unwrap());
}
