//! Dealings with peers: what they say, what they lack, and what we lack.

use super::Replica;
use crate::{
    event::{Action, Alarm, Class},
    gossip::{self, Summary},
    inbox::Verdict,
    packet::{Ask, Chained, Opened, Packet, compact::Carrier},
    sync::{self, SyncFault},
};
use consensus::{Input, Message, Protocol, Signed, Want};
use ledger::{Block, ReplicaId};
use rand_chacha::rand_core::Rng;
use std::{sync::Arc, time::Duration};

/// How often a want is asked for again.
pub(super) const WANT_PERIOD: Duration = Duration::from_millis(200);

/// How many wants are open at a time; the oldest gives way.
const MAX_WANTS: usize = 64;

/// How many messages without a slot are kept for those who want them.
const MAX_LOOSE: usize = 256;

impl<P: Protocol> Replica<P> {
    pub(super) fn received(&mut self, from: ReplicaId, opened: Opened<P::Message>) {
        match opened {
            Opened::Message(signed) => self.hear(signed),
            Opened::Summary(summary) => self.summary_from(from, &summary),
            Opened::Ask(ask) => self.asked_by(from, ask),
            Opened::Blocks(blocks) => self.blocks_from(from, &blocks),
            Opened::Branch(blocks) => self.branch_arrived(&blocks),
            Opened::Incomplete(carrier) => self.ask_for_all_of(from, carrier),
            Opened::Hearsay(hearsay) => self.hearsay_from(from, &hearsay),
            Opened::Testimony(stubs) => self.testimony_from(&stubs),
        }
    }

    /// Judges a message and delivers what is new.
    pub(super) fn hear(&mut self, signed: Signed<P::Message>) {
        let kind = signed.message().kind();
        if !self.may_speak(&signed) {
            return self.refuse(kind, "no_seat");
        }
        match self.inbox.receive(&signed, self.moment.now) {
            Verdict::Fresh => self.recall(&signed),
            Verdict::Equivocation(evidence) => self.convict(&evidence),
            // Our own voice counts once even so.
            Verdict::Known if self.options.weak.hears_twice() && signed.sender() != self.me => {}
            Verdict::Known => return,
            Verdict::Dead => return self.hear_late(&signed),
            Verdict::TooFar => return self.refuse(kind, "too_far"),
            Verdict::Surplus => return self.refuse(kind, "surplus"),
        }
        if signed.slot().is_none() {
            self.wants.remove(&Want::Message(signed.id().to_bytes()));
            self.keep_loose(&signed);
        }
        self.inputs.push_back(Input::Heard(signed));
    }

    /// Whether its sender has a seat at the height it speaks of, or may have one that we do not know of yet.
    /// Keys are never forgotten, and whoever left the committee could go on filling our memory. It is nobody's
    /// fault: we may be the one who lags behind.
    fn may_speak(&self, signed: &Signed<P::Message>) -> bool {
        let (sender, root) = (signed.sender(), self.ledger.root());
        let Some(slot) = signed.slot().filter(|slot| slot.height > 0) else { return true };
        if !P::proofs_settle() || self.ledger.staking().is_none() || sender == self.me {
            return true;
        }
        let register = self.ledger.register(root).expect("the root has a register");
        register.may_sit(sender, slot.height, self.ledger.height())
    }

    /// Keeps a message without a slot for those who want it. Nobody can push out what others said: of
    /// one sender who said too much the oldest goes.
    fn keep_loose(&mut self, signed: &Signed<P::Message>) {
        let is_theirs = |held: &Signed<P::Message>| held.sender() == signed.sender();
        let theirs = self.loose.iter().filter(|held| is_theirs(held));
        if theirs.clone().any(|held| held.signature() == signed.signature()) {
            return;
        }
        if theirs.count() >= MAX_LOOSE / (self.peers().len() + 1).min(MAX_LOOSE) {
            let oldest = self.loose.iter().position(is_theirs);
            oldest.map(|oldest| self.loose.remove(oldest));
        }
        self.loose.push_back(signed.clone());
    }

