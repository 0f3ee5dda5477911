//! Every alert in the observer with the rooms that it looks at: what happens there makes it fire,
//! and the end of it makes it clear. Only the clock is ours.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use super::*;
use crate::id::{BusinessValue, Category, Complexity, UserId};
use crate::machine::breaker;
use crate::machine::history::History;
use crate::meter::Meters;
use crate::observe::{Ages, Observer, Rooms};
use crate::store::Op;
use crate::supervisor::Breakers;
use crate::supervisor::tests::house::{Act, House, PLAN, Script};

/// As they are configured where nobody says otherwise.
const LIMITS: Limits = Limits {
    processing_ms: 30_000.0,
    error_rate: 0.05,
    memory_growth: 200.0 * 1_048_576.0,
    breaker_open_ms: 300_000.0,
    failed_connections: 0.1,
    disk_free: 256.0 * 1_048_576.0,
    certificate_days: 14.0,
    catalog_days: 90.0,
    backup_days: 2.0,
    lag_ms: 500.0,
    hold: Duration::from_secs(10),
    settle: Duration::from_secs(60),
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(5);
/// Longer than any window, with what comes before and after.
const LOOKS: usize = 100;
const DAY: Duration = Duration::from_secs(86_400);

/// What rooms above know.
struct Facts {
    certificate_ends: Wall,
    catalog_age_days: i64,
    last_backup: Option<Option<Wall>>,
}

struct Shell {
    observer: Observer,
    meters: Meters,
    breakers: Breakers,
    facts: Arc<Mutex<Facts>>,
    changes: mpsc::Receiver<Told>,
    at: Moment,
    _house: House,
    _dir: tempfile::TempDir,
}

impl Shell {
    fn new() -> Self {
        Self::resumed(&[])
    }

    /// With what another process has left.
    fn resumed(standing: &[Standing]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let house = House::open(
            dir.path(),
            PLAN,
            &Script::new("primary", &[Act::Answer(1)]),
            None,
        );
        let meters = Meters::default();
        let breakers = Breakers::new(breaker::Policy::default(), meters.clone());
        breakers.announce("remote", "primary");
        let at = Moment::present();
        let facts = Arc::new(Mutex::new(Facts {
            certificate_ends: at.wall.plus(300 * DAY),
            catalog_age_days: 3,
            last_backup: Some(Some(at.wall)),
        }));
        let [ends, age, backup] = [(); 3].map(|()| Arc::clone(&facts));
        let observer = Observer::new(
            Rooms {
                store: house.store.clone(),
                committer: house.committer.clone(),
                outboxes: house.outboxes.clone(),
                sessions: house.sessions.clone(),
                intake: house.intake.clone(),
                breakers: breakers.clone(),
                drain: house.drain.clone(),
                meters: meters.clone(),
                disk_low: Arc::new(AtomicBool::new(false)),
                min_free: 0,
                ages: Ages {
                    certificate_ends: Arc::new(move || Some(ends.lock().unwrap().certificate_ends)),
                    catalog_days: Arc::new(move || age.lock().unwrap().catalog_age_days),
                    last_backup: Arc::new(move || backup.lock().unwrap().last_backup),
                },
                limits: LIMITS,
            },
            History::default(),
            standing,
        );
        // What this machine has free now is nothing that a test can rely on.
        observer.0.machine.update(|figures| {
            figures.disk = Some((64 << 30, 128 << 30));
            figures.memory_at_start = Some(60 << 20);
            figures.memory = Some(80 << 20);
        });
        Self {
            changes: observer.alert_changes().unwrap(),
            observer,
            meters,
            breakers,
            facts,
            at,
            _house: house,
            _dir: dir,
        }
    }

    fn state(&self, kind: Kind) -> String {
        let alert = self.observer.alert(kind.as_str()).unwrap();
        alert["state"].as_str().unwrap().to_owned()
    }

    async fn look(&mut self) {
        self.at.now += LOOK;
        self.at.wall = self.at.wall.plus(LOOK);
        self.observer.tick(self.at.now);
        self.observer.check_alerts(self.at).await;
    }

    /// Looks on until that alert is in that state; nothing else may have fired meanwhile.
    async fn until(&mut self, kind: Kind, wanted: &str) {
        for _ in 0..LOOKS {
            self.look().await;
            let mut others = Kind::ALL.iter().filter(|other| **other != kind);
            assert!(
                others.all(|other| self.state(*other) == "ok"),
                "{kind:?} woke another"
            );
            if self.state(kind) == wanted {
                return;
            }
        }
        let alert = self.observer.alert(kind.as_str()).unwrap();
        panic!("{kind:?} never is {wanted}: {alert}");
    }

    /// The last change for the receiver, which stands among the events too.
    fn told(&mut self, kind: Kind, event: EventKind) {
        let told = self.changes.try_recv().unwrap();
        assert_eq!(
            (told.event, &told.alert["id"]),
            (event.as_str(), &kind.as_str().into())
        );
        assert!(self.changes.try_recv().is_err(), "{kind:?} told twice");
        let newest = self.meters.feed.look_back(|_| true, 1).remove(0);
        assert_eq!(
            (newest.what.kind, newest.what.alert),
            (event, Some(kind.as_str()))
        );
    }

    fn ended(&self, how: &'static str, count: u64) {
        let topic = (
            Category::Scaling,
            Complexity::Basic,
            BusinessValue::Retention,
        );
        (0..count).for_each(|_| self.meters.work.ended.one((topic, how)));
    }

    fn closed(&self, code: u16, count: u64) {
        (0..count).for_each(|_| self.meters.door.closed.one(code));
    }

    fn fact(&self, change: impl FnOnce(&mut Facts, Wall)) {
        change(&mut self.facts.lock().unwrap(), self.at.wall);
    }

    fn by_hand() -> crate::supervisor::ByHand<'static> {
        crate::supervisor::ByHand {
            who: "test",
            reason: Some("test"),
        }
    }

    /// What makes it fire, where it happens.
    async fn hurt(&self, kind: Kind) {
        match kind {
            Kind::ProcessingTime => self
                .meters
                .work
                .processing
                .record_span(Duration::from_secs(31)),
            Kind::ErrorRate => {
                self.ended("completed", 15);
                self.ended("failed", 1);
            }
            Kind::MemoryGrowth => self
                .observer
                .0
                .machine
                .update(|f| f.memory = Some(300 << 20)),
            Kind::BreakerOpen => self.breakers.trip("remote", Self::by_hand()),
            Kind::FailedConnections => {
                self.closed(1000, 8);
                self.closed(4101, 1);
            }
            Kind::DiskFree => {
                let low = Some((200 << 20, 128 << 30));
                self.observer.0.machine.update(|figures| figures.disk = low);
            }
            Kind::CertificateExpiry => {
                self.fact(|facts, now| facts.certificate_ends = now.plus(13 * DAY))
            }
            Kind::CatalogAge => self.fact(|facts, _| facts.catalog_age_days = 91),
            Kind::BackupAge => self.fact(|facts, now| {
                let before = now.0 - 3 * u64::try_from(DAY.as_millis()).unwrap();
                facts.last_backup = Some(Some(Wall(before)));
            }),
            Kind::StoreFailed => {
                let committer = &self.observer.0.rooms.committer;
                // A setting that is no record: the next commit that reads it fails, as on a bad disk.
                let garbage = Op::PutSetting("forgotten_epoch".into(), b"\x01garbage".to_vec());
                committer.commit(vec![garbage]).await.unwrap();
                let user = UserId::parse("somebody").unwrap();
                let forget = Op::ForgetVisitor { user, epoch: 1 };
                committer.commit(vec![forget]).await.unwrap_err();
            }
            Kind::EventLoopLag => self
                .observer
                .0
                .machine
                .lag
                .record_span(Duration::from_millis(700)),
        }
    }

    /// What mends it. A share and a slow session are over once they have left their window.
    fn mend(&self, kind: Kind) {
        match kind {
            Kind::MemoryGrowth => self
                .observer
                .0
                .machine
                .update(|f| f.memory = Some(90 << 20)),
            Kind::BreakerOpen => self.breakers.reset("remote", Self::by_hand()),
            Kind::DiskFree => {
                let enough = Some((32 << 30, 128 << 30));
                self.observer
                    .0
                    .machine
                    .update(|figures| figures.disk = enough);
            }
            Kind::CertificateExpiry => {
                self.fact(|facts, now| facts.certificate_ends = now.plus(365 * DAY))
            }
            Kind::CatalogAge => self.fact(|facts, _| facts.catalog_age_days = 1),
            Kind::BackupAge => self.fact(|facts, now| facts.last_backup = Some(Some(now))),
            Kind::ErrorRate => self.ended("completed", 5),
            Kind::FailedConnections => self.closed(1000, 5),
            Kind::ProcessingTime => self
                .meters
                .work
                .processing
                .record_span(Duration::from_secs(1)),
            Kind::EventLoopLag | Kind::StoreFailed => {}
        }
    }
}

