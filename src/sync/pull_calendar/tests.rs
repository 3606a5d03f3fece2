use super::super::health::{Setback, TroubleKind};
use super::super::lone::tests::{Bench, event, noon};
use super::super::pull::{AccountSettings, Pass};
use super::*;
use crate::availability::Counting;
use crate::caldav::scripted::{Log, Seen, answer, multistatus, serve};
use crate::caldav::{Client, Login};
use std::sync::{Arc, Mutex};

/// A calendar server in a few lines: `/c/` is the home and `/c/work/` the calendar, with what is in it and how it misbehaves.
#[derive(Default)]
struct Script {
    /// Name, version, UID.
    objects: Vec<(&'static str, &'static str, &'static str)>,
    /// Named by queries alone.
    hidden: Vec<&'static str>,
    /// Left out by sync reports.
    unsynced: Vec<&'static str>,
    ctag: Option<&'static str>,
    /// The present token; `None`: no sync-collection.
    token: Option<&'static str>,
    /// What a sync report with a token tells: changed.
    delta: Vec<&'static str>,
    /// It answers to a sync report so; to one with a token, or to any.
    sync_fails: Option<(&'static str, u16)>,
    /// The calendar answers so, whatever is asked.
    status: Option<u16>,
    queries_fail: bool,
    home: Option<&'static str>,
    subscribed: bool,
    transparent: bool,
    /// There is another calendar, `two/`.
    second: bool,
    /// The next list of the home is of another.
    lost_once: bool,
    /// What the home says of the calendar, in place of its properties, from now on.
    lost: Option<&'static str>,
    /// After so many multigets the server fails.
    breaks_after: Option<usize>,
    multigets: usize,
    /// Objects that the server gives nobody: multigets leave them out, and alone they are this status.
    unreadable: Vec<(&'static str, u16)>,
}

type Shared = Arc<Mutex<Script>>;

struct World {
    account: AccountSync,
    script: Shared,
    log: Log,
    bench: Bench,
}

fn found(href: &str, properties: &str) -> String {
    format!(
        "<response><href>{href}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
    )
}

impl Script {
    fn calendar(&self) -> String {
        format!("{}work/", self.home.unwrap_or("/c/"))
    }

    fn fails_at(&self, seen: &Seen) -> Option<u16> {
        let (at, status) = self.sync_fails?;
        let has_token = !seen.body.contains("<D:sync-token></D:sync-token>");
        (at == "any" || has_token).then_some(status)
    }

    fn answer(&mut self, seen: &Seen) -> String {
        let told = self.tell(seen);
        if seen.path == self.home.unwrap_or("/c/") && seen.method == "PROPFIND" {
            self.lost_once = false;
        }
        told
    }

    fn tell(&mut self, seen: &Seen) -> String {
        if kind(seen) == "multiget" {
            self.multigets += 1;
            if self.breaks_after.is_some_and(|most| self.multigets > most) {
                return answer(503, "", "");
            }
        }
        let (home, calendar) = (self.home.unwrap_or("/c/"), self.calendar());
        let ctag =
            self.ctag.map(|ctag| format!("<S:getctag xmlns:S=\"http://calendarserver.org/ns/\">{ctag}</S:getctag>"));
        let own = found(
            &calendar,
            &format!(
                "<resourcetype><collection/><C:calendar/></resourcetype><displayname>Work</displayname>{}{}",
                ctag.unwrap_or_default(),
                match self.transparent {
                    true => "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>",
                    false => "",
                }
            ),
        );
        let etag =
            |version: &str| if version.is_empty() { String::new() } else { format!("<getetag>{version}</getetag>") };
        let list = |names: &dyn Fn(&str) -> bool| -> String {
            let named = self.objects.iter().filter(|(name, ..)| names(name));
            named.map(|(name, version, _)| found(&format!("{calendar}{name}"), &etag(version))).collect()
        };
        let visible = |name: &str| !self.hidden.contains(&name);
        if seen.path == "/" && seen.method == "PROPFIND" {
            let home = format!(
                "<C:calendar-home-set><href>{home}</href></C:calendar-home-set><current-user-principal><href>/p/</href></current-user-principal>"
            );
            return multistatus(&found("/", &home));
        }
        if seen.path == "/p/" {
            return multistatus(&found(
                "/p/",
                &format!("<C:calendar-home-set><href>{home}</href></C:calendar-home-set>"),
            ));
        }
        if seen.path == home && seen.method == "PROPFIND" && self.lost_once {
            return multistatus(&found("/c/", "<resourcetype><collection/></resourcetype>"));
        }
        if let (Some(said), true) = (self.lost, seen.path == home && seen.method == "PROPFIND") {
            return multistatus(&(found("/c/", "<resourcetype><collection/></resourcetype>") + said));
        }
        if seen.path == home && seen.method == "PROPFIND" {
            let subscribed = found(
                &format!("{home}holidays/"),
                "<resourcetype><collection/><S:subscribed xmlns:S=\"http://calendarserver.org/ns/\"/></resourcetype><displayname>Holidays</displayname>",
            );
            let two = found(&format!("{home}two/"), "<resourcetype><collection/><C:calendar/></resourcetype>");
            let more = [self.subscribed.then_some(subscribed), self.second.then_some(two)];
            return multistatus(&more.into_iter().flatten().fold(own, |all, one| all + &one));
        }
        if seen.method == "OPTIONS" {
            return answer(200, "DAV: 1, calendar-access\r\n", "");
        }
        if let Some(status) = self.status {
            return answer(status, "", "");
        }
        if seen.path == format!("{home}two/") && seen.method == "PROPFIND" {
            return multistatus(&found(&seen.path, "<resourcetype><collection/><C:calendar/></resourcetype>"));
        }
        if !seen.path.starts_with(&calendar) {
            return answer(404, "", "");
        }
        match seen.method.as_str() {
            "PROPFIND" if seen.head.contains("depth: 0") => multistatus(&own),
            "PROPFIND" => multistatus(&(own + &list(&visible))),
            "REPORT" if seen.body.contains("sync-collection") && self.fails_at(seen).is_some() => {
                answer(self.fails_at(seen).unwrap(), "", "")
            }
            "REPORT" if seen.body.contains("sync-collection") => match self.token {
                None => answer(403, "", "<error xmlns=\"DAV:\"><supported-report/></error>"),
                Some(token) => {
                    let first = seen.body.contains("<D:sync-token></D:sync-token>");
                    let told = |name: &str| {
                        visible(name) && !self.unsynced.contains(&name) && (first || self.delta.contains(&name))
                    };
                    multistatus(&format!("{}<sync-token>{token}</sync-token>", list(&told)))
                }
            },
            "REPORT" if seen.body.contains("calendar-query") => match self.queries_fail {
                true => answer(500, "", ""),
                false => multistatus(&list(&|_| true)),
            },
            "REPORT" => {
                let is_given = |name: &str| self.unreadable.iter().all(|(unreadable, _)| *unreadable != name);
                let asked = self.objects.iter().filter(|(name, ..)| seen.body.contains(&format!("{calendar}{name}<")));
                let asked = asked.filter(|(name, ..)| is_given(name));
                let data = |(name, version, uid): &(&str, &str, &str)| {
                    let text = format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", event(uid, "20300604T080000Z"));
                    found(
                        &format!("{calendar}{name}"),
                        &format!("{}<C:calendar-data>{text}</C:calendar-data>", etag(version)),
                    )
                };
                multistatus(&asked.map(data).collect::<String>())
            }
            _ if self.unreadable.iter().any(|(name, _)| seen.path.ends_with(name)) => {
                let status = self.unreadable.iter().find(|(name, _)| seen.path.ends_with(name)).unwrap().1;
                answer(status, "", "")
            }
            _ => match self.objects.iter().find(|(name, ..)| seen.path.ends_with(name)) {
                Some((_, version, uid)) => {
                    let text = format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", event(uid, "20300604T080000Z"));
                    answer(200, &format!("Content-Type: text/calendar\r\nETag: {version}\r\n"), &text)
                }
                None => answer(404, "", ""),
            },
        }
    }
}

impl World {
    async fn new(script: Script) -> World {
        let script = Shared::new(Mutex::new(script));
        let shared = script.clone();
        let (client, log) = serve(move |seen| shared.lock().unwrap().answer(seen)).await;
        let (bench, reading) = Bench::new();
        let settings = AccountSettings {
            host: reading.host,
            id: "work".to_owned(),
            calendars: None,
            counting: Counting::default(),
            bookings: None,
            grace: SignedDuration::from_mins(5),
            opens: None,
        };
        let account = AccountSync { settings: Arc::new(settings), client, store: bench.store.clone() };
        World { account, script, log, bench }
    }

    fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }

    /// A pass, and what it asked of the calendar.
    async fn pass(&self, minutes: i64) -> (Pass, Vec<String>) {
        self.log.lock().unwrap().clear();
        let pass = self.account.pass(noon(minutes)).await.unwrap();
        let calendar = self.script.lock().unwrap().calendar();
        let asked = self.log.lock().unwrap().iter().filter(|seen| seen.path.starts_with(&calendar)).map(kind).collect();
        (pass, asked)
    }

    /// A pass that reads everything: what it asked of the calendar.
    async fn reads(&self, minutes: i64) -> Vec<String> {
        let (pass, asked) = self.pass(minutes).await;
        for calendar in &pass.calendars {
            calendar.result.as_ref().unwrap();
        }
        asked
    }

    /// The UIDs that are held, sorted, and how the calendar is read.
    async fn holds(&self) -> (Vec<String>, Strategy) {
        let stored = self.bench.store.calendars(&self.account.settings.host.id).await.unwrap().remove(0);
        let objects = self.bench.store.objects(&stored.key).await.unwrap();
        let uid = |data: &[u8]| {
            let text = String::from_utf8_lossy(data).into_owned();
            text.split("UID:").nth(1).unwrap().lines().next().unwrap().to_owned()
        };
        let mut uids: Vec<String> = objects.iter().map(|object| uid(&object.data)).collect();
        uids.sort();
        (uids, Strategy::parse(stored.strategy.as_deref()))
    }
}

fn kind(seen: &Seen) -> String {
    let name = match seen.method.as_str() {
        "PROPFIND" if seen.head.contains("depth: 0") => "state",
        "PROPFIND" => "list",
        "REPORT" if seen.body.contains("sync-collection") => "sync",
        "REPORT" if seen.body.contains("calendar-query") => "query",
        "REPORT" => "multiget",
        other => other,
    };
    name.to_owned()
}

#[tokio::test]
async fn by_tokens_an_idle_poll_is_one_request_and_one_change_is_two() {
    let objects = vec![("a.ics", "\"1\"", "a"), ("b.ics", "\"1\"", "b")];
    let world = World::new(Script { objects, token: Some("t1"), ctag: Some("c1"), ..Script::default() }).await;
    assert_eq!(world.reads(0).await, ["sync", "query", "multiget"]);
    assert_eq!(world.reads(1).await, ["sync"]);
    world.change(|script| {
        script.objects[0] = ("a.ics", "\"2\"", "a2");
        (script.delta, script.token, script.ctag) = (vec!["a.ics"], Some("t2"), Some("c2"));
    });
    assert_eq!(world.reads(2).await, ["sync", "GET"]);
    let (uids, learnt) = world.holds().await;
    assert_eq!((uids, learnt.way), (vec!["a2".to_owned(), "b".to_owned()], Way::Tokens));
}

#[tokio::test]
async fn a_ctag_that_changes_while_the_tokens_tell_nothing_means_a_whole_list_at_once() {
    let objects = vec![("a.ics", "\"1\"", "a")];
    let world = World::new(Script { objects, token: Some("t1"), ctag: Some("c1"), ..Script::default() }).await;
    world.reads(0).await;
    // Restored from a backup: the token is good, and blind.
    world.change(|script| (script.objects[0], script.ctag) = (("a.ics", "\"9\"", "a9"), Some("c9")));
    assert_eq!(world.reads(1).await, ["sync"], "between two listings of the account nobody can know");
    assert_eq!(world.reads(11).await, ["sync", "sync", "query", "GET"]);
    assert_eq!(world.holds().await.0, ["a9"]);
    assert_eq!(world.reads(22).await, ["sync"]);
}

#[tokio::test]
async fn a_list_in_the_place_of_changes_is_compared_as_one() {
    let objects = vec![("a.ics", "\"1\"", "a"), ("b.ics", "\"1\"", "b"), ("c.ics", "\"1\"", "c")];
    let world = World::new(Script { objects, token: Some("t1"), ..Script::default() }).await;
    world.reads(0).await;
    // DAViCal and SOGo of a token that means nothing to them: everything, and not a word of what is gone.
    world.change(|script| {
        script.objects.pop();
        (script.delta, script.token) = (vec!["a.ics", "b.ics"], Some("t2"));
    });
    assert_eq!(world.reads(1).await, ["sync", "multiget", "sync", "query", "GET"], "what is not listed is asked for");
    assert_eq!(world.holds().await.0, ["a", "b"]);
}

#[tokio::test]
async fn what_was_told_is_compared_with_what_is_there_at_the_next_discovery() {
    let objects = vec![("a.ics", "\"1\"", "a"), ("b.ics", "\"1\"", "b"), ("c.ics", "\"1\"", "c")];
    let world = World::new(Script { objects, token: Some("t1"), ctag: Some("c1"), ..Script::default() }).await;
    world.reads(0).await;
    // Deleted and made again between two polls, with other events: only these are told.
    world.change(|script| {
        script.objects = vec![("d.ics", "\"1\"", "d")];
        (script.delta, script.token, script.ctag) = (vec!["d.ics"], Some("t2"), Some("c2"));
    });
    world.reads(5).await;
    assert_eq!(world.holds().await.0, ["a", "b", "c", "d"]);
    world.change(|script| script.delta = Vec::new());
    world.reads(11).await;
    assert_eq!(world.holds().await.0, ["d"]);
    assert_eq!(world.reads(12).await, ["sync"]);
    assert_eq!(world.reads(22).await, ["sync"]);
}

#[tokio::test]
async fn an_object_that_changed_under_its_old_version_is_read_at_a_comparison_too() {
    let objects = vec![("a.ics", "\"gcs00000000\"", "a"), ("b.ics", "\"gcs00000000\"", "b")];
    let world = World::new(Script { objects, token: Some("t1"), ..Script::default() }).await;
    world.reads(0).await;
    world.change(|script| {
        script.objects[0].2 = "a2";
        (script.delta, script.token) = (vec!["a.ics"], Some("t2"));
    });
    world.bench.store.list_anew(None).await.unwrap();
    world.reads(1).await;
    assert_eq!(world.holds().await.0, ["a2", "b"]);
}

#[tokio::test]
async fn a_calendar_that_the_config_names_is_looked_for_at_each_pass() {
    let objects = vec![("a.ics", "\"1\"", "a")];
    let mut world = World::new(Script { objects, token: Some("t1"), ..Script::default() }).await;
    let mut settings = AccountSettings::clone(&world.account.settings);
    settings.calendars = Some(vec!["Work".to_owned(), "Lectures".to_owned()]);
    world.account.settings = Arc::new(settings);
    for minute in 0..3 {
        let (pass, _) = world.pass(minute).await;
        assert!(pass.rediscovered);
        assert!(matches!(pass.calendars[1].result, Err(SyncError::NoSuchCalendar { .. })));
        assert!(pass.all_read(), "what the host deletes is deleted all the same");
    }
    world.change(|script| script.status = Some(500));
    assert!(!world.pass(3).await.0.all_read());
}

#[tokio::test]
async fn without_tokens_the_ctag_is_asked_and_without_that_the_list() {
    let objects = vec![("a.ics", "\"1\"", "a")];
    let world = World::new(Script { objects, ctag: Some("c1"), ..Script::default() }).await;
    assert_eq!(world.reads(0).await, ["sync", "state", "list", "query", "GET"]);
    assert_eq!(world.reads(1).await, ["state"]);
    world.change(|script| {
        script.objects = vec![("b.ics", "\"1\"", "b")];
        script.ctag = Some("c2");
    });
    assert_eq!(
        world.reads(2).await,
        ["state", "list", "multiget", "GET"],
        "what the list leaves out is asked for by name"
    );
    let (uids, learnt) = world.holds().await;
    assert_eq!((uids, learnt.way), (vec!["b".to_owned()], Way::Ctag));
    world.change(|script| script.ctag = None);
    assert_eq!(world.reads(3).await, ["state", "list"]);
    assert_eq!(world.holds().await.1.way, Way::List);
    // Each day the server is asked again whether it knows tokens by now.
    world.change(|script| script.token = Some("t1"));
    assert_eq!(world.reads(60 * 25).await, ["sync", "query"]);
    assert_eq!(world.holds().await.1.way, Way::Tokens);
}

#[tokio::test]
async fn what_a_list_hides_and_a_query_names_is_held_and_remembered() {
    let objects = vec![("a.ics", "\"1\"", "a"), ("far.ics", "\"1\"", "far")];
    let hidden = vec!["far.ics"];
    let world = World::new(Script { objects, hidden, token: Some("t1"), ..Script::default() }).await;
    assert_eq!(world.reads(0).await, ["sync", "query", "list", "multiget"]);
    let (uids, learnt) = world.holds().await;
    assert_eq!((uids.len(), learnt.hides), (2, true));
    // From now on both at each pass; while one fails, nothing is forgotten.
    assert_eq!(world.reads(1).await, ["state", "list", "query", "list"]);
    world.change(|script| script.queries_fail = true);
    let (pass, _) = world.pass(2).await;
    assert!(pass.calendars[0].result.is_err());
    assert_eq!(world.holds().await.0, ["a", "far"]);
    world.change(|script| (script.queries_fail, script.hidden) = (false, Vec::new()));
    world.reads(3).await;
    assert!(!world.holds().await.1.hides);
    assert_eq!(world.reads(4).await, ["sync"], "on from the token that was kept");
}

#[tokio::test]
async fn a_sync_report_that_leaves_events_out_is_not_relied_on() {
    let objects = vec![("a.ics", "\"1\"", "a"), ("b.ics", "\"1\"", "b")];
    let unsynced = vec!["b.ics"];
    let world =
        World::new(Script { objects, unsynced, token: Some("t1"), ctag: Some("c1"), ..Script::default() }).await;
    assert_eq!(world.reads(0).await, ["sync", "query", "list", "sync", "multiget"]);
    assert_eq!(world.holds().await.0, ["a", "b"]);
    world.change(|script| (script.objects[1], script.ctag) = (("b.ics", "\"2\"", "b2"), Some("c2")));
    assert_eq!(world.reads(1).await, ["state", "list", "GET"]);
    let (uids, learnt) = world.holds().await;
    assert_eq!((uids, learnt.way), (vec!["a".to_owned(), "b2".to_owned()], Way::Ctag));
}

#[tokio::test]
async fn a_query_that_fails_leaves_the_list_alone() {
    let objects = vec![("a.ics", "\"1\"", "a")];
    let world = World::new(Script { objects, token: Some("t1"), queries_fail: true, ..Script::default() }).await;
    assert_eq!(world.reads(0).await, ["sync", "query", "GET"]);
    assert_eq!(world.holds().await.0, ["a"]);
}

#[tokio::test]
async fn a_version_in_whole_seconds_is_read_once_more() {
    let objects = vec![("a.ics", "20300603T120000Z", "a")];
    let world = World::new(Script { objects, ctag: Some("20300603T120000Z"), ..Script::default() }).await;
    world.reads(0).await;
    // Changed again within the second of its version, and of the calendar's.
    world.change(|script| script.objects[0].2 = "a2");
    assert_eq!(world.reads(1).await, ["state", "list", "GET"]);
    assert_eq!(world.holds().await.0, ["a2"]);
    assert_eq!(world.reads(2).await, ["state"]);
}

#[tokio::test]
async fn objects_without_versions_are_read_at_every_list() {
    let objects = vec![("a.ics", "", "a")];
    let world = World::new(Script { objects, ..Script::default() }).await;
    world.reads(0).await;
    world.change(|script| script.objects[0].2 = "a2");
    assert_eq!(world.reads(1).await, ["state", "list", "GET"]);
    let (uids, learnt) = world.holds().await;
    assert_eq!((uids, learnt.unversioned, learnt.way), (vec!["a2".to_owned()], true, Way::List));
}

#[tokio::test]
async fn a_calendar_that_is_gone_is_looked_for_at_once_and_found_where_it_went() {
    let objects = vec![("a.ics", "\"1\"", "a")];
    let world = World::new(Script { objects, token: Some("t1"), ..Script::default() }).await;
    world.reads(0).await;
    // Fastmail's move of 2017: another path for everything.
    world.change(|script| script.home = Some("/new/"));
    world.pass(1).await;
    world.reads(2).await;
    let stored = world.bench.store.calendars(&world.account.settings.host.id).await.unwrap();
    assert_eq!(stored.iter().map(|calendar| calendar.key.href.as_str()).collect::<Vec<_>>(), ["/new/work/"]);
    assert_eq!(world.holds().await.0, ["a"]);
    // Gone for now, yet listed: what was known stays, with its age.
    world.change(|script| script.status = Some(410));
    let (pass, _) = world.pass(3).await;
    assert!(pass.rediscovered && pass.calendars[0].result.is_err());
    assert_eq!(world.holds().await.0, ["a"]);
}

#[tokio::test]
async fn a_subscription_that_the_server_only_names_is_no_calendar_without_events() {
    let mut world = World::new(Script { token: Some("t1"), ..Script::default() }).await;
    world.change(|script| script.subscribed = true);
    assert_eq!(world.pass(0).await.0.calendars.len(), 1, "it is not read");
    let mut settings = AccountSettings::clone(&world.account.settings);
    settings.calendars = Some(vec!["Work".to_owned(), "Holidays".to_owned()]);
    world.account.settings = Arc::new(settings);
    let (pass, _) = world.pass(1).await;
    let error = pass.calendars[1].result.as_ref().unwrap_err().to_string();
    assert!(error.contains("[[host.subscription]]"), "{error}");
    // Named by the config, it was never read: nothing can be booked.
    assert_eq!(world.account.sources().await.unwrap()[1].1, None);
}

#[tokio::test]
async fn a_transparent_calendar_is_left_out_and_counts_when_it_is_named() {
    let objects = vec![("a.ics", "\"1\"", "a")];
    let mut world = World::new(Script { objects, token: Some("t1"), transparent: true, ..Script::default() }).await;
    assert!(world.pass(0).await.0.calendars.is_empty());
    assert!(world.account.sources().await.unwrap().is_empty());
    let mut settings = AccountSettings::clone(&world.account.settings);
    settings.calendars = Some(vec!["Work".to_owned()]);
    world.account.settings = Arc::new(settings);
    world.reads(1).await;
    let [(source, read_at)] = <[_; 1]>::try_from(world.account.sources().await.unwrap()).unwrap();
    assert!(source.busy && read_at == Some(noon(1)));
    assert_eq!(world.holds().await.0, ["a"]);
    // No longer named, it is left out again; and it counts once the server says so.
    let mut settings = AccountSettings::clone(&world.account.settings);
    settings.calendars = None;
    world.account.settings = Arc::new(settings);
    world.pass(2).await;
    assert!(world.account.sources().await.unwrap().is_empty());
    world.change(|script| script.transparent = false);
    world.reads(15).await;
    assert!(world.account.sources().await.unwrap()[0].0.busy);
}

#[tokio::test]
async fn a_server_that_refuses_the_login_or_asks_for_rest_is_not_asked_for_the_next_calendar() {
    for status in [401, 429] {
        let script = Script { token: Some("t1"), second: true, status: Some(status), ..Script::default() };
        let world = World::new(script).await;
        world.log.lock().unwrap().clear();
        let pass = world.account.pass(noon(0)).await.unwrap();
        let errors: Vec<String> =
            pass.calendars.iter().map(|calendar| calendar.result.as_ref().unwrap_err().to_string()).collect();
        assert!(errors[1].starts_with("not asked"), "{errors:?}");
        let reports = world.log.lock().unwrap().iter().filter(|seen| seen.method == "REPORT").count();
        assert_eq!(reports, 1, "{status}");
        let setback = Setback::of_pass(&pass).unwrap();
        let kind = if status == 401 { TroubleKind::Login } else { TroubleKind::Paused };
        assert_eq!(setback.kind, kind);
    }
}

#[tokio::test]
async fn a_first_reading_that_is_broken_off_goes_on_where_it_was_and_counts_when_it_is_complete() {
    let name = |n: usize| -> &'static str { Box::leak(format!("{n}.ics").into_boxed_str()) };
    let objects = (0..1200).map(|n| (name(n), "\"1\"", name(n))).collect();
    let world = World::new(Script { objects, token: Some("t1"), breaks_after: Some(15), ..Script::default() }).await;
    let (pass, first) = world.pass(0).await;
    assert!(pass.calendars[0].result.is_err() && pass.calendars[0].first);
    let key = pass.calendars[0].key.clone();
    let stored = world.bench.store.calendar(&key).await.unwrap().unwrap();
    assert_eq!((stored.read_at, stored.sync_token), (None, None), "it does not count");
    let held = world.bench.store.objects(&key).await.unwrap().len();
    assert_eq!(held, 750, "all that was given");
    world.change(|script| script.breaks_after = None);
    let (pass, second) = world.pass(1).await;
    pass.calendars[0].result.as_ref().unwrap();
    assert_eq!(pass.calendars[0].brought.added.len(), 450);
    assert_eq!(world.bench.store.objects(&key).await.unwrap().len(), 1200);
    let multigets = |log: &[String]| log.iter().filter(|asked| asked.contains("multiget")).count();
    assert_eq!((multigets(&first), multigets(&second)), (16, 9), "{first:?} {second:?}");
}

#[tokio::test]
async fn a_calendar_that_one_list_leaves_out_is_not_forgotten() {
    let objects = vec![("a.ics", "\"1\"", "a")];
    let world = World::new(Script { objects, token: Some("t1"), ..Script::default() }).await;
    world.reads(0).await;
    world.change(|script| script.lost_once = true);
    let (pass, _) = world.pass(15).await;
    assert!(pass.rediscovered && pass.calendars.len() == 1);
    assert_eq!(world.holds().await.0, ["a"]);
}

#[tokio::test]
async fn one_object_that_cannot_be_read_does_not_hide_the_others() {
    for status in [403, 500] {
        let objects = vec![("a.ics", "\"1\"", "a"), ("b.ics", "\"1\"", "b"), ("c.ics", "\"1\"", "c")];
        let unreadable = vec![("b.ics", status)];
        let world = World::new(Script { objects, unreadable, token: Some("t1"), ..Script::default() }).await;
        let stored = async || world.bench.store.calendars(&world.account.settings.host.id).await.unwrap().remove(0);
        // A first reading: what was read is kept, and the calendar counts once it is complete.
        let (pass, _) = world.pass(0).await;
        let calendar = &pass.calendars[0];
        assert!(calendar.result.as_ref().unwrap_err().to_string().contains("/c/work/b.ics"), "{calendar:?}");
        assert_eq!((calendar.brought.added.len(), world.holds().await.0), (2, vec!["a".to_owned(), "c".to_owned()]));
        assert_eq!((stored().await.read_at, stored().await.sync_token), (None, None));
        world.change(|script| script.unreadable.clear());
        assert_eq!(world.reads(1).await, ["sync", "query", "GET"], "the others are not read again");

        // Changes: the new event counts, of the unreadable one our old copy stays, and what is gone stays until all is read.
        world.change(|script| {
            script.objects = vec![("a.ics", "\"1\"", "a"), ("b.ics", "\"2\"", "b2"), ("d.ics", "\"1\"", "d")];
            (script.delta, script.token) = (vec!["b.ics", "d.ics"], Some("t2"));
            script.unreadable = vec![("b.ics", status)];
        });
        let (pass, _) = world.pass(2).await;
        let calendar = &pass.calendars[0];
        assert_eq!(calendar.brought.added, ["/c/work/d.ics"]);
        let error = calendar.result.as_ref().unwrap_err().to_string();
        assert!(error.contains("/c/work/b.ics"), "{error}");
        let setback = Setback::of_pass(&pass).unwrap();
        assert_eq!(setback.what, error, "so the host is told which");
        assert_eq!(world.holds().await.0, ["a", "b", "c", "d"]);
        assert_eq!((stored().await.read_at, stored().await.sync_token.as_deref()), (Some(noon(1)), Some("t1")));
        world.change(|script| script.unreadable.clear());
        world.reads(3).await;
        assert_eq!(world.holds().await.0, ["a", "b2", "c", "d"]);

        // And a comparison of the whole list.
        world.change(|script| {
            script.objects = vec![("a.ics", "\"2\"", "a2"), ("b.ics", "\"3\"", "b3"), ("d.ics", "\"1\"", "d")];
            script.unreadable = vec![("b.ics", status)];
            script.delta.clear();
        });
        world.bench.store.list_anew(None).await.unwrap();
        let (pass, _) = world.pass(4).await;
        assert_eq!(pass.calendars[0].brought.changed, ["/c/work/a.ics"]);
        assert_eq!(world.holds().await.0, ["a2", "b2", "c", "d"]);
        assert_eq!(stored().await.read_at, Some(noon(3)));
        world.change(|script| script.unreadable.clear());
        world.reads(5).await;
        assert_eq!(world.holds().await.0, ["a2", "b3", "d"]);
    }
}

#[tokio::test]
async fn a_calendar_that_is_listed_no_longer_is_asked_itself_before_it_is_forgotten() {
    let refused = "<response><href>/c/work/</href><propstat><prop><resourcetype/></prop><status>HTTP/1.1 403 Forbidden</status></propstat></response>";
    for said in ["", refused, "<response><href>/c/work/</href><status>HTTP/1.1 500 x</status></response>"] {
        let objects = vec![("a.ics", "\"1\"", "a")];
        let world = World::new(Script { objects, token: Some("t1"), ..Script::default() }).await;
        world.reads(0).await;
        world.change(|script| script.lost = Some(said));
        for minute in [15, 30] {
            assert_eq!(world.reads(minute).await, ["state", "sync"], "{said}");
            assert_eq!(world.holds().await.0, ["a"]);
        }
        // Whatever else it answers, it is not gone: it counts as not read.
        world.change(|script| script.status = Some(403));
        let (pass, _) = world.pass(45).await;
        assert!(pass.calendars[0].result.is_err());
        assert_eq!(world.holds().await.0, ["a"]);
        world.change(|script| script.status = Some(404));
        let (pass, _) = world.pass(60).await;
        assert!(pass.rediscovered && pass.calendars.is_empty(), "{pass:?}");
    }
    // Of another address the account is another.
    let mut world = World::new(Script { token: Some("t1"), second: true, ..Script::default() }).await;
    assert_eq!(world.pass(0).await.0.calendars.len(), 2);
    let url = world.account.client.address().join("c/work/").unwrap();
    world.account.client = Client::new(Login::new(url, "prof", "secret".to_owned().into())).unwrap();
    let (pass, _) = world.pass(15).await;
    assert_eq!(pass.calendars.len(), 1);
}

#[tokio::test]
async fn a_token_that_the_server_fails_at_is_dropped_and_the_calendar_listed() {
    for status in [404, 500] {
        let objects = vec![("a.ics", "\"1\"", "a")];
        let world = World::new(Script { objects, token: Some("t1"), ctag: Some("c1"), ..Script::default() }).await;
        world.reads(0).await;
        world.change(|script| {
            script.sync_fails = Some(("a token", status));
            (script.objects[0], script.ctag, script.token) = (("a.ics", "\"2\"", "a2"), Some("c2"), Some("t2"));
        });
        assert_eq!(world.reads(1).await, ["sync", "state", "list", "GET"], "{status}");
        assert_eq!(world.holds().await.0, ["a2"]);
        world.change(|script| script.sync_fails = None);
        assert_eq!(world.reads(2).await, ["sync", "query"], "begun anew, without a token");
        assert_eq!(world.reads(3).await, ["sync"]);
        let (_, learnt) = world.holds().await;
        assert_eq!((learnt.way, learnt.failures), (Way::Tokens, 0));
    }
}

#[tokio::test]
async fn a_server_that_goes_on_failing_at_sync_reports_is_asked_for_them_once_a_day() {
    for (at, first) in [("any", vec!["sync", "state", "list"]), ("a token", vec!["sync", "query"])] {
        let objects = vec![("a.ics", "\"1\"", "a")];
        let world = World::new(Script { objects, token: Some("t1"), ctag: Some("c1"), ..Script::default() }).await;
        world.reads(0).await;
        world.change(|script| script.sync_fails = Some((at, 500)));
        let mut asked = Vec::new();
        while world.holds().await.1.way == Way::Tokens {
            let minute = i64::try_from(asked.len()).unwrap() + 1;
            asked.push(world.reads(minute).await);
        }
        assert_eq!(asked[1], first, "{at}");
        assert_eq!(asked.iter().filter(|asked| asked.contains(&"state".to_owned())).count(), 3, "{at}: {asked:?}");
        assert_eq!(world.holds().await.1.way, Way::Ctag);
        assert_eq!(world.reads(7).await, ["state"], "{at}");
        world.change(|script| (script.objects[0], script.ctag) = (("a.ics", "\"2\"", "a2"), Some("c2")));
        assert_eq!(world.reads(8).await, ["state", "list", "GET"], "{at}");
        // A day later the server has been mended.
        world.change(|script| script.sync_fails = None);
        world.reads(60 * 25).await;
        assert_eq!(world.reads(60 * 25 + 1).await, ["sync"], "{at}");
        let (_, learnt) = world.holds().await;
        assert_eq!((learnt.way, learnt.failures), (Way::Tokens, 0), "{at}");
    }
}
