//! Problem documents (RFC 9457) of the HTTP side.

use serde::Serialize;

/// A refusal over HTTP, with a code that clients may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// 400
    BadRequest,
    /// 401
    Unauthenticated,
    /// 403
    Forbidden,
    /// 403
    OriginNotAllowed,
    /// 404
    NotFound,
    /// 405
    MethodNotAllowed,
    /// 408
    RequestTimeout,
    /// 409
    Conflict,
    /// 413
    PayloadTooLarge,
    /// 415
    UnsupportedMediaType,
    /// 426
    UpgradeRequired,
    /// 429
    RateLimited,
    /// 500
    Internal,
    /// 501
    NotImplemented,
    /// 503
    Overloaded,
    /// 503
    AdminDisabled,
}

impl Code {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Code::BadRequest => 400,
            Code::Unauthenticated => 401,
            Code::Forbidden | Code::OriginNotAllowed => 403,
            Code::NotFound => 404,
            Code::MethodNotAllowed => 405,
            Code::RequestTimeout => 408,
            Code::Conflict => 409,
            Code::PayloadTooLarge => 413,
            Code::UnsupportedMediaType => 415,
            Code::UpgradeRequired => 426,
            Code::RateLimited => 429,
            Code::Internal => 500,
            Code::NotImplemented => 501,
            Code::Overloaded | Code::AdminDisabled => 503,
        }
    }

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::BadRequest => "bad_request",
            Code::Unauthenticated => "unauthenticated",
            Code::Forbidden => "forbidden",
            Code::OriginNotAllowed => "origin_not_allowed",
            Code::NotFound => "not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::RequestTimeout => "request_timeout",
            Code::Conflict => "conflict",
            Code::PayloadTooLarge => "payload_too_large",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::UpgradeRequired => "upgrade_required",
            Code::RateLimited => "rate_limited",
            Code::Internal => "internal",
            Code::NotImplemented => "not_implemented",
            Code::Overloaded => "overloaded",
            Code::AdminDisabled => "admin_disabled",
        }
    }

    /// The title: what kind of problem, the same for every occurrence.
    pub fn title(self) -> &'static str {
        match self {
            Code::BadRequest => "The request is not well formed",
            Code::Unauthenticated => "A valid credential is needed",
            Code::Forbidden => "This credential does not allow that",
            Code::OriginNotAllowed => "This origin is not allowed",
            Code::NotFound => "There is nothing here",
            Code::MethodNotAllowed => "This method is not allowed here",
            Code::RequestTimeout => "The request took too long to arrive",
            Code::Conflict => "This does not fit what is there",
            Code::PayloadTooLarge => "The body is too large",
            Code::UnsupportedMediaType => "This media type is not understood",
            Code::UpgradeRequired => "This address speaks WebSocket",
            Code::RateLimited => "Too many attempts",
            Code::Internal => "Something failed on our side",
            Code::NotImplemented => "This method is not known",
            Code::Overloaded => "No room at the moment",
            Code::AdminDisabled => "No administrator's password is set",
        }
    }
}

/// One occurrence of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub code: Code,
    /// What was wrong here, which rule, and what to do.
    pub detail: String,
    /// Seconds for `Retry-After`, where coming back helps.
    pub retry_after_s: Option<u64>,
    /// A reference to find the occurrence in the log; internal errors carry one.
    pub reference: Option<String>,
    /// Every field that is wrong, where the body has fields.
    pub errors: Vec<FieldError>,
}

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Which, as a path: `items[2].title`.
    pub field: String,
    /// What must hold.
    pub rule: String,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem without a retry time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after_s: None,
            reference: None,
            errors: Vec::new(),
        }
    }

    /// The same, with the seconds after which coming back helps.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds.max(1));
        self
    }

    /// The same, with every field that is wrong.
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// The `application/problem+json` body.
    pub fn body(&self) -> String {
        let document = Document {
            r#type: format!("urn:emflow:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            code: self.code.as_str(),
            reference: self.reference.as_deref(),
            errors: &self.errors,
        };
        serde_json::to_string(&document).unwrap_or_default()
    }
}
