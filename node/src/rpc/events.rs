//! `GET /events`: the replica's trace as it happens, as server-sent events.
//!
//! Each event is a trace line: `event` is what happened, `id` the replica and the line's number in
//! this life, `data` the whole line as JSON. A listener that is too slow loses lines and is told
//! how many by an event called `dropped`; one that takes nothing at all is hung up on by the
//! connection's own patience. A comment now and then keeps a quiet connection open.

use super::{Backend, closed, guard::Refusal};
use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt, stream};
use replica::trace::TraceLine;
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::{
    OwnedSemaphorePermit,
    broadcast::{self, error::RecvError},
    watch,
};

/// Who may listen at one time.
pub(super) const LISTENERS: usize = 16;

/// How long nothing is said before a comment is.
const QUIET: Duration = Duration::from_secs(10);

/// One who listens, and the place it takes.
struct Listener {
    lines: broadcast::Receiver<Arc<TraceLine>>,
    backend: Arc<Backend>,
    _place: OwnedSemaphorePermit,
}

/// Listens until the one who asked leaves or the server closes.
pub(super) fn answer(
    backend: &Arc<Backend>,
    closing: watch::Receiver<()>,
) -> Result<Response, Refusal> {
    let place = Arc::clone(&backend.listeners).try_acquire_owned();
    let _place = place.map_err(|_| Refusal::Crowded(LISTENERS))?;
    let lines = backend.feed.listen();
    let listener = Listener { lines, backend: Arc::clone(backend), _place };
    let events = events(listener).take_until(closed(closing));
    let keep_alive = KeepAlive::new().interval(QUIET);
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

fn events(listener: Listener) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(listener, |mut listener| async move {
        let event = match listener.lines.recv().await {
            Ok(line) => event(&line),
            Err(RecvError::Lagged(lost)) => {
                let counters = listener.backend.counters();
                counters.note(|figures| figures.events_dropped += lost);
                Event::default().event("dropped").data(json!({ "dropped": lost }).to_string())
            }
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), listener))
    })
}

fn event(line: &TraceLine) -> Event {
    let data = serde_json::to_value(line).unwrap_or_else(|error| {
        tracing::error!("a trace line cannot be written as JSON: {error}");
        Value::Null
    });
    let what = data["event"].as_str().unwrap_or("unknown");
    let id = format!("{}-{}", line.replica, line.seq);
    Event::default().event(what).id(id).data(data.to_string())
}
