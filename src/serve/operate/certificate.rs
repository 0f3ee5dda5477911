//! The certificate in use and the authority that vouches for it.

use http::StatusCode;
use serde_json::json;
use warp::reply::Response as Reply;

use crate::clock;
use crate::protocol::problem::{Code, Problem};
use crate::serve::reply;
use crate::serve::routes::{Call, Route, Who, at_once};
use crate::serve::tls::{self, Shown, TlsError};

/// These.
pub(in crate::serve) const ROUTES: [Route; 2] = [
    Route::get("/api/v1/admin/certificate", Who::Read, |call| {
        at_once(certificate(&call))
    }),
    Route::get("/api/v1/admin/certificate/authority", Who::Read, |call| {
        at_once(authority(&call))
    }),
];

fn unreadable(error: TlsError) -> Problem {
    tracing::error!(%error, "the certificate cannot be shown");
    Problem::new(Code::Internal, "it could not be read; the log says why")
}

fn of_authority(call: &Call) -> Result<Option<Shown>, Problem> {
    let issued = call.services.tls.presented().and_then(|p| p.issued);
    let shown = issued.map(|issued| tls::shown(&issued.authority));
    shown.transpose().map_err(unreadable)
}

/// `GET /api/v1/admin/certificate`
fn certificate(call: &Call) -> Result<Reply, Problem> {
    let presented = call.services.tls.presented().ok_or_else(|| {
        let text = "a proxy in front of the appliance ends TLS (tls.plain_behind_proxy); look there for the certificate";
        Problem::new(Code::NotFound, text)
    })?;
    let shown = tls::shown(&presented.certificate).map_err(unreadable)?;
    let authority = of_authority(call)?.map(|authority| {
        json!({
            "fingerprint_sha256": authority.fingerprint, "not_after": authority.not_after.rfc3339(),
            "url": "/api/v1/admin/certificate/authority",
        })
    });
    let left = presented.not_after.since(clock::wall());
    let answer = json!({
        "generated": presented.issued.is_some(),
        "fingerprint_sha256": presented.fingerprint, "names": shown.names,
        "not_before": shown.not_before.rfc3339(), "not_after": presented.not_after.rfc3339(),
        "days_left": left.as_secs() / 86_400, "authority": authority,
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

/// `GET /api/v1/admin/certificate/authority`
fn authority(call: &Call) -> Result<Reply, Problem> {
    let authority = of_authority(call)?.ok_or_else(|| {
        let text = "there is no authority of the appliance: the certificate is the operator's own, or a proxy's";
        Problem::new(Code::NotFound, text)
    })?;
    let media = "application/x-pem-file";
    Ok(reply::attachment(
        media,
        "emflow-authority.pem",
        authority.pem,
    ))
}
