//! The one trait: one participant in consensus, inputs in, effects out, no I/O.
//!
//! Asks are calls, acts are effects. Building and checking a block is pure computing, so a protocol
//! calls its [`Application`] for it and reads like its paper. Sending, timers, persisting, mining
//! and committing are [`Effect`]s, so a world can carry them out, delay them, lose them or record
//! them. All that a step makes durable is synced before any effect of that step leaves.

mod topic;
mod unproven;

pub use topic::{Named, Shown, Topic};
pub use unproven::Unproven;

use crate::quorum::{Claimed, Quorum, Signed};
use crypto::{Hash, Signature};
use ledger::{
    Block, BlockHash, Committee, Draft, Genesis, Header, Keys, Proof, Rejected, ReplicaId, Slot,
    Transaction, TransactionId, stake::Rotation,
};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeSet, fmt::Debug, sync::Arc, time::Duration};

/// One participant in consensus.
pub trait Protocol: 'static {
    /// What replicas say to each other.
    type Message: Message;

    /// Takes one input, leaves its effects in `turn`.
    ///
    /// Infallible: a peer's fault is a note or an accusation; our own is a panic. Never waits for
    /// an effect: until its own message is heard back, a protocol must remember that it asked for
    /// it.
    fn step(&mut self, input: Input<Self::Message>, turn: &mut Turn<'_, Self::Message>);

    /// The round or view it is in, for people; zero where a protocol has none.
    fn round(&self) -> u64 {
        0
    }

    /// Who decides now, with the weights that its own newest record of absence leaves them; none where
    /// weights do not fade. While nobody can decide, no block tells of these.
    fn weights(&self) -> Option<Arc<Committee>> {
        None
    }

    /// How many heights of slots past the last dead one are listened to. Who is further behind is
    /// brought on by the replica's sync, which needs no votes.
    fn heights_ahead(&self) -> u64 {
        4
    }

    /// How much of a committee it takes to decide.
    fn quorum(committee: &Committee) -> Quorum
    where
        Self: Sized,
    {
        Quorum::of_stake(committee)
    }

    /// Whether a proof excludes every rival, so that the replica's sync may commit by it.
    ///
    /// False for proof-of-work, whose proof shows work, and somebody may show more: its blocks are
    /// handed to the protocol one by one instead, as far as a peer's adopted head.
    fn proofs_settle() -> bool
    where
        Self: Sized,
    {
        true
    }

    /// Does `proof` make the last of `headers` (a hash chain on a committed parent) final?
    ///
    /// Pure: the replica's sync, the checker and the wallet ask, none of which runs the protocol.
    fn verify(headers: &[Header], proof: &Proof, trusted: Trusted<'_>) -> Result<(), Unproven>
    where
        Self: Sized;

    /// The signed messages that `proof` of `header` consists of, for whoever looks for those who
    /// signed two proofs. Nothing is checked. None where nobody signs a proof, or it is no proof.
    fn backing(_header: &Header, _proof: &Proof) -> Vec<Backing>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// The lies that know this protocol, besides those that fit every one.
    #[cfg(any(test, feature = "byzantine"))]
    fn lies() -> Vec<crate::byzantine::Entry<Self>>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// What makes the messages of a liar that goes by a script. None where nothing can be scripted.
    #[cfg(any(test, feature = "byzantine"))]
    fn puppet() -> Option<Box<dyn crate::byzantine::script::Puppet<Self>>>
    where
        Self: Sized,
    {
        None
    }
}

/// What whoever checks a proof takes for granted.
#[derive(Clone, Copy, Debug)]
pub struct Trusted<'a> {
    /// Where the chain begins, and by what rules it goes on.
    pub genesis: &'a Genesis,
    /// The block before the headers, where that is known to be final. A certificate stands without
    /// it; a proof of work does not.
    pub parent: Option<&'a Header>,
    /// Who decides the children of the block before the headers.
    pub committee: &'a Committee,
    /// What checks their signatures.
    pub keys: &'a Keys,
}

impl Trusted<'_> {
    /// The last of some headers that are a chain, all decided by this one committee.
    pub(crate) fn last_of<'h>(&self, headers: &'h [Header]) -> Result<&'h Header, Unproven> {
        for pair in headers.windows(2) {
            let [below, above] = [&pair[0], &pair[1]];
            if above.parent != below.hash() || below.height.checked_add(1) != Some(above.height) {
                return Err(Unproven::BrokenChain(above.height));
            }
            // The block before a change is the last that the old committee can speak for.
            if below.committee != self.committee.root() {
                return Err(Unproven::OtherCommittee(above.height));
            }
        }
        headers.last().ok_or(Unproven::NoHeaders)
    }
}

