use super::*;
use crate::SecretKey;

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

fn known(ring: &KeyRing) -> Vec<PublicKey> {
    ring.lock().order.iter().copied().collect()
}

#[test]
fn a_ring_answers_as_the_key_itself_does() {
    let ring = KeyRing::new(2);
    for number in [1, 2, 1, 3, 1, 1, 2] {
        let (signer, other) = (key(number), key(number + 1));
        let signature = signer.sign(b"this");
        for (public, message) in
            [(signer.public(), b"this"), (signer.public(), b"that"), (other.public(), b"this")]
        {
            let alone = public.verify(message, &signature).is_ok();
            assert_eq!(ring.verify(&public, message, &signature).is_ok(), alone);
        }
    }
}

#[test]
fn only_keys_that_signed_something_good_are_remembered_and_no_more_than_there_is_room() {
    let ring = KeyRing::new(2);
    let say = |number| ring.verify(&key(number).public(), b"this", &key(number).sign(b"this"));
    assert!(ring.verify(&key(9).public(), b"that", &key(9).sign(b"this")).is_err());
    assert_eq!(known(&ring), []);
    for number in [1, 2, 2, 3] {
        say(number).unwrap();
    }
    assert_eq!(known(&ring), [key(2).public(), key(3).public()]);
    assert_eq!(ring.lock().keys.len(), 2);
}

#[test]
fn a_key_that_does_not_count_verifies_nothing() {
    // The neutral element, of small order: one signature by it would fit almost every message.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let weak = PublicKey::from_bytes(neutral);
    let ring = KeyRing::new(2);
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(ring.verify(&weak, b"anything", &Signature::from_bytes(signature)).is_err());
    assert_eq!(known(&ring), []);
}

#[test]
fn a_ring_without_room_still_verifies() {
    let ring = KeyRing::new(0);
    assert!(ring.verify(&key(1).public(), b"this", &key(1).sign(b"this")).is_ok());
    assert_eq!(known(&ring), []);
}
