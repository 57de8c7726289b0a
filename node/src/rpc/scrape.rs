//! `GET /metrics`: gathers what is to be shown, for [`crate::metrics`] to write.

use super::Backend;
use crate::metrics::{self, Process, Snapshot};
use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use ledger::query::StatusAnswer;
use replica::{Answer, Query};
use std::time::Duration;
use tokio::time::timeout;

/// How long the replica may take to say how it stands. Then all else is told without it.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Every metric, in OpenMetrics' text.
pub(super) async fn answer(backend: &Backend) -> Response {
    let snapshot = Snapshot {
        status: status(backend).await,
        figures: backend.counters().snapshot(),
        peers: backend.network.connected().len(),
        guests: backend.network.guests(),
        network: backend.network.counters(),
        listeners: backend.feed.listeners(),
        process: Process::now(),
    };
    let text = metrics::page(snapshot, &backend.network.metrics());
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

/// How the replica stands, if it says so in time.
pub(super) async fn status(backend: &Backend) -> Option<StatusAnswer> {
    match timeout(PATIENCE, backend.ask(Query::Status)).await {
        Ok(Ok(Answer::Status(status))) => Some(*status),
        _ => None,
    }
}