#[tokio::test]
async fn each_alert_is_fired_by_what_happens_and_cleared_by_its_end() {
    // req: M4
    for kind in Kind::ALL
        .iter()
        .copied()
        .filter(|kind| *kind != Kind::StoreFailed)
    {
        let mut shell = Shell::new();
        for _ in 0..3 {
            shell.look().await;
        }
        assert_eq!(shell.state(kind), "ok", "{kind:?}");
        shell.hurt(kind).await;
        shell.until(kind, "firing").await;
        shell.told(kind, EventKind::AlertRaised);
        shell.mend(kind);
        shell.until(kind, "clearing").await;
        shell.until(kind, "ok").await;
        shell.told(kind, EventKind::AlertResolved);
    }
}

#[tokio::test]
async fn an_alert_goes_on_in_the_next_process_or_is_told_there_as_over() {
    // req: M4
    let mut shell = Shell::new();
    shell.hurt(Kind::MemoryGrowth).await;
    shell.until(Kind::MemoryGrowth, "firing").await;
    let id = Kind::MemoryGrowth.as_str();
    shell
        .observer
        .acknowledge(id, "admin", Some("I look"))
        .unwrap();
    // Once this is durable, so is all that was told before it.
    let committer = &shell.observer.0.rooms.committer;
    let kept = loop {
        committer.commit(Vec::new()).await.unwrap();
        let kept = Standing::of(&shell.observer.0.rooms.store).unwrap();
        if kept.iter().any(|standing| standing.seen.is_some()) {
            break kept;
        }
        tokio::task::yield_now().await;
    };
    let before = shell.observer.alert(id).unwrap();

    let mut goes_on = Shell::resumed(&kept);
    goes_on.hurt(Kind::MemoryGrowth).await;
    goes_on.look().await;
    let alert = goes_on.observer.alert(id).unwrap();
    assert_eq!(alert["state"], "acknowledged", "{alert}");
    assert_eq!(alert["acknowledged"], before["acknowledged"]);
    assert_eq!(alert["last_fired"], before["last_fired"]);
    assert!(
        goes_on.changes.try_recv().is_err(),
        "it is not raised again"
    );

    let mut over = Shell::resumed(&kept);
    over.until(Kind::MemoryGrowth, "ok").await;
    over.told(Kind::MemoryGrowth, EventKind::AlertResolved);
}

