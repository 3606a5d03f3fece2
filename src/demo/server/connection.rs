//! The sockets: HTTP/1.1 on hyper, with a limit for everything a client can make large or slow. Start with [`CalendarServer::serve`].

use super::CalendarServer;
use super::answer::{Answer, empty};
use super::object::MAX_SIZE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const CONNECTIONS: usize = 256;
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
const BODY_WITHIN: Duration = Duration::from_secs(30);
const DRAIN_WITHIN: Duration = Duration::from_secs(2);
/// A multiget of 10,000 hrefs fits.
const MAX_BODY: usize = 4 * MAX_SIZE;

impl CalendarServer {
    /// Answers on the listener until `shutdown`; then finishes what is under way, for two seconds at most.
    ///
    /// # Errors
    /// When the listener can accept no more for a reason that does not pass.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
        let mut connections = JoinSet::new();
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let place = tokio::select! {
                () = shutdown.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            let Ok(place) = place else { break };
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (server, shutdown) = (Arc::clone(&self), shutdown.clone());
                    connections.spawn(async move {
                        server.connection(stream, shutdown).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of descriptors, or a connection that went away: both pass.
                    tracing::warn!(%error, "The demo's calendar server could not accept a connection; it goes on in a moment.");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        let drained = timeout(DRAIN_WITHIN, async { while connections.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            connections.shutdown().await;
        }
        Ok(())
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, shutdown: CancellationToken) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let server = Arc::clone(&self);
            async move { Ok::<_, Infallible>(server.exchange(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "A connection to the demo's calendar server ended early.");
        }
    }

    async fn exchange(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        if body.size_hint().lower() > MAX_BODY as u64 {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let body = match timeout(BODY_WITHIN, Limited::new(body, MAX_BODY).collect()).await {
            Err(_) => return empty(StatusCode::REQUEST_TIMEOUT),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return empty(StatusCode::PAYLOAD_TOO_LARGE),
            Ok(Err(_)) => return empty(StatusCode::BAD_REQUEST),
            Ok(Ok(body)) => body.to_bytes(),
        };
        let request = Request::from_parts(head, body);
        // Off the runtime's threads: it may write files.
        let answered = tokio::task::spawn_blocking(move || self.answer(&request)).await;
        answered.unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Credentials, Storage};
    use super::*;
    use base64::Engine;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn exchange(stream: &mut TcpStream, request: &str) -> String {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut buffer = vec![0; 4096];
        let read = timeout(Duration::from_secs(5), stream.read(&mut buffer)).await.unwrap().unwrap();
        String::from_utf8(buffer[..read].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn it_answers_on_a_socket_and_ends_with_its_token() {
        let login = Credentials { user: "emmy".to_owned(), password: "secret".to_owned() };
        let server = Arc::new(CalendarServer::new(login, Storage::Memory).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(server.serve(listener, shutdown.clone()));

        let login = base64::engine::general_purpose::STANDARD.encode("emmy:secret");
        let mut stream = TcpStream::connect(address).await.unwrap();
        for path in ["/", "/calendars/emmy/"] {
            let request =
                format!("PROPFIND {path} HTTP/1.1\r\nHost: x\r\nDepth: 0\r\nAuthorization: Basic {login}\r\n\r\n");
            let answer = exchange(&mut stream, &request).await;
            assert!(answer.starts_with("HTTP/1.1 207 ") && answer.contains(path), "{answer}");
        }
        let mut large = TcpStream::connect(address).await.unwrap();
        let answer = exchange(&mut large, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

        let silent = TcpStream::connect(address).await.unwrap();
        shutdown.cancel();
        timeout(Duration::from_secs(4), serving).await.unwrap().unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "the port is free again");
        drop((stream, silent));
    }
}
