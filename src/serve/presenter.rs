//! What the presenter's page asks: the script, and faults that really happen.
//!
//! For the administrator alone, and the faults only where `presenter.allow_faults` is set: no
//! visitor's page reaches them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::routes::{Answer, Call, Route, Who, at_once};
use super::{guard, reply};
use crate::access::audit::Entry;
use crate::clock::{self, Instant};
use crate::examples::script::{Script, Step};
use crate::id::UserId;
use crate::protocol::problem::{Code, Problem};
use crate::supervisor::Breakers;
use crate::supervisor::rehearsal::Switch;

/// These.
pub(super) const ROUTES: [Route; 4] = [
    Route::get("/api/v1/presenter", Who::Operate, |call| {
        at_once(Ok(about(&call)))
    }),
    Route::post("/api/v1/presenter/fail", Who::Operate, fail),
    Route::post("/api/v1/presenter/slow", Who::Operate, slow),
    Route::post("/api/v1/presenter/restart", Who::Operate, restart),
];

/// The longest wait before each write to a slowed visitor: under the time in which a frame must be
/// acknowledged, so that slow is slow and not lost.
const DELAY_MAX: Duration = Duration::from_secs(3);
/// A visitor is slowed for so long at most.
const SLOWED_FOR: Duration = Duration::from_secs(120);
/// Visitors slowed at the same time; one more frees the one whose time ends first.
const SLOWED: usize = 16;
/// Until the answer to the order has left.
const LAST_WORDS: Duration = Duration::from_millis(150);

/// The presenter's part of the demo.
pub struct Presenter {
    /// What is shown; empty: the gallery in its order.
    pub script: Script,
    /// Between an answer and the next example, when it plays by itself.
    pub pause: Duration,
    /// None where `presenter.allow_faults` is not set.
    pub faults: Option<Faults>,
}

/// What a presenter may break.
pub struct Faults {
    /// Makes the first backend fail.
    pub switch: Switch,
    /// Where its breaker is seen.
    pub breakers: Breakers,
    /// The backends in the order in which they are asked.
    pub backends: Vec<String>,
    /// Visitors whose sockets wait before each write.
    pub slowed: Slowed,
    /// Ends this process at once, as `kill -9` does; none where nobody would start it again.
    pub kill: Option<fn()>,
}

/// Visitors whose sockets wait before each write.
#[derive(Default)]
pub struct Slowed(Mutex<HashMap<UserId, (Duration, Instant)>>);

impl Slowed {
    /// The wait before the next write; zero for everybody else.
    pub fn delay(&self, user: &UserId, now: Instant) -> Duration {
        let slowed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slowed.get(user) {
            Some((delay, until)) if now < *until => *delay,
            _ => Duration::ZERO,
        }
    }

    fn set(&self, user: UserId, delay: Duration, now: Instant) {
        let mut slowed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slowed.retain(|other, (_, until)| now < *until && *other != user);
        if delay.is_zero() {
            return;
        }
        if slowed.len() >= SLOWED
            && let Some((first, _)) = slowed.iter().min_by_key(|(_, (_, until))| *until)
        {
            let first = first.clone();
            slowed.remove(&first);
        }
        slowed.insert(user, (delay, now + SLOWED_FOR));
    }
}

fn faults(call: &Call) -> Result<&Faults, Problem> {
    call.services.presenter.faults.as_ref().ok_or_else(|| {
        Problem::new(
            Code::Forbidden,
            "faults are off on this appliance; the operator can allow them with presenter.allow_faults = true",
        )
    })
}

