//! What hostile messages are made of: mostly what honest ones are, with one thing wrong.

use super::Kit;
use consensus::{Message, Protocol, Signed, pbft, tendermint::Tendermint};
use crypto::{Hash, SecretKey, codec};
use ledger::{
    Action, Amount, Block, BlockHash, ChainId, Hand, Header, Payload, Proof, ReplicaId, Seal, Slot,
    Transaction, block::transaction_root,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use replica::{
    Envelope, Packet,
    gossip::Summary,
    packet::{Ask, Chained},
};
use std::sync::Arc;

/// Envelopes without a message look alike whatever the protocol.
type Plain = <Tendermint as Protocol>::Message;

/// The number by which an envelope says that it is a question, behind the eight bytes of its own number.
const ASK: [u8; 4] = [2, 0, 0, 0];
/// The number by which a question says that it is for blocks.
const BLOCKS: [u8; 4] = [0; 4];

/// Chance that is the same each time, so that an attack can be repeated.
pub fn chance() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(13)
}

/// Bytes that mean nothing.
pub fn noise(rng: &mut ChaCha8Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// The frame of a packet that carries no protocol's message.
pub fn plain(seq: u64, packet: Packet<Plain>) -> Vec<u8> {
    Envelope { seq, packet }.encode()
}

/// Says that it holds no message, and could bring anybody to a height.
pub fn summary(seq: u64, reach: u64) -> Vec<u8> {
    let last = Slot { height: u64::MAX, epoch: u32::MAX, round: u64::MAX, phase: u8::MAX };
    let covers = (Slot::default(), last);
    let summary = Summary { reach, covers, slots: Vec::new(), dead: Box::default() };
    plain(seq, Packet::Summary(summary))
}

/// A question.
pub fn ask(seq: u64, ask: Ask) -> Vec<u8> {
    plain(seq, Packet::Ask(ask))
}

/// Asks one of PBFT's replicas for a batch, if it is a validator who asks.
pub fn fetch(kit: &Kit, seq: u64, batch: BlockHash, replier: ReplicaId) -> Option<Vec<u8>> {
    let hand = Hand::new(kit.seat?, kit.chain, kit.identity.clone());
    let signed = Signed::by(&hand, pbft::Message::Fetch { batch, replier });
    Some(Envelope { seq, packet: Packet::Message(signed) }.encode())
}

/// The names of the batches in PBFT's messages among what was heard: they may be fetched.
pub fn batch_of(frame: &[u8]) -> Option<BlockHash> {
    #[derive(serde::Deserialize, serde::Serialize)]
    enum Wire {
        Message(consensus::Claimed<pbft::Message>),
    }
    let (_, Wire::Message(claimed)): (u64, Wire) = codec::decode(frame, frame.len()).ok()?;
    match claimed.message {
        pbft::Message::Prepare { value, .. } | pbft::Message::Commit { value, .. } => value,
        message => message.block().map(|batch| batch.hash()),
    }
}

/// From which height on a frame asks for blocks, if it does.
pub fn asks_for_blocks(frame: &[u8]) -> Option<u64> {
    let (kind, rest) = frame.get(8..)?.split_at_checked(4)?;
    let (question, from) = rest.split_at_checked(4)?;
    let from = from.get(..8)?.try_into().ok()?;
    (kind == ASK && question == BLOCKS).then(|| u64::from_le_bytes(from))
}

/// Blocks with these transactions from a height on, which hang together and stand on nothing, each with a
/// proof that is none.
pub fn blocks(from: u64, count: u64, transactions: &[Transaction]) -> Vec<Chained> {
    let mut parent = BlockHash(Hash::from_bytes([7; 32]));
    let block = |height| {
        let header = Header {
            parent,
            height,
            time: 1_700_000_000_000 + height,
            proposer: ReplicaId(0),
            transactions: transaction_root(transactions),
            state: Hash::from_bytes([9; 32]),
            committee: Hash::from_bytes([9; 32]),
            participation: Hash::ZERO,
            leak: Hash::ZERO,
            seal: Seal::default(),
        };
        parent = header.hash();
        let block = Block { header, transactions: transactions.to_vec(), duties: Vec::new() };
        Chained { block: Arc::new(block), proof: Some(Proof(vec![1; 64])) }
    };
    (from..from.saturating_add(count)).map(block).collect()
}

/// The frame of an answer with blocks.
pub fn answer(seq: u64, blocks: Vec<Chained>) -> Vec<u8> {
    plain(seq, Packet::Blocks(blocks))
}

/// Somebody who signs transfers to nobody in particular.
#[derive(Debug)]
pub struct Payer {
    chain: ChainId,
    key: SecretKey,
    nonce: u64,
    fee: Amount,
}

impl Payer {
    /// One who has not paid yet.
    pub fn new(chain: ChainId, key: SecretKey, fee: Amount) -> Payer {
        Payer { chain, key, nonce: 0, fee }
    }

    /// Signs the next transfer, of this amount.
    pub fn pay(&mut self, amount: Amount) -> Transaction {
        let sender = self.key.public();
        let action = Action::Transfer { to: sender.address(), amount };
        let (chain, nonce, fee) = (self.chain, self.nonce, self.fee);
        self.nonce += 1;
        Payload { chain, sender, nonce, fee, action }.sign(&self.key)
    }
}

/// The bytes of a gossiped batch.
pub fn batch(transactions: &[Transaction]) -> Vec<u8> {
    codec::encode(transactions)
}
