//! An account that logs in by OAuth: a real authorization server, a person at a browser, a calendar server that takes nothing but
//! that server's tokens.

use crate::support::{
    Calendar, Config, Daemon, Day, Gate, OAuthServer, ONE_POLL, Person, Server, binary, client, eventually, token,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// `officehours login` of a daemon's account, and the address that it prints.
fn login(daemon: &Daemon) -> (Child, String) {
    let mut child = Command::new(binary())
        .arg("--config")
        .arg(daemon.config_path())
        .args(["login", "noether/work", "--no-browser"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
    (child, address.trim().to_owned())
}

/// Whether it went well, and what it said.
async fn ended(mut child: Child) -> (bool, String) {
    let status = eventually("the login ends", ONE_POLL, async || child.try_wait().unwrap()).await;
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.success(), said)
}

/// The port that the browser is to come back to.
fn redirect(address: &str) -> String {
    let url: url::Url = address.parse().unwrap_or_else(|error| panic!("{error}: {address:?}"));
    let (_, redirect) = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap();
    redirect.into_owned()
}

fn config(calendar: &Calendar, gate: &Gate, oauth: &OAuthServer) -> Config {
    Config { url: gate.url.clone(), password: String::new(), account_lines: oauth.lines(), ..Config::new(calendar) }
}

// The gate serves while the test waits for a command.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_logged_in_at_a_browser_stays_so_and_says_when_it_is_to_be_done_again() {
    let (Some(server), Some(oauth)) = (Server::radicale(), OAuthServer::start(6).await) else { return };
    let gate = Gate::before(&server, &oauth).await;
    let day = Day::ahead(3);
    let calendar = server.calendar("login").await;
    let mut daemon = Daemon::launch(config(&calendar, &gate, &oauth), &[]).await;
    let advice = "log in again: officehours login noether/work";
    eventually("the log says what to do", ONE_POLL, async || daemon.log().contains(advice).then_some(())).await;
    assert_eq!(gate.requests(), 0, "nothing is asked without a token");

    // Addresses that belong to no login of ours do nothing; the browser's does.
    let (child, address) = login(&daemon);
    let port = redirect(&address);
    for query in ["", "?code=stolen", "?code=stolen&state=guessed", "?error=access_denied&state=guessed"] {
        assert_eq!(client().get(format!("{port}{query}")).send().await.unwrap().status(), 400, "{query}");
    }
    let back = Person::default().grant(&address).await;
    assert!(back.starts_with(&format!("{port}?")), "{back}");
    let page = client().get(&back).send().await.unwrap();
    assert_eq!((page.status().as_u16(), &page.headers()["cache-control"]), (200, &"no-store".parse().unwrap()));
    assert!(page.text().await.unwrap().contains("You are logged in"));
    let (well, said) = ended(child).await;
    assert!(well && said.contains("calendar(s)"), "{said}");
    let file = daemon.folder().join("logins/noether.work.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    // The running daemon finds it, books with it, and renews it ahead of its end.
    daemon.wait_ready().await;
    daemon.book_confirmed("office-hour", day.at("10:00"), "Ada").await;
    eventually("two renewals", Duration::from_secs(30), async || (gate.tokens() >= 3).then_some(())).await;
    assert_eq!(calendar.events().await.len(), 1);

    // The host takes the access back: nothing is asked any more, and everybody is told what to do.
    let refresh = || {
        let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        kept["refresh_token"].as_str().unwrap().to_owned()
    };
    let before = daemon.log().matches(advice).count();
    oauth.revoke(&refresh()).await;
    eventually("the log says it again", Duration::from_secs(20), async || {
        (daemon.log().matches(advice).count() > before).then_some(())
    })
    .await;
    assert!(daemon.log().contains("invalid_grant"));
    let check = daemon.command(&["check"]);
    assert!(!check.status.success() && String::from_utf8_lossy(&check.stdout).contains(advice), "{check:?}");
    let asked = gate.requests();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(gate.requests(), asked, "an ended login is not tried again");
    let waiting = daemon.book("office-hour", day.at("11:00"), "Blaise").await.expect(201);
    assert_eq!(waiting["state"], "reserved");

    // Again, from a machine without a browser: the address is pasted. Another login's is not taken.
    let (mut child, address) = login(&daemon);
    let back = Person::default().grant(&address).await;
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{port}?code=stolen&state=guessed\n{back}").unwrap();
    let (well, said) = ended(child).await;
    assert!(well && said.contains("does not belong to this login"), "{said}");
    daemon.wait_state(&token(&waiting), "confirmed").await;
    let secrets = [refresh(), "desk-secret".to_owned()];
    assert!(secrets.iter().all(|secret| !daemon.log().contains(secret)), "no secret in the log");
}

#[tokio::test]
async fn a_login_that_the_person_turns_down_or_that_is_none_fails_with_a_reason() {
    let (Some(server), Some(oauth)) = (Server::radicale(), OAuthServer::start(60).await) else { return };
    let gate = Gate::before(&server, &oauth).await;
    let daemon = Daemon::launch(config(&server.calendar("no-login").await, &gate, &oauth), &[]).await;
    let (child, address) = login(&daemon);
    let query = address.parse::<url::Url>().unwrap();
    let state = query.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let back = format!("{}?error=access_denied&state={state}", redirect(&address));
    assert!(client().get(&back).send().await.unwrap().text().await.unwrap().contains("not logged in"));
    let (well, said) = ended(child).await;
    assert!(!well && said.contains("access was not granted: access_denied"), "{said}");

    // A code that the server never gave.
    let (mut child, address) = login(&daemon);
    let query = address.parse::<url::Url>().unwrap();
    let state = query.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    writeln!(child.stdin.take().unwrap(), "code=invented&state={state}").unwrap();
    let (well, said) = ended(child).await;
    assert!(!well && said.contains("invalid_grant"), "{said}");
    assert!(!daemon.folder().join("logins/noether.work.json").exists());
    let unknown = daemon.command(&["login", "noether/home"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
}
