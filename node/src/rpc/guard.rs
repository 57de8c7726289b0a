//! Which HTTP requests are looked at.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
};
use std::time::Duration;

/// Why a request is not looked at any further.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// It was meant for another host, or a page in a browser pretends so.
    #[error("the request's Host must be 127.0.0.1, localhost or [::1], with or without a port")]
    Host,
    /// There are only a few paths.
    #[error("there is nothing here; calls are posted to /, and /metrics, /health, /events are got")]
    Path,
    /// Each path has one method.
    #[error("{found} is not used here, only {allowed} is")]
    Method {
        /// The one the path has.
        allowed: Method,
        /// The request's.
        found: Method,
    },
    /// As many listen to events as may.
    #[error("{0} listen already; try again later")]
    Crowded(usize),
    /// A page in a browser could send anything else anywhere.
    #[error("the request's Content-Type must be application/json")]
    ContentType,
    /// The body exceeds the limit.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// The body ended early.
    #[error("the body could not be read: {0}")]
    Broken(String),
    /// The request took too long to come or to be answered.
    #[error("the request took longer than {0:?}")]
    TooSlow(Duration),
}

impl Refusal {
    /// A word for programs.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Refusal::Host => "host",
            Refusal::Path => "path",
            Refusal::Method { .. } => "method",
            Refusal::Crowded(_) => "busy",
            Refusal::ContentType => "content_type",
            Refusal::TooLong(_) => "body_too_long",
            Refusal::Broken(_) => "body_broken",
            Refusal::TooSlow(_) => "timeout",
        }
    }

    /// For HTTP.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Refusal::Host => StatusCode::FORBIDDEN,
            Refusal::Path => StatusCode::NOT_FOUND,
            Refusal::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Crowded(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Broken(_) => StatusCode::BAD_REQUEST,
            Refusal::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

/// What there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Path {
    /// `POST /`: a call.
    Call,
    /// `GET /metrics`.
    Metrics,
    /// `GET /health`.
    Health,
    /// `GET /events`.
    Events,
}

/// Looks at everything but the body. The host comes first: a stranger's page learns nothing else.
pub(super) fn check(request: &Request) -> Result<Path, Refusal> {
    let asked = request.uri().authority();
    if !is_local(request.headers()) || asked.is_some_and(|host| !is_loopback(host.as_str())) {
        return Err(Refusal::Host);
    }
    let (path, allowed) = match request.uri().path() {
        "/" => (Path::Call, Method::POST),
        "/metrics" => (Path::Metrics, Method::GET),
        "/health" => (Path::Health, Method::GET),
        "/events" => (Path::Events, Method::GET),
        _ => return Err(Refusal::Path),
    };
    if *request.method() != allowed {
        return Err(Refusal::Method { allowed, found: request.method().clone() });
    }
    if path == Path::Call && !is_json(request.headers()) {
        return Err(Refusal::ContentType);
    }
    Ok(path)
}

/// Whether there is exactly one `Host`, and it names loopback.
fn is_local(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(is_loopback),
        _ => false,
    }
}

/// Whether `host`, with or without a port, is one of loopback's names.
fn is_loopback(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let rest = ["127.0.0.1", "localhost", "[::1]"].iter().find_map(|name| host.strip_prefix(name));
    match rest.map(|rest| (rest, rest.strip_prefix(':'))) {
        Some(("", _)) => true,
        Some((_, Some(port))) => {
            port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok()
        }
        _ => false,
    }
}

/// Whether the body is said to be JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    named.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/json")
    })
}
