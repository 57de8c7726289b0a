//! Everything said about one height: the paper's message log, counted.

use super::{message::Message, mutants, recovery::Known};
use crate::{
    Flaw,
    quorum::{Behind, Signed, Tally},
};
use crypto::{Hash, Signature};
use ledger::{Block, BlockHash, Committee, ReplicaId};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// The messages of one height. All of it is kept until the height is decided, because L49
/// needs precommits of rounds long past, and L28 prevotes.
#[derive(Debug)]
pub(super) struct Log {
    committee: Arc<Committee>,
    flaw: Flaw,
    /// Whether votes may count under other weights than the chain's.
    leaks: bool,
    /// Those under which they may.
    tables: BTreeMap<Hash, Arc<Known>>,
    /// Boxed: a node of the tree has room for eleven, and mostly holds one.
    rounds: BTreeMap<u64, Box<Round>>,
    /// Bodies by their name; each matches the header whose hash names it.
    bodies: BTreeMap<BlockHash, Arc<Block>>,
}

/// A proposal, its body apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) valid_round: Option<u64>,
    pub(super) value: BlockHash,
    /// What names its table, if it has one.
    pub(super) table: Option<Hash>,
}

/// Who signed a vote, by rising id, with the signatures.
pub(super) type Signatures = Vec<(ReplicaId, Signature)>;

#[derive(Debug)]
struct Round {
    /// In the order heard. An equivocating proposer has more than one, and each is kept: dropping
    /// the second would lose it to a quorum that saw it first.
    offers: Vec<Offer>,
    prevotes: Tally<Message>,
    precommits: Tally<Message>,
}

impl Log {
    pub(super) fn new(committee: Arc<Committee>, leaks: bool, flaw: Flaw) -> Log {
        let (tables, rounds, bodies) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Log { committee, flaw, leaks, tables, rounds, bodies }
    }

    /// From now on votes count under these tables, and no others.
    pub(super) fn weigh(&mut self, tables: BTreeMap<Hash, Arc<Known>>) {
        self.tables = tables;
    }

    pub(super) fn committee(&self) -> &Arc<Committee> {
        &self.committee
    }

    fn round(&mut self, round: u64) -> &mut Round {
        self.rounds.entry(round).or_insert_with(|| {
            let tally = || Tally::new(self.committee.clone());
            Box::new(Round { offers: Vec::new(), prevotes: tally(), precommits: tally() })
        })
    }

    /// Keeps a proposal of the round's proposer, whose body matches its header.
    pub(super) fn offer(&mut self, round: u64, offer: Offer, block: &Arc<Block>) {
        self.keep(offer.value, block);
        let offers = &mut self.round(round).offers;
        if !offers.contains(&offer) {
            offers.push(offer);
        }
    }

    /// Keeps a body that matches the header called `value`.
    pub(super) fn keep(&mut self, value: BlockHash, block: &Arc<Block>) {
        self.bodies.entry(value).or_insert_with(|| Arc::clone(block));
    }

    /// Counts a vote; the same one again changes nothing. True if it did, by a flaw.
    pub(super) fn vote(&mut self, vote: &Signed<Message>) -> bool {
        let counts_copies = mutants::counts_copies(self.flaw);
        let round = self.round(vote.message().round());
        let tally = match vote.message() {
            Message::Alive { .. } | Message::Proposal { .. } => {
                unreachable!("only votes are counted")
            }
            Message::Prevote { .. } => &mut round.prevotes,
            Message::Precommit { .. } => &mut round.precommits,
        };
        !tally.add(vote) && counts_copies && tally.add_again(vote)
    }

    /// Whether a rule may hold now that did not before this message was counted. No rule speaks of
    /// fewer votes of one kind than a quorum.
    pub(super) fn may_stir(&self, message: &Message) -> bool {
        if self.leaks {
            return true;
        }
        let round = self.rounds.get(&message.round());
        let votes = match message {
            // Even one that is refused: the prevotes it brings were counted up to a forged one.
            Message::Alive { .. } | Message::Proposal { .. } => return true,
            Message::Prevote { .. } => round.map(|round| &round.prevotes),
            Message::Precommit { .. } => round.map(|round| &round.precommits),
        };
        votes.is_some_and(|votes| self.is_enough(votes.weight()))
    }

