//! Types that carry proof: only verification makes them.
//!
//! Wire bytes decode to [`Claimed`]; checking its signature makes [`Signed`]; a [`Tally`] over a
//! [`Committee`] that passes two thirds of the stake makes a [`Certificate`]. None of the latter
//! has a public field, a `Default` or a `Deserialize`.

use crate::protocol::{Message, Unproven};
use crypto::{Domain, Hash, Signature, codec, hash};
use ledger::{
    Committee, Hand, Keys, ReplicaId, Slot,
    vote::{Evidence, Vote},
};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// A message as it came off the wire: anyone may have written it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "M: Message")]
pub struct Claimed<M> {
    /// Who is said to have signed it.
    pub sender: ReplicaId,
    /// What is said.
    pub message: M,
    /// Over the message's slot and [`value_of`] it.
    pub signature: Signature,
}

impl<M: Message> Claimed<M> {
    /// Checks the signature.
    pub fn open(self, keys: &Keys) -> Result<Signed<M>, Forged> {
        let value = value_of(&self.message);
        let vote = Vote { sender: self.sender, slot: self.message.slot(), value };
        if !keys.check(&vote, &self.signature) && !self.is_confused(keys) {
            return Err(Forged { sender: self.sender, kind: self.message.kind() });
        }
        Ok(Signed(Arc::new(Inner::new(self, value))))
    }

    /// Whether the signature is the sender's over the message that this one is mistaken for, in the
    /// world of a mutant that mistakes it. In every other world it is not.
    fn is_confused(&self, keys: &Keys) -> bool {
        #[cfg(any(test, feature = "byzantine"))]
        if keys.confuses_kinds()
            && let Some(twin) = self.message.confusable()
        {
            let vote = Vote { sender: self.sender, slot: twin.slot(), value: value_of(&twin) };
            return keys.check(&vote, &self.signature);
        }
        let _ = keys;
        false
    }
}

/// A signature is not the claimed sender's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {kind} said to be from replica {sender} does not carry its signature")]
pub struct Forged {
    /// Whose signature it should be.
    pub sender: ReplicaId,
    /// The kind of message.
    pub kind: &'static str,
}

/// The hash of a message: the value that is signed in its slot.
pub fn value_of<M: Message>(message: &M) -> Hash {
    hash::tagged(Domain::Message, &codec::encode(message))
}

/// A message whose signature was checked, or made by us. Cheap to clone.
#[derive(Debug)]
pub struct Signed<M>(Arc<Inner<M>>);

#[derive(Debug)]
struct Inner<M> {
    claimed: Claimed<M>,
    value: Hash,
    /// Kept, because every summary of what is held is made of these.
    id: Hash,
}

impl<M> Inner<M> {
    fn new(claimed: Claimed<M>, value: Hash) -> Inner<M> {
        let id = hash::tagged(Domain::Message, &codec::encode(&(claimed.sender, value)));
        Inner { claimed, value, id }
    }
}

impl<M> Clone for Signed<M> {
    fn clone(&self) -> Self {
        Signed(Arc::clone(&self.0))
    }
}

impl<M: Message> PartialEq for Signed<M> {
    fn eq(&self, other: &Self) -> bool {
        self.0.claimed == other.0.claimed
    }
}

impl<M: Message> Signed<M> {
    /// Signs a message with our own hand.
    pub fn by(hand: &Hand, message: M) -> Signed<M> {
        let value = value_of(&message);
        let signature = hand.sign(message.slot(), value);
        let claimed = Claimed { sender: hand.me(), message, signature };
        Signed(Arc::new(Inner::new(claimed, value)))
    }

    /// Who said it.
    pub fn sender(&self) -> ReplicaId {
        self.0.claimed.sender
    }

    /// What was said.
    pub fn message(&self) -> &M {
        &self.0.claimed.message
    }

    /// The hash of what was said.
    pub fn value(&self) -> Hash {
        self.0.value
    }

    /// Names who said what: differs between two senders of the same words.
    pub fn id(&self) -> Hash {
        self.0.id
    }

    /// Where it could be said once.
    pub fn slot(&self) -> Option<Slot> {
        self.message().slot()
    }

    /// The sender's signature.
    pub fn signature(&self) -> &Signature {
        &self.0.claimed.signature
    }

    /// The form that travels.
    pub fn claimed(&self) -> &Claimed<M> {
        &self.0.claimed
    }

    /// With another of the same sender and slot but another value: proof of equivocation.
    pub fn evidence_with(&self, other: &Signed<M>) -> Option<Evidence> {
        let slot = self.slot()?;
        let same = self.sender() == other.sender() && other.slot() == Some(slot);
        (same && self.value() != other.value()).then(|| {
            let of = |signed: &Signed<M>| (signed.value(), *signed.signature());
            Evidence::new(self.sender(), slot, of(self), of(other))
        })
    }
}

