//! Reading objects by their names, and what is believed of the answers: a proxy or a cache can answer with what was so before. Read
//! [`Client::fetch`] first.

use super::client::Client;
use super::error::{Error, ErrorKind};
use super::href::Href;
use super::request::Multiget;
use super::{Expected, FailedObject, Fetched, Object, Wanted};
use std::collections::{HashMap, HashSet, VecDeque};

/// How many objects one request asks for: some servers answer for the first hundred only, and say nothing.
const BATCH: usize = 50;

/// What a report says of an object.
enum Told {
    Is(Object),
    Gone(Href),
}

/// What reports say of objects.
#[derive(Default)]
struct Reported {
    told: Vec<Told>,
    /// Those that are to be read one by one: a single one, and those that no report tells of.
    alone: Vec<Href>,
    /// Why not all were asked for.
    broken_off: Option<Error>,
}

impl Told {
    fn href(&self) -> &Href {
        match self {
            Told::Is(object) => &object.href,
            Told::Gone(href) => href,
        }
    }

    /// Whether two answers say the same: the list's and a report's.
    fn is_expected(&self, expected: &Expected) -> bool {
        match (self, expected) {
            (Told::Gone(_), Expected::Gone) => true,
            (Told::Is(object), Expected::Version(version)) => {
                version.is_none() || object.etag.is_none() || object.etag == *version
            }
            (Told::Is(_), Expected::Gone) | (Told::Gone(_), Expected::Version(_)) => false,
        }
    }

    fn is_same(&self, other: &Told) -> bool {
        match (self, other) {
            (Told::Gone(_), Told::Gone(_)) => true,
            (Told::Is(a), Told::Is(b)) => a.etag == b.etag && (a.etag.is_some() || a.data == b.data),
            _ => false,
        }
    }
}

impl Fetched {
    fn take(&mut self, told: Told) {
        match told {
            Told::Is(object) => self.objects.push(object),
            Told::Gone(href) => self.gone.push(href),
        }
    }
}

impl Client {
    /// Reads objects: many by multiget, halved where the server fails at one of them, and one by one what it leaves out. What a report
    /// says otherwise than expected is asked for once more, and believed when it comes twice the same; else it is read by itself.
    /// Every href that was asked for is in exactly one of the answer's lists, unless it was broken off.
    pub async fn fetch(&self, calendar: &Href, wanted: &[Wanted]) -> Fetched {
        let mut fetched = Fetched::default();
        if let Err(error) = self.fetch_into(&mut fetched, calendar, wanted).await {
            fetched.broken_off = Some(error);
        }
        fetched
    }

    /// Fails when the server as a whole cannot be talked to.
    async fn fetch_into(&self, fetched: &mut Fetched, calendar: &Href, wanted: &[Wanted]) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let unique: Vec<&Wanted> = wanted.iter().filter(|wanted| seen.insert(&wanted.href)).collect();
        let expected: HashMap<&Href, &Expected> =
            unique.iter().map(|wanted| (&wanted.href, &wanted.expected)).collect();
        let is_expected = |told: &Told| expected.get(told.href()).is_none_or(|expected| told.is_expected(expected));
        let hrefs = unique.iter().map(|wanted| wanted.href.clone()).collect();
        let mut doubted = HashMap::new();
        let Reported { told, mut alone, broken_off } = self.multiget(calendar, hrefs).await;
        for told in told {
            if is_expected(&told) {
                fetched.take(told);
            } else {
                doubted.insert(told.href().clone(), told);
            }
        }
        if let Some(error) = broken_off {
            return Err(error);
        }
        let second = self.multiget(calendar, doubted.keys().cloned().collect()).await;
        alone.extend(second.alone);
        for told in second.told {
            if is_expected(&told) || doubted.get(told.href()).is_some_and(|first| first.is_same(&told)) {
                fetched.take(told);
            } else {
                alone.push(told.href().clone());
            }
        }
        if let Some(error) = second.broken_off {
            return Err(error);
        }
        for href in alone {
            match self.get(&href).await {
                Ok(Some(object)) => fetched.objects.push(object),
                Ok(None) => fetched.gone.push(href),
                Err(error) if error.is_of_the_server() => return Err(error),
                Err(error) => fetched.failed.push(FailedObject { href, error }),
            }
        }
        Ok(())
    }

    async fn multiget(&self, calendar: &Href, hrefs: Vec<Href>) -> Reported {
        let mut batches: VecDeque<Vec<Href>> = hrefs.chunks(BATCH).map(<[Href]>::to_vec).collect();
        let Reported { mut told, mut alone, mut broken_off } = Reported::default();
        while let Some(batch) = batches.pop_front() {
            if batch.len() < 2 {
                alone.extend(batch);
                continue;
            }
            let request = Multiget { hrefs: &batch };
            let got = match self.ask(calendar, &request.request()).await {
                Ok(answer) => request.read(&answer),
                Err(error) => Err(error),
            };
            match got {
                Ok(got) => {
                    let answered: HashSet<&Href> =
                        got.objects.iter().map(|object| &object.href).chain(&got.gone).collect();
                    // A server that answers for none of them does not know the report (Calypso).
                    let knows_it = !answered.is_empty();
                    alone.extend(batch.iter().filter(|href| !answered.contains(href)).cloned());
                    told.extend(got.objects.into_iter().map(Told::Is));
                    told.extend(got.gone.into_iter().map(Told::Gone));
                    if !knows_it {
                        alone.extend(batches.drain(..).flatten());
                    }
                }
                Err(error) if error.is_of_the_server() => {
                    broken_off = Some(error);
                    break;
                }
                Err(error) if matches!(error.kind(), ErrorKind::Rejected { status: 405 } | ErrorKind::Server(501)) => {
                    alone.extend(batch);
                    alone.extend(batches.drain(..).flatten());
                }
                Err(_) => {
                    let (left, right) = batch.split_at(batch.len() / 2);
                    batches.push_front(right.to_vec());
                    batches.push_front(left.to_vec());
                }
            }
        }
        Reported { told, alone, broken_off }
    }
}

