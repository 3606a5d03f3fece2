//! The server: accept loop, limits and drain, on hyper's HTTP/1.1 connection (RFC 9112). HTTP/2 is the reverse proxy's.
//! Start with [`serve`].

use super::connections::{Arriving, Connection, Connections};
use super::proxy::Peer;
use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// What the server grants a client.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Connections at once. Beyond it one that waits for a request, or the rest of one, is closed: of the address that has most
    /// of them, the one that has waited longest.
    pub connections: usize,
    /// How many connections of one address (an IPv6 /64) may wait for their first request, or the rest of it. Beyond it the one that has
    /// waited longest is closed, after two seconds; one whose request is being answered never is, so that a reverse proxy is
    /// not held up.
    pub waiting_per_address: usize,
    /// From the first moment of a connection, or the end of an answer, to the end of the next request's header.
    pub header_read: Duration,
    /// After this a connection ends with the answer that is under way.
    pub connection_age: Duration,
    /// How long requests may go on after `shutdown`.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> ServerLimits {
        ServerLimits {
            // Below the usual 1,024 open files of a process, with room for the store and the calendar servers.
            connections: 800,
            waiting_per_address: 100,
            header_read: Duration::from_secs(10),
            connection_age: Duration::from_secs(120),
            drain: Duration::from_secs(4),
        }
    }
}

/// A connection may wait so long for a request, however many its address has.
const PATIENCE: Duration = Duration::from_secs(2);
/// Head of a request at most; hyper answers 431 to a longer one.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// How long a connection goes on after its age for the answer that is under way.
const LAST_ANSWER: Duration = Duration::from_secs(30);
/// How long bytes are read and dropped, so that a client that still sends can read the answer before a reset.
const LINGER: Duration = Duration::from_secs(2);

/// Serves `app` on all listeners until `shutdown`, then drains. An `Err` is a listener that cannot be used.
pub async fn serve(
    listeners: Vec<TcpListener>,
    app: Router,
    limits: ServerLimits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let server = Server {
        app,
        limits,
        room: Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS))),
        connections: Connections::new(limits.waiting_per_address, PATIENCE),
        tasks: TaskTracker::new(),
        shutdown,
    };
    let mut loops = tokio::task::JoinSet::new();
    for listener in listeners {
        loops.spawn(server.clone().accept(listener));
    }
    while let Some(ended) = loops.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    server.tasks.close();
    if timeout(limits.drain, server.tasks.wait()).await.is_err() {
        tracing::warn!(open = server.tasks.len(), "Connections were cut off: they did not end in time");
    }
    Ok(())
}

#[derive(Clone)]
struct Server {
    app: Router,
    limits: ServerLimits,
    room: Arc<Semaphore>,
    connections: Connections,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Server {
    async fn accept(self, listener: TcpListener) -> io::Result<()> {
        loop {
            let accepted = tokio::select! {
                () = self.shutdown.cancelled() => return Ok(()),
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) if is_shortage(&error) => {
                    tracing::warn!(%error, "A connection cannot be accepted");
                    self.connections.evict();
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(permit) = self.permit().await else { return Ok(()) };
            let close = CancellationToken::new();
            let connection = self.connections.open(peer.ip(), close.clone());
            let visit = Visit { stream, peer, connection: Arc::new(connection), close, permit };
            self.tasks.spawn(self.clone().attend(visit));
        }
    }

    /// Room for one more connection, made if need be. `None` on shutdown.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() {
            return Some(permit);
        }
        self.connections.evict();
        tokio::select! {
            () = self.shutdown.cancelled() => None,
            permit = Arc::clone(&self.room).acquire_owned() => permit.ok(),
        }
    }

    async fn attend(self, visit: Visit) {
        let Visit { stream, peer, connection, close, permit } = visit;
        let _permit = permit;
        // Answers are written whole: waiting for more to send only delays them. A failure costs nothing else.
        let _ = stream.set_nodelay(true);
        let app = self.app.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (app, connection) = (app.clone(), Arc::clone(&connection));
            Box::pin(async move {
                let mut request = request.map(|body| Body::new(Arriving::new(body, Arc::clone(&connection))));
                request.extensions_mut().insert(Peer(peer));
                let answer: Result<_, Infallible> = app.oneshot(request).await;
                connection.waits();
                answer
            })
        });
        let mut http = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_read)
            .max_header_size(MAX_HEADER_BYTES)
            .max_buf_size(MAX_HEADER_BYTES * 2)
            .serve_connection(TokioIo::new(stream), service);

        let old = sleep_until(Instant::now() + self.limits.connection_age);
        tokio::pin!(old);
        let ended = tokio::select! {
            ended = poll_fn(|cx| http.poll_without_shutdown(cx)) => ended,
            () = close.cancelled() => return,
            () = async { tokio::select! { () = &mut old => (), () = self.shutdown.cancelled() => () } } => {
                Pin::new(&mut http).graceful_shutdown();
                match timeout(LAST_ANSWER, poll_fn(|cx| http.poll_without_shutdown(cx))).await {
                    Ok(ended) => ended,
                    Err(_) => return,
                }
            }
        };
        match ended {
            Ok(()) => linger(http.into_parts().io.into_inner(), &self.shutdown).await,
            Err(error) => tracing::debug!(%error, "A connection ended early"),
        }
    }
}

