//! Proof-of-work: whoever finds a nonce appends a block, and the branch with the most work counts.
//!
//! *The paper:* Satoshi Nakamoto, "Bitcoin: A Peer-to-Peer Electronic Cash System", 2008. What it
//! leaves open is as in Bitcoin, but for the difficulty, which is ASERT (Mark Lundeberg, "Static
//! difficulty adjustments, with absolutely scheduled exponentially rising targets", 2020).
//!
//! # Fault model
//!
//! Nobody votes and stake plays no part: whoever computes takes part, in proportion to what it
//! computes. With delays that are short beside the interval between blocks, and more than half of
//! the hashing honest, the chance that a block is undone falls exponentially with its depth (§11 of
//! the paper), and never is zero. Nothing is needed to go on: a single miner cut off from the others
//! goes on by itself, and whatever it did is undone when it meets a heavier branch.
//!
//! Nobody signs votes, so nothing can be proven of anybody, and nobody is punished: a second block
//! at one height is no lie, only work that is lost. Membership is open to whoever has hash rate, but
//! a block names its miner by number, so the addresses that earn are those of the genesis.
//!
//! # The rules
//!
//! - **R1 known** A block seen before is ignored. So is one that descends from an invalid one.
//! - **R2 work** Its hash meets the target it states, and that is no easier than the chain allows.
//!   (The target that is *due* is only known once its parent is: R5.)
//! - **R3 body** Its body is the one its header names. If not, *this body* is dropped, and nothing is
//!   remembered against the header: the true body may be on its way.
//! - **R4 orphans** If its parent is unknown it waits, in a bounded room, and the lowest ancestor
//!   that is missing is asked for.
//! - **R5 target** Its compact target is exactly the one that is due after its parent: see
//!   [`Config::required`]. Every branch has its own.
//! - **R6 time** Its time exceeds the median of those of the eleven blocks before (the ledger's rule,
//!   [`ledger::Genesis::median_blocks`]), and is at most [`Config::clock_skew`] ahead of our clock. If
//!   it is further ahead the block waits.
//! - **R7 ledger** It executes. If not, it and all its descendants are invalid for good.
//! - **R8 heaviest** Work is added up from the genesis. A branch with strictly more work than ours
//!   becomes ours; among equals the one seen first stays.
//! - **R9 relay** A block that became our head is passed on to a few peers at random.
//! - **R10 depth** A block `irreversible` deep is committed. `confirmations`, what a merchant waits
//!   for, is less; undoing a block that deep is remarked upon as `reverted`.
//! - **R11 mining** We mine on our head: what waits in the pool, brought up to date every
//!   [`Config::refresh`].
//!
//! # Where we differ, and why
//!
//! 1. *Irreversible.* The paper commits nothing, ever. A ledger that never commits would keep
//!    everything in memory, so a block [`Config::depths`] deep is. Two partitions that outlast that
//!    depth will not reunite: who meets a heavier branch that would undo what it committed halts,
//!    with both branches named (R12, `below.rs`).
//! 2. *Blocks are executed when they arrive,* also beside the best branch, so that adopting a branch
//!    cannot fail half way. Work limits how many an attacker can make us execute.
//! 3. *A branch is asked for from its tip down,* not headers first: [`Want::Block`] brings the
//!    ancestors that the asked one has along. Who is far behind gets a peer's branch from its own
//!    height up (the replica's sync).
//! 4. *The target follows the schedule, not a window.* Bitcoin's window of 2016 blocks reacts too
//!    slowly for small networks, counts one interval too few and can be gamed at its edges. A chain
//!    that stood still for a day will produce blocks as fast as its limit allows
//!    (`pow.limit_factor`) until it has caught up. [`retarget`] has Bitcoin's rule and another beside
//!    it, for comparison.
//! 5. *The hash is ours,* a tagged SHA-256 of the whole header, not a double one: see
//!    [`ledger::Header::hash`]. The seal comes last, so that a try costs as much.
//!
//! # What it withstands
//!
//! Cheap blocks (work is compared, not height), timestamps that lower the difficulty (the schedule
//! is absolute: what is gained now is paid back later; a branch made cheap weighs little), bodies
//! swapped under a header (R3), floods of orphans (bounded for each miner, and each costs work),
//! reorganisations that fail half way (2), miners with wrong clocks (R6).
//!
//! # What it does not
//!
//! Half of the hashing or more, and somewhat less where delays are long. Selfish mining from a
//! third. An eclipsed node sees only the branch it is shown; a newcomer that is eclipsed may even
//! commit one. Whoever rents more work than the honest have can undo what it likes above the
//! committed root.
//!
//! What R3 and R8 are for is seen where they are weak: `mutants.rs`, and the schedules in
//! `scenarios/mutants`.

