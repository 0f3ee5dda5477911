//! What is done every minute: expire, forget, let go, look at the disk. And once a day: the certificate.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{self, AgeClock, Wall};
use crate::config::Config;
use crate::id::{SessionId, UserId};
use crate::meter::{Draft, EventKind};
use crate::outbox::{Idle, Outboxes};
use crate::serve::Services;
use crate::serve::examine::examine;
use crate::serve::tls::Origin;
use crate::shutdown::{Drain, Phase};
use crate::store::commit::setting;
use crate::store::{Committer, Store, StoreError};
use crate::supervisor::Supervisor;

/// Visitors looked at in one round: the work of a round is bounded, whatever is stored.
const VISITORS_A_ROUND: usize = 500;
/// Sessions looked at in one round.
const SESSIONS_A_ROUND: usize = 500;

pub(super) struct Chores {
    pub(super) interval: Duration,
    /// How long an ended session, and what was acknowledged of it, is kept.
    pub(super) retention: Duration,
    pub(super) pending_ttl: Duration,
    /// The configuration in force: a reload changes it.
    pub(super) config: watch::Receiver<Config>,
    /// A visitor without anything is forgotten once the last token is worth nothing.
    pub(super) token_ttl: Duration,
    /// Visitors bring tokens of their own, whose age nobody here knows.
    pub(super) keep_revoked: bool,
    pub(super) supervisor: Supervisor,
    pub(super) services: Arc<Services>,
    /// By which ages are told; goes on where the process before has left it.
    pub(super) ages: AgeClock,
    pub(super) committer: Committer,
    pub(super) drain: Drain,
}

/// The setting that holds the time by which ages were told last.
const TOLD: &str = "told";

/// The clock of ages as the last process left it: a wall clock that leapt ahead before or during a
/// restart makes nothing old at once.
///
/// # Errors
/// Where the store cannot be read.
pub(super) fn ages(store: &Store) -> Result<AgeClock, StoreError> {
    let told = store.setting(TOLD)?.unwrap_or_else(clock::wall);
    Ok(AgeClock::new(told, clock::now()))
}

pub(super) async fn run(mut chores: Chores) {
    let mut after_visitor = None;
    let mut after_session = None;
    let mut seen_to = clock::wall().date();
    loop {
        tokio::select! {
            () = tokio::time::sleep(chores.interval) => {}
            () = chores.drain.reached(Phase::Draining) => return,
        }
        let today = clock::wall().date();
        if today != seen_to {
            seen_to = today;
            chores.see_to_certificate(clock::wall());
        }
        let now = chores.ages.tell(clock::wall(), clock::now());
        let started = clock::now();
        let round = chores.round(now, &mut after_visitor, &mut after_session);
        let result = round.await;
        chores.count(started, result);
    }
}

impl Chores {
    fn count(&self, started: clock::Instant, result: Result<(), StoreError>) {
        let meters = &self.services.meters;
        let took = clock::now().duration_since(started);
        meters.cleanup.rounds.one();
        meters.cleanup.last.set(clock::wall().0);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        meters.cleanup.last_ms.set(ms);
        if let Err(error) = result {
            tracing::error!(%error, "the cleanup could not go on");
            meters.cleanup.failed.one();
            let event = Draft::new(EventKind::Cleanup, error.to_string());
            meters.feed.tell(event, clock::wall());
        }
    }

