//! What is remembered of a run, for counting and for judging it afterwards.

use consensus::Message;
use crypto::Hash;
use ledger::{BlockHash, ReplicaId, Slot};
use replica::{Answer, Class, Envelope, Packet, trace::TraceLine};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tracing {
    /// Replicas write none.
    Off,
    /// Only its hash is kept.
    Hashed,
    /// Every line is kept as well, in memory.
    Kept,
}

/// What is counted together: why something was sent, and what it was.
pub type Sort = (Class, &'static str);

/// A replica signed two values in one slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Equivocation {
    /// Whose signature both carry.
    pub signer: ReplicaId,
    /// Where.
    pub slot: Slot,
}

/// All that replicas put out, as far as it is of use afterwards.
///
/// It grows with the run, by a hundred bytes or so for each message that is signed.
#[derive(Debug)]
pub struct Record {
    tracing: Tracing,
    hash: Sha256,
    lines: Vec<TraceLine>,
    decided: Vec<BTreeMap<u64, BlockHash>>,
    halted: BTreeMap<ReplicaId, String>,
    sends: BTreeMap<Sort, u64>,
    /// First sends by the height of their slot.
    first: BTreeMap<(u64, &'static str), u64>,
    said: BTreeMap<(ReplicaId, Slot), Hash>,
    equivocations: BTreeSet<Equivocation>,
    refused: BTreeMap<&'static str, u64>,
    answers: BTreeMap<u64, Answer>,
}

impl Record {
    pub(crate) fn new(replicas: u32, tracing: Tracing) -> Record {
        Record {
            tracing,
            hash: Sha256::new(),
            lines: Vec::new(),
            decided: (0..replicas).map(|_| BTreeMap::new()).collect(),
            halted: BTreeMap::new(),
            sends: BTreeMap::new(),
            first: BTreeMap::new(),
            said: BTreeMap::new(),
            equivocations: BTreeSet::new(),
            refused: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// SHA-256 over all trace lines so far, as JSON, each with a line feed behind it: what
    /// `sha256sum` says of the trace in a file.
    pub fn trace_hash(&self) -> Hash {
        Hash::from_bytes(self.hash.clone().finalize().into())
    }

    /// The trace so far, if it is [`Tracing::Kept`].
    pub fn lines(&self) -> &[TraceLine] {
        &self.lines
    }

    /// The blocks a replica has reported final, by height. After a crash between a commit and its
    /// report one may be missing.
    pub fn decided(&self, id: ReplicaId) -> &BTreeMap<u64, BlockHash> {
        &self.decided[id.0 as usize]
    }

    /// Why a replica votes no more, if it has said so.
    pub fn halted(&self, id: ReplicaId) -> Option<&str> {
        self.halted.get(&id).map(String::as_str)
    }

    /// How much was sent, by sort; one for each recipient, whether or not it arrived.
    pub fn sends(&self) -> &BTreeMap<Sort, u64> {
        &self.sends
    }

    /// How many first sends of a kind belong to a height, one for each recipient.
    pub fn first_sends(&self, height: u64, kind: &'static str) -> u64 {
        self.first.get(&(height, kind)).copied().unwrap_or(0)
    }

    /// Who signed two values in one slot and let both leave.
    pub fn equivocations(&self) -> &BTreeSet<Equivocation> {
        &self.equivocations
    }

    /// How many parcels were thrown away unread on arrival, by reason.
    pub fn refused(&self) -> &BTreeMap<&'static str, u64> {
        &self.refused
    }

    pub(crate) fn trace(&mut self, line: TraceLine) {
        let mut json = serde_json::to_vec(&line).expect("a trace line is plain data");
        json.push(b'\n');
        self.hash.update(&json);
        if self.tracing == Tracing::Kept {
            self.lines.push(line);
        }
    }

    /// Looks at an envelope as it leaves, before the network can do anything to it.
    pub(crate) fn sent<M: Message>(
        &mut self,
        envelope: &Envelope<M>,
        class: Class,
        recipients: usize,
    ) {
        let kind = envelope.packet.kind();
        let count = recipients as u64;
        *self.sends.entry((class, kind)).or_default() += count;
        let Packet::Message(signed) = &envelope.packet else { return };
        let Some(slot) = signed.slot() else { return };
        if class == Class::First {
            *self.first.entry((slot.height, kind)).or_default() += count;
        }
        let signer = signed.sender();
        let earlier = *self.said.entry((signer, slot)).or_insert(signed.value());
        if earlier != signed.value() {
            self.equivocations.insert(Equivocation { signer, slot });
        }
    }

    /// # Panics
    /// If the replica has reported another block of this height: finality was taken back.
    pub(crate) fn committed(&mut self, id: ReplicaId, height: u64, block: BlockHash) {
        let earlier = self.decided[id.0 as usize].insert(height, block);
        assert!(
            earlier.is_none_or(|earlier| earlier == block),
            "replica {id} took back the final block {earlier:?} of height {height} for {block}"
        );
    }

    pub(crate) fn halt(&mut self, id: ReplicaId, why: String) {
        self.halted.insert(id, why);
    }

    pub(crate) fn refuse(&mut self, reason: &'static str) {
        *self.refused.entry(reason).or_default() += 1;
    }

    pub(crate) fn answer(&mut self, question: u64, answer: Answer) {
        self.answers.insert(question, answer);
    }

    pub(crate) fn take_answer(&mut self, question: u64) -> Option<Answer> {
        self.answers.remove(&question)
    }
}