    /// What we said in a life whose disk is lost may come back to us; it is said once and for all.
    fn recall(&mut self, signed: &Signed<P::Message>) {
        if signed.sender() == self.me {
            self.signer.recall(signed, &mut self.batch);
        }
    }

    /// Asks whoever sent a message without some of its transactions for the whole, unless that
    /// came otherwise or would not be listened to. Best effort: gossip brings what stays lost.
    fn ask_for_all_of(&mut self, from: ReplicaId, carrier: Carrier) {
        let is_of_use = carrier.slot.is_none_or(|slot| self.inbox.is_open(slot));
        if is_of_use && self.find(&carrier).is_none() {
            self.post_to(vec![from], Packet::Ask(Ask::Whole(carrier)), Class::Sync);
        }
    }

    /// A message that we hold, by the block it carries.
    pub(super) fn find(&self, carrier: &Carrier) -> Option<&Signed<P::Message>> {
        match carrier.slot {
            Some(slot) => {
                let mut held = self.inbox.held(slot, carrier.sender);
                held.find(|signed| carrier.is(signed))
            }
            None => self.loose.iter().find(|signed| carrier.is(signed)),
        }
    }

    fn summary_from(&mut self, from: ReplicaId, summary: &Summary) {
        if !self.may_ask(from, "summary") {
            return;
        }
        self.sync.heard(from, summary.reach);
        self.told_by(from, summary);
        // Guests follow by blocks. They hold no messages, and whatever they say they do costs us little.
        if self.is_validator(from) {
            self.answer_summary(from, summary);
        }
        // A peer that is behind must not wait until our dice pick it. They never pick who lost its seat, which
        // may not know that yet; and on a fast chain nothing ever settles.
        let settled = self.moment.now >= self.progress + gossip::PATIENCE;
        let committee = self.ledger.committee(self.ledger.root());
        let unseated = committee.is_none_or(|committee| committee.seat(from).is_none());
        if (settled || unseated) && summary.reach < self.reach() {
            self.tell(from);
        }
        self.catch_up();
    }

    /// Whether somebody is a validator, or was one.
    fn is_validator(&self, id: ReplicaId) -> bool {
        let register = self.ledger.register(self.ledger.root()).expect("the root has a register");
        register.validator(id).is_some()
    }

    pub(super) fn catch_up(&mut self) {
        // Nobody sends votes to whoever has no seat.
        let fresh = self.has_seat() && self.moment.now < self.progress + gossip::PATIENCE;
        let members = self.peers();
        let height =
            if P::proofs_settle() { self.ledger.height() } else { self.ledger.head_height() };
        let now = self.moment.now;
        if let Some((peer, ask)) = self.sync.next(height, fresh, &members, now, &mut self.rng) {
            self.post_to(vec![peer], Packet::Ask(ask), Class::Sync);
        }
    }

    fn blocks_from(&mut self, from: ReplicaId, blocks: &[Chained]) {
        if self.halted.is_some() {
            return;
        }
        if !self.sync.expects(from, blocks.first().map(|first| first.block.header.height)) {
            return self.refuse("blocks", "unasked");
        }
        // Of no use is what was of use when it was asked for, too, if we got on otherwise meanwhile.
        let since = self.sync.asked_since(from);
        let is_due = since.is_some_and(|since| self.progress <= since);
        if blocks.len() > sync::MAX_BLOCKS {
            self.sync.answered(from, false);
            self.blame(from, "too_many_blocks");
            return self.refuse("blocks", "too_many");
        }
        if !P::proofs_settle() {
            return self.hand_over(from, blocks, is_due);
        }
        let before = self.ledger.height();
        let mut rest = blocks;
        let fault = loop {
            match self.commit_proven(rest) {
                Ok(used) if used < rest.len() && self.halted.is_none() => rest = &rest[used..],
                // Late answers to an earlier question hold nothing new: nobody's fault.
                Ok(_) | Err(SyncFault::Useless(_)) => break None,
                Err(fault) => break Some(fault),
            }
        };
        self.sync.answered(from, fault.is_none());
        if self.ledger.height() > before {
            self.sync.kept(from);
        } else if is_due {
            self.sync.broken(from);
        }
        if let Some(fault) = fault {
            if fault.is_fault() {
                self.blame(from, fault.reason());
            }
            self.refuse("blocks", fault.reason());
            if let SyncFault::Conflict { height, ours, theirs, proven } = fault {
                self.alarm_of_rival(height, (ours, theirs), *proven);
            }
        }
        if self.ledger.height() > before && self.halted.is_none() {
            self.tell_advanced();
            self.catch_up();
        }
    }

