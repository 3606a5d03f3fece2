//! Every page there is, in the light and in the dark, on a telephone and on a desk: without a violation that axe-core finds, and, for
//! `tests/screens`, photographed into `target/screens`. Another page is a line in [`pages`].

use crate::support::{
    Browser, Calendar, Config, Daemon, Day, Meeting, Scripts, Server, Smtp, desk_link, free_port, need, root, token,
};
use officehours::http::Resource;
use serde_json::{Value, json};
use std::time::Duration;

/// A page as somebody comes upon it.
struct Page {
    /// Of its pictures.
    name: &'static str,
    resource: Resource,
    url: String,
    /// What is done there before it is looked at: a script.
    then: &'static str,
}

/// The resources that are no pages.
const NO_PAGES: [Resource; 15] = [
    Resource::Invitation,
    Resource::SoonerFeed,
    Resource::DeskAsk,
    Resource::DeskOut,
    Resource::DeskExport,
    Resource::ApiSlots,
    Resource::ApiBookings,
    Resource::ApiBooking,
    Resource::ApiMove,
    Resource::OpenApi,
    Resource::Embed,
    Resource::Asset,
    Resource::Health,
    Resource::Ready,
    Resource::Metrics,
];

/// A host with a meeting type of each kind, and bookings in every state.
struct Office {
    daemon: Daemon,
    /// Whose calendar was never read.
    paused: Daemon,
    _smtp: Smtp,
    confirmation: String,
    unconfirmed: String,
    booked: String,
    booked_id: String,
    asked: String,
    cancelled: String,
    declined: String,
    host_asked: String,
    host_booked: String,
}

