//! A bad network in front of a real calendar server: while it is faulty, it does to the requests that pass whatever networks,
//! proxies and servers in trouble do.

use super::{Random, client, free_port};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The network; it ends with the test.
#[derive(Clone)]
pub(crate) struct Network {
    /// Where it listens, as a bare URL.
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    authority: String,
    client: reqwest::Client,
    /// Gzip of far more zeros than any answer may have.
    bomb: Vec<u8>,
    state: Mutex<State>,
}

struct State {
    random: Random,
    /// Faults that are still to come.
    left: u32,
    /// What the next requests are answered with, and how many of them.
    burst: Option<(Refusal, u32)>,
    counts: BTreeMap<&'static str, u32>,
    requests: u32,
    /// What was answered before, but for objects: nobody can tell one event of a stranger's from another.
    earlier: Vec<Reply>,
}

type Refusal = (u16, Option<&'static str>);

#[derive(Clone)]
struct Asked {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Head and body as they came.
    raw: Vec<u8>,
}

#[derive(Clone)]
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What happens to one request. Offsets are in bytes.
enum Fault {
    /// The server gets so much of the request, then both sides are reset.
    RequestCut(usize),
    /// The server has done it; its client is reset after so much of the answer.
    AnswerReset(usize),
    /// The same, with an orderly end before the announced length.
    AnswerShort(usize),
    /// The answer has so much of its body, and a length that says that this is all.
    AnswerTruncated(usize),
    /// The answer comes after so long.
    Stall(Duration),
    /// Nothing comes for so long, then a reset.
    Silence(Duration),
    /// The answer comes in drops.
    Drip,
    /// The server is not asked, and this is answered.
    Refused(Refusal),
    /// The server has done it, and this is answered.
    DoneAndRefused(Refusal),
    /// A page with status 200.
    Page,
    /// The true answer, as another type.
    WrongType(&'static str),
    /// Another address, which is the same in the end.
    Redirect(u16),
    /// To another site.
    RedirectAway(u16),
    /// To itself, for ever.
    RedirectLoop,
    /// Ten megabytes of noise.
    Garbage,
    /// A small body that is large when it is unpacked.
    Bomb,
    /// What was answered to another request.
    OtherAnswer,
}

// What asks for a pause is rare: each stops the whole account for as long, and a run of thousands would be one of pauses. A 429 that
// names no time would stop it for half a minute.
const REFUSALS: [Refusal; 15] = [
    (500, None),
    (500, None),
    (500, None),
    (502, None),
    (502, None),
    (502, None),
    (504, None),
    (504, None),
    (504, None),
    (503, None),
    (503, None),
    (503, None),
    (503, Some("1")),
    (503, Some("soon")),
    (429, Some("1")),
];

impl Network {
    /// In front of the server at this bare URL, sound at first.
    pub(crate) async fn before(upstream: &str, random: Random) -> Network {
        let listener = TcpListener::bind(("127.0.0.1", free_port())).await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let state = State { random, left: 0, burst: None, counts: BTreeMap::new(), requests: 0, earlier: Vec::new() };
        let shared = Arc::new(Shared {
            upstream: upstream.trim_end_matches('/').to_owned(),
            client: client(),
            bomb: bomb(),
            state: Mutex::new(state),
            authority: authority.clone(),
        });
        let serving = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = serving.clone();
                // A client that has gone is no fault of the test's.
                tokio::spawn(async move { drop(shared.attend(stream).await) });
            }
        });
        Network { url: format!("http://{authority}/"), shared }
    }

    /// From now on, so many faults.
    pub(crate) fn faults(&self, count: u32) {
        let mut state = self.shared.state.lock().unwrap();
        state.left = count;
        state.burst = None;
    }

    /// How many are still to come.
    pub(crate) fn left(&self) -> u32 {
        self.shared.state.lock().unwrap().left
    }

    /// How many there were of each kind, and how many requests in all.
    pub(crate) fn counts(&self) -> (BTreeMap<&'static str, u32>, u32) {
        let state = self.shared.state.lock().unwrap();
        (state.counts.clone(), state.requests)
    }
}