    /// Hands a peer's adopted blocks to the protocol, which judges them as it would any others, and
    /// asks for more once it has and they got us on.
    fn hand_over(&mut self, from: ReplicaId, blocks: &[Chained], is_due: bool) {
        self.sync.answered(from, !blocks.is_empty());
        for chained in blocks {
            if !chained.block.body_matches() {
                self.blame(from, "body");
                return self.refuse("blocks", "body");
            }
            self.inputs.push_back(Input::Arrived(Arc::clone(&chained.block)));
        }
        self.behind = Some((self.ledger.head(), from, is_due));
    }

    /// Commits the first proven run of `blocks`; how many of them it used up.
    fn commit_proven(&mut self, blocks: &[Chained]) -> Result<usize, SyncFault> {
        let run = sync::check::<P>(&self.ledger, blocks, &self.keys)?;
        for chained in &blocks[run.clone()] {
            self.ledger.accept(&chained.block, &mut self.batch)?;
        }
        let last = &blocks[run.end - 1];
        if let Some(proof) = &last.proof {
            self.confront_proof(&last.block.header, proof);
        }
        self.commit(last.block.hash(), last.proof.clone());
        Ok(run.end)
    }

    /// Once for all that an answer brought: the protocol need not pass through heights that are
    /// final already.
    fn tell_advanced(&mut self) {
        let proof = self.ledger.proof(self.ledger.height());
        let proof = proof.expect("a run of synced blocks ends with its proof");
        self.inputs.push_back(Input::Advanced { block: self.ledger.root(), proof });
        self.hear_deferred();
    }

    /// Delivers what was wanted and what it stands on, oldest first. Whatever does not hang together
    /// was not wanted.
    fn branch_arrived(&mut self, blocks: &[Arc<Block>]) {
        let Some(wanted) = blocks.first() else { return self.refuse("branch", "empty") };
        let mut hash = wanted.hash();
        if !wanted.body_matches() {
            return self.refuse("branch", "body");
        }
        if self.wants.remove(&Want::Block(hash)).is_none() {
            return self.refuse("branch", "unwanted");
        }
        let mut linked = 0;
        for block in blocks.iter().take(sync::MAX_BLOCKS) {
            if block.hash() != hash || !block.body_matches() {
                self.refuse("branch", "unlinked");
                break;
            }
            linked += 1;
            hash = block.header.parent;
        }
        let oldest_first = blocks[..linked].iter().rev();
        self.inputs.extend(oldest_first.map(|block| Input::Arrived(Arc::clone(block))));
        self.hear_deferred();
    }

    pub(super) fn hear_deferred(&mut self) {
        let deferred = self.inbox.take_deferred();
        self.inputs.extend(deferred.into_iter().map(Input::Heard));
    }

    /// While we do not know what we may sign, everybody who has not told us is asked.
    pub(super) fn ask_how_far(&mut self) {
        let Some(birth) = &self.birth else { return };
        let silent = birth.silent(self.peers());
        self.post_to(silent, Packet::Ask(Ask::Summary), Class::Sync);
        self.try_birth();
    }

