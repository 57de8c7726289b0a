//! A transaction from anyone: one name, one spelling, and nobody can sign for somebody else.

use crate::fixture::{chain, signer};
use crypto::{KeyRing, codec};
use ledger::Transaction;

/// The first byte chooses a chain, the rest is a transaction, perhaps.
pub fn check(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let Ok(transaction) = Transaction::decode(bytes) else { return };
    assert_eq!(codec::encode(&transaction), bytes, "{transaction:?} has two encodings");
    assert_eq!(transaction.bytes(), bytes.len());
    let again = Transaction::decode(bytes).expect("it did before");
    assert_eq!(again.id(), transaction.id(), "one transaction has one name");
    assert_eq!(again, transaction);

    let chain = chain(*which);
    let verified = transaction.clone().verify(chain.id());
    let with_ring = again.verify_with(chain.id(), &KeyRing::new(1));
    assert_eq!(verified, with_ring, "a key is a key, known or not");
    match verified {
        Ok(verified) => {
            assert!(chain.signed.contains(&verified.id()), "nobody signed {transaction:?}");
            assert!(transaction.is_known_good());
            let known =
                (0..u8::MAX).any(|number| signer(number).public() == transaction.payload.sender);
            assert!(known, "a key that nobody has");
        }
        // An error is for people, too.
        Err(bad) => assert!(!bad.to_string().is_empty()),
    }
    // A change of one part is another transaction, and what was known of the old one is forgotten.
    let mut other = transaction.clone();
    other.payload.nonce = other.payload.nonce.wrapping_add(1);
    assert_ne!(other.id(), transaction.id());
    assert!(other.verify(chain.id()).is_err(), "a signature covers the nonce");
}
