//! What the network has carried, refused and dropped.
//!
//! Nothing is lost in silence: each place that drops or refuses something counts it here.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A snapshot of what the network has done since it started. Every figure only grows.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Counters {
            /// Each figure with its name and what it counts, for those who show them all.
            pub fn each(self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
                [$((stringify!($name), concat!($($doc),+).trim_ascii_start(), self.$name),)+]
                    .into_iter()
            }
        }

        /// The live figures behind [`Counters`], shared by the handle and every connection.
        #[derive(Debug, Default)]
        pub(super) struct Tallies {
            $(pub(super) $name: Figure,)+
        }

        impl Tallies {
            /// Reads every figure. They are read one by one, so a snapshot is not a cut in time.
            pub(super) fn snapshot(&self) -> Counters {
                Counters { $($name: self.$name.get(),)+ }
            }
        }
    };
}

counters! {
    /// Consensus frames whose last byte a peer's stream has taken.
    frames_sent,
    /// Bytes of those frames, without length prefixes.
    bytes_sent,
    /// Consensus frames received whole.
    frames_received,
    /// Bytes of those frames, without length prefixes.
    bytes_received,
    /// Frames dropped because the peer's queue was full.
    dropped_queue_full,
    /// Frames of our own that were longer than the limit and were not sent.
    dropped_oversized,
    /// Frames to a peer we are told to cut off.
    dropped_cut,
    /// Frames addressed to a seat of no peer: nobody we were told of, or who has been seated since.
    dropped_unknown_peer,
    /// Substreams closed because the peer announced a frame longer than the limit.
    refused_oversized,
    /// Frames and gossip messages of a peer that were under way when we were told to cut it off.
    refused_cut,
    /// Incoming connections refused: a peer that is shut out or cut off, one guest too many, the
    /// wrong side dialled while a connection stands, or too many at once.
    refused_connections,
    /// Peers that nobody told us of and that were let in as guests.
    guests_let_in,
    /// Peers that nobody told us of and that were sent away, since every guest's place was taken.
    guests_turned_away,
    /// Guests that were sent away for another: they were silent, or had their turn.
    guests_gave_way,
    /// Consensus substreams a peer would not open: most likely it serves another chain.
    refused_substreams,
    /// What peers sent that no honest peer sends: oversized, malformed or forged.
    peer_faults,
    /// Peers shut out for a while because of too many of those.
    peers_banned,
    /// Consensus links that came up, reconnections included.
    links_opened,
    /// Attempts to dial a peer that failed.
    dials_failed,
    /// Gossip messages of our own handed to at least one peer.
    gossip_published,
    /// Gossip messages of our own, or forwarded by us, dropped because a queue was full, and of our own
    /// that nobody heard and that were not kept.
    gossip_dropped,
    /// Gossip messages of our own that were longer than the limit and were not published.
    gossip_oversized,
    /// Gossip messages of our own whose content had been on the network before.
    gossip_duplicates,
    /// Gossip messages of our own that no peer was there to hear, each time they were tried. They are
    /// kept for a while, for a peer that begins to listen.
    gossip_unheard,
    /// Gossip messages received, each content once.
    gossip_received,
    /// Of those, accepted and forwarded.
    gossip_accepted,
    /// Of those, judged invalid: not forwarded, and held against the peer that sent them.
    gossip_rejected,
    /// Of those, not forwarded and held against nobody.
    gossip_ignored,
    /// Of those, ignored unseen because the node had no room for them.
    gossip_overloaded,
    /// Received messages that were lost on purpose, as told, or since too many waited.
    weather_lost,
    /// Received frames that came twice on purpose, as told.
    weather_doubled,
    /// Received messages and copies that were made to wait on purpose, as told.
    weather_waiting,
}

/// One figure. It publishes no other memory, so relaxed ordering is enough.
#[derive(Debug, Default)]
pub(super) struct Figure(AtomicU64);

impl Figure {
    /// Adds one.
    pub(super) fn increment(&self) {
        self.add(1);
    }

    /// Adds `amount`.
    pub(super) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
