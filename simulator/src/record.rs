//! What is remembered of a run, for counting and for judging it afterwards.
//!
//! The record takes no offence at anything: it writes down what replicas put out, in order, and
//! leaves it to the [`checker`](crate::checker) to say what should not have been.

use crate::{
    heads::{Heads, Reversion},
    mining::Find,
};
use consensus::Message;
use crypto::Hash;
use ledger::{Block, BlockHash, Ledger, ReplicaId, Slot, TransactionId, vote::Evidence};
use replica::{Answer, Class, Envelope, Packet, trace::TraceLine};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

pub mod aside;
mod history;

pub use aside::Aside;
pub use history::{Commit, Milestone, Origin, Uttered};

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

/// A replica signed two values in one slot and let both leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Equivocation {
    /// Whose signature both carry.
    pub signer: ReplicaId,
    /// Where it could have spoken once.
    pub slot: Slot,
    /// What left first.
    pub first: Uttered,
    /// The first that differs from it.
    pub second: Uttered,
}

impl Equivocation {
    /// The two signatures, as anybody can check them.
    pub fn evidence(&self) -> Evidence {
        let of = |uttered: &Uttered| (uttered.value, uttered.signature);
        Evidence::new(self.signer, self.slot, of(&self.first), of(&self.second))
    }
}

/// Somebody says that somebody broke the rules.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Accusation {
    /// Who says so.
    pub by: ReplicaId,
    /// Who did, by its word.
    pub offender: ReplicaId,
    /// What it did, and where.
    pub charge: String,
}

/// A transaction that a replica was asked to order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Submission {
    /// Who was asked.
    pub replica: ReplicaId,
    /// The transaction's name.
    pub name: TransactionId,
    /// When the replica said that it would see to it.
    pub taken: Option<Duration>,
}

/// All that replicas put out, as far as it is of use afterwards.
///
/// It grows with the run, by a hundred bytes or so for each message that is signed, by each
/// final block once, and where blocks are mined by a hundred bytes for each and a few more for each
/// replica that adopts it.
#[derive(Debug)]
pub struct Record {
    tracing: Tracing,
    hash: Sha256,
    /// The last line that was hashed: its room serves the next one.
    line: Vec<u8>,
    lines: Vec<TraceLine>,
    /// With the number of lines before each.
    asides: Vec<(usize, Aside)>,
    decided: Vec<BTreeMap<u64, BlockHash>>,
    histories: Vec<Vec<Milestone>>,
    /// Everything that anybody called final, by the name it was called.
    blocks: BTreeMap<BlockHash, Arc<Block>>,
    halted: BTreeMap<ReplicaId, (Duration, String)>,
    sends: BTreeMap<Sort, u64>,
    /// Batches of transactions, one for each recipient.
    published: u64,
    /// The encoded length of everything sent, once for each recipient.
    bytes: u64,
    /// First sends by the height of their slot.
    first: BTreeMap<(u64, &'static str), u64>,
    /// With whether another value was said there since.
    said: BTreeMap<(ReplicaId, Slot), (Uttered, bool)>,
    equivocations: Vec<Equivocation>,
    accusations: BTreeSet<Accusation>,
    refused: BTreeMap<&'static str, u64>,
    answers: BTreeMap<u64, Answer>,
    /// What replicas were asked to order, by the number of the question.
    submissions: BTreeMap<u64, Submission>,
    finds: Vec<Find>,
    heads: Heads,
}

impl Record {
    pub(crate) fn new(replicas: u32, tracing: Tracing) -> Record {
        Record {
            tracing,
            hash: Sha256::new(),
            line: Vec::new(),
            lines: Vec::new(),
            asides: Vec::new(),
            decided: (0..replicas).map(|_| BTreeMap::new()).collect(),
            histories: (0..replicas).map(|_| Vec::new()).collect(),
            blocks: BTreeMap::new(),
            halted: BTreeMap::new(),
            sends: BTreeMap::new(),
            published: 0,
            bytes: 0,
            first: BTreeMap::new(),
            said: BTreeMap::new(),
            equivocations: Vec::new(),
            accusations: BTreeSet::new(),
            refused: BTreeMap::new(),
            answers: BTreeMap::new(),
            submissions: BTreeMap::new(),
            finds: Vec::new(),
            heads: Heads::new(replicas),
        }
    }

    /// SHA-256 over all trace lines so far, as JSON, each with a line feed behind it: what
    /// `sha256sum` says of the trace in a file without the world's [asides](Aside).
    pub fn trace_hash(&self) -> Hash {
        Hash::from_bytes(self.hash.clone().finalize().into())
    }

    /// The trace so far, if it is [`Tracing::Kept`].
    pub fn lines(&self) -> &[TraceLine] {
        &self.lines
    }