#[cfg(any(test, feature = "byzantine"))]
mod adversary;
mod below;
mod config;
mod message;
mod mining;
mod mutants;
mod orphans;
mod proof;
pub mod retarget;
mod theory;
mod tree;

#[cfg(test)]
mod tests;

use crate::{
    Flaw,
    protocol::{Effect, Input, Protocol, Timer, To, Trusted, Turn, Unproven, Want},
    quorum::Signed,
    work::Target,
};
use ledger::{Block, BlockHash, Header, Proof, Rejected, ReplicaId, Slot};
use mining::Mining;
use mutants::N2;
use orphans::{Orphan, Orphans};
use rand_chacha::rand_core::Rng;
use retarget::{Rule, Window};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tree::Tree;

pub use config::Config;
pub use message::Message;

/// A committed height that this divides gets a proof, so that each header is stored about three
/// times and a peer that is behind never has to take more than a page without one.
const PROOF_EVERY: u64 = 32;

/// Names of timers.
mod phase {
    /// The block being mined is out of date.
    pub(super) const REFRESH: u8 = 0;
    /// The time of a block that lay in the future has come.
    pub(super) const EARLY: u8 = 1;
}

/// One participant.
#[derive(Debug)]
pub struct Nakamoto {
    config: Config,
    flaw: Flaw,
    rule: Rule,
    /// None until the first life begins.
    instance: Option<Instance>,
}

/// What it knows.
#[derive(Debug)]
struct Instance {
    config: Config,
    flaw: Flaw,
    rule: Rule,
    window: Window,
    tree: Tree,
    orphans: Orphans,
    /// By the calendar: when the first of the blocks is due that came before their time.
    early: Option<Duration>,
    mining: Mining,
}

impl Nakamoto {
    /// A participant before its first life.
    pub fn with(config: Config) -> Nakamoto {
        Nakamoto { config, flaw: Flaw::default(), rule: Rule::default(), instance: None }
    }

    /// One whose difficulty follows another rule than every chain's.
    #[cfg(any(test, feature = "byzantine"))]
    #[must_use]
    pub fn retargeting(self, rule: Rule) -> Nakamoto {
        Nakamoto { rule, ..self }
    }
}

impl Protocol for Nakamoto {
    type Message = Message;

    fn step(&mut self, input: Input<Message>, turn: &mut Turn<'_, Message>) {
        if let Input::Start { records, own: _ } = &input {
            let woken = Instance::wake(self.config, self.flaw, records, turn);
            self.instance = Some(Instance { rule: self.rule, ..woken });
        }
        let at = self.instance.as_mut().expect("a life begins with Start");
        match input {
            Input::Start { .. } => at.mine(turn),
            Input::Heard(signed) => at.hear(&signed, turn),
            Input::Arrived(block) => at.consider(&block, None, turn),
            Input::Mined(header) => at.found(*header, turn),
            Input::Waiting => at.mine(turn),
            Input::Rang(Timer(slot)) if slot.phase == phase::EARLY => at.reconsider(turn),
            Input::Rang(_) => at.refresh(turn),
            Input::Advanced { block, proof: _ } => at.advance(block, turn),
        }
    }

    fn proofs_settle() -> bool {
        false
    }

    fn verify(headers: &[Header], proof: &Proof, trusted: Trusted<'_>) -> Result<(), Unproven> {
        proof::verify(headers, proof, trusted)
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn lies() -> Vec<crate::byzantine::Entry<Nakamoto>> {
        adversary::lies()
    }
}

impl Instance {
    /// What earlier lives left: the blocks above the root, in the order they were seen.
    fn wake(
        config: Config,
        flaw: Flaw,
        records: &[Vec<u8>],
        turn: &mut Turn<'_, Message>,
    ) -> Instance {
        let tree = Tree::restore(flaw, records, turn);
        let head = tree.head();
        if head != turn.app.root() {
            turn.act(Effect::Adopt { head });
        }
        let (orphans, mining) = (Orphans::default(), Mining::default());
        let (rule, window) = (Rule::default(), Window::default());
        Instance { config, flaw, rule, window, tree, orphans, early: None, mining }
    }

