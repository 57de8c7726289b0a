//! What every consensus protocol signs: one preimage, one committee, one kind of evidence.
//!
//! It is the ledger's, not a protocol's, so that evidence can be a transaction and a wallet can
//! check a certificate without running any protocol.

use crate::{Action, Amount, ChainId, Payload, ReplicaId, Share, Stake, Transaction, leak::WHOLE};
use crypto::{Domain, Hash, PublicKey, SecretKey, Signature, VerifyingKey, codec, hash};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

#[cfg(test)]
mod tests;

/// The most members a committee may have.
pub const MAX_COMMITTEE: usize = 1024;

/// What may be signed once only: a sender that signs two values in one slot is guilty.
///
/// Two families: `height > 0` dies when a horizon reaches that height (votes of a height or sequence
/// number); `height == 0` dies by round (a view change, a HotStuff vote, a term's grant). The epoch
/// is zero outside a leak.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Slot {
    /// The height or sequence number voted on; zero for slots that live by round.
    pub height: u64,
    /// The leak's epoch.
    pub epoch: u32,
    /// The round or view within the height.
    pub round: u64,
    /// The kind of message within the round.
    pub phase: u8,
}

/// What a validator puts its name to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vote {
    /// Who speaks.
    pub sender: ReplicaId,
    /// Where it may speak once; none for what may be said freely.
    pub slot: Option<Slot>,
    /// The hash of what is said.
    pub value: Hash,
}

impl Vote {
    /// The bytes that are signed: they bind domain, chain, sender, slot and value.
    pub fn preimage(&self, chain: ChainId) -> Hash {
        hash::tagged(Domain::Vote, &codec::encode(&(chain, self.sender, self.slot, self.value)))
    }
}

/// One validator with its weight.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Its name in votes.
    pub id: ReplicaId,
    /// What its votes verify with.
    pub key: PublicKey,
    /// What it has bonded.
    pub stake: Stake,
    /// How much of that counts.
    pub share: Share,
}

impl Member {
    /// One all of whose stake counts.
    pub fn new(id: ReplicaId, key: PublicKey, stake: Stake) -> Member {
        Member { id, key, stake, share: Share::FULL }
    }
}

/// The validators that decide a height, sorted by id. A seat is a place in that order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committee {
    members: Vec<Member>,
    /// What each seat weighs, apart from the keys: every vote that is counted looks here.
    weights: Vec<u128>,
    /// Whether the members' ids are their seats, as they mostly are.
    in_order: bool,
    bonded: u128,
    total: u128,
}

