//! `GET /health`: whether this node takes part in a chain that moves.

use super::{Backend, scrape};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use consensus::{catalogue, quorum::Quorum};
use ledger::{Committee, ReplicaId, query::StatusAnswer, vote::Member};
use replica::{Answer, Query};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

#[cfg(test)]
mod tests;

/// Blocks that may be late before the chain counts as standing still.
const LATE_BLOCKS: u32 = 10;

/// What is allowed besides, for rounds that fail and for a machine that is busy.
const GRACE: Duration = Duration::from_secs(10);

/// What a judgement rests on.
#[derive(Clone, Debug)]
struct Standing {
    /// What the replica says; none if it does not answer.
    status: Option<StatusAnswer>,
    /// Who decides the next block; empty if that is not known.
    members: Vec<Member>,
    /// The seats of the connected peers.
    connected: Vec<u32>,
    /// How long an idle chain waits between two blocks.
    block_time: Duration,
    /// Since 1970.
    now: Duration,
}

impl Standing {
    /// Whether it is known that the node has no seat.
    fn follows(&self) -> bool {
        let is_me = |status: &StatusAnswer, member: &Member| member.id == status.replica;
        self.status.as_ref().is_some_and(|status| {
            !self.members.is_empty() && !self.members.iter().any(|member| is_me(status, member))
        })
    }
}

/// Why a node is not healthy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
enum Ailment {
    /// Its thread is stuck, overloaded or gone.
    #[error("the replica does not answer")]
    Mute,
    /// It saw conflicting finality and votes no more.
    #[error("the replica votes no more, {0}")]
    Halted(String),
    /// It is cut off from too many: with whom it can speak, nothing can be decided.
    #[error(
        "the node and its {peers} connected peers are {reached} of {} {}, {} are needed",
        quorum.total, quorum.measure, quorum.needed
    )]
    NoQuorum {
        /// How many peers are connected.
        peers: usize,
        /// What those and we count.
        reached: u128,
        /// What it takes.
        quorum: Quorum,
    },
    /// It has no seat, and nobody there to read from.
    #[error(
        "the node follows, since it has no seat, and none of the {members} members is connected"
    )]
    NoMember {
        /// How many there are.
        members: usize,
    },
    /// The newest adopted block is too old: the chain stands still, or this node is far behind.
    #[error("the newest block is {age:?} old, more than {limit:?}")]
    Stale {
        /// The block's.
        age: Duration,
        /// What is allowed.
        limit: Duration,
    },
}

impl Ailment {
    /// A word for programs.
    fn reason(&self) -> &'static str {
        match self {
            Ailment::Mute => "no_answer",
            Ailment::Halted(_) => "halted",
            Ailment::NoQuorum { .. } => "no_quorum",
            Ailment::NoMember { .. } => "no_member",
            Ailment::Stale { .. } => "stale",
        }
    }
}

/// 200 if the node is healthy, 503 and why if it is not.
pub(super) async fn answer(backend: &Backend) -> Response {
    let standing = Standing {
        status: scrape::status(backend).await,
        members: members(backend).await,
        connected: backend.network.connected(),
        block_time: backend.block_time,
        // A clock before 1970 sees every block in its future, which is not old.
        now: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
    };
    let height = standing.status.as_ref().map(|status| status.height);
    let peers = standing.connected.len();
    match judge(&standing) {
        Ok(()) if standing.follows() => {
            let message = "follows; has no seat";
            let status = "ok";
            Json(json!({ "status": status, "height": height, "peers": peers, "message": message }))
                .into_response()
        }
        Ok(()) => Json(json!({ "status": "ok", "height": height, "peers": peers })).into_response(),
        Err(ailment) => {
            let body = json!({
                "status": "unhealthy",
                "reason": ailment.reason(),
                "message": ailment.to_string(),
                "height": height,
                "peers": peers,
            });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

async fn members(backend: &Backend) -> Vec<Member> {
    match timeout(scrape::PATIENCE, backend.ask(Query::Committee)).await {
        Ok(Ok(Answer::Committee(committee))) => committee.members,
        _ => Vec::new(),
    }
}

/// The worst comes first.
fn judge(standing: &Standing) -> Result<(), Ailment> {
    let status = standing.status.as_ref().ok_or(Ailment::Mute)?;
    if status.state != "running" {
        return Err(Ailment::Halted(status.state.clone()));
    }
    quorum(status, standing)?;
    let age = standing.now.saturating_sub(Duration::from_millis(status.time));
    let limit = standing.block_time.saturating_mul(LATE_BLOCKS).saturating_add(GRACE);
    if age > limit {
        return Err(Ailment::Stale { age, limit });
    }
    Ok(())
}

/// Whether we and our peers are a quorum, as the module counts: stake, or heads. A validator that is
/// alone is its own quorum. Whoever only follows needs one member to read from.
fn quorum(status: &StatusAnswer, standing: &Standing) -> Result<(), Ailment> {
    if standing.follows() {
        let members = &standing.members;
        let is_near = |member: &Member| standing.connected.contains(&member.id.0);
        return match members.iter().any(is_near) {
            true => Ok(()),
            false => Err(Ailment::NoMember { members: members.len() }),
        };
    }
    let Ok(committee) = Committee::new(standing.members.clone()) else { return Ok(()) };
    let Ok(quorum) = catalogue::quorum(&status.consensus, &committee) else { return Ok(()) };
    let peers = standing.connected.iter().copied().map(ReplicaId);
    let near = || peers.clone().filter(|id| *id != status.replica).chain([status.replica]);
    if quorum.is_met(&committee, near()) {
        return Ok(());
    }
    let reached = quorum.reached(&committee, near());
    Err(Ailment::NoQuorum { peers: standing.connected.len(), reached, quorum })
}
