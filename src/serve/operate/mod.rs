//! The administrator's calls that look and act: one file a topic.
//!
//! What a change does and its entry in the audit log are one commit wherever the store is what
//! changes; where memory is, the entry is durable first.

pub(super) mod appearance;
pub(super) mod breakers;
pub(super) mod certificate;
pub(super) mod cleanup;
pub(super) mod connections;
pub(super) mod examples;
pub(super) mod messages;
pub(super) mod sessions;
pub(super) mod settings;
pub(super) mod upgrades;
pub(super) mod visitors;

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::routes::{Answer, Call};
use super::{guard, reply};
use crate::access::audit::Entry;
use crate::id::UserId;
use crate::protocol::problem::{Code, FieldError, Problem};
use crate::store::{Op, StoreError};

/// Items of a page, where the query does not say.
const PAGE: usize = 50;
/// The most of a page.
const PAGE_MAX: usize = 200;
/// The longest reason that an administrator gives, in characters.
const REASON_MAX: usize = 200;

/// The query, by its names; `names` tells them.
///
/// # Errors
/// 400.
pub(super) fn query<T: DeserializeOwned>(call: &Call, names: &str) -> Result<T, Problem> {
    serde_urlencoded::from_str(&call.query).map_err(|error| {
        let text = format!("the query may have {names}: {error}");
        Problem::new(Code::BadRequest, text)
    })
}

/// How many items are wanted.
///
/// # Errors
/// 400.
pub(super) fn page(limit: Option<usize>) -> Result<usize, Problem> {
    page_of(limit, PAGE, PAGE_MAX)
}

/// The same, with bounds of its own.
///
/// # Errors
/// 400.
pub(super) fn page_of(limit: Option<usize>, usual: usize, most: usize) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(usual);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    let text = format!("limit must be from 1 to {most}, not {limit}");
    Err(Problem::new(Code::BadRequest, text))
}

/// A cursor that we gave.
///
/// # Errors
/// 400.
pub(super) fn cursor<T>(
    after: Option<&String>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(text) = after else { return Ok(None) };
    let wrong = || {
        Problem::new(
            Code::BadRequest,
            "after must be the `next` of the page before",
        )
    };
    read(text).map(Some).ok_or_else(wrong)
}

/// One page of a list.
pub(super) fn list(items: Vec<Value>, next: Option<String>) -> Reply {
    reply::json(StatusCode::OK, &json!({"items": items, "next": next}))
}

/// The visitor that the path names first.
///
/// # Errors
/// 400.
pub(super) fn user(call: &Call) -> Result<UserId, Problem> {
    UserId::parse(call.parameter(0)).map_err(|rule| {
        let text = format!("the user id must be {rule}");
        Problem::new(Code::BadRequest, text)
    })
}

/// A body that says nothing but perhaps why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    pub(super) reason: Option<String>,
}

impl Because {
    pub(super) const FORM: &'static str = "{} or {\"reason\"}";

    /// # Errors
    /// 400 and 415.
    pub(super) fn of(call: &Call) -> Result<Self, Problem> {
        let body: Self = guard::json(call, Self::FORM)?;
        if let Some(reason) = &body.reason {
            check_reason(reason)?;
        }
        Ok(body)
    }
}

/// A body that says nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl Nothing {
    /// # Errors
    /// 400 and 415.
    pub(super) fn of(call: &Call) -> Result<(), Problem> {
        guard::json::<Self>(call, "{}").map(drop)
    }
}

/// # Errors
/// 400.
pub(super) fn check_reason(reason: &str) -> Result<(), Problem> {
    let count = reason.trim().chars().count();
    if (1..=REASON_MAX).contains(&count) {
        return Ok(());
    }
    let text = format!("reason must have 1 to {REASON_MAX} characters; it has {count}");
    Err(Problem::new(Code::BadRequest, text))
}

/// An entry of the audit log by whoever calls.
pub(super) fn entry(call: &Call, action: &'static str, target: impl Into<String>) -> Entry {
    Entry::new(&guard::actor(call), action, target)
}

/// The same as operations for the commit of the change.
pub(super) fn audited(call: &Call, entry: Entry) -> Vec<Op> {
    call.services.audit.entry(entry)
}

/// Writes it down before something in memory changes.
///
/// # Errors
/// 500: then nothing changes.
pub(super) async fn write_down(call: &Call, entry: Entry) -> Result<(), Problem> {
    let written = call.services.audit.record(entry).await;
    written.map_err(|error| failed(&error))
}

/// What is told where fields are wrong, each with its rule.
pub(super) fn wrong_fields(errors: Vec<FieldError>) -> Problem {
    let list: Vec<String> = errors
        .iter()
        .map(|error| format!("{} {}", error.field, error.rule).trim().to_owned())
        .collect();
    Problem::new(Code::BadRequest, list.join("; ")).with_errors(errors)
}

/// What is told where the store failed.
pub(super) fn failed(error: &StoreError) -> Problem {
    tracing::error!(%error, "an administrator's call failed");
    Problem::new(Code::Internal, "it could not be done; the log says why")
}

/// Answers on a thread for waiting: what reads much of the store must not hold up the sockets.
pub(super) fn reading(
    call: Call,
    answer: impl FnOnce(&Call) -> Result<Reply, Problem> + Send + 'static,
) -> Answer {
    Box::pin(async move {
        let answered = tokio::task::spawn_blocking(move || answer(&call)).await;
        answered.unwrap_or_else(|panic| {
            tracing::error!(%panic, "an administrator's call panicked");
            let text = "it could not be done; the log says why";
            Err(Problem::new(Code::Internal, text))
        })
    })
}

/// Milliseconds for an answer.
pub(super) fn millis(span: crate::clock::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