    async fn round(
        &self,
        now: Wall,
        visitor: &mut Option<UserId>,
        session: &mut Option<SessionId>,
    ) -> Result<(), StoreError> {
        // First, so that a restart in the middle of the round knows of it.
        self.committer.commit(vec![setting(TOLD, &now)]).await?;
        if let Err(why) = self.services.observer.look_at_disk().await {
            tracing::warn!(%why, "the disk could not be looked at");
        }
        let expired = self.supervisor.expire(now).await?;
        let forgotten = self.forget_sessions(now, session).await?;
        let (frames, chunks) = self.clean_streams(now, visitor).await?;
        let cleanup = &self.services.meters.cleanup;
        cleanup.sessions.add(forgotten as u64);
        cleanup.chunks.add(chunks as u64);
        let undoable = self.services.cleanup.forget(now).await?;
        self.services.admin.persist().await?;
        let streams = self.services.outboxes.release_idle();
        tracing::debug!(
            expired,
            forgotten,
            frames,
            chunks,
            undoable,
            streams,
            "cleaned up"
        );
        Ok(())
    }

    /// Renews the certificate of our own authority before it ends, and takes up addresses that the
    /// machine has got since; reads a configured one again, which others renew. Sockets keep theirs.
    fn see_to_certificate(&self, now: Wall) {
        let config = self.config.borrow().clone();
        match self.services.tls.reload(&Origin::of(&config), now) {
            Ok(None) => {}
            Ok(Some(presented)) => {
                let renewed = presented.issued.and_then(|issued| issued.renewed);
                tracing::info!(fingerprint = %presented.fingerprint, renewed, "looked after the certificate");
            }
            Err(error) => {
                tracing::error!(%error, "the certificate is wrong; the old one stays in use");
            }
        }
        for finding in examine(&config, now).unwrap_or_default() {
            tracing::warn!(mend = %finding.mend, "{}", finding.what);
        }
    }

    /// Ended sessions past their retention, unless a frame of theirs still waits for its acknowledgement.
    async fn forget_sessions(
        &self,
        now: Wall,
        after: &mut Option<SessionId>,
    ) -> Result<usize, StoreError> {
        let batch = self
            .services
            .sessions
            .stored_after(*after, SESSIONS_A_ROUND)?;
        *after = batch
            .last()
            .map(|s| s.id)
            .filter(|_| batch.len() == SESSIONS_A_ROUND);
        let mut gone = 0;
        for record in batch {
            let over = record
                .ended
                .is_some_and(|ended| now.since(ended) >= self.retention);
            if !over {
                continue;
            }
            let marks = self.services.outboxes.stream(&record.user)?.marks();
            if marks.acked >= record.last_sequence {
                self.services.sessions.forget(&record).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    async fn clean_streams(
        &self,
        now: Wall,
        after: &mut Option<UserId>,
    ) -> Result<(u64, usize), StoreError> {
        let batch = self
            .services
            .outboxes
            .visitors_after(after.as_ref(), VISITORS_A_ROUND)?;
        *after = batch
            .last()
            .map(|v| v.user.clone())
            .filter(|_| batch.len() == VISITORS_A_ROUND);
        let horizon = Outboxes::horizon(now, self.pending_ttl);
        let idle = Idle {
            since: Outboxes::horizon(now, self.token_ttl),
            keep_revoked: self.keep_revoked,
        };
        let outboxes = &self.services.outboxes;
        let mut total = (0, 0);
        for visitor in batch {
            let stream = outboxes.stream(&visitor.user)?;
            let holds = |frame: &crate::store::Frame| self.services.sessions.known(frame.session);
            let (frames, chunks) = stream.cleanup(horizon, holds).await?;
            if frames > 0 {
                tracing::warn!(visitor = %visitor.user, frames, "pending frames expired unacknowledged");
                let text = format!("{frames} pending frames expired unacknowledged");
                let mut event = Draft::new(EventKind::FramesExpired, text);
                event.user = Some(visitor.user.clone());
                self.services.meters.feed.tell(event, clock::wall());
            }
            if outboxes.forget(&stream, idle).await? {
                tracing::debug!(visitor = %visitor.user, "forgotten");
            }
            total = (total.0 + frames, total.1 + chunks);
        }
        if after.is_none() {
            let delivery = &self.services.meters.delivery;
            delivery.oldest_pending.end_round();
        }
        Ok(total)
    }
}
