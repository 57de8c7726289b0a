//! What lies between replicas: every parcel takes its time, and some never arrive.
//!
//! Each directed link has a delay and a stream of chance of its own, and each parcel uses up the
//! same amount of it whatever becomes of it. So one fault more changes the fate of what it
//! concerns and of nothing else: a run with more loss keeps the latencies of what arrives.

use crate::{
    delay::{Delay, Dice, below},
    latency::{Latency, Regions},
    setup::grow,
};
use ledger::ReplicaId;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Parts per million: how [`Conditions::loss`] is counted.
pub const MILLION: u32 = 1_000_000;

/// How the network treats what it carries. In a file, shares are fractions: `loss = 0.05`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// How long a parcel is under way. Parcels may overtake each other.
    pub latency: Latency,
    /// How many in a million parcels are lost.
    #[serde(with = "share")]
    pub loss: u32,
    /// Links that are worse than the others, or better. Of two for one link the later counts.
    pub links: Vec<Exception>,
    /// How many in a million come twice, each copy after a time of its own.
    #[serde(with = "share")]
    pub duplication: u32,
    /// Which parcels are held back besides, so that others overtake them.
    pub reordering: Reordering,
    /// Replicas that hear everything and from which nothing ever leaves.
    pub silent: BTreeSet<ReplicaId>,
    /// What happens before the network stabilises; none if it always was.
    pub unrest: Option<Unrest>,
}

/// One directed link that differs from the others. What it does not name is as everywhere.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Who sends.
    pub from: ReplicaId,
    /// Who receives.
    pub to: ReplicaId,
    /// How long a parcel is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Delay>,
    /// How many in a million are lost.
    #[serde(default, with = "share::maybe", skip_serializing_if = "Option::is_none")]
    pub loss: Option<u32>,
}

/// Holds back some parcels.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reordering {
    /// How many in a million.
    #[serde(with = "share")]
    pub share: u32,
    /// How much longer they take.
    pub by: Delay,
}

/// A time before the global stabilisation time of Dwork, Lynch and Stockmeyer ("Consensus in the
/// presence of partial synchrony", 1988): parcels take longer and get lost besides. Afterwards the
/// ordinary latency is the bound, also on what was sent before and is still under way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Unrest {
    /// The stabilisation time, since the beginning of virtual time.
    #[serde(with = "crate::span::text")]
    pub until: Duration,
    /// How many in a million parcels are lost, besides those that are lost anyway.
    #[serde(with = "share")]
    pub loss: u32,
    /// How much longer the others take.
    pub delay: Delay,
}

impl Default for Conditions {
    /// A fast and faultless network.
    fn default() -> Conditions {
        let milli = Duration::from_millis;
        Conditions {
            latency: (milli(20)..milli(80)).into(),
            loss: 0,
            links: Vec::new(),
            duplication: 0,
            reordering: Reordering { share: 0, by: milli(200).into() },
            silent: BTreeSet::new(),
            unrest: None,
        }
    }
}

/// How long each copy of a parcel is under way: nothing if it is lost, two if it is doubled.
pub(crate) type Copies = [Option<Duration>; 2];

/// Decides the fate of each parcel.
#[derive(Debug)]
pub(crate) struct Network {
    conditions: Conditions,
    /// Where replicas are, if not everywhere alike.
    regions: Option<Regions>,
    /// The links that are exceptions, with what they say in the end.
    exceptions: BTreeMap<(ReplicaId, ReplicaId), Exception>,
    seed: u64,
    replicas: u32,
    /// The chance of each link that was used, from each sender to each recipient.
    chances: Vec<Option<Chance>>,
    cuts: BTreeSet<(ReplicaId, ReplicaId)>,
    /// During a partition: to which side a replica belongs. Those on none are together.
    sides: BTreeMap<ReplicaId, usize>,
}

/// A link's stream of chance, and how far it is used up. A generator has a third of a kilobyte, mostly of
/// chance not yet used; with a thousand replicas there are a million links, and with a hundred they do
/// not fit into the cache.
#[derive(Clone, Debug)]
struct Chance {
    seed: [u8; 32],
    parcels: u64,
}

/// What one parcel's fate is decided by.
struct Fate {
    lost: u64,
    lost_in_unrest: u64,
    doubled: u64,
    held_back: u64,
    delays: [Dice; 2],
    unrest: Dice,
    held_back_by: Dice,
}

impl Fate {
    /// How many words of 32 bits one parcel uses up.
    const WORDS: u128 = 24;

    fn roll(chance: &mut ChaCha8Rng) -> Fate {
        let mut bytes = [0; 12 * 8];
        chance.fill_bytes(&mut bytes);
        let mut words = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
        let mut word = || words.next().expect("there are twelve");
        let [lost, lost_in_unrest, doubled, held_back] = std::array::from_fn(|_| word());
        let mut dice = || Dice([word(), word()]);
        let delays = [dice(), dice()];
        Fate {
            lost,
            lost_in_unrest,
            doubled,
            held_back,
            delays,
            unrest: dice(),
            held_back_by: dice(),
        }
    }
}

/// Whether something happens that happens to so many in a million.
fn happens(chance: u64, share: u32) -> bool {
    below(chance, MILLION.into()) < share.into()
}

impl Network {
    pub(crate) fn new(conditions: Conditions, seed: u64, replicas: u32) -> Network {
        let mut network = Network {
            conditions,
            regions: None,
            exceptions: BTreeMap::new(),
            seed,
            replicas,
            chances: vec![None; replicas as usize * replicas as usize],
            cuts: BTreeSet::new(),
            sides: BTreeMap::new(),
        };
        network.lay_links();
        network
    }

