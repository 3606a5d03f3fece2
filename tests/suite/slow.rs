//! Clients that are slow on purpose, from several addresses at once: everybody else is served as if they were not there.

use crate::support::{Config, Daemon, Server, client};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_hold_up_nobody_else() {
    slow(400, 200, Duration::from_millis(250)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures: tests/run --run-ignored only slow"]
async fn two_thousand_slow_clients_hold_up_nobody_else() {
    slow(2_000, 1_000, Duration::from_millis(50)).await;
}

/// From so many addresses.
const ADDRESSES: usize = 40;

async fn slow(clients: usize, requests: usize, bound: Duration) {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("slow").await;
    let mut daemon = Daemon::start(Config::new(&calendar)).await;
    let alone = percentiles(&daemon, requests).await;

    let (open, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut crowd = tokio::task::JoinSet::new();
    for number in 0..clients {
        let (open, closed) = (open.clone(), closed.clone());
        let (from, to) = (address(number), SocketAddr::from(([127, 0, 0, 1], daemon.config.port)));
        crowd.spawn(async move {
            loop {
                let Ok(stream) = connect(from, to).await else {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    continue;
                };
                open.fetch_add(1, Ordering::Relaxed);
                dawdle(stream, number).await;
                open.fetch_sub(1, Ordering::Relaxed);
                closed.fetch_add(1, Ordering::Relaxed);
                // It comes again, and again slowly.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let began = Instant::now();
    let crowded = percentiles(&daemon, requests).await;
    let (open, closed) = (open.load(Ordering::Relaxed), closed.load(Ordering::Relaxed));
    println!(
        "the feed alone: p50 {:?}, p99 {:?}; beside {clients} slow clients ({open} connected, {closed} closed) for {:.0?}: p50 {:?}, p99 {:?}",
        alone.0,
        alone.1,
        began.elapsed(),
        crowded.0,
        crowded.1
    );
    assert!(open > clients / 4, "{open} of {clients} are connected");
    assert!(crowded.1 < bound, "p99 {:?}", crowded.1);
    // What is slow does not hold up the end either.
    let began = Instant::now();
    assert!(daemon.terminate().success());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// The median and the 99th percentile of the time that the feed takes, each over a connection of its own.
async fn percentiles(daemon: &Daemon, requests: usize) -> (Duration, Duration) {
    let client = client();
    let url = daemon.url("/noether.ics");
    let mut times = Vec::new();
    for _ in 0..requests {
        let began = Instant::now();
        let answer = client.get(&url).header("connection", "close").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap();
        times.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    times.sort_unstable();
    (times[requests / 2], times[requests * 99 / 100])
}

fn address(number: usize) -> IpAddr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(1 + number % ADDRESSES).unwrap()).into()
}

async fn connect(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}

/// Sends a header, a body or nothing at all, a byte now and then, until the server has had enough.
async fn dawdle(stream: TcpStream, number: usize) {
    let (mut reader, mut writer) = stream.into_split();
    let begin: &[u8] = match number % 3 {
        0 => b"GET /noether HTTP/1.1\r\nHost: a\r\nX-Slow: ",
        1 => b"POST /noether/office-hour/2026-12-01T09:00:00Z HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n",
        _ => b"",
    };
    let sending = async {
        writer.write_all(begin).await?;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if !begin.is_empty() {
                writer.write_all(b"x").await?;
            }
        }
    };
    let closing = async {
        let mut part = [0; 1024];
        while reader.read(&mut part).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    let _: std::io::Result<()> = tokio::select! { sent = sending => sent, closed = closing => closed };
}
