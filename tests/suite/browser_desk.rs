//! A host at a real browser: the whole of the desk without scripts, and every page of it held to the rules of accessibility (WCAG 2.2,
//! by axe-core) in both themes, at the width of a phone and of a desk.

use crate::support::{
    Config, Daemon, Day, Mailbox, Meeting, ON_THE_SERVER, Seat, Server, desk_link, event, eventually, free_port, need,
    now, root, stamp, token, unique,
};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Chromium under chromedriver; both end with the test.
struct Browser {
    driver: Child,
    client: Client,
    folder: tempfile::TempDir,
}

/// How the browser is.
#[derive(Clone, Copy)]
struct Look {
    scripts: bool,
    dark: bool,
    width: u32,
    language: &'static str,
}

impl Browser {
    async fn start(look: Look) -> Option<Browser> {
        let found = Command::new("chromedriver").arg("--version").output().is_ok_and(|output| output.status.success());
        need("chromedriver", found.then_some(()))?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let log = std::fs::File::create(folder.path().join("chromedriver.log")).unwrap();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let profile = folder.path().join(unique("profile"));
        let options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                "--disable-background-networking", "--no-first-run", "--force-device-scale-factor=1",
                format!("--blink-settings=preferredColorScheme={}", if look.dark { 0 } else { 1 }),
                format!("--accept-lang={}", look.language),
                format!("--user-data-dir={}", profile.display()),
            ],
            // A phone may be narrower than a window can be.
            "mobileEmulation": { "deviceMetrics": { "width": look.width, "height": 1500, "pixelRatio": 1, "touch": false, "mobile": false } },
            "prefs": {
                "profile.default_content_setting_values.javascript": if look.scripts { 1 } else { 2 },
                "intl.accept_languages": look.language,
            },
        });
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        builder.capabilities(capabilities);
        let url = format!("http://127.0.0.1:{port}");
        let client = eventually("chromedriver starts Chromium", Duration::from_secs(40), async || {
            builder.connect(&url).await.ok()
        })
        .await;
        Some(Browser { driver, client, folder })
    }

    async fn click(&self, css: &str) {
        // A page may be on its way out.
        eventually(css, Duration::from_secs(10), async || self.visible(css).await?.click().await.ok()).await;
    }

    /// The first element of that kind that a person can see.
    async fn visible(&self, css: &str) -> Option<Element> {
        for element in self.client.find_all(Locator::Css(css)).await.ok()? {
            if element.is_displayed().await.is_ok_and(|displayed| displayed) {
                return Some(element);
            }
        }
        None
    }

    /// Waits until it can be seen.
    async fn see(&self, css: &str) {
        eventually(css, Duration::from_secs(20), async || self.visible(css).await.map(drop)).await;
    }

    async fn fill(&self, css: &str, text: &str) {
        eventually(css, Duration::from_secs(10), async || {
            let field = self.visible(css).await?;
            field.clear().await.ok()?;
            field.send_keys(text).await.ok()
        })
        .await;
    }

    /// What a person reads, once it has this.
    async fn read(&self, part: &str) -> String {
        eventually(&format!("the page says {part}"), Duration::from_secs(20), async || {
            let body = self.client.find(Locator::Css("body")).await.ok()?;
            body.text().await.ok().filter(|text| text.contains(part))
        })
        .await
    }

    async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A session that was closed has no Chromium any more; else chromedriver takes it along on SIGTERM.
        let _ = Command::new("kill").args(["-TERM", &self.driver.id().to_string()]).status();
        let _ = self.driver.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("chromedriver.log")).unwrap_or_default();
            eprintln!("--- chromedriver ---\n{log}");
        }
    }
}

/// The booking as the command line has it.
fn shown(daemon: &Daemon, id: &str) -> Value {
    serde_json::from_slice(&daemon.command(&["bookings", "show", id, "--json"]).stdout).unwrap()
}