    /// Looks up what the conditions say of every link.
    fn lay_links(&mut self) {
        self.regions = match &self.conditions.latency {
            Latency::Everywhere(_) => None,
            Latency::Preset(preset) => Some(preset.regions()),
            Latency::Regions(regions) => Some(regions.clone()),
        };
        self.exceptions.clear();
        for exception in &self.conditions.links {
            let link = self.exceptions.entry((exception.from, exception.to));
            let link = link.or_insert_with(|| exception.clone());
            link.latency = exception.latency.clone().or(link.latency.take());
            link.loss = exception.loss.or(link.loss);
        }
    }

    fn delay(&self, from: ReplicaId, to: ReplicaId) -> &Delay {
        let exception = self.exceptions.get(&(from, to)).and_then(|link| link.latency.as_ref());
        match (exception, &self.regions, &self.conditions.latency) {
            (Some(delay), ..) => delay,
            (None, Some(regions), _) => regions.way(from, to),
            (None, None, Latency::Everywhere(delay)) => delay,
            (None, None, latency) => unreachable!("{latency} has regions"),
        }
    }

    fn loss(&self, from: ReplicaId, to: ReplicaId) -> u32 {
        let exception = self.exceptions.get(&(from, to)).and_then(|link| link.loss);
        exception.unwrap_or(self.conditions.loss)
    }

    /// What the next parcel's fate is decided by.
    fn roll(&mut self, from: ReplicaId, to: ReplicaId) -> Fate {
        let link = from.0 as usize * self.replicas as usize + to.0 as usize;
        let grow = || grow(self.seed, "network", u64::from(from.0) << 32 | u64::from(to.0));
        let chance = self.chances[link].get_or_insert_with(|| Chance { seed: grow(), parcels: 0 });
        let mut stream = ChaCha8Rng::from_seed(chance.seed);
        stream.set_word_pos(u128::from(chance.parcels) * Fate::WORDS);
        chance.parcels += 1;
        Fate::roll(&mut stream)
    }

    /// How long the copies of a parcel that leaves now are under way to one recipient.
    pub(crate) fn carry(&mut self, from: ReplicaId, to: ReplicaId, now: Duration) -> Copies {
        let fate = self.roll(from, to);
        let Conditions { duplication, reordering, unrest, .. } = &self.conditions;
        let unrest = unrest.as_ref().filter(|unrest| now < unrest.until);
        let is_lost = happens(fate.lost, self.loss(from, to))
            || unrest.is_some_and(|unrest| happens(fate.lost_in_unrest, unrest.loss));
        if is_lost || !self.is_open(from, to) {
            return [None; 2];
        }
        let mut extra = Duration::ZERO;
        if let Some(unrest) = unrest {
            // At the stabilisation time everything under way is as if it had just been sent.
            extra += unrest.delay.draw(fate.unrest).min(unrest.until - now);
        }
        if happens(fate.held_back, reordering.share) {
            extra += reordering.by.draw(fate.held_back_by);
        }
        let delay = self.delay(from, to);
        let [first, second] = fate.delays;
        let is_doubled = happens(fate.doubled, *duplication);
        [Some(extra + delay.draw(first)), is_doubled.then(|| extra + delay.draw(second))]
    }

    /// Whether anything passes from one to the other.
    pub(crate) fn is_open(&self, from: ReplicaId, to: ReplicaId) -> bool {
        !self.conditions.silent.contains(&from)
            && !self.cuts.contains(&(from, to))
            && self.sides.get(&from) == self.sides.get(&to)
    }

    /// Other conditions from now on; what is under way keeps its time.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Conditions)) {
        change(&mut self.conditions);
        self.lay_links();
    }

    /// Nothing passes from one to the other.
    pub(crate) fn cut(&mut self, from: ReplicaId, to: ReplicaId) {
        self.cuts.insert((from, to));
    }

    pub(crate) fn mend(&mut self, from: ReplicaId, to: ReplicaId) {
        self.cuts.remove(&(from, to));
    }

    /// Nothing passes from one side to another, in place of any earlier partition. Those on no side
    /// are on one more, together.
    pub(crate) fn partition(&mut self, sides: &[Vec<ReplicaId>]) {
        let numbered = sides.iter().enumerate();
        let sides = numbered.flat_map(|(side, ids)| ids.iter().map(move |id| (*id, side)));
        self.sides = sides.collect();
    }

    /// Ends the partition and mends every cut.
    pub(crate) fn heal(&mut self) {
        self.sides.clear();
        self.cuts.clear();
    }
}

/// For `#[serde(with)]`: parts per million as a fraction.
pub(crate) mod share {
    use super::MILLION;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(share: &u32, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(f64::from(*share) / f64::from(MILLION))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
        let fraction = f64::deserialize(from)?;
        if !(0.0..=1.0).contains(&fraction) {
            let why = format!("a share is between 0 and 1, not {fraction}; 5 % is 0.05");
            return Err(D::Error::custom(why));
        }
        Ok((fraction * f64::from(MILLION) + 0.5) as u32)
    }

    /// The same where there may be none.
    pub(crate) mod maybe {
        use serde::{Deserializer, Serializer};

        pub(crate) fn serialize<S: Serializer>(it: &Option<u32>, to: S) -> Result<S::Ok, S::Error> {
            match it {
                Some(share) => super::serialize(share, to),
                None => to.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<u32>, D::Error> {
            super::deserialize(from).map(Some)
        }
    }
}

#[cfg(test)]
mod tests;
