//! What happened between two looks at a net.

use super::Tone;
use crate::live::{control::NetView, sight::NodeView};

#[cfg(test)]
mod tests;

/// In words, and how it is meant.
pub(super) fn between(before: &NetView, after: &NetView) -> Vec<(Tone, String)> {
    let mut news = Vec::new();
    for (at, node) in after.nodes.iter().enumerate() {
        match before.nodes.get(at) {
            Some(was) => news.extend(of_node(was, node)),
            None => news.push((Tone::Good, format!("node {} has joined", node.id))),
        }
    }
    if before.partition != after.partition {
        news.push(match &after.partition {
            Some(groups) => (Tone::Bad, format!("nothing passes between {groups}")),
            None => (Tone::Good, "everything passes again".to_owned()),
        });
    }
    news.extend(of_finality(before, after));
    news
}

fn of_node(was: &NodeView, is: &NodeView) -> Vec<(Tone, String)> {
    let id = is.id;
    let mut news = Vec::new();
    // Whoever was killed and started between two looks was down, too.
    if was.up && (!is.up || is.pid != was.pid) {
        let how = is.exit.map(|exit| format!(" ({exit})")).unwrap_or_default();
        news.push((Tone::Bad, format!("node {id} is down{how}")));
    }
    if is.up && (!was.up || is.pid != was.pid) {
        let pid = is.pid.map(|pid| format!(", as process {pid}")).unwrap_or_default();
        news.push((Tone::Good, format!("node {id} is started{pid}")));
    }
    if is.up && was.up && is.pid == was.pid {
        match (&was.sight, &is.sight) {
            (Some(_), None) => news.push((Tone::Bad, format!("node {id} does not answer"))),
            (None, Some(_)) => news.push((Tone::Good, format!("node {id} answers"))),
            _ => {}
        }
    }
    let state = |node: &NodeView| node.sight.as_ref().map(|sight| sight.state.clone());
    if let Some(state) =
        state(is).filter(|now| now != "running" && Some(now) != state(was).as_ref())
    {
        news.push((Tone::Bad, format!("node {id} {state}")));
    }
    news
}

fn of_finality(before: &NetView, after: &NetView) -> Vec<(Tone, String)> {
    let (Some(was), Some(is)) = (&before.finality, &after.finality) else { return Vec::new() };
    let mut news = Vec::new();
    match (was.stopped_ms, is.stopped_ms) {
        (None, Some(_)) => {
            let text = format!("nothing becomes final any more after height {}", is.height);
            news.push((Tone::Bad, text));
        }
        (Some(_), None) => news.push((Tone::Good, format!("height {} is final", is.height))),
        _ => {}
    }
    if let (None, Some(split)) = (was.split, is.split) {
        news.push((Tone::Bad, split.to_string()));
    }
    news
}
