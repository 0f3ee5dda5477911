//! What is understood of a message while it is written.

use http::StatusCode;

use super::door::{attempt, authenticate, check_origin};
use super::routes::{Answer, Call, Route, Who};
use super::{guard, reply};
use crate::agents::Task;
use crate::agents::backend::Failure;
use crate::protocol::problem::{Code, Problem};
use crate::protocol::request::parse_draft;

/// These.
pub(super) const ROUTES: [Route; 1] = [Route::post(
    "/api/v1/example-messages/understand",
    Who::Visitor,
    understand,
)];

/// `POST /api/v1/example-messages/understand`
///
/// For visitors only, and with a rate of its own: typing must not use up what may be asked.
fn understand(call: Call) -> Answer {
    Box::pin(async move {
        let services = &call.services;
        check_origin(&call.headers, services)?;
        let identity = authenticate(&call.headers, None, services)?;
        if !identity.role.may_act() {
            let text = "this device only looks on; let it follow with control to ask";
            return Err(Problem::new(Code::Forbidden, text));
        }
        let user = identity.user_id;
        attempt(&services.limits.drafts, &user)?;
        guard::check_json(
            &call,
            "{\"content\", \"category\"?, \"complexity\"?, \"assumptions\"?}",
        )?;
        let draft = parse_draft(&call.body)
            .map_err(|fault| Problem::new(Code::BadRequest, fault.message))?;
        let chosen = draft.category.is_some();
        let task = Task {
            content: draft.content,
            category: draft.category.unwrap_or(crate::id::Category::Cost),
            complexity: draft.complexity,
            assumptions: draft.assumptions,
            as_of: services.demo.reader.as_of(),
        };
        let late = || {
            let text = "reading took too long; type on and it is tried again";
            Problem::new(Code::Overloaded, text).retry_after(2)
        };
        let preview = services.demo.reader.preview(task, chosen).await;
        match preview.ok_or_else(late)? {
            Ok(preview) => Ok(reply::json(StatusCode::OK, &preview)),
            Err(Failure::Refused(refusal)) => Err(Problem::new(Code::BadRequest, refusal.message)),
            Err(Failure::Broken(why)) => {
                tracing::error!(%why, "a draft could not be read");
                Err(Problem::new(Code::Internal, "the draft could not be read"))
            }
        }
    })
}
