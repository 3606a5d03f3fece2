//! A server for tests: answers each connection's requests from a function, byte for byte, on 127.0.0.1.

use super::{Client, Login};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The whole head, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// What the server got, in order.
pub(crate) type Log = Arc<Mutex<Vec<Seen>>>;

/// Starts a server and gives a client of it. The server ends with the test's runtime.
pub(crate) async fn serve(answer: impl Fn(&Seen) -> String + Send + Sync + 'static) -> (Client, Log) {
    let (url, log) = serve_raw(answer).await;
    let password = "secret".to_owned().into();
    (Client::new(Login::new(url, "prof", password)).unwrap(), log)
}

/// Starts a server and gives its address.
pub(crate) async fn serve_raw(answer: impl Fn(&Seen) -> String + Send + Sync + 'static) -> (url::Url, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let log = Log::default();
    let (answer, kept) = (Arc::new(answer), Arc::clone(&log));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, Arc::clone(&answer), Arc::clone(&kept)));
        }
    });
    (url, log)
}

/// A whole answer with its length.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

/// A 207 of these responses.
pub(crate) fn multistatus(inner: &str) -> String {
    let body = format!(r#"<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{inner}</multistatus>"#);
    answer(207, "Content-Type: application/xml\r\n", &body)
}

async fn connection(mut stream: TcpStream, answer: Arc<impl Fn(&Seen) -> String>, log: Log) {
    let mut buffer = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(read) => buffer.extend_from_slice(&chunk[..read]),
            }
            continue;
        };
        let text = String::from_utf8_lossy(&buffer[..end]).into_owned();
        let head = text.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        while buffer.len() < end + 4 + length {
            let read = stream.read(&mut chunk).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            buffer.extend_from_slice(&chunk[..read]);
        }
        let body = String::from_utf8_lossy(&buffer[end + 4..end + 4 + length]).into_owned();
        let mut first = text.split(' ');
        let (method, path) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
        let seen = Seen { method, path, head, body };
        buffer.drain(..end + 4 + length);
        let reply = answer(&seen);
        log.lock().unwrap().push(seen);
        // An empty reply is a connection that breaks.
        if reply.is_empty() || stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}