impl Committee {
    /// Checks that there is someone, nobody twice, and nobody without weight.
    pub fn new(mut members: Vec<Member>) -> Result<Committee, BadCommittee> {
        members.sort_by_key(|member| member.id);
        if members.is_empty() {
            return Err(BadCommittee::Empty);
        }
        if members.len() > MAX_COMMITTEE {
            return Err(BadCommittee::TooMany(members.len()));
        }
        if let Some(pair) = members.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(BadCommittee::SameId(pair[0].id));
        }
        let mut keys: Vec<_> = members.iter().map(|member| member.key).collect();
        keys.sort();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(BadCommittee::SameKey(pair[0]));
        }
        if let Some(member) = members.iter().find(|member| member.stake.0 == 0) {
            return Err(BadCommittee::NoStake(member.id));
        }
        Ok(Committee::weighed(members))
    }

    /// Of members that are in order.
    fn weighed(members: Vec<Member>) -> Committee {
        // Where nothing has leaked, stake itself is the weight: easier to read, and the same.
        let all_count = members.iter().all(|member| member.share.left == WHOLE);
        let unit = |member: &Member| if all_count { 1 } else { u128::from(member.share.left) };
        let stakes = members.iter().map(|member| u128::from(member.stake.0));
        let weights: Vec<_> =
            stakes.clone().zip(&members).map(|(stake, member)| stake * unit(member)).collect();
        let (bonded, total) = (stakes.sum(), weights.iter().sum());
        let in_order = (0..).zip(&members).all(|(seat, member)| member.id.0 == seat);
        Committee { members, weights, in_order, bonded, total }
    }

    /// The same members with other shares, by seat.
    ///
    /// # Panics
    /// If they are not one for each seat.
    #[must_use]
    pub fn with_shares(&self, shares: Vec<Share>) -> Committee {
        assert_eq!(shares.len(), self.len(), "each seat has its share");
        let members = self.members.iter().zip(shares);
        Committee::weighed(members.map(|(each, share)| Member { share, ..each.clone() }).collect())
    }

    /// Whether both have the same members with the same bonds, whatever counts of them.
    pub fn has_bonds_of(&self, other: &Committee) -> bool {
        let bonds = |of: &Committee| -> Vec<_> {
            of.members.iter().map(|member| (member.id, member.stake)).collect()
        };
        bonds(self) == bonds(other)
    }

    /// Sorted by id.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many seats there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Never true: a committee has at least one member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The place of `id` among the members, if it is one.
    pub fn seat(&self, id: ReplicaId) -> Option<usize> {
        if self.in_order {
            let seat = id.0 as usize;
            return (seat < self.len()).then_some(seat);
        }
        self.members.binary_search_by_key(&id, |member| member.id).ok()
    }

    /// The member called `id`.
    pub fn member(&self, id: ReplicaId) -> Option<&Member> {
        self.seat(id).map(|seat| &self.members[seat])
    }

    /// What the member in a seat has bonded.
    ///
    /// # Panics
    /// If there is no such seat.
    pub fn stake(&self, seat: usize) -> Stake {
        self.members[seat].stake
    }

    /// What all have bonded.
    pub fn bonded(&self) -> u128 {
        self.bonded
    }

    /// What a seat counts in votes. Comparable within one committee only: its bonded stake, in
    /// millionths of a unit where a [leak](crate::leak) has taken something from somebody.
    ///
    /// # Panics
    /// If there is no such seat.
    pub fn weight(&self, seat: usize) -> u128 {
        self.weights[seat]
    }

    /// What `id` counts in votes; nothing if it has no seat.
    pub fn weight_of(&self, id: ReplicaId) -> u128 {
        self.seat(id).map_or(0, |seat| self.weights[seat])
    }

    /// What everyone counts in votes.
    pub fn total(&self) -> u128 {
        self.total
    }

    /// Whether `weight` is strictly more than two thirds of the total. Never 2f+1: that is wrong
    /// wherever the number of replicas is not 3f+1, and where stakes differ.
    pub fn is_quorum(&self, weight: u128) -> bool {
        3 * weight > 2 * self.total
    }

    /// Whether `weight` is strictly more than one third, so that somebody honest is among them.
    pub fn is_weak_quorum(&self, weight: u128) -> bool {
        3 * weight > self.total
    }

    /// What a header names it by.
    pub fn root(&self) -> Hash {
        hash::tagged(Domain::Committee, &codec::encode(&self.members))
    }
}

/// Why some members make no committee.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadCommittee {
    /// Nobody is in it.
    #[error("a committee needs at least one validator")]
    Empty,
    /// More than [`MAX_COMMITTEE`].
    #[error("{0} validators are too many, at most {MAX_COMMITTEE} are allowed")]
    TooMany(usize),
    /// Two members share an id.
    #[error("two validators are called {0}")]
    SameId(ReplicaId),
    /// Two members share a key.
    #[error("two validators share the key {0}")]
    SameKey(PublicKey),
    /// A member weighs nothing.
    #[error("validator {0} has no stake")]
    NoStake(ReplicaId),
}

/// What checks votes: a chain's name and each replica's key, ready for use.
///
/// Clones share what they [learn](Keys::learn). A number never gets another key, so it makes no difference
/// to what a vote is worth when somebody learns of its signer: before, it cannot be checked.
#[derive(Clone, Debug)]
pub struct Keys {
    chain: ChainId,
    ring: Ring,
}

#[derive(Clone, Debug)]
enum Ring {
    Ed25519(Arc<RwLock<BTreeMap<ReplicaId, VerifyingKey>>>),
    /// A pretend world's: see [`Hand::simulated`].
    Simulated {
        secret: SimulatedSecret,
        replicas: u32,
        confusing: bool,
    },
}

