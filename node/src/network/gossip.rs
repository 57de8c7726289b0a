//! Gossip: transaction batches, spread among all nodes by gossipsub.
//!
//! Messages are signed by their publisher and named by the hash of their content, so the same
//! batch from two publishers is one message. None is passed on before the node has judged it.

use std::time::Duration;

use libp2p::{
    PeerId,
    gossipsub::{
        Behaviour, ConfigBuilder, IdentTopic, IdentityTransform, MessageAcceptance,
        MessageAuthenticity, MessageId, MetricsConfig, PeerScoreParams, PeerScoreThresholds,
        TopicScoreParams, ValidationMode, WhitelistSubscriptionFilter,
    },
    identity::Keypair,
    metrics::Registry,
};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::OwnedPermit;

use super::NetworkError;

/// The longest remote procedure call gossipsub accepts, in bytes.
const MAX_TRANSMIT: usize = 128 * 1024;
/// The longest message we publish, in bytes. The limit above holds for the whole call, so the
/// signature, the signer's key and the topic need some room of it.
pub const MAX_GOSSIP: usize = MAX_TRANSMIT - 1024;
/// Messages that wait for one peer inside gossipsub. Its default of 5,000 could hold 640 MB.
const PEER_QUEUE: usize = 256;

/// How long a message is known by its content. Longer than neighbours announce what they have, which is
/// five heartbeats; and short, because gossipsub says nothing twice in that time: what reached only some
/// is said again by the replica, and has to get through then.
const KNOWN: Duration = Duration::from_secs(6);

/// Gossipsub that hears of our topic only, so that a peer cannot fill us with topics.
pub(super) type Gossipsub = Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// What the node thinks of a gossiped message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good: pass it on.
    Accept,
    /// Bad beyond doubt, such as a wrong signature: drop it and hold it against the peer that sent
    /// it, which should have judged likewise. A few of these silence that peer for a while.
    Reject,
    /// Of no use here, such as a nonce already spent: drop it and blame nobody.
    Ignore,
}

/// The right and the duty to judge one gossiped message. Dropped unused, it says
/// [`Verdict::Ignore`]. The network hands out a bounded number: while all are held, it ignores.
#[derive(Debug)]
pub struct Ticket {
    open: Option<(OwnedPermit<Answer>, MessageName)>,
}

/// How gossipsub knows a message we received.
#[derive(Clone, Debug)]
pub(super) struct MessageName {
    /// The hash of its content.
    pub(super) id: MessageId,
    /// The neighbour we have it from.
    pub(super) source: PeerId,
}

/// A judged message.
#[derive(Debug)]
pub(super) struct Answer {
    /// Which message.
    pub(super) name: MessageName,
    /// What became of it.
    pub(super) verdict: Verdict,
}

impl Ticket {
    /// A ticket that answers into a place reserved for it, so that an answer is never lost.
    pub(super) fn new(place: OwnedPermit<Answer>, name: MessageName) -> Self {
        Self { open: Some((place, name)) }
    }

    /// The neighbour that passed the message on.
    pub(super) fn source(&self) -> Option<&PeerId> {
        self.open.as_ref().map(|(_, name)| &name.source)
    }

    /// Judges the message.
    pub fn judge(mut self, verdict: Verdict) {
        self.answer(verdict);
    }

    fn answer(&mut self, verdict: Verdict) {
        if let Some((place, name)) = self.open.take() {
            place.send(Answer { name, verdict });
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.answer(Verdict::Ignore);
    }
}

impl From<Verdict> for MessageAcceptance {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Accept => Self::Accept,
            Verdict::Reject => Self::Reject,
            Verdict::Ignore => Self::Ignore,
        }
    }
}

/// The topic of a chain's transactions.
pub(super) fn topic(chain: &str) -> IdentTopic {
    IdentTopic::new(format!("byzantium/{chain}/transactions"))
}

/// Gossipsub, subscribed to `topic`.
pub(super) fn behaviour(
    keypair: Keypair,
    topic: &IdentTopic,
    registry: &mut Registry,
) -> Result<Gossipsub, NetworkError> {
    let failed = |reason: String| NetworkError::Gossip { reason };
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .message_id_fn(|message| MessageId::from(Sha256::digest(&message.data).to_vec()))
        .max_transmit_size(MAX_TRANSMIT)
        // The builder checks mesh parameters only for topics named here.
        .max_transmit_size_for_topic(MAX_TRANSMIT, topic.hash())
        .connection_handler_queue_len(PEER_QUEUE)
        .duplicate_cache_time(KNOWN)
        // Gossipsub's own degrees: with up to seven nodes the mesh is everyone, with ten a third
        // is left to the heartbeat's announcements. The quota of connections we dialled ourselves
        // guards against strangers; here few are, and the lowest seldom dials.
        .mesh_n_low(4)
        .mesh_n(6)
        .mesh_n_high(12)
        .mesh_outbound_min(0)
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let filter = WhitelistSubscriptionFilter([topic.hash()].into());
    let mut gossip = Gossipsub::new_with_subscription_filter(
        MessageAuthenticity::Signed(keypair),
        config,
        filter,
    )
    .map_err(|reason| failed(reason.to_owned()))?
    .with_metrics(registry.sub_registry_with_prefix("gossipsub"), MetricsConfig::default());
    gossip.with_peer_score(scores(topic), PeerScoreThresholds::default()).map_err(failed)?;
    gossip.subscribe(topic).map_err(|error| failed(error.to_string()))?;
    Ok(gossip)
}

/// Scores in which only invalid messages count. All else that gossipsub would weigh (addresses in
/// common, few deliveries, slowness) is the normal state of a small testnet on one machine.
fn scores(topic: &IdentTopic) -> PeerScoreParams {
    let on_topic = TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.0,
        first_message_deliveries_weight: 0.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // The penalty is the square of a count that halves in about seven seconds: four at once
        // end lazy gossip, eight our messages to the peer, nine end all gossip with it.
        invalid_message_deliveries_weight: -1.0,
        invalid_message_deliveries_decay: 0.9,
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: [(topic.hash(), on_topic)].into(),
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: 0.0,
        slow_peer_weight: 0.0,
        // A peer does not get rid of its past by hanging up for a moment.
        retain_score: Duration::from_secs(60),
        ..PeerScoreParams::default()
    }
}
