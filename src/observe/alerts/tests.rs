use super::*;

const LIMITS: Limits = Limits {
    processing_ms: 30_000.0,
    error_rate: 0.05,
    memory_growth: 200e6,
    breaker_open_ms: 300_000.0,
    failed_connections: 0.1,
    disk_free: 256e6,
    certificate_days: 14.0,
    catalog_days: 45.0,
    backup_days: 2.0,
    lag_ms: 500.0,
    hold: Duration::from_secs(10),
    settle: Duration::from_secs(60),
};

struct Check {
    alerts: Alerts,
    now: Instant,
    wall: Wall,
}

impl Check {
    fn new() -> Self {
        let at = Moment::present();
        Self {
            alerts: Alerts::new(&LIMITS, &[], at),
            now: at.now,
            wall: at.wall,
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.wall = self.wall.plus(Duration::from_secs(seconds));
    }

    fn found(&self, kind: Kind, found: Result<f64, &str>) -> Option<EventKind> {
        let found = found.map(|value| Figure::new(value, "planted"));
        let found = found.map_err(str::to_owned);
        let draft = self.alerts.on_figure(kind, found, self.now, self.wall)?;
        assert_eq!(draft.alert, Some(kind.as_str()));
        Some(draft.kind)
    }

    fn of(&self, kind: Kind) -> Value {
        let all = self.alerts.all();
        let found = all.iter().find(|watched| watched.kind == kind).unwrap();
        found.json(self.now, self.wall)
    }
}

#[test]
fn each_kind_fires_beyond_its_limit_and_clears() {
    // req: M4
    for kind in Kind::ALL.iter().copied() {
        let mut check = Check::new();
        let limit = kind.limit(&LIMITS);
        let (bad, good) = match kind.bad_above() {
            true => (limit * 1.1, limit * 0.7),
            false => (limit * 0.9, limit * 1.3),
        };
        assert_eq!(check.found(kind, Ok(limit)), None, "{kind:?}: at the limit");
        assert_eq!(check.of(kind)["state"], "ok");
        let mut told = check.found(kind, Ok(bad));
        if told.is_none() {
            check.pass(10);
            told = check.found(kind, Ok(bad));
        }
        assert_eq!(told, Some(EventKind::AlertRaised), "{kind:?}");
        assert_eq!(check.of(kind)["state"], "firing");
        assert_eq!(check.of(kind)["last_fired"], check.wall.rfc3339());
        check.pass(5);
        assert_eq!(check.found(kind, Ok(good)), None);
        assert_eq!(check.of(kind)["state"], "clearing");
        check.pass(60);
        let told = check.found(kind, Ok(good));
        assert_eq!(told, Some(EventKind::AlertResolved), "{kind:?}");
        assert_eq!(check.of(kind)["state"], "ok");
        let quiet = Kind::ALL.iter().filter(|other| **other != kind);
        for other in quiet {
            assert_eq!(check.of(*other)["last_fired"], Value::Null);
        }
    }
}

#[test]
fn a_check_that_fails_is_told_and_leaves_its_alert_and_the_others_alone() {
    // req: M5
    let mut check = Check::new();
    check.found(Kind::ErrorRate, Ok(0.5));
    check.pass(10);
    check.found(Kind::ErrorRate, Ok(0.5));
    assert_eq!(check.found(Kind::ErrorRate, Err("it hangs")), None);
    let alert = check.of(Kind::ErrorRate);
    assert_eq!(
        (&alert["state"], &alert["check_error"]),
        (&"firing".into(), &"it hangs".into())
    );
    let told = check.found(Kind::StoreFailed, Ok(1.0));
    assert_eq!(told, Some(EventKind::AlertRaised));
    check.found(Kind::ErrorRate, Ok(0.5));
    assert_eq!(check.of(Kind::ErrorRate)["check_error"], Value::Null);
}

#[test]
fn an_acknowledgement_is_shown_until_the_alert_is_over() {
    let mut check = Check::new();
    let seen = |check: &Check| {
        let seen = Seen {
            at: check.wall,
            by: "admin".into(),
            note: Some("I am on it".into()),
        };
        check
            .alerts
            .acknowledge("store_failed", seen, check.now)
            .map(|(alert, _)| alert)
    };
    assert_eq!(seen(&check), Err(NotSeen::Quiet));
    check.found(Kind::StoreFailed, Ok(1.0));
    let alert = seen(&check).unwrap();
    assert_eq!(
        (&alert["state"], &alert["acknowledged"]["note"]),
        (&"acknowledged".into(), &"I am on it".into())
    );
    check.found(Kind::StoreFailed, Ok(0.0));
    check.pass(60);
    check.found(Kind::StoreFailed, Ok(0.0));
    assert_eq!(check.of(Kind::StoreFailed)["acknowledged"], Value::Null);
}

#[test]
fn what_the_receiver_does_not_take_is_bounded_and_counted() {
    let mut check = Check::new();
    for _ in 0..OUTGOING {
        check.found(Kind::StoreFailed, Ok(1.0));
        check.found(Kind::StoreFailed, Ok(0.0));
        check.pass(60);
        check.found(Kind::StoreFailed, Ok(0.0));
    }
    assert_eq!(check.alerts.outgoing.capacity(), 0);
    assert_eq!(check.alerts.unsent.get(), OUTGOING as u64);
    assert_eq!(check.alerts.dropped.get(), OUTGOING as u64);
}