    fn hear(&mut self, signed: &Signed<Message>, turn: &mut Turn<'_, Message>) {
        let Message::Block(block) = signed.message();
        self.consider(block, Some(signed), turn);
    }

    /// A block came, from its miner or because we asked for it. `said` is how, if it is to be passed
    /// on.
    fn consider(
        &mut self,
        block: &Arc<Block>,
        said: Option<&Signed<Message>>,
        turn: &mut Turn<'_, Message>,
    ) {
        let hash = block.hash();
        if self.tree.contains(hash) || self.tree.is_invalid(hash) || self.orphans.contains(hash) {
            return; // R1
        }
        if let Err(why) = self.stands_alone(block, hash) {
            self.n2_blame(block, hash, turn);
            return note(turn, "refused", format!("{}: {why}", hash.short()));
        }
        let before = self.tree.head();
        let from = said.map_or(block.header.proposer, Signed::sender);
        let mut next = VecDeque::from([Orphan { hash, block: Arc::clone(block), from }]);
        while let Some(orphan) = next.pop_front() {
            let hash = orphan.hash;
            if self.place(orphan, turn) || self.tree.is_invalid(hash) {
                next.extend(self.orphans.take_children(hash)); // R4: oldest first, never recursing.
            }
        }
        let head = self.tree.head();
        if head == before {
            return;
        }
        if let Some(signed) = said.filter(|said| head == hash && said.sender() != turn.me) {
            self.relay(signed, turn);
        }
        self.adopt(before, turn);
    }

    /// R2 and R3: what a block shows without its parent.
    fn stands_alone(&self, block: &Block, hash: BlockHash) -> Result<(), &'static str> {
        let target = Target::from_bits(block.header.seal.bits).ok_or("its target is none")?;
        if target > self.config.limit {
            return Err("its target is easier than the chain allows");
        }
        if !target.is_met_by(hash.0.as_bytes()) {
            return Err("its hash does not meet its target");
        }
        match block.body_matches() {
            true => Ok(()),
            false => Err("its body is not the one its header names"),
        }
    }

    /// The mutant N2: what is remembered against the header of a block that was refused.
    fn n2_blame(&mut self, block: &Block, hash: BlockHash, turn: &mut Turn<'_, Message>) {
        if self.flaw.is(N2) && mutants::n2_condemns(block) {
            self.tree.condemn(hash);
            let name = hash.short();
            mutants::remark(
                turn,
                format!("N2: condemns header {name} for a body that is not its own"),
            );
        }
    }

    /// R4 to R7: true if the block is in the tree now.
    fn place(&mut self, orphan: Orphan, turn: &mut Turn<'_, Message>) -> bool {
        let (hash, header) = (orphan.hash, &orphan.block.header);
        if self.tree.is_invalid(header.parent) {
            self.tree.condemn(hash);
            return false;
        }
        let Some(required) = self.required(header.parent, turn) else {
            // R1: what is committed is known, too, and came along with what was asked for.
            if turn.app.block(hash).is_none() {
                self.shelter(orphan, turn);
            }
            return false;
        };
        if header.seal.bits != required {
            self.tree.condemn(hash);
            note(
                turn,
                "invalid",
                format!("{}: its target is not the one that is due", hash.short()),
            );
            return false;
        }
        let earliest = Duration::from_millis(header.time).saturating_sub(self.config.clock_skew);
        if earliest > turn.wall {
            self.orphans.insert(orphan, turn.now);
            // One timer for all: whoever dates a block far ahead must not keep the others waiting.
            if self.early.is_none_or(|early| earliest < early) {
                self.early = Some(earliest);
                let slot = Slot { phase: phase::EARLY, ..Slot::default() };
                turn.act(Effect::SetTimer { timer: Timer(slot), after: earliest - turn.wall });
            }
            return false;
        }
        match turn.app.accept(&orphan.block) {
            Ok(_) => {
                self.tree.insert(&orphan.block.header, hash);
                turn.act(tree::accepted(hash));
                true
            }
            Err(Rejected::Invalid(why)) => {
                self.tree.condemn(hash);
                note(turn, "invalid", format!("{}: {why}", hash.short()));
                false
            }
            Err(why) => {
                note(turn, "dropped", format!("{}: {why}", hash.short()));
                false
            }
        }
    }