fn id(booking: &Value) -> &str {
    booking["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_host_does_everything_at_the_desk_on_a_phone_without_scripts() {
    let Some(server) = Server::radicale() else { return };
    let look = Look { scripts: false, dark: false, width: 360, language: "en" };
    let Some(browser) = Browser::start(look).await else { return };
    let calendar = server.calendar("at-desk").await;
    let meetings =
        [Meeting::new("chat", "30m", "30m"), Meeting::new("exam", "30m", "30m").with("confirm = \"approval\"")];
    let daemon = Daemon::start(Config::new(&calendar).meetings(meetings)).await;
    let day = Day::ahead(3);
    let exam = daemon.book("exam", day.at("09:00"), "Grace Hopper").await.expect(201);
    let chat = daemon.book_confirmed("chat", day.at("10:00"), "Ada Lovelace").await;

    // Looked at twice, as a program that reads mail would, and opened once.
    let link = desk_link(&daemon, "noether");
    browser.goto(&link).await;
    browser.goto(&link).await;
    browser.read("Open the desk of Emmy Noether").await;
    browser.click("form button.main").await;
    browser.read("Waiting for you").await;

    browser.click(".undecided button[value=approve]").await;
    eventually("it is confirmed", ON_THE_SERVER, async || {
        browser.goto(&daemon.url("/desk")).await;
        (browser.visible(".undecided").await.is_none() && calendar.events().await.len() == 2).then_some(())
    })
    .await;
    assert_eq!(daemon.booking(&token(&exam)).await["state"], "confirmed");

    let of_chat = format!("a[href=\"/desk/b/{}\"]", id(&chat));
    browser.click(&of_chat).await;
    browser.read("ada.lovelace@example.org").await;
    browser.fill("#note", "Bring the red folder").await;
    browser.click("button[value=note]").await;
    eventually("it is kept", Duration::from_secs(10), async || {
        let note = browser.client.find(Locator::Css("#note")).await.ok()?;
        (note.text().await.ok()? == "Bring the red folder").then_some(())
    })
    .await;
    assert_eq!(shown(&daemon, id(&chat))["host_note"], "Bring the red folder");
    browser.click("a[href$=\"/move\"]").await;
    browser.click(&format!("label:has([value=\"{}\"])", day.at("11:30"))).await;
    browser.click(".sticky button").await;
    browser.read("11:30–12:00").await;
    daemon.wait_state(&token(&chat), "confirmed").await;
    assert_eq!(daemon.booking(&token(&chat)).await["start"], json!(day.at("11:30").to_string()));
    browser.goto(&daemon.url("/desk")).await;
    browser.read("Bring the red folder").await;

    browser.click(".tabs a[href=\"/desk/explain\"]").await;
    browser.fill("[name=date]", &day.0.strftime("%m%d%Y").to_string()).await;
    browser.fill("[name=time]", "1130AM").await;
    browser.click("form.at button").await;
    browser.read("This time is not on offer").await;
    browser.read("It is booked").await;

    browser.click(".tabs a[href=\"/desk/pause\"]").await;
    browser.click("button[value=pause]").await;
    browser.read("You take no new bookings.").await;
    assert!(daemon.starts("chat", day).await.is_empty());
    browser.click("button[value=resume]").await;
    browser.read("Leave it empty to decide later").await;
    assert!(!daemon.starts("chat", day).await.is_empty());

    browser.click(".tabs a[href=\"/desk/calendars\"]").await;
    browser.read("Everything in your calendars was understood").await;

    // It begins in a moment, wherever the hours are; then it is said whether the guest came.
    browser.goto(&daemon.url(&format!("/desk/b/{}", id(&exam)))).await;
    browser.click("details summary").await;
    browser.click("button[value=cancel]").await;
    browser.read("Cancelled").await;
    daemon.wait_state(&token(&exam), "cancelled").await;

    browser.click(".leave").await;
    browser.read("Open your desk").await;
    browser.goto(&daemon.url("/desk/past")).await;
    browser.read("Open your desk").await;
    browser.goto(&link).await;
    browser.read("This link opens nothing any more").await;
    browser.client.clone().close().await.unwrap();
}

/// What axe-core finds on the page, in words.
async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    browser.client.execute(axe, Vec::new()).await.unwrap();
    let run = "const done = arguments[arguments.length - 1];
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(
            (found) => done(found.violations.map((v) => `${v.id}: ${v.help}: ` + v.nodes.map((n) => n.html + ' ' + n.failureSummary).join(' | '))),
            (error) => done([String(error)]));";
    let found = browser.client.execute_async(run, Vec::new()).await.unwrap();
    serde_json::from_value(found).unwrap()
}

