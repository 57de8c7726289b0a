//! What lies between replicas: every parcel takes its time, and some never arrive.

use crate::setup::stream;
use consensus::Message;
use ledger::{Keys, ReplicaId, VerifiedTransaction};
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use replica::{Envelope, Event, Refused, packet};
use std::{collections::BTreeSet, ops::Range, sync::Arc, time::Duration};

/// Parts per million: how [`Conditions::loss`] is counted.
pub const MILLION: u32 = 1_000_000;

/// How the network treats what it carries.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// How long a parcel is under way, drawn evenly from the range for each recipient. An empty
    /// range means always its start. Parcels may overtake each other.
    pub latency: Range<Duration>,
    /// How many in a million parcels are lost.
    pub loss: u32,
    /// Replicas that hear everything and from which nothing ever leaves.
    pub silent: BTreeSet<ReplicaId>,
}

/// Decides the fate of each parcel.
#[derive(Debug)]
pub(crate) struct Network {
    conditions: Conditions,
    /// A stream of chance for each sender, so that one replica's sending more changes nothing in
    /// the fate of what the others send.
    streams: Vec<ChaCha8Rng>,
}

impl Network {
    pub(crate) fn new(conditions: Conditions, seed: u64, replicas: u32) -> Network {
        let streams = (0..replicas).map(|id| stream(seed, "network", id.into())).collect();
        Network { conditions, streams }
    }

    /// How long a parcel of `from` is under way to one recipient; none if it is lost.
    pub(crate) fn carry(&mut self, from: ReplicaId) -> Option<Duration> {
        let chance = &mut self.streams[from.0 as usize];
        // Both are always drawn: a run with more loss keeps the latencies of what arrives.
        let lost = below(chance, MILLION.into()) < self.conditions.loss.into();
        let Range { start, end } = self.conditions.latency;
        let spread = end.saturating_sub(start).as_nanos();
        let spread = u64::try_from(spread).expect("latencies are far below five hundred years");
        let latency = start + Duration::from_nanos(below(chance, spread));
        (!lost && !self.conditions.silent.contains(&from)).then_some(latency)
    }
}

/// A number evenly drawn from `0..bound`, or zero if there is none. The bias of multiplying and
/// shifting is below `bound / 2^64`.
fn below(chance: &mut ChaCha8Rng, bound: u64) -> u64 {
    let product = u128::from(chance.next_u64()) * u128::from(bound);
    u64::try_from(product >> 64).expect("the upper half of a product of two u64 fits in one")
}

/// What travels: the values themselves, or in a world on the wire the bytes of a real node. All
/// recipients share one.
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
    pub(crate) fn open(&self, from: ReplicaId, keys: &Keys) -> Result<Event<M>, Refused> {
        Ok(match self {
            Parcel::Envelope(envelope) => {
                let opened = envelope.packet.clone().carried();
                Event::Received { from, seq: envelope.seq, opened }
            }
            Parcel::EnvelopeBytes(bytes) => {
                let (seq, opened) = packet::open(bytes, keys)?;
                Event::Received { from, seq, opened }
            }
            Parcel::Transactions(batch) => Event::Gossiped(batch.clone()),
            Parcel::TransactionBytes(bytes) => {
                Event::Gossiped(packet::open_transactions(bytes, keys)?)
            }
        })
    }
}

#[cfg(test)]
mod tests;
