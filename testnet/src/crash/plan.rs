//! Who is killed when, drawn from a seed before anything starts.
//!
//! Nothing here is random but the seed: the same seed plans the same victims and times, and a longer
//! plan begins with the shorter one.

use super::trip::Trip;
use ledger::store::tripwire::Point;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// The longest pause before a round's kills, in milliseconds.
pub const LONGEST_PAUSE: u64 = 1_200;

/// The shortest pause of an unhurried round, in milliseconds.
const UNHURRIED: u64 = 300;

/// The longest pause of a hurried round, in milliseconds: its kills often hit those who have just
/// been started again.
const HURRIED: u64 = 150;

/// The longest time somebody lies dead, in milliseconds.
pub const LONGEST_DEATH: u64 = 600;

/// One round: a pause, then kills all at once, then everybody is started again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Round {
    /// How long after the last restart the kills come.
    pub pause: Duration,
    /// Who dies: at least one, by rising id.
    pub victims: Vec<Victim>,
}

/// Somebody who is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Victim {
    /// Which node.
    pub id: u32,
    /// How long it lies dead.
    pub dead: Duration,
    /// Where it dies again before it is left alone; none for most.
    pub trip: Option<Trip>,
}

/// How many rounds of a thousand end at failpoints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share(pub u32);

impl Share {
    /// A quarter.
    pub const USUAL: Share = Share(250);

    const WHOLE: u64 = 1_000;

    /// Whether the round with this number, from zero, is one of them: as evenly as can be.
    fn has(self, round: u32) -> bool {
        let until = |rounds: u64| rounds * u64::from(self.0) / Share::WHOLE;
        until(u64::from(round) + 1) > until(u64::from(round))
    }
}

/// The points at which somebody may die who lives on a database that was made before.
pub fn points() -> impl Iterator<Item = Point> + Clone {
    Point::ALL.iter().copied().filter(|point| *point != Point::LogMade)
}

/// How often a point may be passed before somebody dies there: so that it comes within seconds.
fn passages(point: Point) -> u32 {
    match point {
        _ if !point.recurs() => 1,
        Point::SegmentTaken
        | Point::CheckpointBegun
        | Point::CheckpointUnmarked
        | Point::CheckpointMarked => 2,
        Point::StepApplied | Point::StepFlushed | Point::StepSynced | Point::CommitUntold => 4,
        // A miner has little to say.
        Point::VoteUnsent | Point::SendsBetween => 6,
        _ => 20,
    }
}

/// How many of so many nodes with equal stake may fail while the others go on: less than a third.
pub fn tolerated(replicas: u32) -> u32 {
    replicas.saturating_sub(1) / 3
}

/// Draws `rounds` rounds for a net of `replicas` nodes.
///
/// In seven rounds of ten, as many die as can be tolerated at most (one at least); in two, more; in
/// one, everybody. A quarter of the rounds are hurried. In a `share` of the rounds whoever is killed is started
/// again to die at a failpoint, each at one of its own; nothing else depends on that.
///
/// # Panics
///
/// If there are no replicas.
pub fn plan(seed: u64, replicas: u32, rounds: u32, share: Share) -> Vec<Round> {
    assert!(replicas > 0, "a net has nodes");
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
    let mut others = ChaCha8Rng::seed_from_u64(seed);
    others.set_stream(1);
    let mut others = Dice(others);
    let round = |number| {
        let mut round = dice.round(replicas);
        if share.has(number) {
            round.victims.iter_mut().for_each(|victim| victim.trip = Some(others.trip()));
        }
        round
    };
    (0..rounds).map(round).collect()
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn round(&mut self, replicas: u32) -> Round {
        let pause = match self.between(0, 3) {
            0 => self.between(0, HURRIED),
            _ => self.between(UNHURRIED, LONGEST_PAUSE),
        };
        let few = tolerated(replicas).max(1);
        let count = match self.between(0, 9) {
            0 => replicas,
            1 | 2 => self.upto(few + 1, replicas - 1),
            _ => self.upto(1, few),
        };
        let victims = self.choose(replicas, count.clamp(1, replicas));
        let pause = Duration::from_millis(pause);
        let die = |id| {
            let dead = Duration::from_millis(self.between(0, LONGEST_DEATH));
            Victim { id, dead, trip: None }
        };
        Round { pause, victims: victims.into_iter().map(die).collect() }
    }

    fn trip(&mut self) -> Trip {
        let last = u32::try_from(points().count() - 1).expect("there are a few");
        let drawn = self.upto(0, last) as usize;
        let point = points().nth(drawn).expect("it is one of them");
        Trip { point, passage: self.upto(1, passages(point)) }
    }

    /// Distinct ones of the ids below `replicas`, rising.
    fn choose(&mut self, replicas: u32, count: u32) -> Vec<u32> {
        let mut ids: Vec<u32> = (0..replicas).collect();
        for at in 0..count {
            let other = self.upto(at, replicas - 1);
            ids.swap(at as usize, other as usize);
        }
        ids.truncate(count as usize);
        ids.sort_unstable();
        ids
    }

    /// Where there is nothing between them, the first.
    fn upto(&mut self, least: u32, most: u32) -> u32 {
        let drawn = self.between(u64::from(least), u64::from(most.max(least)));
        u32::try_from(drawn).expect("it is between two of its kind")
    }

    /// Both ends included.
    fn between(&mut self, least: u64, most: u64) -> u64 {
        // The span is tiny, so what the multiplication leaves uneven is, too.
        least + ((u64::from(self.0.next_u32()) * (most - least + 1)) >> 32)
    }
}
