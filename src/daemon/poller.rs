//! The life of one source: a pass now and then and whenever somebody waits for one, published, and the host's own edits
//! followed. A dead source harms no other: each has a task of its own.

use super::publish::load_board;
use super::setup::Services;
use super::watch::{Watch, watch};
use crate::booking::{Appointment, BookingId, BookingState};
use crate::caldav::Href;
use crate::store::{Failure, MissingEvent, OwnEvent, ReportedTrouble, SourceReport, StoreError};
use crate::sync::{
    AccountSync, CalendarPass, Failures, Found, HostBoard, Observation, Pass, Pause, Request, Requests, Setback,
    Settled, Source, Suspects, SyncError, SyncHandle, TroubleKind, parent, pause, reconcile,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A request that was never answered may arrive for so long.
const IN_DOUBT: SignedDuration = SignedDuration::from_hours(1);
/// More changed objects than this are read from the store in one go.
const MANY: usize = 200;

/// Polls one source.
#[derive(Debug)]
pub struct Poller {
    /// The source.
    pub source: Source,
    /// All sources of the host: the board shows them together.
    pub sources: Arc<[Source]>,
    /// Where the host's state is published.
    pub board: Arc<HostBoard>,
    /// Store, desk and clock.
    pub services: Services,
    /// The pause between passes.
    pub poll: SignedDuration,
    /// Asks for a pass.
    pub handle: SyncHandle,
    /// Who waits for a pass.
    pub requests: Requests,
}

impl Poller {
    /// Polls until `shutdown`. Fails only when the store does, and not by a full disk: that passes.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), StoreError> {
        let mut failures = Failures::default();
        let mut watching = None;
        let mut due = Instant::now();
        let mut closed = false;
        loop {
            let mut waiting: Vec<Request> = Vec::new();
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                Some(request) = self.requests.recv() => waiting.push(request),
                () = tokio::time::sleep_until(due) => closed = false,
            }
            if closed {
                // The server is left alone, whoever wishes: a booking goes by what is known.
                for request in waiting {
                    let _ = request.send(false);
                }
                continue;
            }
            // All who waited before the pass begins are answered by it.
            while let Ok(request) = self.requests.try_recv() {
                waiting.push(request);
            }
            self.handle.begins();
            let setback = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                setback = self.pass() => match setback {
                    // Its rows may be forgotten already.
                    Err(_) if shutdown.is_cancelled() => return Ok(()),
                    // What was read and could not be stored is read again.
                    Err(error) if error.kind().passes() => {
                        tracing::error!(host = %self.source.host().id, source = self.source.name(), %error, "What was read could not be stored.");
                        Some(Setback::of_store(&error))
                    }
                    setback => setback?,
                },
            };
            let well = setback.is_none();
            if well && self.handle.health().trouble.is_some_and(|trouble| trouble.kind == TroubleKind::Login) {
                self.let_in_again().await?;
            }
            failures = failures.after(setback.as_ref());
            let chance = super::setup::random::<1>().map_or(0, |[byte]| byte);
            let pause = pause(setback.as_ref(), failures, self.poll.unsigned_abs(), chance);
            (due, closed) = (Instant::now() + pause.wait, pause.closed);
            self.tell(setback.as_ref(), pause);
            self.report(pause).await?;
            // What was watched may be gone, and another in its place.
            watching = if well { watching.or_else(|| self.watch()) } else { None };
            for request in waiting {
                // Whoever waited may have given up.
                let _ = request.send(well);
            }
        }
    }

    /// The login works again: what waited for it waits no longer.
    async fn let_in_again(&self) -> Result<(), StoreError> {
        let Services { store, signal, clock, .. } = &self.services;
        match store.hurry_refused(Some(&self.source.host().id), clock.now()).await {
            Err(error) if error.kind().passes() => Ok(()),
            hurried => {
                signal.wake();
                hurried
            }
        }
    }

    /// Lets others see how the source does.
    fn tell(&self, setback: Option<&Setback>, pause: Pause) {
        let now = self.services.clock.now();
        let (before, health) = (self.handle.health(), self.handle.health().after(setback, now));
        let (host, source) = (&self.source.host().id, self.source.name());
        match (&before.trouble, &health.trouble) {
            (Some(trouble), None) => {
                tracing::info!(%host, source, since = %trouble.since, "The source can be read again.");
            }
            (_, Some(trouble))
                if pause.closed && before.trouble.as_ref().is_none_or(|was| was.kind != trouble.kind) =>
            {
                tracing::warn!(%host, source, kind = trouble.kind.as_str(), wait = ?pause.wait, "The server is left alone for a while.");
            }
            _ => {}
        }
        let next = now.checked_add(pause.wait).unwrap_or(Timestamp::MAX);
        let until = pause.closed.then_some(next);
        self.handle.next(next);
        self.handle.ended(health, until);
    }

    /// Keeps how the source does, for commands beside us. A disk that is full keeps nothing.
    async fn report(&self, pause: Pause) -> Result<(), StoreError> {
        let (health, now) = (self.handle.health(), self.services.clock.now());
        let trouble = health.trouble.map(|trouble| ReportedTrouble {
            kind: trouble.kind.as_str().to_owned(),
            since: trouble.since,
            what: trouble.what,
        });
        let next_at = now.checked_add(pause.wait).unwrap_or(Timestamp::MAX);
        let report = SourceReport { read_at: health.read_at, trouble, looked_at: now, next_at };
        let reported = self.services.store.report_source(&self.source.host().id, self.source.id(), report).await;
        reported.or_else(|error| if error.kind().passes() { Ok(()) } else { Err(error) })
    }

    /// Watches the source, where that can be done.
    fn watch(&self) -> Option<Watch> {
        let folder = self.source.watched()?;
        let watching = watch(folder, self.handle.clone());
        watching
            .inspect_err(|error| {
                tracing::warn!(host = %self.source.host().id, folder = %folder.display(), %error, "The folder cannot be watched; changes are found by polling.");
            })
            .ok()
    }

    /// One pass; what kept it from reading everything, if anything did.
    pub(super) async fn pass(&self) -> Result<Option<Setback>, StoreError> {
        let (host, source) = (&self.source.host().id, self.source.name());
        let now = self.services.clock.now();
        let before = self.settled(now).await?;
        let pass = match self.source.pass(now).await {
            Ok(pass) => pass,
            Err(SyncError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(%host, source, %error, "The source could not be read.");
                let failure = Failure { error: error.to_string(), at: now };
                self.source.store().mark_account_failed(host, self.source.id(), failure).await?;
                return Ok(Setback::of(&error));
            }
        };
        for calendar in &pass.calendars {
            if let Err(error) = &calendar.result {
                tracing::warn!(%host, source, %error, "A calendar could not be read; what is known of it stays.");
            }
        }
        let outcome = async {
            self.publish(&pass, now).await?;
            match &self.source {
                Source::Account(account) => self.follow(account, &pass, before, now).await,
                // Bookings are written to accounts alone.
                Source::Subscription(_) | Source::Folder(_) | Source::Availability(_) => Ok(()),
            }
        };
        match outcome.await {
            Ok(()) => Ok(Setback::of_pass(&pass)),
            Err(SyncError::Store(error)) => Err(error),
            Err(error) => {
                tracing::warn!(%host, source, %error, "The host's edits could not be followed; they will be at the next pass.");
                Ok(Setback::of(&error))
            }
        }
    }

    /// Publishes what a pass brought.
    async fn publish(&self, pass: &Pass, now: Timestamp) -> Result<(), SyncError> {
        let store = self.source.store();
        let mut wanted = Vec::new();
        if pass.rediscovered {
            for source in self.sources.iter() {
                wanted.extend(source.sources().await?.into_iter().map(|(settings, _)| settings));
            }
        }
        let many =
            pass.calendars.iter().any(|calendar| calendar.brought.added.len() + calendar.brought.changed.len() > MANY);
        let first = pass.calendars.iter().any(|calendar| calendar.first && calendar.result.is_ok());
        // What a command beside us has read is no news to the server any more, and was never published here.
        let others = !self.board.has_changes_of_others(store.changes_of_others().await?);
        if many
            || first
            || others
            || (pass.rediscovered && !self.board.has(&wanted))
            || self.board.is_window_used_up(now)
        {
            return load_board(&self.board, &self.sources, now).await;
        }
        for CalendarPass { key, brought, result, .. } in &pass.calendars {
            if result.is_err() && brought.is_empty() {
                continue;
            }
            let mut changed = Vec::new();
            for href in brought.added.iter().chain(&brought.changed) {
                changed.extend(store.object(key, href).await?);
            }
            // What was read counts at once, but a calendar that was not read whole is as old as before.
            self.board.pulled(key, result.is_ok().then_some(now), &changed, &brought.removed);
        }
        // What a command of another process did to bookings.
        Ok(self.services.desk.refresh(&self.source.host().id).await?)
    }

    /// Follows what the host did with the events of bookings.
    async fn follow(
        &self,
        account: &AccountSync,
        pass: &Pass,
        before: HashSet<BookingId>,
        now: Timestamp,
    ) -> Result<(), SyncError> {
        self.remove_late(account, pass, now).await?;
        let settings = &account.settings;
        let own = account.store.own_events(&settings.host.id, now).await?;
        let owner = account.owner().await?;
        let settled: Vec<Settled> = own
            .into_iter()
            .filter(|event| is_settled(event) && before.contains(&event.booking))
            .filter_map(|event| {
                let place = event.place.filter(|place| place.account == settings.id)?;
                let appointment = Appointment { time: event.time, place: event.location };
                Some(Settled { booking: event.booking, appointment, uid: event.uid, place })
            })
            .collect();
        if settled.is_empty() {
            return Ok(());
        }
        let before = account.store.missing_events(&settings.host.id, now).await?;
        let suspects = before.iter().map(|event| event.booking).collect();
        let found = account.find_all(pass, &settled, &suspects, &owner).await?;
        let find = |event: &Settled| found.get(&event.booking).cloned().unwrap_or(Found::Unknown);
        let gone: Vec<&Settled> = settled.iter().filter(|event| find(event) == Found::Missing).collect();
        let alive = account.alive(pass, &gone).await?;
        let is_alive = |event: &Settled| alive.contains(&Href::new(parent(&event.place.href)));
        let mut suspects = Suspects::from(before.clone());
        let observations = reconcile(&settled, find, is_alive, &mut suspects, now, settings.grace);
        let missing = suspects.events();
        if HashSet::<MissingEvent>::from_iter(missing.iter().copied()) != HashSet::from_iter(before) {
            account.store.set_missing_events(&settings.host.id, missing).await?;
        }
        for observation in observations {
            for confirmed in account.confirmed(observation, &settled, &owner).await? {
                self.observe(confirmed).await;
            }
        }
        Ok(())
    }

    /// The bookings on which nothing of ours is under way: what is written while a pass reads is not missing in what it has read.
    async fn settled(&self, now: Timestamp) -> Result<HashSet<BookingId>, StoreError> {
        let Source::Account(account) = &self.source else { return Ok(HashSet::new()) };
        let own = account.store.own_events(&account.settings.host.id, now).await?;
        Ok(own.into_iter().filter(is_settled).map(|event| event.booking).collect())
    }

    /// Finds the events of ended bookings that came to the calendar after we had removed them, and has them removed again. Only where
    /// a write was never answered, and for an hour: what the host takes out of the trash is the host's.
    async fn remove_late(&self, account: &AccountSync, pass: &Pass, now: Timestamp) -> Result<(), SyncError> {
        let settings = &account.settings;
        let since = now.checked_sub(IN_DOUBT).unwrap_or(Timestamp::MIN);
        let ended = account.store.ended_in_doubt(&settings.host.id, since).await?;
        for (id, place) in account.find_late(pass, &ended).await? {
            self.observe(Observation::Late(id, place)).await;
        }
        Ok(())
    }

    async fn observe(&self, observation: Observation) {
        if let Err(error) = self.services.desk.observe(observation).await {
            tracing::warn!(host = %self.source.host().id, %error, "An edit of the host's could not be followed; it will be at the next pass.");
        }
    }
}

/// Whether a booking holds its slot, and nothing of ours is under way on it.
fn is_settled(event: &OwnEvent) -> bool {
    event.settled && matches!(event.state, BookingState::Confirmed | BookingState::AwaitingApproval)
}