#[tokio::test]
async fn every_page_of_the_desk_can_be_used_by_everybody_in_both_themes() {
    let axe = root().join("tests/node_modules/axe-core/axe.min.js");
    let (Some(server), Some(axe)) = (Server::radicale(), need("axe-core", std::fs::read_to_string(axe).ok())) else {
        return;
    };
    let calendar = server.calendar("axe").await;
    let questions = "questions = [{ id = \"topic\", label = \"What is it about?\" }]";
    let meetings = [
        Meeting::new("office-hour", "30m", "30m").with(questions),
        Meeting::new("thesis", "60m", "30m").with("confirm = \"approval\""),
    ];
    let folder = tempfile::tempdir().unwrap();
    let account_lines = format!("[[host.folder]]\npath = \"{}\"\n", folder.path().display());
    let config = Config { account_lines, more: Mailbox::start().await.section(), ..Config::new(&calendar) };
    let daemon = Daemon::start(config.meetings(meetings)).await;
    let (day, next) = (Day::ahead(2), Day::ahead(3));
    let book = async |meeting: &str, start: jiff::Timestamp, guest: &str, topic: &str, note: &str| {
        let email = format!("{}@example.org", guest.to_lowercase().replace(' ', "."));
        let answers = if topic.is_empty() { json!({}) } else { json!({ "topic": topic }) };
        let body = json!({"start": start.to_string(), "name": guest, "email": email, "note": note, "answers": answers, "time_zone": "America/New_York"});
        daemon.post_json(&Daemon::bookings_path(meeting), &body).await.expect(201)
    };
    let ada = book(
        "office-hour",
        day.at("09:00"),
        "Ada Lovelace",
        "Bernoulli numbers, and what an engine could do with them",
        "I bring my notes.",
    )
    .await;
    book("office-hour", day.at("10:30"), "Grace Hopper", "Compilers", "").await;
    book("office-hour", next.at("09:00"), "Alan Turing", "Whether it halts", "").await;
    let exam = book(
        "thesis",
        next.at("10:00"),
        "Katherine Johnson",
        "",
        "My thesis on orbits: is next term too late to begin?",
    )
    .await;
    let off = book("office-hour", next.at("11:30"), "Hedy Lamarr", "Frequencies", "").await;
    daemon.cancel(&token(&off)).await.expect(200);
    // One that has begun: the host has put it there.
    let emil = book("office-hour", next.at("11:30"), "Emil Artin", "Reciprocity", "").await;
    let soon = (now() + SignedDuration::from_secs(3)).in_tz("Europe/Berlin").unwrap();
    let (date, time) = (soon.date().to_string(), soon.time().strftime("%H:%M:%S").to_string());
    let of_emil = format!("/desk/b/{}", id(&emil));
    let mut seat = Seat::of(&daemon, "noether").await;
    seat.post(&format!("{of_emil}/move"), &[("date", &date), ("time", &time)]).await;
    eventually("it has begun", Duration::from_secs(20), async || {
        (seat.post(&of_emil, &[("do", "came")]).await.status == 303).then_some(())
    })
    .await;
    seat.post(&of_emil, &[("do", "note"), ("note", "Has read the proof. Ask about the second lemma next time.")]).await;
    let lines = [format!("DTSTART:{}", stamp(next.at("11:00"))), format!("DTEND:{}", stamp(next.at("12:00")))];
    let odd = [&*lines[0], &lines[1], "RRULE:FREQ=SOMETIMES", "SUMMARY:Now and then"];
    std::fs::write(folder.path().join("odd.ics"), event("odd-event@example.edu", &odd)).unwrap();
    eventually("the odd event is known", Duration::from_secs(30), async || {
        seat.get("/desk/calendars").await.text().contains("odd-event").then_some(())
    })
    .await;

    let shots = root().join("target/pages");
    std::fs::create_dir_all(&shots).unwrap();
    let looks = [(360, false, "en"), (360, true, "fr"), (1280, false, "en"), (1280, true, "de"), (360, false, "de")];
    for (width, dark, language) in looks {
        let Some(browser) = Browser::start(Look { scripts: true, dark, width, language }).await else { return };
        let link = desk_link(&daemon, "noether");
        let (of_ada, of_exam) = (format!("/desk/b/{}", id(&ada)), format!("/desk/b/{}", id(&exam)));
        let explain = format!("/desk/explain?meeting=thesis&date={}&time=11:00", next.0);
        let pages = [
            ("sign-in", "/desk".to_owned()),
            ("sent", "/desk?sent=1".to_owned()),
            ("open", link.strip_prefix(&daemon.url("")).unwrap().to_owned()),
            ("bookings", "/desk".to_owned()),
            ("past", "/desk/past".to_owned()),
            ("booking", of_ada.clone()),
            ("to-decide", format!("{of_exam}?decline=1#decline")),
            ("attended", of_emil.clone()),
            ("move", format!("{of_ada}/move")),
            ("calendars", "/desk/calendars".to_owned()),
            ("explain", explain),
            ("pause", "/desk/pause".to_owned()),
            ("paused", "/desk".to_owned()),
            ("gone", "/desk/in/AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        ];
        for (name, path) in pages {
            if name == "paused" {
                browser.click("button[value=pause]").await;
                browser.see("button[value=resume]").await;
            }
            browser.goto(&daemon.url(&path)).await;
            let shot = browser.client.screenshot().await.unwrap();
            let theme = if dark { "dark" } else { "light" };
            std::fs::write(shots.join(format!("desk-{name}-{width}-{theme}-{language}.png")), shot).unwrap();
            let found = violations(&browser, &axe).await;
            assert!(found.is_empty(), "{name} at {width}, {theme}, {language}: {found:#?}");
            // Nothing is wider than the screen.
            let wide = browser.client.execute("return document.documentElement.scrollWidth - innerWidth", vec![]).await;
            assert!(wide.unwrap().as_i64().unwrap() <= 0, "{name} at {width}, {language}");
            if name == "open" {
                browser.click("form button.main").await;
                browser.see(".tabs").await;
            }
            if name == "paused" {
                browser.click("button[value=resume]").await;
                browser.see("button[value=pause]").await;
            }
        }
        browser.client.clone().close().await.unwrap();
    }
}
