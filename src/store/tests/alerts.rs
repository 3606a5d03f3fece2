//! Alerts are remembered together with the mails that tell them, and the mails go in order.

use super::*;
use crate::alert::{AlertKind, Condition, Known, Tellable};
use crate::store::{Access, EffectState, NoticeOutcome, Purge};

const HOW: Tellable = Tellable { after: SignedDuration::from_hours(1), by_mail: true };

fn wrong(kind: AlertKind, subject: &str) -> Condition {
    Condition { kind, subject: subject.to_owned(), what: format!("{subject} is wrong"), since: minute(0) }
}

async fn follow(store: &Store, at: i64, conditions: &[Condition]) -> usize {
    let known = Known { conditions: conditions.to_vec(), unknown: Vec::new() };
    store.follow_alerts(&host(), known, HOW, minute(at)).await.unwrap().notices.len()
}

#[tokio::test]
async fn an_episode_is_told_once_over_a_restart_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let login = [wrong(AlertKind::LoginRefused, "work")];
    let store = Store::open(&path, Access::Daemon).unwrap();
    assert_eq!(follow(&store, 1, &login).await, 1);
    store.close().await;
    let store = Store::open(&path, Access::Daemon).unwrap();
    assert_eq!(follow(&store, 500, &login).await, 0);
    assert_eq!(store.open_alerts().await.unwrap(), [(AlertKind::LoginRefused, 1)]);
    assert_eq!(follow(&store, 501, &[]).await, 1);
    assert_eq!(store.alerts(&host()).await.unwrap(), []);
}

#[tokio::test]
async fn a_host_is_mailed_in_order_and_again_after_a_failure() {
    let store = Store::memory().unwrap();
    let all = [wrong(AlertKind::LoginRefused, "work"), wrong(AlertKind::Conflict, "b")];
    assert_eq!(follow(&store, 1, &all).await, 2);
    let due = async |at| store.due_notices(minute(at)).await.unwrap();
    let [first] = due(1).await.try_into().unwrap();
    assert_eq!(first.notice().unwrap().about, ["work is wrong"]);
    let later = NoticeOutcome::Retry { due_at: minute(9), error: "450".to_owned() };
    store.finish_notice(first.id, later).await.unwrap();
    assert_eq!(due(8).await, [], "the second waits for the first");
    assert_eq!(due(9).await[0].last_error.as_deref(), Some("450"));
    store.finish_notice(first.id, NoticeOutcome::Sent).await.unwrap();
    let [second] = due(9).await.try_into().unwrap();
    store.finish_notice(second.id, NoticeOutcome::Failed { error: "550".to_owned() }).await.unwrap();
    assert_eq!(due(99).await, []);
    let [open] = store.open_notices().await.unwrap().try_into().unwrap();
    assert_eq!((open.kind, open.state), (AlertKind::Conflict, EffectState::Failed));

    store.forget_other_alerts(vec![host()]).await.unwrap();
    assert_eq!(store.open_alerts().await.unwrap().len(), 2);
    store.forget_other_alerts(Vec::new()).await.unwrap();
    assert_eq!(store.open_alerts().await.unwrap(), []);
    let purge = Purge { hits_before: minute(0), idempotency_before: minute(0), done_before: minute(2) };
    assert_eq!(store.purge(purge).await.unwrap(), 2);
    assert_eq!(store.open_notices().await.unwrap(), []);
}
