//! Pages in a frame of another site, and in the colours of a department.

use crate::support::{Browser, Config, Daemon, Day, Scripts, Server, eventually, free_port};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A site on a port of its own whose every page is this one.
async fn site(port: u16, html: String) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                html.len()
            );
            let mut request = [0; 4096];
            // A browser that goes away is no fault of the site's.
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(format!("{head}{html}").as_bytes()).await;
        }
    });
}

#[tokio::test]
async fn a_frame_is_as_high_as_its_page_on_the_sites_of_the_config_alone_and_wears_their_colours() {
    let Some(server) = Server::radicale() else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let calendar = server.calendar("frames").await;
    let (ours, stranger) = (free_port(), free_port());
    let mut config = Config::new(&calendar);
    config.server_lines = format!(
        "embed = [\"http://127.0.0.1:{ours}\"]\n[server.look]\naccent = \"#7a1fa2\"\nfooter = \"Example University\"\nstylesheet = \"look.css\"\n"
    );
    let daemon = Daemon::launch_with(config, |folder| {
        std::fs::write(folder.join("look.css"), "h1 { text-transform: uppercase }").unwrap();
        Vec::new()
    })
    .await;
    let mut daemon = daemon;
    daemon.wait_ready().await;
    let page = |attributes: &str| {
        format!(
            "<!doctype html><html lang=\"en\"><title>Home</title><h1>Home</h1><script src=\"{}\" data-page=\"noether/office-hour\" {attributes}></script>",
            daemon.url("/embed.js")
        )
    };
    site(ours, page("")).await;
    site(stranger, page("data-title=\"Office hours of E. Noether\"")).await;

    // The frame grows to the page, is named in the guest's language, and is left for nothing but what is opened in it.
    browser.languages("de").await;
    browser.goto(&format!("http://127.0.0.1:{ours}/")).await;
    let frame = "const frame = document.querySelector('iframe'); return";
    browser.wait_script(&format!("{frame} frame.offsetHeight > 700"), &json!(true)).await;
    assert_eq!(browser.script(&format!("{frame} frame.title")).await, "Termin buchen");
    let height = browser.script(&format!("{frame} frame.offsetHeight")).await.as_i64().unwrap();
    browser.client.enter_frame(0).await.unwrap();
    let inside = browser.script("return document.documentElement.offsetHeight").await.as_i64().unwrap();
    assert!((height - inside).abs() <= 1, "the frame has {height} px, its page {inside}");
    assert_eq!(
        browser.script("return getComputedStyle(document.querySelector('h1')).textTransform").await,
        "uppercase"
    );
    let accent = "return getComputedStyle(document.documentElement).getPropertyValue('--accent')";
    assert_eq!(browser.script(accent).await, "#7a1fa2");
    assert!(!browser.text().await.contains("Example University"), "the foot is the other site's");

    // A booking is made within it.
    let day = Day::ahead(3);
    if browser.visible(&format!("a[href*=\"day={}\"]", day.0)).await.is_none() {
        browser.click("a[rel=next]").await;
    }
    browser.click(&format!("a[href*=\"day={}\"]", day.0)).await;
    browser.click(&format!("#times a[href*=\"{}\"]", day.at("09:00"))).await;
    eventually("the form", Duration::from_secs(10), async || browser.visible("[name=name]").await).await;
    browser.fill("name", "Ada Lovelace").await;
    browser.fill("email", "ada@example.org").await;
    browser.click("form.book button").await;
    browser.wait_text("Ada Lovelace").await;
    assert_eq!(browser.script("return 'embedded' in document.documentElement.dataset").await, true);

    // Elsewhere the browser refuses; the frame is named as its page says.
    browser.client.enter_parent_frame().await.unwrap();
    browser.goto(&format!("http://127.0.0.1:{stranger}/")).await;
    browser.wait_script(&format!("{frame} frame?.title"), &json!("Office hours of E. Noether")).await;
    browser.client.enter_frame(0).await.unwrap();
    let refused = "return document.readyState === 'complete' && !document.querySelector('main')";
    browser.wait_script(refused, &json!(true)).await;
    browser.client.enter_parent_frame().await.unwrap();

    // The page by itself has the foot, in the colours and with the style sheet of the department.
    browser.goto(&daemon.url("/noether")).await;
    assert!(browser.text().await.contains("Example University"));
    assert_eq!(browser.script(accent).await, "#7a1fa2");
    browser.close().await;
}
