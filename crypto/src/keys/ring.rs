//! Signers met lately, ready to verify with.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{BadSignature, PublicKey, Signature, VerifyingKey};

#[cfg(test)]
mod tests;

/// Verifies for many signers and keeps the keys of those it met as points, since taking a key from
/// its bytes to a point costs about an eighth of a verification.
///
/// It answers as [`PublicKey::verify`] does, whatever it remembers. Bounded: the key that came in
/// first is forgotten first. Only who signed something good is remembered. Shared by threads.
#[derive(Debug)]
pub struct KeyRing {
    capacity: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    keys: BTreeMap<PublicKey, VerifyingKey>,
    order: VecDeque<PublicKey>,
}

impl KeyRing {
    /// Remembers at most `capacity` keys, of some 300 bytes each.
    pub fn new(capacity: usize) -> KeyRing {
        KeyRing { capacity, held: Mutex::default() }
    }

    /// Checks one signature, strictly.
    ///
    /// # Errors
    ///
    /// [`BadSignature`] if the signature does not count, or the key itself does not.
    pub fn verify(
        &self,
        signer: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        // The lock is not held while there is work to do.
        let known = self.lock().keys.get(signer).cloned();
        if let Some(key) = known {
            return key.verify(message, signature);
        }
        let key = signer.verifying().map_err(|_| BadSignature)?;
        key.verify(message, signature)?;
        self.remember(*signer, key);
        Ok(())
    }

    fn remember(&self, signer: PublicKey, key: VerifyingKey) {
        let mut held = self.lock();
        // Another thread may have been quicker.
        if held.keys.insert(signer, key).is_some() {
            return;
        }
        held.order.push_back(signer);
        if held.order.len() > self.capacity
            && let Some(oldest) = held.order.pop_front()
        {
            held.keys.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Whatever a panic left half done, a key that is found belongs to its bytes.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
