//! Threads that own connections: SQLite blocks, so async code sends it closures and awaits the answers. See [`Worker`].

use super::error::{Result, StoreError};
use rusqlite::Connection;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};

/// Jobs that wait; senders beyond that wait themselves.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

enum Message {
    Run(Job),
    Stop,
}

/// A thread for each of its connections, fed from one queue. With one connection: jobs run one after the other, in order.
pub(super) struct Worker {
    queue: mpsc::Sender<Message>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    #[cfg(test)]
    simulated: Option<super::simulated::Simulated>,
}

impl Worker {
    /// Starts the threads. The lock is held until the last of them has closed its connection.
    pub(super) fn start(name: &str, connections: Vec<Connection>, lock: Option<File>) -> io::Result<Worker> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        let lock = Arc::new(lock);
        let mut threads = Vec::new();
        for connection in connections {
            let (jobs, lock) = (Arc::clone(&jobs), Arc::clone(&lock));
            threads.push(thread::Builder::new().name(name.to_owned()).spawn(move || {
                work(connection, &jobs);
                drop(lock);
            })?);
        }
        Ok(Worker {
            queue,
            threads: Mutex::new(threads),
            #[cfg(test)]
            simulated: None,
        })
    }

    /// Without a thread: each job is a step of a simulation.
    #[cfg(test)]
    pub(super) fn simulated(simulated: super::simulated::Simulated) -> Worker {
        Worker { queue: mpsc::channel(1).0, threads: Mutex::default(), simulated: Some(simulated) }
    }

    /// The simulation that it is part of.
    #[cfg(test)]
    pub(super) fn simulation(&self) -> &super::simulated::Simulated {
        self.simulated.as_ref().unwrap()
    }

    /// Runs a job. Once it is queued it will run, even when the caller no longer waits.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        #[cfg(test)]
        if let Some(simulated) = &self.simulated {
            return simulated.run(job).await;
        }
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody waits any more: the work is done all the same.
            let _ = reply.send(job(connection));
        });
        self.queue.send(Message::Run(job)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Finishes the queued jobs, closes the connections and releases the lock.
    pub(super) async fn stop(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for _ in &threads {
            // Fails only when the threads have ended.
            let _ = self.queue.send(Message::Stop).await;
        }
        let joined = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        let _ = joined.await;
    }
}

fn work(mut connection: Connection, jobs: &Mutex<mpsc::Receiver<Message>>) {
    loop {
        // Whoever waits for a job holds the lock; the others wait for the lock, which is the same.
        let message = jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(Message::Run(job)) = message else { break };
        // A panic rolls its transaction back, is printed by the panic hook, and answers its caller with `Closed`.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut connection)));
    }
}