/// A connection that was accepted.
struct Visit {
    stream: TcpStream,
    peer: SocketAddr,
    connection: Arc<Connection>,
    close: CancellationToken,
    permit: OwnedSemaphorePermit,
}

/// Ends a connection so that its last answer arrives: closing while the client still sends would reset it.
async fn linger(mut stream: TcpStream, shutdown: &CancellationToken) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut sink = [0; 8192];
    let drain = async { while stream.read(&mut sink).await.is_ok_and(|count| count > 0) {} };
    tokio::select! {
        _ = timeout(LINGER, drain) => (),
        () = shutdown.cancelled() => (),
    }
}

/// The client was gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// EMFILE, ENFILE, ENOBUFS, ENOMEM: it passes.
fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(24 | 23 | 105 | 12))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};

    struct Running {
        address: SocketAddr,
        shutdown: CancellationToken,
        server: tokio::task::JoinHandle<io::Result<()>>,
    }

    async fn run(app: Router, limits: ServerLimits) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(serve(vec![listener], app, limits, shutdown.clone()));
        Running { address, shutdown, server }
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut text)).await;
        String::from_utf8_lossy(&text).into_owned()
    }

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    #[tokio::test]
    async fn a_header_that_does_not_come_ends_the_connection() {
        let app = Router::new().route("/", get(|| async { "hello" }));
        let limits = ServerLimits { header_read: Duration::from_millis(200), ..ServerLimits::default() };
        let running = run(app, limits).await;
        for start in [&b""[..], b"GET / HTTP/1.1\r\nHos"] {
            let mut stream = TcpStream::connect(running.address).await.unwrap();
            stream.write_all(start).await.unwrap();
            let begun = Instant::now();
            answer(&mut stream).await;
            assert!(begun.elapsed() < Duration::from_secs(2));
        }
        running.shutdown.cancel();
        running.server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn idle_connections_make_room_for_newcomers() {
        let app = Router::new().route("/", get(|| async { "hello" }).post(|body: String| async { body }));
        let running = run(app, ServerLimits { connections: 4, ..ServerLimits::default() }).await;
        let mut idle = Vec::new();
        for starts in [&b""[..], b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"].repeat(7) {
            let mut stream = TcpStream::connect(running.address).await.unwrap();
            stream.write_all(starts).await.unwrap();
            idle.push(stream);
        }
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(ASK).await.unwrap();
        assert!(answer(&mut stream).await.ends_with("hello"));
        running.shutdown.cancel();
        running.server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn shutdown_lets_an_answer_finish_and_waits_for_no_idle_connection() {
        let slow = || async {
            sleep(Duration::from_millis(300)).await;
            "hello"
        };
        let running = run(Router::new().route("/", get(slow)), ServerLimits::default()).await;
        let _idle = TcpStream::connect(running.address).await.unwrap();
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(ASK).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        let begun = Instant::now();
        running.shutdown.cancel();
        assert!(answer(&mut stream).await.ends_with("hello"));
        running.server.await.unwrap().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_refusal_arrives_although_the_client_still_sends() {
        let app = Router::new().route("/", post(|| async { (axum::http::StatusCode::PAYLOAD_TOO_LARGE, "too large") }));
        let running = run(app, ServerLimits::default()).await;
        let (mut reader, mut writer) = TcpStream::connect(running.address).await.unwrap().into_split();
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 10 << 20);
        writer.write_all(head.as_bytes()).await.unwrap();
        let sending = tokio::spawn(async move {
            let block = vec![b'x'; 1 << 20];
            for _ in 0..10 {
                if writer.write_all(&block).await.is_err() {
                    break;
                }
            }
            writer
        });
        let mut text = vec![0; 64];
        let count = timeout(Duration::from_secs(5), reader.read(&mut text)).await.unwrap().unwrap();
        assert!(String::from_utf8_lossy(&text[..count]).starts_with("HTTP/1.1 413"));
        sending.await.unwrap();
        running.shutdown.cancel();
        running.server.await.unwrap().unwrap();
    }
}