    /// A mutant may drop the prevotes of rounds before this one. Whether there were any.
    pub(super) fn forget_by_flaw(&mut self, round: u64) -> bool {
        let mut any = false;
        for (&of, earlier) in self.rounds.range_mut(..round) {
            if mutants::drops_polka(self.flaw, of, round) && earlier.prevotes.weight() > 0 {
                earlier.prevotes = Tally::new(self.committee.clone());
                any = true;
            }
        }
        any
    }

    /// Whether so much weight is a quorum.
    fn is_enough(&self, weight: u128) -> bool {
        mutants::is_quorum(self.flaw, weight, &self.committee)
    }

    /// What a quorum of a round's votes of one kind is for.
    fn agreed<'a>(&'a self, votes: &'a Tally<Message>) -> impl Iterator<Item = &'a Message> {
        votes.backed(|behind| match behind.message().table() {
            Some(table) if self.leaks => self.is_enough_under(table, behind),
            _ => self.is_enough(behind.weight()),
        })
    }

    /// Whether those behind a vote are a quorum under the table that it names, if that is known.
    fn is_enough_under(&self, table: Hash, behind: Behind<'_, Message>) -> bool {
        let Some(known) = self.tables.get(&table) else { return false };
        let weight = behind.seats().map(|seat| known.committee.weight(seat)).sum();
        mutants::is_quorum(self.flaw, weight, &known.committee)
    }

    pub(super) fn body(&self, value: BlockHash) -> Option<&Arc<Block>> {
        self.bodies.get(&value)
    }

    /// Those rounds of a range in which anything was said, the last first.
    pub(super) fn heard(&self, range: Range<u64>) -> Vec<u64> {
        let range = range.start.min(range.end)..range.end;
        self.rounds.range(range).rev().map(|(&round, _)| round).collect()
    }

    /// The proposals of a round, in the order heard.
    pub(super) fn offers(&self, round: u64) -> &[Offer] {
        self.rounds.get(&round).map_or(&[], |round| &round.offers)
    }

    /// What a quorum of a round's prevotes is for; `None` among the items is nil.
    pub(super) fn polkas(&self, round: u64) -> impl Iterator<Item = Option<BlockHash>> {
        self.rounds
            .get(&round)
            .into_iter()
            .flat_map(|round| self.agreed(&round.prevotes))
            .map(Message::value)
    }

    /// Whether a round has a quorum of prevotes for whatever.
    pub(super) fn is_prevoted(&self, round: u64) -> bool {
        self.rounds.get(&round).is_some_and(|round| self.is_enough(round.prevotes.weight()))
    }

    /// Whether a round has a quorum of precommits for whatever.
    pub(super) fn is_precommitted(&self, round: u64) -> bool {
        self.rounds.get(&round).is_some_and(|round| self.is_enough(round.precommits.weight()))
    }

    /// Every round in which a quorum precommits a value, with that value.
    pub(super) fn decisions(&self) -> impl Iterator<Item = (u64, BlockHash)> {
        self.rounds.iter().flat_map(|(&round, log)| {
            self.agreed(&log.precommits).filter_map(move |message| Some((round, message.value()?)))
        })
    }

    /// Whether a round has a polka for `value`.
    pub(super) fn has_polka(&self, round: u64, value: BlockHash) -> bool {
        self.polkas(round).any(|polka| polka == Some(value))
    }

    /// The prevotes of a round's polka for `value`: who signed them, by rising id, and the table that they
    /// name.
    pub(super) fn polka(&self, round: u64, value: BlockHash) -> Option<(Signatures, Option<Hash>)> {
        self.find(&self.rounds.get(&round)?.prevotes, value)
    }

    /// The precommits that decide `value` in `round`, as [`Log::polka`].
    pub(super) fn decision(
        &self,
        round: u64,
        value: BlockHash,
    ) -> Option<(Signatures, Option<Hash>)> {
        self.find(&self.rounds.get(&round)?.precommits, value)
    }