#[tokio::test]
async fn a_store_that_has_failed_is_told_at_once_and_another_process_clears_it() {
    // req: M4
    let mut shell = Shell::new();
    shell.look().await;
    assert!(!shell.observer.told_of_failure());
    shell.hurt(Kind::StoreFailed).await;
    shell.look().await;
    assert_eq!(
        shell.state(Kind::StoreFailed),
        "firing",
        "it is not waited for"
    );
    shell.told(Kind::StoreFailed, EventKind::AlertRaised);
    assert!(shell.observer.told_of_failure());
    // It never works again in this process: that is what fail-stop means.
    for _ in 0..20 {
        shell.look().await;
    }
    assert_eq!(shell.state(Kind::StoreFailed), "firing");
    let mut next = Shell::new();
    next.look().await;
    assert_eq!(next.state(Kind::StoreFailed), "ok");
}

#[tokio::test]
async fn a_check_that_breaks_off_leaves_every_other_one_working() {
    // req: M5
    let mut shell = Shell::new();
    let facts = Arc::clone(&shell.facts);
    // The certificate's fact panics from here on: its lock is poisoned.
    let poison = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _held = facts.lock().unwrap();
        panic!("on purpose");
    }));
    assert!(poison.is_err());
    shell.hurt(Kind::ErrorRate).await;
    for _ in 0..4 {
        shell.look().await;
    }
    let broken = [Kind::CertificateExpiry, Kind::CatalogAge, Kind::BackupAge];
    for kind in Kind::ALL.iter().copied() {
        let alert = shell.observer.alert(kind.as_str()).unwrap();
        let error = alert["check_error"].as_str();
        let expected = broken.contains(&kind).then_some("the check broke off");
        assert_eq!(error, expected, "{kind:?}");
    }
    assert_eq!(shell.state(Kind::ErrorRate), "firing");
}