    fn told_by(&mut self, from: ReplicaId, summary: &Summary) {
        let committee = self.ledger.committee(self.ledger.root());
        // Whoever has left, or never was a member, is not asked and may say anything.
        let committee = committee.filter(|committee| committee.seat(from).is_some());
        if let (Some(birth), Some(committee)) = (&mut self.birth, committee) {
            birth.told(from, summary, self.me, &committee);
            self.try_birth();
        }
    }

    /// Tells one random peer what we hold, and looks whether we are behind. Without a seat we hold nothing
    /// that anybody lacks, and nobody tells us anything: so we ask how far the others are.
    pub(super) fn tell_someone(&mut self) {
        self.actions.push(Action::SetTimer { alarm: Alarm::Gossip, after: gossip::PERIOD });
        self.answer_put_off();
        self.ask_how_far();
        self.report();
        self.fill_gap();
        self.publish_again();
        let peers = self.peers();
        if !peers.is_empty() {
            let peer = peers[self.rng.next_u32() as usize % peers.len()];
            match self.has_seat() {
                true => self.tell(peer),
                false => self.post_to(vec![peer], Packet::Ask(Ask::Summary), Class::Sync),
            }
        }
        self.catch_up();
    }

    pub(super) fn tell(&mut self, peer: ReplicaId) {
        let Some(committee) = self.ledger.committee(self.ledger.root()) else { return };
        let mut summary = self.gossip.summary(&self.inbox, self.reach(), &committee);
        *summary.dead = self.dead();
        self.post_to(vec![peer], Packet::Summary(summary), Class::Summary);
    }

    /// How far we can bring a peer that asks us for blocks.
    fn reach(&self) -> u64 {
        if P::proofs_settle() { self.ledger.proven_height() } else { self.ledger.head_height() }
    }

    pub(super) fn want(&mut self, want: Want) {
        if self.wants.len() >= MAX_WANTS {
            self.wants.pop_first();
        }
        self.wants.entry(want).or_insert(None);
        self.ask_for_wants();
    }

    /// Asks a random peer for each want that was not asked for lately.
    pub(super) fn ask_for_wants(&mut self) {
        let peers = self.peers();
        if self.wants.is_empty() || peers.is_empty() {
            return;
        }
        let now = self.moment.now;
        let mut asks = Vec::new();
        for (want, asked) in &mut self.wants {
            if asked.is_none_or(|asked| now >= asked + WANT_PERIOD) {
                *asked = Some(now);
                let peer = peers[self.rng.next_u32() as usize % peers.len()];
                asks.push((peer, *want));
            }
        }
        for (peer, want) in asks {
            let ask = match want {
                Want::Block(hash) => Ask::Block(hash),
                Want::Message(id) => Ask::Message(id),
            };
            self.post_to(vec![peer], Packet::Ask(ask), Class::Sync);
        }
        self.actions.push(Action::SetTimer { alarm: Alarm::Wants, after: WANT_PERIOD });
    }

    /// Whether we have a seat, or stake that gives us one soon.
    pub(super) fn is_staked(&self) -> bool {
        let register = self.ledger.register(self.ledger.root()).expect("the root has a register");
        let own = register.validator(self.me);
        own.is_some_and(|own| own.stake.0 > 0 || own.weight.0 > 0)
    }

    /// Whether we are a member of the committee.
    fn has_seat(&self) -> bool {
        let committee = self.ledger.committee(self.ledger.root());
        committee.is_some_and(|committee| committee.seat(self.me).is_some())
    }

    /// Every other member of the committee.
    pub(super) fn peers(&self) -> Vec<ReplicaId> {
        let committee = self.ledger.committee(self.ledger.root());
        let members = committee.iter().flat_map(|committee| committee.members());
        members.map(|member| member.id).filter(|id| *id != self.me).collect()
    }
}