/// `GET /api/v1/presenter`
fn about(call: &Call) -> Reply {
    let presenter = &call.services.presenter;
    let gallery = call.services.demo.gallery.examples();
    let all: Vec<Step> = gallery
        .iter()
        .map(|example| Step {
            example: example.id.clone(),
            notes: String::new(),
        })
        .collect();
    let steps = match presenter.script.steps() {
        [] => &all,
        steps => steps,
    };
    // An example that has left the gallery since is passed over.
    let steps: Vec<Value> = steps
        .iter()
        .filter_map(|step| {
            let example = gallery.iter().find(|example| example.id == step.example)?;
            Some(json!({"example": example, "notes": step.notes}))
        })
        .collect();
    let pause = u64::try_from(presenter.pause.as_millis()).unwrap_or(u64::MAX);
    let faults = presenter.faults.as_ref().map(|faults| {
        let breakers = faults.backends.iter();
        let breakers =
            breakers.map(|name| json!({"name": name, "state": faults.breakers.state(name)}));
        json!({
            "failing": faults.switch.failing(), "restart": faults.kill.is_some(),
            "delay_max_ms": DELAY_MAX.as_millis() as u64, "breakers": breakers.collect::<Vec<_>>(),
        })
    });
    let answer = json!({"steps": steps, "pause_ms": pause, "faults": faults});
    reply::json(StatusCode::OK, &answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failing {
    failing: bool,
}

/// `POST /api/v1/presenter/fail` `{"failing"}`
fn fail(call: Call) -> Answer {
    Box::pin(async move {
        let switch = faults(&call)?.switch.clone();
        let Failing { failing } = guard::json(&call, "{\"failing\": true or false}")?;
        let before = switch.failing();
        let entry = Entry::new(&guard::actor(&call), "presenter.fail", "");
        audited(&call, entry.before(&before).after(&failing)).await?;
        switch.set(failing);
        Ok(reply::json(StatusCode::OK, &json!({"failing": failing})))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Slower {
    user_id: String,
    delay_ms: u64,
}

/// `POST /api/v1/presenter/slow` `{"user_id", "delay_ms"}`; 0 ends it.
fn slow(call: Call) -> Answer {
    Box::pin(async move {
        let slowed = &faults(&call)?.slowed;
        let body: Slower = guard::json(&call, "{\"user_id\", \"delay_ms\"}")?;
        let bad = |text: String| Problem::new(Code::BadRequest, text);
        let user =
            UserId::parse(&body.user_id).map_err(|rule| bad(format!("user_id must be {rule}")))?;
        let delay = Duration::from_millis(body.delay_ms);
        if delay > DELAY_MAX {
            return Err(bad(format!(
                "delay_ms must be 0 to {}; it is {}",
                DELAY_MAX.as_millis(),
                body.delay_ms
            )));
        }
        let entry = Entry::new(
            &guard::actor(&call),
            "presenter.slow",
            body.user_id.as_str(),
        );
        audited(&call, entry.after(&body.delay_ms)).await?;
        slowed.set(user, delay, clock::now());
        let answer = json!({"delay_ms": body.delay_ms, "for_ms": SLOWED_FOR.as_millis() as u64});
        Ok(reply::json(StatusCode::OK, &answer))
    })
}

/// `POST /api/v1/presenter/restart`: this process is killed, and who watches it starts it again.
fn restart(call: Call) -> Answer {
    Box::pin(async move {
        let kill = faults(&call)?.kill.ok_or_else(|| {
            Problem::new(
                Code::Conflict,
                "nobody would start this server again; start it with `emflow serve --supervised` or as a service",
            )
        })?;
        guard::check_json(&call, "{}")?;
        let entry = Entry::new(&guard::actor(&call), "presenter.restart", "");
        audited(&call, entry).await?;
        tracing::warn!("killed by the presenter");
        call.services.drain.spawn("kill", async move {
            tokio::time::sleep(LAST_WORDS).await;
            kill();
        });
        Ok(reply::json(StatusCode::ACCEPTED, &json!({"killed": true})))
    })
}

async fn audited(call: &Call, entry: Entry) -> Result<(), Problem> {
    call.services.audit.record(entry).await.map_err(|error| {
        tracing::error!(%error, "a presenter's order could not be written down");
        Problem::new(
            Code::Internal,
            "it could not be written down, so it was not done",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowing_is_bounded_in_number_and_time() {
        let (slowed, now) = (Slowed::default(), clock::now());
        let user = |n: usize| UserId::parse(&format!("u{n}")).unwrap();
        let second = Duration::from_secs(1);
        for n in 0..=SLOWED {
            slowed.set(user(n), second, now + second * n as u32);
        }
        let late = now + second * 60;
        assert_eq!(
            slowed.delay(&user(0), late),
            Duration::ZERO,
            "the first was freed"
        );
        assert_eq!(slowed.delay(&user(1), late), second);
        slowed.set(user(1), Duration::ZERO, late);
        assert_eq!(slowed.delay(&user(1), late), Duration::ZERO);
        assert_eq!(
            slowed.delay(&user(2), now + SLOWED_FOR + second * 2),
            Duration::ZERO
        );
    }
}