/// Counts who said what, by stake. A sender counts once for each value, and once in the total.
#[derive(Clone, Debug)]
pub struct Tally<M> {
    committee: Arc<Committee>,
    weight: u128,
    values: Vec<Count<M>>,
}

#[derive(Clone, Debug)]
struct Count<M> {
    value: Hash,
    weight: u128,
    /// By seat: a `Vec` beats a tree here (docs/decisions).
    votes: Vec<Option<Signed<M>>>,
}

impl<M: Message> Tally<M> {
    /// Nobody has spoken.
    pub fn new(committee: Arc<Committee>) -> Tally<M> {
        Tally { committee, weight: 0, values: Vec::new() }
    }

    /// Counts a message. False if its sender has no seat or was counted for this value already.
    pub fn add(&mut self, signed: &Signed<M>) -> bool {
        let Some(seat) = self.committee.seat(signed.sender()) else { return false };
        let stake = self.committee.weight(seat);
        let value = signed.value();
        let index = match self.values.iter().position(|count| count.value == value) {
            Some(index) => index,
            None => {
                let votes = vec![None; self.committee.len()];
                self.values.push(Count { value, weight: 0, votes });
                self.values.len() - 1
            }
        };
        if self.values[index].votes[seat].is_some() {
            return false;
        }
        if !self.has_spoken(seat) {
            self.weight += stake;
        }
        let count = &mut self.values[index];
        count.votes[seat] = Some(signed.clone());
        count.weight += stake;
        true
    }

    /// Counts a message again that [`Tally::add`] has counted: wrong, and a mutant's way. False if it
    /// has not been counted before.
    pub(crate) fn add_again(&mut self, signed: &Signed<M>) -> bool {
        let Some(seat) = self.committee.seat(signed.sender()) else { return false };
        let stake = self.committee.weight(seat);
        let counts = &mut self.values;
        let Some(count) = counts.iter_mut().find(|count| count.value == signed.value()) else {
            return false;
        };
        if count.votes[seat].is_none() {
            return false;
        }
        count.weight += stake;
        self.weight += stake;
        true
    }

    /// Whether `sender` has been counted, for whatever value.
    pub fn heard(&self, sender: ReplicaId) -> bool {
        self.committee.seat(sender).is_some_and(|seat| self.has_spoken(seat))
    }

    /// For whatever value; there are few.
    fn has_spoken(&self, seat: usize) -> bool {
        self.values.iter().any(|count| count.votes[seat].is_some())
    }

    /// The weight of everyone who spoke, each once.
    pub fn weight(&self) -> u128 {
        self.weight
    }

    /// Whether those who spoke, for whatever values, are a quorum.
    pub fn is_quorum(&self) -> bool {
        self.committee.is_quorum(self.weight)
    }

    /// Whether those who spoke, for whatever values, surely include somebody honest.
    pub fn is_weak_quorum(&self) -> bool {
        self.committee.is_weak_quorum(self.weight)
    }

    /// The weight behind exactly this message.
    pub fn weight_of(&self, message: &M) -> u128 {
        let value = value_of(message);
        self.values.iter().find(|count| count.value == value).map_or(0, |count| count.weight)
    }

    /// Every message that was said, with how many said it: for whom heads count, and not stake.
    pub fn counts(&self) -> impl Iterator<Item = (&M, usize)> {
        self.values.iter().filter_map(|count| {
            let message = count.votes.iter().flatten().next()?.message();
            Some((message, count.votes.iter().flatten().count()))
        })
    }

    /// Who said exactly this, by rising id, with the signatures.
    pub fn signatures(&self, message: &M) -> Vec<(ReplicaId, Signature)> {
        let count = self.values.iter().find(|count| {
            count.votes.iter().flatten().next().is_some_and(|vote| vote.message() == message)
        });
        let votes = count.into_iter().flat_map(|count| count.votes.iter().flatten());
        votes.map(|vote| (vote.sender(), *vote.signature())).collect()
    }

    /// Every message behind which a quorum stands: at most one while less than a third is faulty.
    pub fn agreed(&self) -> impl Iterator<Item = &M> {
        self.backed(|votes| self.committee.is_quorum(votes.weight()))
    }

    /// Every message that enough is behind.
    pub(crate) fn backed(
        &self,
        is_enough: impl Fn(Behind<'_, M>) -> bool,
    ) -> impl Iterator<Item = &M> {
        self.values
            .iter()
            .filter(move |count| is_enough(Behind(count)))
            .filter_map(|count| count.votes.iter().flatten().next())
            .map(Signed::message)
    }

    /// The proof of each message that [`Tally::agreed`] lists.
    pub fn certificates(&self) -> Vec<Certificate<M>> {
        self.values
            .iter()
            .filter(|count| self.committee.is_quorum(count.weight))
            .map(|count| Certificate { votes: count.votes.iter().flatten().cloned().collect() })
            .collect()
    }
}

/// What stands behind one message.
pub(crate) struct Behind<'a, M>(&'a Count<M>);

