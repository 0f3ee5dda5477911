//! Backups over the admin API: made, listed, taken away, verified, deleted.

use futures_util::stream;
use http::StatusCode;
use http::header::{self, HeaderValue};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use warp::Reply as _;
use warp::reply::Response as Reply;

use super::routes::{Call, Route, Who};
use super::{guard, reply};
use crate::access::audit::Entry;
use crate::backups::{self, Held, Kind};
use crate::clock::{self, Wall};
use crate::protocol::problem::{Code, Problem};
use crate::store::backup::BackupError;

/// These. A download holds what visitors wrote and the keys that sign their tokens.
pub(super) const ROUTES: [Route; 5] = [
    Route::get("/api/v1/example-messages/backups", Who::Read, |call| {
        Box::pin(async move { list(&call).await })
    }),
    Route::post("/api/v1/example-messages/backups", Who::Operate, |call| {
        Box::pin(to_its_end(call, make))
    }),
    Route::get(
        "/api/v1/example-messages/backups/{name}",
        Who::Operate,
        |call| Box::pin(async move { download(&call).await }),
    ),
    Route::post(
        "/api/v1/example-messages/backups/{name}/verify",
        Who::Operate,
        |call| Box::pin(to_its_end(call, verify)),
    ),
    Route::delete(
        "/api/v1/example-messages/backups/{name}",
        Who::Operate,
        |call| Box::pin(to_its_end(call, delete)),
    ),
];

/// Bytes of a download read at once.
const PIECE: usize = 64 * 1024;

/// Done and written down even where the caller hangs up meanwhile.
async fn to_its_end<F>(call: Call, work: fn(Call) -> F) -> Result<Reply, Problem>
where
    F: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    let drain = call.services.drain.clone();
    let done = drain.spawn("backup", work(call)).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "a call about backups ended early");
        Err(Problem::new(
            Code::Internal,
            "it ended early; the log says why",
        ))
    })
}

/// `GET /api/v1/example-messages/backups`
async fn list(call: &Call) -> Result<Reply, Problem> {
    let backups = &call.services.backups;
    let items: Vec<Value> = backups
        .list()
        .await
        .map_err(problem)?
        .iter()
        .map(shown)
        .collect();
    let (settings, status) = (backups.settings(), backups.status(clock::wall()));
    let time = |at: Option<Wall>| at.map(Wall::rfc3339);
    let failure = status
        .failure
        .map(|(at, message)| json!({"at": at.rfc3339(), "message": message}));
    let body = json!({
        "items": items,
        "next": null,
        "schedule": {
            "directory": settings.directory.display().to_string(),
            "every_ms": u64::try_from(settings.every.as_millis()).unwrap_or(u64::MAX),
            "keep": settings.keep,
            "last_success_at": time(status.last_success),
            "next_at": time(status.next),
            "made": status.made,
            "failures": status.failures,
            "last_failure": failure,
        },
    });
    Ok(reply::json(StatusCode::OK, &body))
}

/// `POST /api/v1/example-messages/backups`
async fn make(call: Call) -> Result<Reply, Problem> {
    let held = call.services.backups.make(Kind::ByHand).await;
    let held = shown(&held.map_err(problem)?);
    write_down(&call, "backup.create", held["name"].as_str(), Some(&held)).await?;
    Ok(reply::json(StatusCode::CREATED, &held))
}

/// `POST /api/v1/example-messages/backups/{name}/verify`
async fn verify(call: Call) -> Result<Reply, Problem> {
    let held = call.services.backups.verify(call.parameter(0)).await;
    let held = shown(&held.map_err(problem)?);
    write_down(&call, "backup.verify", None, Some(&held)).await?;
    Ok(reply::json(StatusCode::OK, &held))
}

/// `DELETE /api/v1/example-messages/backups/{name}`
async fn delete(call: Call) -> Result<Reply, Problem> {
    let name = call.parameter(0);
    call.services.backups.delete(name).await.map_err(problem)?;
    write_down(&call, "backup.delete", None, None).await?;
    Ok(reply::json(StatusCode::OK, &json!({"deleted": name})))
}

/// `GET /api/v1/example-messages/backups/{name}`
async fn download(call: &Call) -> Result<Reply, Problem> {
    let name = call.parameter(0);
    let (file, bytes) = call.services.backups.open(name).await.map_err(problem)?;
    // Before the first byte: who has the secrets is known, whatever comes of the download.
    write_down(call, "backup.download", None, None).await?;
    let pieces = stream::try_unfold((file, bytes), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        let read = file.read(&mut piece).await?;
        if read == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
        }
        piece.truncate(read);
        Ok(Some((piece, (file, left - read as u64))))
    });
    let mut response = warp::reply::stream(pieces).into_response();
    let headers = response.headers_mut();
    let media = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, media);
    headers.insert(header::CONTENT_LENGTH, bytes.into());
    if let Ok(value) = format!("attachment; filename=\"{name}\"").parse() {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Into the log of changes: the backup of the path, or `name`.
async fn write_down(
    call: &Call,
    action: &'static str,
    name: Option<&str>,
    after: Option<&Value>,
) -> Result<(), Problem> {
    let mut entry = Entry::new(
        &guard::actor(call),
        action,
        name.unwrap_or(call.parameter(0)),
    );
    if let Some(after) = after {
        entry = entry.after(after);
    }
    let written = call.services.audit.record(entry).await;
    written.map_err(|error| problem(error.into()))
}

fn shown(held: &Held) -> Value {
    let entry = &held.entry;
    let head = entry.head.as_ref();
    let verdict = held.verdict.as_ref();
    let fault = verdict.map_or_else(|| head.err().cloned(), |verdict| verdict.fault.clone());
    json!({
        "name": entry.name,
        "created_at": entry.made().map(Wall::rfc3339),
        "bytes": entry.bytes,
        "entries": head.map(|head| head.entries).ok(),
        "app_version": head.map(|head| &head.app_version).ok(),
        "verified_at": verdict.map(|verdict| verdict.at.rfc3339()),
        // Unknown until it was verified, or cannot even be read.
        "ok": if fault.is_some() { Some(false) } else { verdict.map(|_| true) },
        "fault": fault,
    })
}

/// What is told of a refusal or a failure.
fn problem(error: BackupError) -> Problem {
    let code = match &error {
        BackupError::Unknown(_) => Code::NotFound,
        BackupError::TooMany(..) | BackupError::NoRoom { .. } => Code::Conflict,
        BackupError::Stopping => Code::Overloaded,
        error if backups::is_busy(error) => Code::Conflict,
        BackupError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            Code::Conflict
        }
        _ => {
            tracing::error!(%error, "a call about backups failed");
            return Problem::new(Code::Internal, "it could not be done; the log says why");
        }
    };
    Problem::new(code, error.to_string())
}