    /// The blocks a replica has reported final, by height; the first where it reported two. After
    /// a crash between a commit and its report one may be missing.
    pub fn decided(&self, id: ReplicaId) -> &BTreeMap<u64, BlockHash> {
        &self.decided[id.0 as usize]
    }

    /// A replica's lives and what it called final in them, oldest first.
    pub fn history(&self, id: ReplicaId) -> &[Milestone] {
        &self.histories[id.0 as usize]
    }

    /// The body of a block that somebody called final under this name.
    pub fn block(&self, name: BlockHash) -> Option<&Arc<Block>> {
        self.blocks.get(&name)
    }

    /// Why a replica votes no more, if it has said so.
    pub fn halted(&self, id: ReplicaId) -> Option<&str> {
        self.halted.get(&id).map(|(_, why)| why.as_str())
    }

    /// Everybody who votes no more, with when they said so, and why.
    pub fn halts(&self) -> impl Iterator<Item = (ReplicaId, Duration, &str)> {
        self.halted.iter().map(|(id, (at, why))| (*id, *at, why.as_str()))
    }

    /// How much was sent, by sort; one for each recipient, whether or not it arrived.
    pub fn sends(&self) -> &BTreeMap<Sort, u64> {
        &self.sends
    }

    /// How many batches of transactions were published, one for each recipient.
    pub fn published(&self) -> u64 {
        self.published
    }

    /// How many bytes everything sent would take, encoded whole; once for each recipient.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many first sends of a kind belong to a height, one for each recipient.
    pub fn first_sends(&self, height: u64, kind: &'static str) -> u64 {
        self.first.get(&(height, kind)).copied().unwrap_or(0)
    }

    /// Who signed two values in one slot and let both leave, each slot once.
    pub fn equivocations(&self) -> &[Equivocation] {
        &self.equivocations
    }

    /// How many parcels were thrown away unread on arrival, by reason.
    pub fn refused(&self) -> &BTreeMap<&'static str, u64> {
        &self.refused
    }

    /// What replicas were asked to order, and took.
    pub fn submissions(&self) -> impl Iterator<Item = &Submission> {
        self.submissions.values().filter(|each| each.taken.is_some())
    }

    /// Every block that a miner found, in the order of time, whatever became of it.
    pub fn finds(&self) -> &[Find] {
        &self.finds
    }

    /// What was confirmed and then taken back, in the order of time.
    pub fn reversions(&self) -> &[Reversion] {
        self.heads.reversions()
    }

    /// The most blocks that a replica took back at once, confirmed or not.
    pub fn deepest_reorganisation(&self) -> u64 {
        self.heads.deepest()
    }

    /// The height of a replica's adopted head at a time, for protocols whose blocks are adopted
    /// before they are final. None for others, and before its first life.
    pub fn adopted_height(&self, id: ReplicaId, time: Duration) -> Option<u64> {
        self.heads.height(id, time)
    }

    /// The first time from `since` on at which a replica's adopted head was at least this high.
    pub fn adopted_since(&self, id: ReplicaId, height: u64, since: Duration) -> Option<Duration> {
        self.heads.reached(id, height, since)
    }

    /// A record of another world than a simulated one, in which nothing is written down yet. Whoever
    /// watches that world notes what it saw: [`Record::note_life`], [`Record::note_commit`],
    /// [`Record::note_head`], [`Record::halt`], [`Record::note_accusation`], for each replica in the order of time.
    pub fn observed(replicas: u32) -> Record {
        Record::new(replicas, Tracing::Off)
    }

    /// Somebody saw a replica adopt another head, by its word: the head's height, and that of the newest
    /// block which its branch shares with the one before. For a protocol that counts on blocks so deep.
    pub fn note_head(&mut self, id: ReplicaId, at: Duration, head: (u64, u64), depth: u64) {
        self.heads.moved(id, at, head, depth);
    }

    /// Somebody accused somebody. In a simulated world nobody has to note that: what leaves there is seen.
    pub fn note_accusation(&mut self, by: ReplicaId, offender: ReplicaId, charge: String) {
        self.accusations.insert(Accusation { by, offender, charge });
    }

    /// Who was said to have broken the rules, as far as it was noted, each time once.
    pub fn accusations(&self) -> impl Iterator<Item = &Accusation> {
        self.accusations.iter()
    }

    pub(crate) fn find(&mut self, find: Find) {
        self.finds.push(find);
    }

    /// A replica may have adopted another head, for a protocol that counts on blocks so deep.
    pub(crate) fn watch(&mut self, id: ReplicaId, at: Duration, ledger: &Ledger, depth: u64) {
        self.heads.look(id, at, ledger, depth);
    }