/// 192 MB of zeros, packed to less than 200 kB.
fn bomb() -> Vec<u8> {
    let mut gzip =
        Command::new("gzip").args(["-1", "-c"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    let writing = std::thread::spawn(move || {
        let zeros = vec![0; 1 << 20];
        (0..192).try_for_each(|_| input.write_all(&zeros)).unwrap();
    });
    let packed = gzip.wait_with_output().unwrap().stdout;
    writing.join().unwrap();
    packed
}

impl Shared {
    async fn attend(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut buffer = Vec::new();
        while let Some(asked) = read_request(&mut stream, &mut buffer).await? {
            let again = asked.path.contains(AGAIN);
            let fault = if again { None } else { self.choose(&asked) };
            if !self.answer(&mut stream, &asked, fault).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What goes wrong with this request; mostly nothing.
    fn choose(&self, asked: &Asked) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        state.requests += 1;
        if state.left == 0 {
            return None;
        }
        let burst = state.burst.take();
        let (name, fault) = match burst {
            Some((refusal, more)) => {
                state.burst = (more > 1).then_some((refusal, more - 1));
                ("burst", Fault::Refused(refusal))
            }
            None if state.random.percent(70) => return None,
            None => {
                let fault = one(&mut state, asked);
                if let Fault::Refused(refusal) = &fault.1
                    && state.random.percent(30)
                {
                    let more = 1 + u32::try_from(state.random.below(5)).unwrap();
                    state.burst = Some((*refusal, more));
                }
                fault
            }
        };
        state.left -= 1;
        *state.counts.entry(name).or_default() += 1;
        Some(fault)
    }

    /// Answers one request; false when the connection is at its end.
    async fn answer(&self, stream: &mut TcpStream, asked: &Asked, fault: Option<Fault>) -> std::io::Result<bool> {
        let Some(fault) = fault else {
            let reply = self.ask(asked).await;
            stream.write_all(&reply.bytes()).await?;
            return Ok(true);
        };
        match fault {
            Fault::RequestCut(most) => {
                let mut server = TcpStream::connect(self.upstream.trim_start_matches("http://")).await?;
                server.write_all(&asked.raw[..most.min(asked.raw.len() - 1)]).await?;
                server.set_zero_linger()?;
                stream.set_zero_linger()?;
                return Ok(false);
            }
            Fault::AnswerReset(most) => {
                let bytes = self.ask(asked).await.bytes();
                stream.write_all(&bytes[..most.min(bytes.len() - 1)]).await?;
                // What was sent is to arrive before the reset.
                tokio::time::sleep(Duration::from_millis(5)).await;
                stream.set_zero_linger()?;
                return Ok(false);
            }
            Fault::AnswerShort(most) => {
                let bytes = self.ask(asked).await.bytes();
                stream.write_all(&bytes[..most.min(bytes.len() - 1)]).await?;
                return Ok(false);
            }
            Fault::AnswerTruncated(most) => {
                let mut reply = self.ask(asked).await;
                reply.body.truncate(most.min(reply.body.len().saturating_sub(1)));
                stream.write_all(&reply.bytes()).await?;
            }
            Fault::Stall(long) => {
                let reply = self.ask(asked).await;
                tokio::time::sleep(long).await;
                stream.write_all(&reply.bytes()).await?;
            }
            Fault::Silence(long) => {
                tokio::time::sleep(long).await;
                stream.set_zero_linger()?;
                return Ok(false);
            }
            Fault::Drip => {
                for part in self.ask(asked).await.bytes().chunks(97).take(40) {
                    stream.write_all(part).await?;
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                return Ok(false);
            }
            Fault::Refused(refusal) => stream.write_all(&refuse(refusal).bytes()).await?,
            Fault::DoneAndRefused(refusal) => {
                self.ask(asked).await;
                stream.write_all(&refuse(refusal).bytes()).await?;
            }
            Fault::Page => {
                let body = b"<!DOCTYPE html><html><body><h1>Welcome to the guest network</h1></body></html>".to_vec();
                stream.write_all(&typed(200, "text/html; charset=utf-8", body).bytes()).await?;
            }
            Fault::WrongType(kind) => {
                let mut reply = self.ask(asked).await;
                reply.headers.retain(|(name, _)| name != "content-type");
                reply.headers.push(("content-type".to_owned(), kind.to_owned()));
                stream.write_all(&reply.bytes()).await?;
            }
            Fault::Redirect(status) => {
                let to = format!("http://{}{}{AGAIN}", self.authority, asked.path);
                stream.write_all(&redirect(status, to).bytes()).await?;
            }
            Fault::RedirectAway(status) => {
                let to = format!("https://login.example.net{}", asked.path);
                stream.write_all(&redirect(status, to).bytes()).await?;
            }
            Fault::RedirectLoop => {
                let to = asked.path.clone();
                stream.write_all(&redirect(302, to).bytes()).await?;
            }
            Fault::Garbage => {
                let noise = {
                    let mut random = self.state.lock().unwrap().random.fork();
                    (0..10 << 17).flat_map(|_| random.next().to_ne_bytes()).collect()
                };
                let status = if asked.method == "GET" { 200 } else { 207 };
                stream.write_all(&typed(status, "text/xml; charset=utf-8", noise).bytes()).await?;
            }
            Fault::Bomb => {
                let mut reply = typed(207, "text/xml; charset=utf-8", self.bomb.clone());
                reply.headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
                stream.write_all(&reply.bytes()).await?;
            }
            Fault::OtherAnswer => {
                let other = {
                    let mut state = self.state.lock().unwrap();
                    let State { random, earlier, .. } = &mut *state;
                    random.pick(earlier).clone()
                };
                stream.write_all(&other.bytes()).await?;
            }
        }
        Ok(true)
    }

    /// Asks the server.
    async fn ask(&self, asked: &Asked) -> Reply {
        let path = asked.path.replace(AGAIN, "");
        let mut request = self.client.request(asked.method.parse().unwrap(), format!("{}{path}", self.upstream));
        for (name, value) in &asked.headers {
            if !["host", "connection", "content-length", "transfer-encoding"].contains(&name.as_str()) {
                request = request.header(name, value);
            }
        }
        let Ok(answer) = request.body(asked.body.clone()).send().await else { return refuse((502, None)) };
        let status = answer.status().as_u16();
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
        };
        let headers = answer.headers().iter().map(header).collect();
        let Ok(body) = answer.bytes().await else { return refuse((502, None)) };
        let reply = Reply { status, headers, body: body.to_vec() };
        if asked.method != "GET" && status < 300 {
            let mut state = self.state.lock().unwrap();
            if state.earlier.len() < 50 {
                state.earlier.push(reply.clone());
            } else {
                let place = state.random.below(50);
                state.earlier[place] = reply.clone();
            }
        }
        reply
    }
}

/// Marks an address that a redirect led to; no server sees it.
const AGAIN: &str = "?moved";

fn one(state: &mut State, asked: &Asked) -> (&'static str, Fault) {
    let has_earlier = !state.earlier.is_empty();
    let random = &mut state.random;
    let offset = |random: &mut Random| match random.below(4) {
        0 => 0,
        1 => random.below(200),
        2 => random.below(1_000),
        _ => random.below(20_000),
    };
    match random.below(18) {
        0 => ("request reset", Fault::RequestCut(random.below(asked.raw.len()))),
        1 | 2 => ("answer reset", Fault::AnswerReset(offset(random))),
        3 => ("answer cut short", Fault::AnswerShort(offset(random))),
        4 => ("answer truncated", Fault::AnswerTruncated(offset(random))),
        5 => ("stall", Fault::Stall(random.millis(50, 1_500))),
        6 => ("silence", Fault::Silence(random.millis(50, 800))),
        7 => ("drip", Fault::Drip),
        8 | 9 => ("refused", Fault::Refused(*random.pick(&REFUSALS))),
        10 => ("done and refused", Fault::DoneAndRefused(*random.pick(&REFUSALS))),
        11 => ("page", Fault::Page),
        12 => (
            "wrong type",
            Fault::WrongType(random.pick::<&str>(&["text/html", "application/octet-stream", "image/png"])),
        ),
        13 => ("redirect", Fault::Redirect(*random.pick(&[301, 302, 307, 308]))),
        14 => ("redirect away", Fault::RedirectAway(*random.pick(&[302, 307]))),
        15 => ("redirect loop", Fault::RedirectLoop),
        16 if random.percent(30) => ("garbage", Fault::Garbage),
        16 => ("gzip bomb", Fault::Bomb),
        _ if has_earlier => ("other answer", Fault::OtherAnswer),
        _ => ("stall", Fault::Stall(random.millis(10, 500))),
    }
}

impl Reply {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} Whatever\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            if !["connection", "content-length", "transfer-encoding"].contains(&name.as_str()) {
                write!(bytes, "{name}: {value}\r\n").unwrap();
            }
        }
        // RFC 9110 8.6: no length where there can be no body.
        if self.status != 204 {
            write!(bytes, "content-length: {}\r\n", self.body.len()).unwrap();
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

fn typed(status: u16, kind: &str, body: Vec<u8>) -> Reply {
    Reply { status, headers: vec![("content-type".to_owned(), kind.to_owned())], body }
}

fn refuse((status, retry_after): Refusal) -> Reply {
    let mut reply = typed(status, "text/plain", b"not now\n".to_vec());
    reply.headers.extend(retry_after.map(|value| ("retry-after".to_owned(), value.to_owned())));
    reply
}

fn redirect(status: u16, to: String) -> Reply {
    Reply { status, headers: vec![("location".to_owned(), to)], body: Vec::new() }
}

/// The next request of a connection; `None` at its end. What was read beyond it stays in `buffer`.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Asked>> {
    let mut part = [0; 16_384];
    loop {
        if let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
            let mut lines = text.split("\r\n");
            let mut first = lines.next().unwrap_or_default().split(' ');
            let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
            let end = head + 4 + length;
            if buffer.len() >= end {
                let raw: Vec<u8> = buffer.drain(..end).collect();
                let body = raw[head + 4..].to_vec();
                return Ok(Some(Asked { method: method.to_owned(), path: path.to_owned(), headers, body, raw }));
            }
        }
        match stream.read(&mut part).await? {
            0 => return Ok(None),
            count => buffer.extend_from_slice(&part[..count]),
        }
    }
}
