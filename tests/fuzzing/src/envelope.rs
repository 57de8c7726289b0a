//! What one replica hears of another, as bytes.
//!
//! The first byte chooses a chain; its upper half says whether the rest is an envelope, a gossiped batch of
//! transactions or a gossiped batch from which nothing is known yet.

use crate::fixture::{Chain, chain};
use consensus::{
    Message,
    catalogue::{self, Module, Visitor},
};
use replica::{Envelope, Opened, Packet, TransactionCache, packet};

/// The variant of an envelope's content that is not sent again as it came.
const COMPACT: [u8; 4] = [5, 0, 0, 0];

/// The one of which strangers' parts are left out.
const TESTIMONY: [u8; 4] = [7, 0, 0, 0];

/// See the module's documentation.
pub fn check(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let chain = chain(which & 0x0f);
    match which >> 4 {
        0 => catalogue::dispatch(&chain.genesis.consensus, Open { chain, bytes })
            .expect("it is in the catalogue"),
        _ => batch(chain, bytes),
    }
}

struct Open<'a> {
    chain: &'a Chain,
    bytes: &'a [u8],
}

impl Visitor for Open<'_> {
    type Output = ();

    fn visit<P: Module>(self) {
        envelope::<P::Message>(self.chain, self.bytes);
    }
}

fn envelope<M: Message>(chain: &Chain, bytes: &[u8]) {
    let cache = TransactionCache::default();
    let (seq, opened) = match packet::open::<M>(bytes, &chain.keys, &cache) {
        Ok(opened) => opened,
        Err(refused) => {
            assert!(!refused.reason().is_empty() && !refused.to_string().is_empty());
            return;
        }
    };
    let variant = bytes.get(8..12).expect("a number and a variant");
    let Some(packet) = sent_on(opened) else {
        assert_eq!(variant, COMPACT, "only what came without its transactions lacks something");
        return;
    };
    let envelope = Envelope { seq, packet };
    let again = envelope.encode();
    assert_eq!(envelope.encoded_len(), again.len());
    if variant != COMPACT && variant != TESTIMONY {
        assert_eq!(again, bytes, "{} has two encodings", envelope.packet.kind());
    }
    let reopened = packet::open::<M>(&again, &chain.keys, &TransactionCache::default());
    let (number, reopened) = reopened.expect("what was opened can be sent on");
    let reopened = Envelope { seq: number, packet: sent_on(reopened).expect("it is whole") };
    assert_eq!(reopened.encode(), again, "it is the same, sent on");
    if let Packet::Message(signed) = &envelope.packet {
        compact(chain, &envelope, signed.id());
    }
}

/// What somebody who opened it would send on; nothing if it is not whole.
fn sent_on<M: Message>(opened: Opened<M>) -> Option<Packet<M>> {
    Some(match opened {
        Opened::Message(signed) => Packet::Message(signed),
        Opened::Summary(summary) => Packet::Summary(summary),
        Opened::Ask(ask) => Packet::Ask(ask),
        Opened::Blocks(blocks) => Packet::Blocks(blocks),
        Opened::Branch(blocks) => Packet::Branch(blocks),
        Opened::Hearsay(hearsay) => Packet::Hearsay(hearsay),
        Opened::Testimony(stubs) => Packet::Testimony(stubs),
        Opened::Incomplete(_) => return None,
    })
}

/// A message that leaves its transactions behind is the same message once it has them again.
fn compact<M: Message>(chain: &Chain, envelope: &Envelope<M>, id: crypto::Hash) {
    let Some(bytes) = envelope.encode_compact(|_| true) else { return };
    let opened = packet::open::<M>(&bytes, &chain.keys, &TransactionCache::default());
    let Ok((_, Opened::Message(signed))) = opened else { panic!("it brings all it lacks") };
    assert_eq!(signed.id(), id);
}

fn batch(chain: &Chain, bytes: &[u8]) {
    let cache = TransactionCache::default();
    let Ok(decoded) = packet::decode_transactions(bytes, &cache) else { return };
    let verified = packet::verify_transactions(&decoded, &chain.keys, &cache);
    let whole = packet::open_transactions(bytes, &chain.keys, &TransactionCache::default());
    assert_eq!(verified, whole, "in two steps or in one");
    if let Ok(verified) = whole {
        assert_eq!(packet::encode_transactions(&verified), bytes, "a batch has two encodings");
        assert_eq!(packet::transactions_len(&verified), bytes.len());
        for each in verified {
            assert!(chain.signed.contains(&each.id()), "nobody signed {each:?}");
        }
    }
}
