//! A browser without scripts at a host's desk: it keeps the cookie, and sends the forms of the pages that it has seen.

use super::{Answer, Daemon, client, http};

/// Somebody at a desk, signed in or not.
pub(crate) struct Seat<'a> {
    daemon: &'a Daemon,
    /// `name=value`; empty: none.
    pub(crate) cookie: String,
    /// The token of the forms of the last page.
    pub(crate) form: String,
}

impl<'a> Seat<'a> {
    /// Somebody without a session.
    pub(crate) fn outside(daemon: &'a Daemon) -> Seat<'a> {
        Seat { daemon, cookie: String::new(), form: String::new() }
    }

    /// The host in a session of theirs.
    pub(crate) async fn of(daemon: &'a Daemon, host: &str) -> Seat<'a> {
        let mut seat = Seat::outside(daemon);
        let link = desk_link(daemon, host);
        seat.open(&link).await;
        assert_eq!(seat.get("/desk").await.status, 200);
        seat
    }

    /// Follows a link and presses its button.
    pub(crate) async fn open(&mut self, link: &str) -> Answer {
        let path = link.strip_prefix(&self.daemon.url("")).expect("a link to the public URL").to_owned();
        assert_eq!(self.get(&path).await.status, 200, "{path}");
        self.post(&path, &[]).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let mut request = client().get(self.daemon.url(path));
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        let answer = http::send(request).await;
        if answer.header("content-type").starts_with("text/html") {
            let text = answer.text();
            if let Some(form) = text.split("name=\"form\" value=\"").nth(1) {
                self.form = form.split('"').next().unwrap().to_owned();
            }
        }
        answer
    }

    /// Sends a form with the token of the last page.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = self.form.clone();
        self.post_as(path, &[&[("form", form.as_str())], fields].concat(), &[]).await
    }

    /// Sends these very fields and headers.
    pub(crate) async fn post_as(&mut self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = client().post(self.daemon.url(path));
        request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = http::send(request).await;
        let set = answer.header("set-cookie");
        if let Some((pair, _)) = set.split_once(';') {
            self.cookie = if pair.ends_with('=') { String::new() } else { pair.to_owned() };
        }
        answer
    }
}

/// What `officehours desk-link` prints.
pub(crate) fn desk_link(daemon: &Daemon, host: &str) -> String {
    let output = daemon.command(&["desk-link", host]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