impl<M> Clone for Behind<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Behind<'_, M> {}

impl<'a, M: Message> Behind<'a, M> {
    /// By the weights of the committee that the tally is of.
    pub(crate) fn weight(self) -> u128 {
        self.0.weight
    }

    /// What they all said.
    pub(crate) fn message(self) -> &'a M {
        let mut votes = self.0.votes.iter().flatten();
        votes.next().expect("somebody said what is counted").message()
    }

    /// Who said it, by rising seat.
    pub(crate) fn seats(self) -> impl Iterator<Item = usize> {
        let votes = self.0.votes.iter().enumerate();
        votes.filter(|(_, vote)| vote.is_some()).map(|(seat, _)| seat)
    }
}

/// How many replicas there are, and what follows from it. Each counts the same, whatever its stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// All replicas.
    pub n: usize,
}

impl Size {
    /// Of a committee.
    pub fn of(committee: &Committee) -> Size {
        Size { n: committee.len() }
    }

    /// f: how many may be Byzantine, ⌊(n−1)/3⌋.
    pub fn faulty(self) -> usize {
        self.n.saturating_sub(1) / 3
    }

    /// q: so many that any two such groups share f+1, ⌈(n+f+1)/2⌉. That is 2f+1 only where n = 3f+1.
    pub fn quorum(self) -> usize {
        (self.n + self.faulty() + 1).div_ceil(2)
    }

    /// f+1: somebody honest is among them.
    pub fn weak(self) -> usize {
        self.faulty() + 1
    }
}

/// How much of a committee it takes to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// What counts.
    pub measure: Measure,
    /// So much of it at least.
    pub needed: u128,
    /// All there is.
    pub total: u128,
}

/// What counts towards a quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// What each member has at stake.
    Stake,
    /// Members, each the same.
    Validators,
}

impl Quorum {
    /// Strictly more than two thirds of the stake.
    pub fn of_stake(committee: &Committee) -> Quorum {
        let total = committee.total();
        Quorum { measure: Measure::Stake, needed: total * 2 / 3 + 1, total }
    }

    /// So many members that any two such groups share more than f, where f = ⌊(n−1)/3⌋.
    pub fn of_heads(committee: &Committee) -> Quorum {
        let size = Size::of(committee);
        let [needed, total] = [size.quorum(), size.n].map(|heads| heads as u128);
        Quorum { measure: Measure::Validators, needed, total }
    }

    /// Whether `ids`, each named once, are one. Those who are no members do not count.
    pub fn is_met(&self, committee: &Committee, ids: impl Iterator<Item = ReplicaId>) -> bool {
        self.reached(committee, ids) >= self.needed
    }

    /// How much `ids`, each named once, count together.
    pub fn reached(&self, committee: &Committee, ids: impl Iterator<Item = ReplicaId>) -> u128 {
        let members = ids.filter_map(|id| committee.member(id));
        let weights = members.map(|member| match self.measure {
            Measure::Stake => committee.weight_of(member.id),
            Measure::Validators => 1,
        });
        weights.sum()
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Measure::Stake => "stake",
            Measure::Validators => "validators",
        })
    }
}

/// One message, signed by strictly more than two thirds of a committee's stake.
#[derive(Clone, Debug)]
pub struct Certificate<M> {
    /// By rising sender; never empty.
    votes: Vec<Signed<M>>,
}

impl<M: Message> Certificate<M> {
    /// Checks that `signatures` over `message` come from distinct members, in rising order, who
    /// hold a quorum of the stake.
    pub fn open(
        message: M,
        signatures: &[(ReplicaId, Signature)],
        committee: &Committee,
        keys: &Keys,
    ) -> Result<Certificate<M>, Unproven> {
        let mut weight = 0;
        let mut votes = Vec::new();
        let mut last = None;
        for &(sender, signature) in signatures.iter().take(committee.len() + 1) {
            if last.is_some_and(|last| sender <= last) {
                return Err(Unproven::DuplicateSigner(sender));
            }
            last = Some(sender);
            let seat = committee.seat(sender).ok_or(Unproven::NotMember(sender))?;
            let claimed = Claimed { sender, message: message.clone(), signature };
            votes.push(claimed.open(keys).map_err(|_| Unproven::BadSignature(sender))?);
            weight += committee.weight(seat);
        }
        if !committee.is_quorum(weight) {
            return Err(Unproven::TooLight { weight, total: committee.total() });
        }
        Ok(Certificate { votes })
    }

    /// What they all signed.
    pub fn message(&self) -> &M {
        self.votes[0].message()
    }

    /// Their messages, by rising sender.
    pub fn votes(&self) -> &[Signed<M>] {
        &self.votes
    }

    /// What [`Certificate::open`] takes, for the wire.
    pub fn signatures(&self) -> Vec<(ReplicaId, Signature)> {
        self.votes.iter().map(|vote| (vote.sender(), *vote.signature())).collect()
    }
}