/// One signature that a proof rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backing {
    /// Whose it is said to be.
    pub signer: ReplicaId,
    /// Where it spoke.
    pub slot: Slot,
    /// What was signed there.
    pub value: Hash,
    /// Over both.
    pub signature: Signature,
}

/// What a protocol says to its peers.
pub trait Message:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The paper's name for it, for traces and counters.
    fn kind(&self) -> &'static str;

    /// Every kind there is, in the order in which they follow one another.
    fn kinds() -> &'static [&'static str];

    /// What may be signed once only.
    ///
    /// `Some` also means: kept, and brought to every replica that lacks it, until a `Horizon`
    /// passes it. `None` is best effort; whoever needs it `Want`s it.
    fn slot(&self) -> Option<Slot>;

    /// What it speaks of, for traces and those who read them.
    fn about(&self) -> Topic {
        Topic::default()
    }

    /// Signed messages inside this one: certificates, view changes. Opened beside the envelope,
    /// off the replica's thread; [`Turn::open`] then finds them already checked.
    fn claims(&self) -> Vec<&Claimed<Self>> {
        Vec::new()
    }

    /// The message of another kind that this one is mistaken for where kinds are not signed: a mutant's
    /// world alone asks, see [`Keys::confusing_kinds`].
    #[cfg(any(test, feature = "byzantine"))]
    fn confusable(&self) -> Option<Self> {
        None
    }

    /// The block this message carries whole. The signatures of its transactions are checked beside
    /// the envelope's, off the replica's thread.
    fn block(&self) -> Option<&Arc<Block>> {
        None
    }

    /// The same block, to put another in its place: what opens a message fills in transactions
    /// that it knows already.
    fn block_mut(&mut self) -> Option<&mut Arc<Block>> {
        None
    }
}

/// Setting a timer again under one name replaces it. It may still ring stale.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Timer(pub Slot);

/// What a protocol can be told.
#[derive(Clone, Debug)]
pub enum Input<M> {
    /// A life begins.
    Start {
        /// What was persisted since the last fresh record.
        records: Vec<Vec<u8>>,
        /// Every message of ours still above the horizon; the replica is sending them again, so
        /// sign nothing else there.
        own: Vec<Signed<M>>,
    },
    /// A message, our own included: each once for each (sender, slot), a second and different one
    /// too, a third never.
    Heard(Signed<M>),
    /// A timer we set; it may be stale.
    Rang(Timer),
    /// Transactions wait where none did on top of the adopted head.
    Waiting,
    /// Proof-of-work found: the header that was being mined, sealed.
    Mined(Box<Header>),
    /// A block that was wanted, or an ancestor of one, oldest first; or the next of a peer's adopted
    /// branch where [`Protocol::proofs_settle`] does not hold. Its body is the one that its header
    /// names; nothing else is checked.
    Arrived(Arc<Block>),
    /// The replica's sync verified `proof` and committed up to `block` without us.
    Advanced {
        /// The newest committed block.
        block: BlockHash,
        /// What made it final.
        proof: Proof,
    },
}

/// What a protocol can do to its world.
#[derive(Clone, Debug)]
pub enum Effect<M> {
    /// Signs and sends. Our own copy is heard back like everybody else's.
    Send {
        /// Whom it is for.
        to: To,
        /// What to say.
        message: M,
    },
    /// Passes on a message without a slot (a mined block); the rest spreads by itself. It goes past
    /// the signer, which is why liars say so what they sign themselves.
    Relay {
        /// Whom it is for.
        to: To,
        /// As it was heard.
        message: Signed<M>,
    },
    /// Rings once, `after` from now.
    SetTimer {
        /// Its name.
        timer: Timer,
        /// From now.
        after: Duration,
    },
    /// Appends to our records; `fresh` drops every earlier one. Small: blocks are named, their
    /// bodies are stored at `accept`.
    Persist {
        /// What [`Input::Start`] hands back after a crash.
        record: Vec<u8>,
        /// Whether all earlier records are obsolete.
        fresh: bool,
    },
    /// Replaces the header being mined.
    Mine {
        /// Everything but the nonce; boxed, because it is rare and large.
        header: Box<Header>,
        /// The hash, read little-endian, must not exceed it.
        target: [u8; 32],
    },
    /// Asked of one peer after another until it arrives or a horizon passes.
    Want(Want),
    /// This head is ours for now; it may be undone.
    Adopt {
        /// An accepted block.
        head: BlockHash,
    },
    /// It and its ancestors stand for good, adopted or not, durable before anybody is told. Again
    /// for a committed block: here is its proof.
    Commit {
        /// An accepted block.
        block: BlockHash,
        /// What [`Protocol::verify`] reads.
        proof: Option<Proof>,
    },
    /// Slots with height in 1..=`height`, and with height 0 and a round below `round`, are dead:
    /// the signer refuses them, the inbox forgets them.
    Horizon {
        /// The highest dead height.
        height: u64,
        /// The lowest living round among slots without a height.
        round: u64,
    },
    /// Not yet of use; heard again after the next `Horizon`, `Arrived` or `Advanced`. To drop it
    /// silently is to lose it, because the inbox counts it as held.
    Defer(Signed<M>),
    /// A fault with its proof.
    Accuse {
        /// Who is guilty.
        offender: ReplicaId,
        /// The messages that show it.
        proof: Vec<Signed<M>>,
        /// What it is guilty of.
        charge: &'static str,
    },
    /// A remark for traces and viewers.
    Note {
        /// A word that viewers know, such as `round` or `lock`.
        label: &'static str,
        /// The rest, for people.
        detail: String,
    },
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// Everyone else; our own copy is always heard.
    All,
    /// One replica.
    One(ReplicaId),
    /// Some replicas.
    Some(Vec<ReplicaId>),
}

