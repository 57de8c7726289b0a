//! What is left of a message, and what replicas tell each other of it.

use consensus::{Message, Signed, quorum::Forged};
use crypto::{Hash, Signature};
use ledger::{
    Keys, ReplicaId, Slot,
    vote::{Evidence, Vote},
};
use serde::{Deserialize, Serialize};

/// How many stubs one answer shows.
pub const MAX_SHOWN: usize = 32;

/// Enough of a message to convict its sender. The signature was checked, or is ours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Stub(ClaimedStub);

/// A stub as it came off the wire: anyone may have written it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClaimedStub {
    /// Who is said to have signed it.
    pub sender: ReplicaId,
    /// Where.
    pub slot: Slot,
    /// The hash of what was said.
    pub value: Hash,
    /// Over slot and value.
    pub signature: Signature,
}

impl ClaimedStub {
    /// Checks the signature.
    ///
    /// # Errors
    /// [`Forged`] if it is not the sender's.
    pub fn open(self, keys: &Keys) -> Result<Stub, Forged> {
        let vote = Vote { sender: self.sender, slot: Some(self.slot), value: self.value };
        match keys.check(&vote, &self.signature) {
            true => Ok(Stub(self)),
            false => Err(Forged { sender: self.sender, kind: "testimony" }),
        }
    }
}

impl Stub {
    /// What is left of a message; none without a slot.
    pub fn of<M: Message>(signed: &Signed<M>) -> Option<Stub> {
        Some(Stub::in_slot(signed.slot()?, signed))
    }

    /// The same of a message that is known to be in `slot`.
    pub(super) fn in_slot<M: Message>(slot: Slot, signed: &Signed<M>) -> Stub {
        let (sender, value) = (signed.sender(), signed.value());
        Stub(ClaimedStub { sender, slot, value, signature: *signed.signature() })
    }

    /// The two halves of evidence that was made of stubs, or checked.
    pub(crate) fn both(evidence: &Evidence) -> [Stub; 2] {
        let Evidence { offender, slot, first, second } = evidence;
        [first, second].map(|(value, signature)| {
            let (value, signature) = (*value, *signature);
            Stub(ClaimedStub { sender: *offender, slot: *slot, value, signature })
        })
    }

    /// Who said it.
    pub fn sender(&self) -> ReplicaId {
        self.0.sender
    }

    /// Where.
    pub fn slot(&self) -> Slot {
        self.0.slot
    }

    /// The hash of what was said.
    pub fn value(&self) -> Hash {
        self.0.value
    }

    /// With another of the same sender and slot but another value: proof of equivocation.
    pub fn evidence_with(&self, other: &Stub) -> Option<Evidence> {
        let (one, other) = (&self.0, &other.0);
        let same = (one.sender, one.slot) == (other.sender, other.slot);
        let of = |stub: &ClaimedStub| (stub.value, stub.signature);
        (same && one.value != other.value)
            .then(|| Evidence::new(one.sender, one.slot, of(one), of(other)))
    }

    /// The form that travels.
    pub(crate) fn claimed(&self) -> &ClaimedStub {
        &self.0
    }
}

/// Half of a hash: enough that nobody finds two values with the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Tag([u8; 16]);

impl Tag {
    /// The first half of it.
    pub fn of(hash: Hash) -> Tag {
        let mut tag = [0; 16];
        tag.copy_from_slice(&hash.as_bytes()[..16]);
        Tag(tag)
    }
}

/// Who said what in some dead slots, by one replica's word: nothing in it is signed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Hearsay {
    /// At most [`MAX_HEARSAY`](super::MAX_HEARSAY).
    pub slots: Vec<SlotHearsay>,
    /// Against whom it holds evidence already.
    pub held: Vec<ReplicaId>,
}

/// Who said what in one slot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SlotHearsay {
    /// Where.
    pub slot: Slot,
    /// For each value its senders.
    pub values: Vec<(Tag, Vec<ReplicaId>)>,
}

impl Hearsay {
    /// Whether it is no longer than an honest replica's.
    pub fn is_bounded(&self) -> bool {
        let voices = self.slots.iter().flat_map(|slot| &slot.values);
        let names: usize = voices.map(|(_, senders)| senders.len()).sum();
        // The last slot may exceed the bound by as much as a committee can say.
        self.slots.len() <= super::MAX_HEARSAY
            && names <= super::MAX_NAMES + 2 * ledger::vote::MAX_COMMITTEE
            && self.held.len() <= ledger::vote::MAX_COMMITTEE
    }
}
