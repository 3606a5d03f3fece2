//! One lane at work: what is due is claimed and performed, several at once and of one host only so many, until the shutdown.
//! See [`work`].

use super::record::nap_after;
use crate::availability::{Clock, HostId};
use crate::desk::OutboxSignal;
use crate::store::{Lane, OutboxEntry, Store, StoreError};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::SignedDuration;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest sleep without a look at the store: a command of another process cannot wake us.
const NAP: Duration = Duration::from_secs(5);
/// How many due entries one look at the store gives.
const LOOK: u32 = 256;

/// How a lane is worked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Which lane.
    pub(crate) lane: Lane,
    /// How long an effect is ours before another may take it: longer than performing it may take.
    pub(crate) lease: SignedDuration,
    /// Effects under way at once, in all.
    pub(crate) at_once: usize,
    /// Effects under way at once of one host: a dead server never takes all.
    pub(crate) of_one_host: usize,
}

/// For whom a lane may begin something now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// For nobody.
    Nobody,
    /// For all hosts but these.
    AllBut(Vec<HostId>),
}

/// What a lane works with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means<'a> {
    pub(crate) store: &'a Store,
    pub(crate) signal: &'a OutboxSignal,
    pub(crate) clock: &'a Clock,
}

/// Works a lane until `shutdown`; what is under way then is finished. `perform` does an effect and records what came of it. Nothing
/// is begun but for whom `open` says. Fails only when the store does, and not by a full disk: that passes.
pub(crate) async fn work<P: Future<Output = ()>>(
    pace: Pace,
    means: Means<'_>,
    open: impl Fn() -> Open,
    perform: impl Fn(OutboxEntry) -> P,
    shutdown: &CancellationToken,
) -> Result<(), StoreError> {
    let Means { store, signal, clock } = means;
    let mut under_way = FuturesUnordered::new();
    let mut taken: HashSet<i64> = HashSet::new();
    let mut busy: HashMap<HostId, usize> = HashMap::new();
    loop {
        if shutdown.is_cancelled() && under_way.is_empty() {
            return Ok(());
        }
        let mut nap = NAP;
        if !shutdown.is_cancelled()
            && let Open::AllBut(closed) = open()
        {
            let mut claimed = Vec::new();
            let begun = async {
                let now = clock.now();
                for entry in store.due_effects(pace.lane, now, LOOK, &closed).await? {
                    let of_host = busy.entry(entry.host.clone()).or_default();
                    if taken.len() < pace.at_once
                        && *of_host < pace.of_one_host
                        && !taken.contains(&entry.id)
                        && store.claim(entry.id, now, pace.lease).await?
                    {
                        taken.insert(entry.id);
                        *of_host += 1;
                        claimed.push(entry);
                    }
                }
                store.next_due(pace.lane, &closed).await
            };
            let begun = begun.await;
            // What was claimed is performed, whatever then failed.
            under_way.extend(claimed.into_iter().map(|entry| {
                let (id, host, performed) = (entry.id, entry.host.clone(), perform(entry));
                async move {
                    performed.await;
                    (id, host)
                }
            }));
            nap = nap_after(begun, clock.now(), NAP)?;
        }
        tokio::select! {
            // Whichever it is, all are looked at again; without chance the model check can repeat a run.
            biased;
            Some((id, host)) = under_way.next(), if !under_way.is_empty() => {
                taken.remove(&id);
                if let Some(count) = busy.get_mut(&host) {
                    *count = count.saturating_sub(1);
                }
            }
            () = signal.woken(pace.lane) => {}
            () = tokio::time::sleep(nap) => {}
            () = shutdown.cancelled(), if !shutdown.is_cancelled() => {}
        }
    }
}