/// A world's secret: its simulated signatures are hashes keyed with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SimulatedSecret(pub [u8; 32]);

impl std::fmt::Debug for SimulatedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimulatedSecret(..)")
    }
}

impl SimulatedSecret {
    fn sign(&self, sender: ReplicaId, preimage: Hash) -> Signature {
        let low = hash::tagged(Domain::Simulated, &codec::encode(&(self.0, sender, preimage)));
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(low.as_bytes());
        bytes[32..36].copy_from_slice(&sender.0.to_le_bytes());
        Signature::from_bytes(bytes)
    }
}

impl Keys {
    /// The keys of a committee. A member whose key is no curve point simply never verifies.
    pub fn of(chain: ChainId, committee: &Committee) -> Keys {
        let ring = committee
            .members()
            .iter()
            .filter_map(|member| Some((member.id, member.key.verifying().ok()?)))
            .collect();
        Keys { chain, ring: Ring::Ed25519(Arc::new(RwLock::new(ring))) }
    }

    /// From now on checks votes of `id` by `key`, unless it has another key for that number. A key that
    /// is no curve point never verifies; a pretend world knows everybody from the start.
    pub fn learn(&self, id: ReplicaId, key: &PublicKey) {
        if let Ring::Ed25519(ring) = &self.ring
            && let Ok(key) = key.verifying()
        {
            let mut ring = ring.write().unwrap_or_else(PoisonError::into_inner);
            ring.entry(id).or_insert(key);
        }
    }

    /// Whether votes of `id` can be checked at all.
    pub fn knows(&self, id: ReplicaId) -> bool {
        match &self.ring {
            Ring::Ed25519(ring) => {
                ring.read().unwrap_or_else(PoisonError::into_inner).contains_key(&id)
            }
            Ring::Simulated { replicas, .. } => id.0 < *replicas,
        }
    }

    /// The keys of a pretend world with replicas `0..replicas`.
    pub fn simulated(chain: ChainId, secret: SimulatedSecret, replicas: u32) -> Keys {
        Keys { chain, ring: Ring::Simulated { secret, replicas, confusing: false } }
    }

    /// The same keys in a pretend world that mistakes one kind of message for another when it looks at
    /// a signature. Nothing but a note to those who ask: [`Keys::check`] is as strict as before. Real
    /// keys stay as they are.
    #[must_use]
    pub fn confusing_kinds(mut self) -> Keys {
        if let Ring::Simulated { confusing, .. } = &mut self.ring {
            *confusing = true;
        }
        self
    }

    /// Whether they are those of such a world.
    pub fn confuses_kinds(&self) -> bool {
        matches!(self.ring, Ring::Simulated { confusing: true, .. })
    }

    /// The chain the votes must name.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// Whether `signature` is the sender's over `vote` on this chain.
    pub fn check(&self, vote: &Vote, signature: &Signature) -> bool {
        let preimage = vote.preimage(self.chain);
        match &self.ring {
            Ring::Ed25519(ring) => {
                let ring = ring.read().unwrap_or_else(PoisonError::into_inner);
                let key = ring.get(&vote.sender).cloned();
                drop(ring); // Checking takes long, and whoever learns must not wait for it.
                key.is_some_and(|key| key.verify(preimage.as_bytes(), signature).is_ok())
            }
            Ring::Simulated { secret, replicas, .. } => {
                vote.sender.0 < *replicas && secret.sign(vote.sender, preimage) == *signature
            }
        }
    }

    /// The same by this key, whatever the sender's is said to be: a ledger's answer must not depend
    /// on what was learnt meanwhile.
    pub fn check_as(&self, key: &PublicKey, vote: &Vote, signature: &Signature) -> bool {
        match &self.ring {
            Ring::Ed25519(_) => key.verify(vote.preimage(self.chain).as_bytes(), signature).is_ok(),
            Ring::Simulated { .. } => self.check(vote, signature),
        }
    }
}

