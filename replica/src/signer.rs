//! One message per slot, ever.
//!
//! Whatever the signer signs for a slot is recorded, durably before it leaves, and a second and
//! different message in that slot is refused, also after a crash: it is the replica's last defence
//! against making itself guilty.

use crate::{inbox::Horizon, weak::Weak};
use consensus::{Claimed, Message, Signed};
use crypto::codec;
use ledger::{
    Hand, Keys, Slot,
    store::{Batch, Store, StoreError},
};
use std::collections::BTreeMap;

/// Keys of the replica's part of the store; the ledger's begin with other letters.
const OWN: &[u8] = b"ro";
const HORIZON: &[u8] = b"rh";

/// The longest own message that is read back, in bytes.
const MAX_OWN_BYTES: usize = crate::packet::MAX_ENVELOPE_BYTES;

/// Signs for one replica and remembers what it signed.
#[derive(Debug)]
pub struct Signer<M> {
    hand: Hand,
    own: BTreeMap<Slot, Signed<M>>,
    /// What a weak signer signed besides, in this life: a second message in a slot.
    besides: BTreeMap<Slot, Signed<M>>,
    horizon: Horizon,
}

/// What the signer makes of a request.
#[derive(Debug)]
pub enum Outcome<M> {
    /// Signed now, for the first time.
    First(Signed<M>),
    /// Signed before, word for word: here it is again.
    Again(Signed<M>),
    /// Another message was signed in this slot.
    Conflict {
        /// The slot in question.
        slot: Slot,
    },
    /// The slot is dead.
    Dead {
        /// The slot in question.
        slot: Slot,
    },
}

impl<M: Message> Signer<M> {
    /// Reads back what was signed in earlier lives.
    pub fn open(hand: Hand, keys: &Keys, store: &dyn Store) -> Result<Signer<M>, StoreError> {
        let damaged = StoreError::damaged;
        let mut horizon = Horizon::default();
        if let Some(bytes) = store.get(HORIZON)? {
            let (height, round) = codec::decode(&bytes, 64)
                .map_err(|error| damaged(HORIZON, format!("no horizon: {error}")))?;
            horizon = Horizon { height, round };
        }
        let mut own = BTreeMap::new();
        for (key, bytes) in store.scan(OWN)? {
            let claimed: Claimed<M> = codec::decode(&bytes, MAX_OWN_BYTES)
                .map_err(|error| damaged(&key, format!("no message of ours: {error}")))?;
            let signed = claimed.open(keys).map_err(|error| damaged(&key, error.to_string()))?;
            if let Some(slot) = signed.slot().filter(|slot| !horizon.passed(*slot)) {
                own.insert(slot, signed);
            }
        }
        Ok(Signer { hand, own, besides: BTreeMap::new(), horizon })
    }

    /// Signs `message`, unless its slot is dead or taken by another. A weak signer signs a second one.
    pub fn sign(&mut self, message: M, weak: Weak, batch: &mut Batch) -> Outcome<M> {
        let Some(slot) = message.slot() else {
            return Outcome::First(Signed::by(&self.hand, message));
        };
        if self.horizon.passed(slot) {
            return Outcome::Dead { slot };
        }
        if let Some(earlier) = self.own.get(&slot) {
            return match *earlier.message() == message {
                true => Outcome::Again(earlier.clone()),
                false if weak.signs_twice() => self.sign_besides(slot, message),
                false => Outcome::Conflict { slot },
            };
        }
        let signed = Signed::by(&self.hand, message);
        batch.put(own_key(slot), codec::encode(signed.claimed()));
        self.own.insert(slot, signed.clone());
        Outcome::First(signed)
    }

    /// What no signer should: a second message in a slot. Not a third, and not recorded, so that the
    /// disk knows one message in a slot, as ever.
    fn sign_besides(&mut self, slot: Slot, message: M) -> Outcome<M> {
        match self.besides.get(&slot) {
            Some(second) if *second.message() == message => Outcome::Again(second.clone()),
            Some(_) => Outcome::Conflict { slot },
            None => {
                let signed = Signed::by(&self.hand, message);
                self.besides.insert(slot, signed.clone());
                Outcome::First(signed)
            }
        }
    }

    /// A message of ours that comes from elsewhere, since another life on another disk signed it: its
    /// slot is taken.
    pub fn recall(&mut self, signed: &Signed<M>, batch: &mut Batch) {
        let Some(slot) = signed.slot().filter(|slot| !self.horizon.passed(*slot)) else { return };
        self.own.entry(slot).or_insert_with(|| {
            batch.put(own_key(slot), codec::encode(signed.claimed()));
            signed.clone()
        });
    }

    /// Every message of ours whose slot lives, by slot.
    pub fn own(&self) -> Vec<Signed<M>> {
        self.own.values().cloned().collect()
    }

    /// What signs the replica's own transactions, which are nobody's votes.
    pub fn hand(&self) -> &Hand {
        &self.hand
    }

    /// Which slots are dead.
    pub fn horizon(&self) -> Horizon {
        self.horizon
    }

    /// Forgets the dead slots. That they are dead is recorded first, so forgetting is safe.
    pub fn raise(&mut self, height: u64, round: u64, batch: &mut Batch) {
        let before = self.horizon;
        self.horizon.raise(height, round);
        if self.horizon == before {
            return;
        }
        let horizon = self.horizon;
        batch.put(HORIZON.to_vec(), codec::encode(&(horizon.height, horizon.round)));
        self.besides.retain(|slot, _| !horizon.passed(*slot));
        self.own.retain(|slot, _| {
            let dead = horizon.passed(*slot);
            if dead {
                batch.delete(own_key(*slot));
            }
            !dead
        });
    }
}

/// Big-endian, so that the store sorts slots as we do.
fn own_key(slot: Slot) -> Vec<u8> {
    let mut key = OWN.to_vec();
    key.extend(slot.height.to_be_bytes());
    key.extend(slot.epoch.to_be_bytes());
    key.extend(slot.round.to_be_bytes());
    key.push(slot.phase);
    key
}
