//! One replica's place in the world: its disk outlives it, its alarms and its name for the present
//! do not.

use crate::{
    clock::Skew,
    delay::{Delay, Dice},
    disk::Disk,
    mining::Miner,
    places::Place,
    record::Tracing,
    setup::{Setup, grow, stream},
};
use consensus::Protocol;
use ledger::{Genesis, Keys, ReplicaId};
use rand_chacha::ChaCha8Rng;
use replica::{Alarm, Moment, Options, Replica, TransactionCache};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Where a replica lives, dies and lives again.
#[derive(Debug)]
pub(crate) struct Host<P: Protocol> {
    pub(crate) id: ReplicaId,
    place: Place,
    pub(crate) disk: Arc<Disk>,
    /// None while it is down.
    pub(crate) replica: Option<Replica<P>>,
    /// Whether it stands still.
    pub(crate) paused: bool,
    /// What it opens bytes with, on the wire.
    pub(crate) cache: TransactionCache,
    /// Which life this is, or was last: what was under way to an earlier one is void.
    pub(crate) life: u32,
    born: Duration,
    /// By how much its calendar is ahead of its twin's, so that the two never build the same block.
    ahead: Duration,
    /// How its calendar is wrong.
    pub(crate) skew: Skew,
    /// How long its disk takes for a sync, and the chance that this is drawn by.
    pub(crate) sync_delay: Delay,
    chance: ChaCha8Rng,
    /// Its computer, where blocks are mined.
    pub(crate) miner: Miner,
    /// For each alarm that is set, the number under which it was set last.
    alarms: BTreeMap<Alarm, u64>,
    alarms_set: u64,
}

impl<P: Protocol> Host<P> {
    /// A fresh disk and nobody there yet. Whoever lives in a second place has other chances than its
    /// twin, and `share` of its hash rate.
    pub(crate) fn new(id: ReplicaId, place: Place, share: f64, setup: &Setup) -> Host<P> {
        let number = place.0 as u64;
        Host {
            id,
            place,
            disk: Arc::default(),
            replica: None,
            paused: false,
            cache: TransactionCache::default(),
            life: 0,
            born: Duration::ZERO,
            ahead: Duration::from_millis(u64::from(place.0 != id.0 as usize)),
            skew: setup.clocks.get(&id).copied().unwrap_or_default(),
            sync_delay: setup.disks.get(&id).unwrap_or(&setup.sync_delay).clone(),
            chance: stream(setup.seed, "disk", number),
            miner: Miner::new(id, number, share, setup),
            alarms: BTreeMap::new(),
            alarms_set: 0,
        }
    }

    /// Begins a life with what the disk holds.
    ///
    /// # Panics
    /// If it is up already, or cannot live with what it left on its own disk.
    pub(crate) fn wake(
        &mut self,
        now: Duration,
        setup: &Setup,
        genesis: &Genesis,
        keys: &Keys,
        protocol: P,
    ) {
        assert!(self.replica.is_none(), "replica {} is up already", self.id);
        self.life += 1;
        self.born = now;
        // Each life draws other chances than the one before, as a real process would.
        let lives = (self.place.0 as u64) << 32 | u64::from(self.life);
        let opened = Replica::open(replica::Setup {
            me: self.id,
            genesis: genesis.clone(),
            protocol,
            hand: setup.hand(self.id, genesis),
            keys: keys.clone(),
            store: self.disk.clone(),
            seed: grow(setup.seed, "replica", lives),
            options: Options {
                trace: setup.tracing != Tracing::Off,
                // Nobody has lost a disk before the world began.
                first_life: self.life == 1,
                weak: setup.weak(),
                ..setup.options.clone()
            },
        });
        self.replica = Some(opened.unwrap_or_else(|error| {
            panic!("replica {} cannot live with its own disk: {error}", self.id)
        }));
    }

    /// Loses power.
    ///
    /// # Panics
    /// If it is down already.
    pub(crate) fn crash(&mut self) {
        assert!(self.replica.take().is_some(), "replica {} is down already", self.id);
        self.cache = TransactionCache::default();
        self.paused = false;
        self.alarms.clear();
        self.miner.stop();
        self.disk.crash();
    }

    /// What its clocks show at `now` in virtual time.
    pub(crate) fn moment(&self, now: Duration, genesis: &Genesis) -> Moment {
        let wall = self.skew.wall(Duration::from_millis(genesis.time), now);
        Moment { now: now - self.born, wall: wall + self.ahead }
    }

    /// How long the sync takes that begins now.
    pub(crate) fn sync_time(&mut self) -> Duration {
        self.sync_delay.draw(Dice::roll(&mut self.chance))
    }

    /// Sets an alarm, in place of any earlier one of its name. The number tells them apart.
    pub(crate) fn set(&mut self, alarm: Alarm) -> u64 {
        self.alarms_set += 1;
        self.alarms.insert(alarm, self.alarms_set);
        self.alarms_set
    }

    /// Whether the alarm that was set under this number still stands; it rings only once.
    pub(crate) fn rings(&mut self, alarm: Alarm, number: u64) -> bool {
        let stands = self.alarms.get(&alarm) == Some(&number);
        if stands {
            self.alarms.remove(&alarm);
        }
        stands
    }
}

#[cfg(test)]
mod tests;