    /// R4: keeps a block without a parent, and asks for the lowest ancestor that is missing.
    fn shelter(&mut self, orphan: Orphan, turn: &mut Turn<'_, Message>) {
        let hash = orphan.hash;
        self.orphans.insert(orphan, turn.now);
        let missing = self.orphans.lowest_missing(hash);
        if self.tree.contains(missing) {
            // An ancestor waits for its time.
        } else if turn.app.block(missing).is_some() {
            // This may be the last that was missing beneath others.
            let tip = self.orphans.heaviest_upon(hash);
            self.r12_is_it_heavier(missing, tip, turn);
        } else {
            turn.act(Effect::Want(Want::Block(missing)));
        }
    }

    /// The time of some block has come, or room has been made: all that waits is judged again.
    fn reconsider(&mut self, turn: &mut Turn<'_, Message>) {
        self.early = None;
        for orphan in self.orphans.take_ready(|parent| self.tree.contains(parent)) {
            self.consider(&orphan.block, None, turn);
        }
    }

    /// R8 and R10: the tree has a new head. `before` is the old one.
    fn adopt(&mut self, before: BlockHash, turn: &mut Turn<'_, Message>) {
        let head = self.tree.head();
        turn.act(Effect::Adopt { head });
        self.remark_on_a_head(before, turn);
        let undone = self.tree.undone(before);
        if undone > 0 {
            note(turn, "reorganised", format!("{undone} blocks undone, head {}", head.short()));
        }
        if undone >= self.config.depths.confirmations {
            let confirmed = undone - self.config.depths.confirmations + 1;
            note(turn, "reverted", format!("{confirmed} confirmed blocks undone"));
        }
        self.commit(turn);
        self.mine(turn);
    }

    /// R10: what is deep enough stands for good.
    fn commit(&mut self, turn: &mut Turn<'_, Message>) {
        let depth = self.config.depths.irreversible;
        let Some(newest) = self.tree.length().checked_sub(depth) else { return };
        let (depth, newest) = (depth as usize, newest as usize);
        let branch = self.tree.branch();
        // The newest of those that get a proof, and the newest of all.
        let proven = (0..=newest).rev().find(|at| branch[*at].1.height.is_multiple_of(PROOF_EVERY));
        if let Some(at) = proven {
            let upon: Vec<_> =
                branch[at + 1..at + depth].iter().map(|(_, header)| (*header).clone()).collect();
            let proof = Some(proof::encode(&upon));
            turn.act(Effect::Commit { block: branch[at].0, proof });
        }
        let root = branch[newest].0;
        if proven != Some(newest) {
            turn.act(Effect::Commit { block: root, proof: None });
        }
        self.settle(root, turn);
    }

    /// The replica's sync committed more than we knew.
    fn advance(&mut self, root: BlockHash, turn: &mut Turn<'_, Message>) {
        let before = self.tree.head();
        if !self.tree.contains(root) {
            self.tree.learn(root, turn);
        }
        self.settle(root, turn);
        self.reconsider(turn);
        if self.tree.head() != before {
            turn.act(Effect::Adopt { head: self.tree.head() });
            self.commit(turn);
            self.mine(turn);
        }
    }

    /// The tree begins at `root` from now on. What was asked for is asked for again, since the
    /// horizon forgets it.
    fn settle(&mut self, root: BlockHash, turn: &mut Turn<'_, Message>) {
        self.tree.prune(root);
        turn.act(self.tree.record());
        turn.act(Effect::Horizon { height: self.tree.root_height(), round: 0 });
        self.orphans.expire(self.tree.root_height(), turn.now, self.config.interval);
        for missing in self.orphans.all_missing() {
            if turn.app.block(missing).is_none() {
                turn.act(Effect::Want(Want::Block(missing)));
            }
        }
    }

    /// R9: to a few others.
    fn relay(&self, signed: &Signed<Message>, turn: &mut Turn<'_, Message>) {
        let Some(committee) = turn.app.committee(turn.app.root()) else { return };
        let others = committee.members().iter().map(|member| member.id);
        let mut others: Vec<ReplicaId> =
            others.filter(|id| *id != turn.me && *id != signed.sender()).collect();
        let count = self.config.relay.min(others.len());
        for at in 0..count {
            let other = at + turn.rng.next_u32() as usize % (others.len() - at);
            others.swap(at, other);
        }
        others.truncate(count);
        if !others.is_empty() {
            turn.act(Effect::Relay { to: To::Some(others), message: signed.clone() });
        }
    }
}

fn note(turn: &mut Turn<'_, Message>, label: &'static str, detail: String) {
    turn.act(Effect::Note { label, detail });
}
