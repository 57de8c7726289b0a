//! What goes wrong when.

use crate::{
    clock::Skew,
    delay::Delay,
    latency::Latency,
    network::{Exception, MILLION, Reordering},
    span,
};
use ledger::ReplicaId;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, time::Duration};

/// Faults and their mending in the order of time.
///
/// What it says of a replica or a link that is so already changes nothing, so that any part of a
/// schedule is one too: whoever looks for the least that makes a run fail may leave out steps.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Step>", into = "Vec<Step>")]
pub struct Schedule(Vec<Step>);

/// A fault, and when it happens.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Since the beginning of virtual time.
    #[serde(with = "crate::span::text")]
    pub time: Duration,
    /// What happens.
    #[serde(flatten)]
    pub fault: Fault,
}

/// Something that changes for the worse, or back for the better; or only changes, as stake does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A replica loses power, and what it had not synced.
    Crash(ReplicaId),
    /// It begins another life.
    Restart(ReplicaId),
    /// It loses power, if it has any, and all that was ever on its disk. It counts among the faulty from
    /// then on: nobody can promise anything who has forgotten what it said.
    Wipe(ReplicaId),
    /// It stands still, as a process that the system does not let run: nothing is lost, nothing is done, and
    /// its clocks go on.
    Pause(ReplicaId),
    /// It goes on, with all that came meanwhile.
    Resume(ReplicaId),
    /// Nothing passes from one side to another. Those on no side are on one more, together. Ends an
    /// earlier partition.
    Partition(Vec<Vec<ReplicaId>>),
    /// Ends the partition and mends every cut.
    Heal,
    /// Nothing passes from one replica to another. The way back is another matter.
    Cut {
        /// Who is not heard any more.
        from: ReplicaId,
        /// By whom.
        to: ReplicaId,
    },
    /// Undoes a cut.
    Mend {
        /// Who is heard again.
        from: ReplicaId,
        /// By whom.
        to: ReplicaId,
    },
    /// A replica's links are cut, both ways, but for those to some that may be after it.
    Eclipse {
        /// Whose.
        victim: ReplicaId,
        /// With whom it still speaks.
        but: Vec<ReplicaId>,
    },
    /// Nothing leaves a replica any more, though it hears everything.
    Silence(ReplicaId),
    /// It does again.
    Speak(ReplicaId),
    /// How many in a million parcels are lost, but for links that are exceptions.
    Loss(#[serde(with = "crate::network::share")] u32),
    /// How many in a million come twice.
    Duplication(#[serde(with = "crate::network::share")] u32),
    /// Which are held back.
    Reordering(Reordering),
    /// How long parcels are under way, but for links that are exceptions.
    Latency(Latency),
    /// One link is worse than the others, or better; in place of any earlier exception for it. With
    /// neither latency nor loss it is one of them again.
    Link(Exception),
    /// A calendar goes wrong, or right.
    Skew {
        /// Whose.
        replica: ReplicaId,
        /// How.
        #[serde(flatten)]
        skew: Skew,
    },
    /// A disk takes another time for a sync.
    Disk {
        /// Whose.
        replica: ReplicaId,
        /// How long.
        sync: Delay,
    },
    /// A miner gets faster or slower.
    HashRate {
        /// Whose.
        replica: ReplicaId,
        /// How many times as many hashes a second as in the beginning; none for zero.
        #[serde(with = "crate::mining::factor")]
        factor: f64,
    },
    /// A replica asks for more stake: its account bonds some. It comes to have a seat, if it had none.
    Bond {
        /// Who.
        replica: ReplicaId,
        /// How much.
        amount: u64,
    },
    /// It asks for some of it back.
    Unbond {
        /// Who.
        replica: ReplicaId,
        /// How much.
        amount: u64,
    },
}

impl Fault {
    /// Whether it is no fault, but somebody who asks for more stake or less.
    pub fn moves_stake(&self) -> bool {
        matches!(self, Fault::Bond { .. } | Fault::Unbond { .. })
    }
}

impl Schedule {
    /// Puts steps into the order of time; those at one time stay in the order given.
    pub fn new(mut steps: Vec<Step>) -> Schedule {
        steps.sort_by_key(|step| step.time);
        Schedule(steps)
    }

    /// Adds a step, after all others that happen at the same time.
    pub fn at(mut self, time: Duration, fault: Fault) -> Schedule {
        let place = self.0.partition_point(|step| step.time <= time);
        self.0.insert(place, Step { time, fault });
        self
    }

    /// In the order of time.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether messages pass everywhere once it is over, as far as it goes: no partition, cut or silence of
    /// its own is left.
    pub fn ends_whole(&self) -> bool {
        let mut left = BTreeSet::new();
        for step in &self.0 {
            match &step.fault {
                Fault::Partition(_) => drop(left.insert(("partition", 0, 0))),
                Fault::Heal => left.retain(|(what, ..)| matches!(*what, "silence" | "pause")),
                Fault::Cut { from, to } => drop(left.insert(("cut", from.0, to.0))),
                Fault::Mend { from, to } => drop(left.remove(&("cut", from.0, to.0))),
                Fault::Eclipse { victim, .. } => drop(left.insert(("cut", victim.0, victim.0))),
                Fault::Silence(id) => drop(left.insert(("silence", id.0, 0))),
                Fault::Pause(id) => drop(left.insert(("pause", id.0, 0))),
                Fault::Resume(id) => drop(left.remove(&("pause", id.0, 0))),
                Fault::Speak(id) => drop(left.remove(&("silence", id.0, 0))),
                _ => {}
            }
        }
        left.is_empty()
    }

    /// When the last step happens; zero if there is none.
    pub fn end(&self) -> Duration {
        self.0.last().map_or(Duration::ZERO, |step| step.time)
    }
}

impl From<Vec<Step>> for Schedule {
    fn from(steps: Vec<Step>) -> Schedule {
        Schedule::new(steps)
    }
}

impl From<Schedule> for Vec<Step> {
    fn from(schedule: Schedule) -> Vec<Step> {
        schedule.0
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10}  {}", span::show(self.time), self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Crash(id) => write!(f, "crash {id}"),
            Fault::Restart(id) => write!(f, "restart {id}"),
            Fault::Wipe(id) => write!(f, "wipe {id}"),
            Fault::Pause(id) => write!(f, "pause {id}"),
            Fault::Resume(id) => write!(f, "resume {id}"),
            Fault::Partition(sides) => {
                let sides: Vec<_> = sides.iter().map(|side| list(side)).collect();
                write!(f, "partition {}", sides.join(" | "))
            }
            Fault::Heal => write!(f, "heal"),
            Fault::Cut { from, to } => write!(f, "cut {from} -> {to}"),
            Fault::Mend { from, to } => write!(f, "mend {from} -> {to}"),
            Fault::Eclipse { victim, but } if but.is_empty() => write!(f, "eclipse {victim}"),
            Fault::Eclipse { victim, but } => write!(f, "eclipse {victim} but for {}", list(but)),
            Fault::Silence(id) => write!(f, "silence {id}"),
            Fault::Speak(id) => write!(f, "speak {id}"),
            Fault::Loss(share) => write!(f, "loss {}", percent(*share)),
            Fault::Duplication(share) => write!(f, "duplication {}", percent(*share)),
            Fault::Reordering(Reordering { share, by }) => {
                write!(f, "reordering {} by {by}", percent(*share))
            }
            Fault::Latency(latency) => write!(f, "latency {latency}"),
            Fault::Link(Exception { from, to, latency, loss }) => {
                write!(f, "link {from} -> {to}")?;
                latency.as_ref().map_or(Ok(()), |latency| write!(f, " latency {latency}"))?;
                loss.map_or(Ok(()), |loss| write!(f, " loss {}", percent(loss)))
            }
            Fault::Skew { replica, skew } => write!(f, "skew {replica} {skew}"),
            Fault::Disk { replica, sync } => write!(f, "disk {replica} {sync}"),
            Fault::HashRate { replica, factor } => write!(f, "hash rate {replica} x{factor}"),
            Fault::Bond { replica, amount } => write!(f, "bond {amount} by {replica}"),
            Fault::Unbond { replica, amount } => write!(f, "unbond {amount} by {replica}"),
        }
    }
}

fn list(ids: &[ReplicaId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn percent(share: u32) -> String {
    format!("{} %", f64::from(share) * 100.0 / f64::from(MILLION))
}

#[cfg(test)]
mod tests;
