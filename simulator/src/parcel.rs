//! What travels: values as they are, or in a world on the wire the bytes of a real node.

use consensus::Message;
use ledger::{Keys, ReplicaId, VerifiedTransaction};
use replica::{Envelope, Event, Refused, TransactionCache, packet};
use std::sync::Arc;

/// All recipients share one.
#[derive(Debug)]
pub(crate) enum Parcel<M> {
    Envelope(Arc<Envelope<M>>),
    EnvelopeBytes(Vec<u8>),
    Transactions(Vec<VerifiedTransaction>),
    TransactionBytes(Vec<u8>),
}

impl<M: Message> Parcel<M> {
    /// Packs an envelope.
    pub(crate) fn of_envelope(envelope: Arc<Envelope<M>>, wire: bool) -> Parcel<M> {
        match wire {
            true => Parcel::EnvelopeBytes(envelope.encode()),
            false => Parcel::Envelope(envelope),
        }
    }

    /// Packs transactions for the public.
    pub(crate) fn of_transactions(batch: Vec<VerifiedTransaction>, wire: bool) -> Parcel<M> {
        match wire {
            true => Parcel::TransactionBytes(packet::encode_transactions(&batch)),
            false => Parcel::Transactions(batch),
        }
    }

    /// What the recipient is told, as the host of a real node would tell it.
    pub(crate) fn open(
        &self,
        from: ReplicaId,
        keys: &Keys,
        cache: &TransactionCache,
    ) -> Result<Event<M>, Refused> {
        Ok(match self {
            Parcel::Envelope(envelope) => {
                let opened = envelope.packet.clone().carried();
                Event::Received { from, seq: envelope.seq, opened }
            }
            Parcel::EnvelopeBytes(bytes) => {
                let (seq, opened) = packet::open(bytes, keys, cache)?;
                Event::Received { from, seq, opened }
            }
            Parcel::Transactions(batch) => Event::Gossiped(batch.clone()),
            Parcel::TransactionBytes(bytes) => {
                Event::Gossiped(packet::open_transactions(bytes, keys, cache)?)
            }
        })
    }
}