/// The host's token of a booking, as its event has it.
async fn host_token(calendar: &Calendar, booking: &Value) -> String {
    let events = calendar.events().await;
    let event = events.iter().find(|event| event["uid"] == booking["id"]).expect("the booking's event");
    let text = event["description"].as_str().unwrap();
    text.split("/h/").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

const DAY: i64 = 4;

impl Office {
    async fn open() -> Option<Office> {
        let (server, smtp) = (Server::radicale()?, Smtp::start().await?);
        let calendar = server.calendar("pages").await;
        let question = "questions = [{ id = \"topic\", label = \"What is it about?\", required = true }]";
        let meetings = [
            Meeting { horizon: "60d".into(), ..Meeting::new("office-hour", "30m", "30m") },
            Meeting::new("thesis", "60m", "30m").with("confirm = \"email\""),
            Meeting::new("exam", "45m", "45m").with(&format!("confirm = \"approval\"\n{question}")),
            Meeting::new("lab", "60m", "60m").with("seats = 12"),
        ];
        let mut config = Config::new(&calendar).meetings(meetings);
        config.server_lines = "directory = true\nembed = [\"https://www.example.edu\"]\n".into();
        config.weekly = vec!["Mon-Sun 09:00-12:00".into(), "Mon-Sun 14:00-16:00".into()];
        config.more =
            format!("\n[server.look]\nfooter = \"Example University, Department of Mathematics\"\n{}", smtp.section());
        let daemon = Daemon::start(config.clone()).await;
        let mut lost = Config { port: free_port(), ..config };
        lost.url = format!("http://127.0.0.1:{}/", free_port());
        let paused = Daemon::launch(lost, &[]).await;

        let day = Day::ahead(DAY);
        let book = async |meeting: &str, time: &str, guest: &str| {
            let email = format!("{}@example.org", guest.split(' ').next().unwrap().to_lowercase());
            let answers = if meeting == "exam" { json!({ "topic": "Chapter 3" }) } else { json!({}) };
            let body = json!({
                "start": day.at(time).to_string(), "name": guest, "email": email, "time_zone": "America/New_York",
                "note": "I can come to your office,\nor we meet on line.", "answers": answers,
            });
            daemon.post_json(&Daemon::bookings_path(meeting), &body).await.expect(201)
        };
        let unconfirmed = book("thesis", "09:00", "Sofja Kowalewskaja").await;
        let mail = smtp.messages(1, Duration::from_secs(60)).await;
        let words = mail[0]["text"].as_str().unwrap().split_whitespace();
        let link = words.into_iter().find(|word| word.ends_with("/confirm")).expect("a link");
        let confirmation = link.strip_prefix(&daemon.url("")).unwrap().to_owned();
        let booked = book("office-hour", "10:30", "Ada Lovelace").await;
        let asked = book("exam", "14:00", "Grace Hopper").await;
        let declined = book("exam", "14:45", "Emil Artin").await;
        let cancelled = book("office-hour", "11:30", "Bartel van der Waerden").await;
        for booking in [&booked, &cancelled] {
            daemon.wait_state(&token(booking), "confirmed").await;
        }
        daemon.cancel(&token(&cancelled)).await.expect(200);
        crate::support::eventually("two events wait for the host", Duration::from_secs(30), async || {
            (calendar.events().await.len() == 3).then_some(())
        })
        .await;
        let output = daemon.command(&["bookings", "decline", declined["id"].as_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(Office {
            confirmation,
            unconfirmed: token(&unconfirmed),
            booked: token(&booked),
            booked_id: booked["id"].as_str().unwrap().to_owned(),
            asked: token(&asked),
            cancelled: token(&cancelled),
            declined: token(&declined),
            host_asked: host_token(&calendar, &asked).await,
            host_booked: host_token(&calendar, &booked).await,
            daemon,
            paused,
            _smtp: smtp,
        })
    }

    /// All pages. What a page of yours needs is set up in [`Office::open`].
    fn pages(&self) -> Vec<Page> {
        let day = Day::ahead(DAY);
        let at = |path: String| self.daemon.url(&path);
        let slot = |meeting: &str, time: &str| at(format!("/noether/{meeting}/{}", day.at(time)));
        let page = |name, resource, url| Page { name, resource, url, then: "" };
        let send = "document.querySelector('main form[method=post]').submit()";
        vec![
            page("directory", Resource::Directory, at("/".into())),
            page("host", Resource::Host, at("/noether".into())),
            Page { url: self.paused.url("/noether"), ..page("host-paused", Resource::Host, String::new()) },
            page("month", Resource::Meeting, at(format!("/noether/office-hour?day={}", day.0))),
            page(
                "month-zones",
                Resource::Meeting,
                at(format!("/noether/office-hour?day={}&tz=America/New_York", day.0)),
            ),
            page("month-empty", Resource::Meeting, at("/noether/office-hour?month=2040-02".into())),
            page("month-seats", Resource::Meeting, at(format!("/noether/lab?day={}", day.0))),
            page("month-embedded", Resource::Meeting, at(format!("/noether/office-hour?day={}&embed=1", day.0))),
            Page {
                url: self.paused.url("/noether/office-hour"),
                ..page("month-paused", Resource::Meeting, String::new())
            },
            page("slot", Resource::Slot, slot("office-hour", "11:00")),
            page("slot-zones", Resource::Slot, format!("{}?tz=Asia/Tokyo", slot("exam", "11:15"))),
            Page { then: send, ..page("slot-mistakes", Resource::Slot, slot("exam", "11:15")) },
            page("slot-taken", Resource::Slot, slot("office-hour", "10:30")),
            page("booking", Resource::Booking, at(format!("/b/{}", self.booked))),
            page("booking-unconfirmed", Resource::Booking, at(format!("/b/{}", self.unconfirmed))),
            page("booking-asked", Resource::Booking, at(format!("/b/{}", self.asked))),
            page("booking-cancelled", Resource::Booking, at(format!("/b/{}", self.cancelled))),
            page("booking-declined", Resource::Booking, at(format!("/b/{}", self.declined))),
            page("move", Resource::Move, at(format!("/b/{}/move", self.booked))),
            Page { then: send, ..page("cancel-mistake", Resource::Cancel, at(format!("/b/{}", self.booked))) },
            page("confirm", Resource::Confirm, at(self.confirmation.clone())),
            page("host-booking", Resource::HostBooking, at(format!("/h/{}", self.host_booked))),
            page("host-asked", Resource::HostBooking, at(format!("/h/{}", self.host_asked))),
            Page { then: send, ..page("host-mistake", Resource::HostBooking, at(format!("/h/{}", self.host_asked))) },
            page("subscribe", Resource::HostSubscribe, at("/noether/-/subscribe".into())),
            page("subscribe-meeting", Resource::MeetingSubscribe, at("/noether/office-hour/subscribe".into())),
            page("sign", Resource::HostSign, at("/noether/-/sign".into())),
            page("sign-meeting", Resource::MeetingSign, at("/noether/office-hour/sign".into())),
            page("overlay", Resource::Overlay, at("/noether/office-hour/overlay".into())),
            page("sooner", Resource::Sooner, at(format!("/b/{}/sooner", self.booked))),
            page("desk-link", Resource::DeskLink, desk_link(&self.daemon, "noether")),
            page("desk", Resource::Desk, at("/desk".into())),
            page("desk-past", Resource::DeskPast, at("/desk/past".into())),
            page("desk-booking", Resource::DeskBooking, at(format!("/desk/b/{}", self.booked_id))),
            page("desk-move", Resource::DeskMove, at(format!("/desk/b/{}/move", self.booked_id))),
            page("desk-calendars", Resource::DeskCalendars, at("/desk/calendars".into())),
            page("desk-explain", Resource::DeskExplain, at("/desk/explain".into())),
            page("desk-pause", Resource::DeskPause, at("/desk/pause".into())),
            page("problem", Resource::Problem, at("/-/problems/slot-taken".into())),
            page("nothing-here", Resource::Slot, at("/nobody".into())),
        ]
    }
}

impl Page {
    async fn open(&self, browser: &Browser) {
        browser.goto(&self.url).await;
        if !self.then.is_empty() {
            browser.script("window.before = true").await;
            browser.script(self.then).await;
            browser.wait_script("return document.readyState === 'complete' && !window.before", &json!(true)).await;
        }
    }

    /// What axe-core finds: every rule but those that it has for experiments, and WCAG 2.2's of targets.
    async fn violations(&self, browser: &Browser) -> Value {
        let run = "return axe.run({ rules: { 'target-size': { enabled: true } } }).then((found) => \
            found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html} ${node.failureSummary}`)))";
        browser.script(run).await
    }

    /// The whole page, however high, at this width.
    async fn photograph(&self, browser: &Browser, name: &str, width: u32) {
        browser.size(width, 800).await;
        let height = browser.script("return document.documentElement.scrollHeight").await;
        browser.size(width, u32::try_from(height.as_u64().unwrap()).unwrap()).await;
        let folder = root().join("target/screens");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{}-{name}.png", self.name)), browser.client.screenshot().await.unwrap())
            .unwrap();
    }
}

#[tokio::test]
async fn every_page_is_without_a_violation_in_both_themes_at_both_widths() {
    let axe = root().join("tests/node_modules/axe-core/axe.min.js");
    let Some(axe) = need("tests/node_modules", axe.exists().then_some(axe)) else { return };
    let axe = std::fs::read_to_string(axe).unwrap();
    let Some(office) = Office::open().await else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let photographs = std::env::var_os("OFFICEHOURS_TEST_SCREENS").is_some();
    browser.time_zone("Europe/Berlin").await;
    browser.languages("en").await;
    let pages = office.pages();
    for resource in Resource::ALL.into_iter().filter(|resource| !NO_PAGES.contains(resource)) {
        assert!(pages.iter().any(|page| page.resource == resource), "no page of {resource:?}");
    }
    let mut found = Vec::new();
    // The host is at the desk in this browser, too.
    browser.goto(&desk_link(&office.daemon, "noether")).await;
    browser.script("window.before = true; document.querySelector('main form[method=post]').submit()").await;
    browser.wait_script("return document.readyState === 'complete' && !window.before", &json!(true)).await;
    for page in &pages {
        browser.look("light", "screen").await;
        browser.width(360).await;
        page.open(&browser).await;
        browser.script(&axe).await;
        for (width, theme) in [(360, "light"), (360, "dark"), (1280, "dark"), (1280, "light")] {
            browser.width(width).await;
            browser.look(theme, "screen").await;
            for violation in page.violations(&browser).await.as_array().unwrap() {
                found.push(format!("{} ({theme}, {width} px): {violation}", page.name));
            }
            if photographs {
                page.photograph(&browser, &format!("{width}-{theme}"), width).await;
            }
        }
        // No width makes a page wider than its window.
        for width in [320, 3840] {
            browser.width(width).await;
            let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.script(overflow).await, 0, "{} at {width} px", page.name);
        }
        if photographs {
            browser.look("light", "print").await;
            page.photograph(&browser, "print", 760).await;
            browser.look("light", "screen").await;
            browser.languages("de").await;
            page.open(&browser).await;
            page.photograph(&browser, "german", 360).await;
            browser.languages("en").await;
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