#[cfg(test)]
mod tests {
    use super::super::etag::ETag;
    use super::super::scripted::{Log, Seen, answer, multistatus, serve};
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const EVENT: &str = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";

    fn requests(log: &Log) -> Vec<String> {
        log.lock().unwrap().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    fn href(number: usize) -> Href {
        Href::new(format!("/c/{number}.ics"))
    }

    fn hrefs(names: impl IntoIterator<Item = usize>) -> Vec<Wanted> {
        names.into_iter().map(|number| Wanted { href: href(number), expected: Expected::Version(None) }).collect()
    }

    /// What a multiget asks for, found in this version.
    fn found_as(seen: &Seen, version: &str) -> String {
        let asked = seen.body.split("<D:href>").skip(1).filter_map(|rest| rest.split('<').next());
        asked.map(|href| format!("<response><href>{href}</href><propstat><prop><getetag>\"{version}\"</getetag><C:calendar-data>{EVENT}</C:calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat></response>")).collect()
    }

    fn found(seen: &Seen) -> String {
        found_as(seen, "1")
    }

    #[tokio::test]
    async fn one_missing_href_that_fails_the_whole_multiget_loses_nothing_else() {
        // sabre 1.8: 404 for the whole request
        let (client, log) = serve(|seen| match (seen.method.as_str(), seen.body.contains("/c/77.ics")) {
            ("REPORT", true) => answer(404, "", ""),
            ("REPORT", false) => multistatus(&found(seen)),
            _ if seen.path == "/c/77.ics" => answer(404, "", ""),
            _ => answer(200, "Content-Type: text/calendar\r\n", EVENT),
        })
        .await;
        let fetched = client.fetch(&Href::new("/c/"), &hrefs((0..120).chain([5, 5]))).await;
        assert_eq!((fetched.objects.len(), fetched.gone, fetched.failed.len()), (119, vec![href(77)], 0));
        assert!(requests(&log).len() < 20);
    }

    #[tokio::test]
    async fn what_a_multiget_leaves_out_is_read_one_by_one() {
        let (client, log) = serve(|seen| match (seen.method.as_str(), seen.path.as_str()) {
            ("REPORT", _) => multistatus(
                &found(seen)
                    .replace("/c/3.ics", "/c/other.ics")
                    .replace("/c/4.ics", "/c/o.ics")
                    .replace("/c/5.ics", "/x"),
            ),
            (_, "/c/3.ics") => answer(200, "Content-Type: text/calendar\r\nETag: W/\"9\"\r\n", EVENT),
            (_, "/c/4.ics") => answer(410, "", ""),
            _ => answer(500, "", ""),
        })
        .await;
        let fetched = client.fetch(&Href::new("/c/"), &hrefs(0..10)).await;
        assert_eq!((fetched.objects.len(), fetched.gone), (8, vec![href(4)]));
        assert_eq!(fetched.failed[0].href, href(5));
        assert_eq!(requests(&log), ["REPORT /c/", "GET /c/3.ics", "GET /c/4.ics", "GET /c/5.ics"]);
    }

    #[tokio::test]
    async fn one_event_is_one_get_and_a_server_without_multiget_is_read_one_by_one() {
        let (client, log) = serve(|seen| match seen.method.as_str() {
            "REPORT" => multistatus(""),
            _ => answer(200, "Content-Type: text/calendar\r\n", EVENT),
        })
        .await;
        assert_eq!(client.fetch(&Href::new("/c/"), &hrefs([1])).await.objects.len(), 1);
        assert_eq!(requests(&log), ["GET /c/1.ics"]);
        assert_eq!(client.fetch(&Href::new("/c/"), &hrefs(0..120)).await.objects.len(), 120);
        assert_eq!(requests(&log).iter().filter(|request| request.starts_with("REPORT")).count(), 1);
    }

    #[tokio::test]
    async fn a_login_that_is_refused_or_a_server_that_is_busy_ends_a_fetch_at_once() {
        for (status, kind) in [(401, ErrorKind::Unauthorized), (503, ErrorKind::Unavailable { retry_after: None })] {
            let (client, log) = serve(move |_| answer(status, "", "")).await;
            let error = client.fetch(&Href::new("/c/"), &hrefs(0..120)).await.broken_off.unwrap();
            assert_eq!(error.kind(), &kind);
            assert_eq!(requests(&log).len(), 1);
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_not_what_the_list_says_is_asked_for_again_and_then_by_itself() {
        let expect = |number, expected| Wanted { href: href(number), expected };
        let version = |version: &str| Expected::Version(ETag::new(version));
        let gone = "<response><href>/c/4.ics</href><status>HTTP/1.1 404 Not Found</status></response>";
        // The first answer is an old one: 1 and 2 were of version 1 then, 4 was not there yet, and 5 not gone.
        let turn = AtomicUsize::new(0);
        let (client, log) = serve(move |seen| {
            if seen.method == "GET" {
                return answer(200, "Content-Type: text/calendar\r\nETag: \"3\"\r\n", EVENT);
            }
            match turn.fetch_add(1, Ordering::Relaxed) {
                0 => multistatus(&found(seen).replace(
                    "<response><href>/c/4.ics</href><propstat>",
                    &format!("{gone}<response><href>/c/elsewhere.ics</href><propstat>"),
                )),
                // 2 was changed once more; 5 is gone.
                _ => multistatus(&found_as(seen, "2").replace(
                    "<response><href>/c/5.ics</href><propstat>",
                    "<response><href>/c/5.ics</href><status>HTTP/1.1 404 x</status></response><response><href>/x</href><propstat>",
                ).replace("<response><href>/c/2.ics</href><propstat><prop><getetag>\"2\"", "<response><href>/c/2.ics</href><propstat><prop><getetag>\"3\"")),
            }
        })
        .await;
        let wanted = [
            expect(1, version("2")),
            expect(2, version("2")),
            expect(3, version("1")),
            expect(4, version("2")),
            expect(5, Expected::Gone),
        ];
        let fetched = client.fetch(&Href::new("/c/"), &wanted).await;
        let mut versions: Vec<_> = fetched
            .objects
            .iter()
            .map(|object| (object.href.name(), object.etag.as_ref().unwrap().to_string()))
            .collect();
        versions.sort();
        let expected = [("1.ics", "\"2\""), ("2.ics", "\"3\""), ("3.ics", "\"1\""), ("4.ics", "\"2\"")];
        assert_eq!(versions, expected.map(|(name, version)| (name.to_owned(), version.to_owned())));
        assert_eq!((fetched.gone, fetched.failed.len()), (vec![href(5)], 0));
        assert_eq!(requests(&log), ["REPORT /c/", "REPORT /c/", "GET /c/2.ics"]);
    }

    #[tokio::test]
    async fn a_server_whose_lists_and_reports_never_agree_is_asked_twice_and_no_more() {
        let (client, log) = serve(|seen| multistatus(&found(seen))).await;
        let listed = Expected::Version(ETag::new("of the list"));
        let wanted: Vec<Wanted> = (0..100).map(|n| Wanted { href: href(n), expected: listed.clone() }).collect();
        assert_eq!(client.fetch(&Href::new("/c/"), &wanted).await.objects.len(), 100);
        assert_eq!(requests(&log).len(), 4);
    }
}