/// What a protocol lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Want {
    /// A block's body, by its hash.
    Block(BlockHash),
    /// A message without a slot, by its id.
    Message([u8; 32]),
}

/// All that a protocol may touch during one step.
pub struct Turn<'a, M> {
    /// Since this life began; monotonic, for timers and leak epochs.
    pub now: Duration,
    /// Since 1970; may jump, for header times only.
    pub wall: Duration,
    /// Who we are.
    pub me: ReplicaId,
    /// The only randomness there is.
    pub rng: &'a mut ChaCha8Rng,
    /// The ledger and the pool.
    pub app: &'a mut dyn Application,
    keys: &'a Keys,
    effects: Vec<Effect<M>>,
}

impl<'a, M: Message> Turn<'a, M> {
    /// A turn without effects yet.
    pub fn new(
        now: Duration,
        wall: Duration,
        me: ReplicaId,
        rng: &'a mut ChaCha8Rng,
        app: &'a mut dyn Application,
        keys: &'a Keys,
    ) -> Self {
        Turn { now, wall, me, rng, app, keys, effects: Vec::new() }
    }

    /// Leaves an effect.
    pub fn act(&mut self, effect: Effect<M>) {
        self.effects.push(effect);
    }

    /// Signs and sends a message.
    pub fn send(&mut self, to: To, message: M) {
        self.act(Effect::Send { to, message });
    }

    /// The only way from [`Claimed`] to [`Signed`] inside a step: nested messages and reloaded
    /// records.
    pub fn open(&self, claimed: &Claimed<M>) -> Option<Signed<M>> {
        claimed.clone().open(self.keys).ok()
    }

    /// What signatures are checked with, for a turn within this one.
    #[cfg(any(test, feature = "byzantine"))]
    pub(crate) fn keys(&self) -> &'a Keys {
        self.keys
    }

    /// Runs an inner protocol and takes its effects instead of passing them on. For wrappers.
    pub fn apart(&mut self, run: impl FnOnce(&mut Turn<'_, M>)) -> Vec<Effect<M>> {
        let mut inner = Turn {
            now: self.now,
            wall: self.wall,
            me: self.me,
            rng: &mut *self.rng,
            app: &mut *self.app,
            keys: self.keys,
            effects: Vec::new(),
        };
        run(&mut inner);
        inner.effects
    }

    /// Everything left, in order.
    pub fn into_effects(self) -> Vec<Effect<M>> {
        self.effects
    }
}

/// What a protocol may ask of the ledger and the pool. Pure computing, so plain calls.
pub trait Application {
    /// Where the ledger stands; lags a `Commit` of this very step.
    fn root(&self) -> BlockHash;

    /// A block we hold, committed or not.
    fn block(&self, hash: BlockHash) -> Option<Arc<Block>>;

    /// The committee that decides the children of `parent`.
    fn committee(&self, parent: BlockHash) -> Option<Arc<Committee>>;

    /// Whose turn it is to propose children of `parent`, the root or an undecided block.
    fn proposers(&self, parent: BlockHash) -> Option<Rotation>;

    /// Executable in order on `parent`, without `taken` (in flight in batches not yet executed).
    fn pending(
        &self,
        parent: BlockHash,
        taken: &BTreeSet<TransactionId>,
        limit: usize,
    ) -> Vec<Transaction>;

    /// Builds a block, leaving out what does not execute.
    fn assemble(&self, draft: Draft) -> Result<Arc<Block>, Rejected>;

    /// Executes a block and keeps it among the undecided.
    fn accept(&mut self, block: &Arc<Block>) -> Result<BlockHash, Rejected>;
}
