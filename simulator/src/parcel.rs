//! What travels: values as they are, or in a world on the wire the bytes of a real node.

use crate::{places::Place, record::aside::Under};
use consensus::Message;
use ledger::{Keys, ReplicaId, Slot, VerifiedTransaction};
use replica::{
    Envelope, Event, Refused, TransactionCache,
    packet::{self, Opened, Packet},
};
use std::sync::Arc;

/// A parcel, and who sent it. All recipients share one.
#[derive(Debug)]
pub(crate) struct Letter<M> {
    pub(crate) from: ReplicaId,
    /// Where from, and in which life there.
    pub(crate) place: Place,
    pub(crate) life: u32,
    /// The envelope's number, if it is one.
    pub(crate) seq: Option<u64>,
    pub(crate) parcel: Parcel<M>,
}

impl<M> Letter<M> {
    /// A copy for one place, as the record calls it.
    pub(crate) fn under(&self, to: Place) -> Option<Under> {
        let (from, life, to) = (self.place.lane(), self.life, to.lane());
        self.seq.map(|envelope| Under { from, life, envelope, to })
    }
}

/// What is in it.
#[derive(Debug)]
pub(crate) enum Parcel<M> {
    Envelope(Envelope<M>),
    EnvelopeBytes(Vec<u8>),
    Transactions(Vec<VerifiedTransaction>),
    TransactionBytes(Vec<u8>),
}

impl<M: Message> Parcel<M> {
    /// Packs an envelope.
    pub(crate) fn of_envelope(envelope: Arc<Envelope<M>>, wire: bool) -> Parcel<M> {
        match wire {
            true => Parcel::EnvelopeBytes(envelope.encode()),
            false => Parcel::Envelope(Arc::unwrap_or_clone(envelope)),
        }
    }

    /// Packs transactions for the public.
    pub(crate) fn of_transactions(batch: Vec<VerifiedTransaction>, wire: bool) -> Parcel<M> {
        match wire {
            true => Parcel::TransactionBytes(packet::encode_transactions(&batch)),
            false => Parcel::Transactions(batch),
        }
    }

    /// Who says what in which slot, if it is a protocol's message and not bytes.
    pub(crate) fn place(&self) -> Option<(ReplicaId, &'static str, Option<Slot>)> {
        let Parcel::Envelope(envelope) = self else { return None };
        let Packet::Message(signed) = &envelope.packet else { return None };
        Some((signed.sender(), signed.message().kind(), signed.slot()))
    }

    /// Whether it is for everybody: transactions.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self, Parcel::Transactions(_) | Parcel::TransactionBytes(_))
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
                let opened = match &envelope.packet {
                    // By far the most, and only a pointer.
                    Packet::Message(signed) => Opened::Message(signed.clone()),
                    other => other.clone().carried(),
                };
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