/// What makes one replica's votes: its own key and nobody else's.
#[derive(Debug)]
pub struct Hand {
    me: ReplicaId,
    chain: ChainId,
    pen: Pen,
    /// Whose transactions it signs, where that is not the pen that votes.
    account: Option<SecretKey>,
}

#[derive(Debug)]
enum Pen {
    Ed25519(SecretKey),
    Simulated(SimulatedSecret),
}

impl Hand {
    /// Signs for `me` with its real key.
    pub fn new(me: ReplicaId, chain: ChainId, key: SecretKey) -> Hand {
        Hand { me, chain, pen: Pen::Ed25519(key), account: None }
    }

    /// Signs for `me` in a pretend world. Unforgeable by construction: only the host of the world
    /// holds the secret and makes hands, and a liar is handed its own.
    pub fn simulated(me: ReplicaId, chain: ChainId, secret: SimulatedSecret) -> Hand {
        Hand { me, chain, pen: Pen::Simulated(secret), account: None }
    }

    /// The same hand, which signs transactions of the account with this key: pretended votes take no key,
    /// transactions do.
    #[must_use]
    pub fn with_account(self, key: SecretKey) -> Hand {
        Hand { account: Some(key), ..self }
    }

    /// The key of the replica's own account. None if it has no account.
    pub fn account(&self) -> Option<PublicKey> {
        self.account_key().map(SecretKey::public)
    }

    /// Signs a transaction of the replica's own account, with a fee of nothing. None if it has no account.
    pub fn transact(&self, nonce: u64, action: Action) -> Option<Transaction> {
        let key = self.account_key()?;
        let (chain, sender, fee) = (self.chain, key.public(), Amount::ZERO);
        Some(Payload { chain, sender, nonce, fee, action }.sign(key))
    }

    fn account_key(&self) -> Option<&SecretKey> {
        match &self.pen {
            Pen::Ed25519(key) => Some(self.account.as_ref().unwrap_or(key)),
            Pen::Simulated(_) => self.account.as_ref(),
        }
    }

    /// Whose hand it is.
    pub fn me(&self) -> ReplicaId {
        self.me
    }

    /// Signs `value` in `slot`.
    pub fn sign(&self, slot: Option<Slot>, value: Hash) -> Signature {
        let preimage = Vote { sender: self.me, slot, value }.preimage(self.chain);
        match &self.pen {
            Pen::Ed25519(key) => key.sign(preimage.as_bytes()),
            Pen::Simulated(secret) => secret.sign(self.me, preimage),
        }
    }
}

/// Proof of equivocation: one sender, one slot, two values.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Who signed both.
    pub offender: ReplicaId,
    /// Where it could have spoken once.
    pub slot: Slot,
    /// The smaller value, and the signature over it.
    pub first: (Hash, Signature),
    /// The greater value, and the signature over it.
    pub second: (Hash, Signature),
}

impl Evidence {
    /// Orders the two values, so that one crime has one spelling.
    pub fn new(
        offender: ReplicaId,
        slot: Slot,
        one: (Hash, Signature),
        other: (Hash, Signature),
    ) -> Evidence {
        let (first, second) = if one.0 <= other.0 { (one, other) } else { (other, one) };
        Evidence { offender, slot, first, second }
    }

    /// Whether it convicts: two different values in canonical order, both signed by the offender.
    pub fn verify(&self, keys: &Keys) -> bool {
        self.is_signed(|vote, signature| keys.check(vote, signature))
    }

    /// The same with the key that the offender is known to have.
    pub fn verify_as(&self, key: &PublicKey, keys: &Keys) -> bool {
        self.is_signed(|vote, signature| keys.check_as(key, vote, signature))
    }

    fn is_signed(&self, check: impl Fn(&Vote, &Signature) -> bool) -> bool {
        let signed = |(value, signature): &(Hash, Signature)| {
            let vote = Vote { sender: self.offender, slot: Some(self.slot), value: *value };
            check(&vote, signature)
        };
        self.first.0 < self.second.0 && signed(&self.first) && signed(&self.second)
    }
}