    fn find(&self, votes: &Tally<Message>, value: BlockHash) -> Option<(Signatures, Option<Hash>)> {
        let message = self.agreed(votes).find(|message| message.value() == Some(value))?;
        Some((votes.signatures(message), message.table()))
    }

    /// Every value that a quorum names, in prevotes or precommits of whatever round.
    pub(super) fn named(&self) -> impl Iterator<Item = BlockHash> {
        let both = self.rounds.values().flat_map(|round| [&round.prevotes, &round.precommits]);
        both.flat_map(|votes| self.agreed(votes)).filter_map(Message::value)
    }
}

/// Messages of rounds not yet reached. They matter to L55 only, until their round begins.
///
/// Nothing here may grow with what one sender claims: a round further ahead than
/// [`Early::REACH`] is not kept, and of each sender only the [`Early::ROUNDS`] highest rounds are.
/// So a flood pushes out nobody's messages but its author's.
#[derive(Debug, Default)]
pub(super) struct Early {
    rounds: BTreeMap<u64, BTreeMap<ReplicaId, Vec<Signed<Message>>>>,
}

impl Early {
    /// How far ahead of us a round may lie. With growing timeouts the others need hours to get so
    /// far ahead at one height, and a replica that was cut off for longer is helped by sync. It
    /// also bounds how many single steps of the rotation one L55 can cost.
    pub(super) const REACH: u64 = 1024;

    /// How many rounds of one sender are kept. An honest sender is ahead by many rounds only after
    /// a partition, and what brings its messages brings the others' too, so that L55 follows.
    pub(super) const ROUNDS: usize = 32;

    /// Keeps a message. False if something of its sender had to go: the message itself or all that
    /// it said in its lowest round.
    pub(super) fn add(&mut self, now: u64, flaw: Flaw, signed: Signed<Message>) -> bool {
        let (sender, round) = (signed.sender(), signed.message().round());
        if round - now > mutants::reach(flaw, Early::REACH) {
            return false;
        }
        self.rounds.entry(round).or_default().entry(sender).or_default().push(signed);
        let mut of_sender = self.rounds.iter().filter(|(_, senders)| senders.contains_key(&sender));
        let lowest = of_sender.next().map(|(&round, _)| round).expect("it was just added");
        if of_sender.count() < Early::ROUNDS {
            return true;
        }
        let senders = self.rounds.get_mut(&lowest).expect("it was just found");
        senders.remove(&sender);
        if senders.is_empty() {
            self.rounds.remove(&lowest);
        }
        false
    }

    /// The highest round in which more than a third of the stake speaks.
    pub(super) fn spoken_for(&self, committee: &Committee, flaw: Flaw) -> Option<u64> {
        let stake = |&sender: &ReplicaId| committee.weight_of(sender);
        let is_spoken_for = |senders: &BTreeMap<ReplicaId, _>| {
            let weight = senders.keys().map(stake).sum();
            mutants::is_weak_quorum(flaw, weight, committee)
        };
        let mut highest_first = self.rounds.iter().rev();
        highest_first.find(|(_, senders)| is_spoken_for(senders)).map(|(&round, _)| round)
    }

    /// Who has entered a round that we have not, after this block, the highest first.
    pub(super) fn alive(&self, after: BlockHash) -> impl Iterator<Item = (u64, Vec<ReplicaId>)> {
        let is_alive = move |said: &&Signed<Message>| matches!(said.message(), Message::Alive { parent, .. } if *parent == after);
        self.rounds.iter().rev().map(move |(&round, senders)| {
            let said = senders.values().flatten().filter(is_alive);
            (round, said.map(Signed::sender).collect())
        })
    }

    /// Takes out what was said in rounds up to `round`, by rising round and sender.
    pub(super) fn until(&mut self, round: u64) -> Vec<Signed<Message>> {
        let later = self.rounds.split_off(&(round + 1));
        let reached = std::mem::replace(&mut self.rounds, later);
        reached.into_values().flat_map(BTreeMap::into_values).flatten().collect()
    }
}