    pub(crate) fn trace(&mut self, line: TraceLine) {
        self.line.clear();
        serde_json::to_writer(&mut self.line, &line).expect("a trace line is plain data");
        self.line.push(b'\n');
        self.hash.update(&self.line);
        if self.tracing == Tracing::Kept {
            self.lines.push(line);
        }
    }

    /// Looks at an envelope as it leaves, before the network can do anything to it.
    pub(crate) fn sent<M: Message>(
        &mut self,
        origin: Origin,
        envelope: &Envelope<M>,
        class: Class,
        (bytes, recipients): (u64, usize),
    ) {
        let kind = envelope.packet.kind();
        let count = recipients as u64;
        self.bytes += count * bytes;
        *self.sends.entry((class, kind)).or_default() += count;
        let Packet::Message(signed) = &envelope.packet else { return };
        let Some(slot) = signed.slot() else { return };
        if class == Class::First {
            *self.first.entry((slot.height, kind)).or_default() += count;
        }
        let signer = signed.sender();
        let (value, signature) = (signed.value(), *signed.signature());
        let uttered = || Uttered { kind, value, signature, seq: envelope.seq, origin };
        let (first, twice) = self.said.entry((signer, slot)).or_insert_with(|| (uttered(), false));
        if first.value != signed.value() && !*twice {
            *twice = true;
            let (first, second) = (first.clone(), uttered());
            self.equivocations.push(Equivocation { signer, slot, first, second });
        }
    }

    /// A replica's host passes on what another replica put out, at the topology's word.
    pub(crate) fn relayed(&mut self, kind: &'static str, bytes: u64, recipients: usize) {
        self.bytes += bytes * recipients as u64;
        *self.sends.entry((Class::Relay, kind)).or_default() += recipients as u64;
    }

    /// A replica tells the public of transactions.
    pub(crate) fn publish(&mut self, bytes: u64, recipients: usize) {
        self.bytes += bytes * recipients as u64;
        self.published += recipients as u64;
    }

    /// A replica reports a block final.
    pub(crate) fn committed(
        &mut self,
        id: ReplicaId,
        at: Duration,
        (height, block): (u64, BlockHash),
        ledger: &Ledger,
    ) {
        let body = ledger.committed(height);
        let commit = Commit { at, height, block, proof: ledger.proof(height), recovered: false };
        self.note_commit(id, commit, body);
    }

    /// A life begins. What the disk holds final and was never reported, because the crash came
    /// first, is noted now.
    pub(crate) fn woke(&mut self, id: ReplicaId, at: Duration, ledger: &Ledger) {
        let known = self.history(id).iter().filter_map(Milestone::commit);
        let known = known.map(|commit| commit.height).max().unwrap_or(0);
        self.note_life(id, at, ledger.height());
        for height in known + 1..=ledger.height() {
            let Some(body) = ledger.committed(height) else { continue };
            let (block, proof) = (body.hash(), ledger.proof(height));
            self.note_commit(id, Commit { at, height, block, proof, recovered: true }, Some(body));
        }
    }

    /// A life begins, on a disk that holds blocks up to `height` final.
    pub fn note_life(&mut self, id: ReplicaId, at: Duration, height: u64) {
        self.heads.reborn(id);
        self.histories[id.0 as usize].push(Milestone::Woke { at, height });
    }

    /// A replica holds a block final; its body, if it is at hand.
    pub fn note_commit(&mut self, id: ReplicaId, commit: Commit, body: Option<Arc<Block>>) {
        if let Some(body) = body {
            self.blocks.entry(commit.block).or_insert(body);
        }
        if !commit.recovered {
            self.decided[id.0 as usize].entry(commit.height).or_insert(commit.block);
        }
        self.histories[id.0 as usize].push(Milestone::Final(commit));
    }

    /// A replica votes no more, and says why.
    pub fn halt(&mut self, id: ReplicaId, at: Duration, why: String) {
        self.halted.entry(id).or_insert((at, why));
    }

    pub(crate) fn refuse(&mut self, reason: &'static str) {
        *self.refused.entry(reason).or_default() += 1;
    }

    /// A replica is going to be asked to order a transaction.
    pub(crate) fn submit(&mut self, question: u64, replica: ReplicaId, name: TransactionId) {
        self.submissions.insert(question, Submission { replica, name, taken: None });
    }

    pub(crate) fn answer(&mut self, question: u64, at: Duration, answer: Answer) {
        if let Answer::Submitted(Ok(_)) = answer
            && let Some(submission) = self.submissions.get_mut(&question)
        {
            submission.taken = Some(at);
        }
        self.answers.insert(question, answer);
    }

    pub(crate) fn take_answer(&mut self, question: u64) -> Option<Answer> {
        self.answers.remove(&question)
    }
}
