use ed25519_dalek::Verifier;
use proptest::prelude::*;

use super::*;

/// One of RFC 8032's vectors.
struct Vector {
    name: &'static str,
    secret: SecretKey,
    public: PublicKey,
    message: Vec<u8>,
    signature: Signature,
}

fn vectors() -> Vec<Vector> {
    let blocks = include_str!("rfc8032.txt").split("\n\n").skip(1);
    blocks.map(vector).collect()
}

fn vector(block: &'static str) -> Vector {
    let mut lines = block.lines();
    let name = lines.next().unwrap();
    let mut field = |key| lines.next().unwrap().strip_prefix(key).unwrap().trim();
    let seed = hex::decode(field("seed:")).unwrap();
    Vector {
        name,
        secret: SecretKey::from_seed(seed.try_into().unwrap()),
        public: field("public:").parse().unwrap(),
        message: hex::decode(field("message:")).unwrap(),
        signature: field("signature:").parse().unwrap(),
    }
}

#[test]
fn rfc_8032_section_7_1() {
    assert_eq!(vectors().len(), 5);
    for vector in vectors() {
        let Vector { name, message, .. } = &vector;
        assert_eq!(vector.secret.public(), vector.public, "{name}");
        assert_eq!(vector.secret.sign(message), vector.signature, "{name}");
        let key = vector.public.verifying().unwrap();
        assert_eq!(key.public(), vector.public, "{name}");
        assert_eq!(key.verify(message, &vector.signature), Ok(()), "{name}");
        assert_eq!(vector.public.verify(message, &vector.signature), Ok(()));
    }
}

/// The points of order 1, 2, 4, 4, 8, 8, 8 and 8.
const SMALL_ORDER: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

#[test]
fn a_small_order_key_signs_anything_for_lenient_verifiers_and_nothing_here() {
    // R is the neutral point and S is zero, so S·B = R + k·A holds whenever k·A is neutral.
    let public: PublicKey = SMALL_ORDER[0].parse().unwrap();
    let mut forged = [0; 64];
    forged[..32].copy_from_slice(public.as_bytes());
    let forged = Signature::from_bytes(forged);

    let lenient = ed25519_dalek::VerifyingKey::from_bytes(public.as_bytes()).unwrap();
    let theirs = ed25519_dalek::Signature::from_bytes(forged.as_bytes());
    for message in [&b"pay Alice"[..], b"pay Bob"] {
        assert!(lenient.verify(message, &theirs).is_ok());
        assert_eq!(public.verify(message, &forged), Err(BadSignature));
        // Even a key that slipped past construction is refused when it verifies.
        assert_eq!(VerifyingKey(lenient).verify(message, &forged), Err(BadSignature));
    }
}

#[test]
fn small_order_keys_are_refused_at_construction() {
    for text in SMALL_ORDER {
        let public: PublicKey = text.parse().unwrap();
        let theirs = ed25519_dalek::VerifyingKey::from_bytes(public.as_bytes()).unwrap();
        assert!(theirs.is_weak(), "{text}");
        assert_eq!(public.verifying(), Err(BadKey(public)));
    }
}

#[test]
fn a_second_spelling_of_a_key_is_refused() {
    // The encodings of p, p + 1, ..., p + 18 with either sign. Some are ordinary points to the
    // decoder beneath, which is what makes our own check necessary.
    let mut ordinary_points = 0;
    for lowest in 0xed..=0xff {
        for highest in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (lowest, highest);
            let theirs = ed25519_dalek::VerifyingKey::from_bytes(&bytes);
            ordinary_points += usize::from(theirs.is_ok_and(|key| !key.is_weak()));
            assert!(PublicKey::from_bytes(bytes).verifying().is_err());
        }
    }
    assert!(ordinary_points > 0);
}

#[test]
fn a_signature_with_another_s_is_refused() {
    // S + L satisfies the same equation; accepting it would let anyone change a signature.
    const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let vector = vectors().remove(0);
    let mut bytes = vector.signature.to_bytes();
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(hex::decode(ORDER).unwrap()) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(carry, 0);
    let changed = Signature::from_bytes(bytes);
    assert_eq!(vector.public.verify(&vector.message, &changed), Err(BadSignature));
}

#[test]
fn bytes_that_are_no_point_are_no_key() {
    let mut bytes = [0; 32];
    bytes[0] = 2;
    let public = PublicKey::from_bytes(bytes);
    assert!(ed25519_dalek::VerifyingKey::from_bytes(&bytes).is_err());
    assert_eq!(public.verifying(), Err(BadKey(public)));
    let message = BadKey(public).to_string();
    assert!(message.starts_with("0200"), "{message}");
}

#[test]
fn a_secret_key_keeps_its_seed_and_tells_nobody() {
    let secret = SecretKey::from_seed([7; 32]);
    assert_eq!(*secret.seed(), [7; 32]);
    assert_eq!(format!("{secret:?}"), format!("SecretKey(of {:?})", secret.public()));
    assert!(!format!("{secret:?}").contains("0707"));
    assert_ne!(SecretKey::generate().public(), SecretKey::generate().public());
}

#[test]
fn keys_and_signatures_are_hexadecimal_in_text_and_bare_in_bytes() {
    let Vector { public, signature, .. } = vectors().remove(0);
    assert_eq!(format!("{public:?}"), "d75a9801..");
    assert_eq!(format!("{signature:?}"), "e5564300..");
    assert_eq!(signature.to_string().parse(), Ok(signature));
    let json = serde_json::to_string(&(public, signature)).unwrap();
    assert_eq!(json, format!(r#"["{public}","{signature}"]"#));
    assert_eq!(serde_json::from_str::<(PublicKey, Signature)>(&json).unwrap(), (public, signature));

    let bytes = crate::codec::encode(&(public, signature));
    assert_eq!(bytes.len(), 96);
    assert_eq!(crate::codec::decode(&bytes, 96), Ok((public, signature)));
}

proptest! {
    #[test]
    fn a_signature_fits_one_message_and_one_key(
        seed: [u8; 32],
        message: Vec<u8>,
        bit in 0..512_usize,
    ) {
        let secret = SecretKey::from_seed(seed);
        let signature = secret.sign(&message);
        prop_assert_eq!(secret.public().verify(&message, &signature), Ok(()));

        let other = [&message[..], b"!"].concat();
        prop_assert_eq!(secret.public().verify(&other, &signature), Err(BadSignature));

        let stranger = SecretKey::from_seed(seed.map(|byte| !byte)).public();
        prop_assert_eq!(stranger.verify(&message, &signature), Err(BadSignature));

        let mut bytes = signature.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let flipped = Signature::from_bytes(bytes);
        prop_assert_eq!(secret.public().verify(&message, &flipped), Err(BadSignature));
    }

    #[test]
    fn arbitrary_keys_and_signatures_never_panic(
        key: [u8; 32],
        signature in proptest::array::uniform(any::<u8>()),
        message: Vec<u8>,
    ) {
        let public = PublicKey::from_bytes(key);
        let signature = Signature::from_bytes(signature);
        prop_assert_eq!(public.verify(&message, &signature), Err(BadSignature));
    }
}
