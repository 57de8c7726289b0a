//! What a run's trace says, put in order: who said what, who heard it when, what each remarked.

use super::remark::Remark;
use crate::{Record, World, adversary::Choice, record::Milestone, schedule::Fault};
use consensus::{Protocol, Quorum, Topic};
use ledger::{Committee, ReplicaId, Slot};
use replica::{Class, trace::What};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A moment: the number of a trace line. Lines of all replicas are in the order in which they happened.
pub(super) type Moment = usize;

/// All that a story is told from.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) replicas: Vec<ReplicaId>,
    pub(super) liars: BTreeSet<ReplicaId>,
    pub(super) committee: Committee,
    pub(super) quorum: Quorum,
    /// Whether an inactivity leak may change what a vote weighs, which no line of a trace tells.
    pub(super) fades: bool,
    pub(super) messages: Vec<Said>,
    pub(super) remarks: Vec<(Moment, ReplicaId, Remark)>,
    pub(super) lives: Vec<Life>,
    pub(super) faults: Vec<(Moment, Duration, Fault)>,
    /// When each line was written, in virtual time.
    pub(super) times: Vec<Duration>,
}

/// A message that somebody signed.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) signer: ReplicaId,
    pub(super) kind: String,
    pub(super) slot: Slot,
    pub(super) about: Topic,
    /// When its signer first let it out. None if it never did, and somebody passes it off.
    pub(super) said: Option<Moment>,
    /// Whom its signer told.
    pub(super) to: BTreeSet<ReplicaId>,
    /// Who carried it first that is not its signer.
    pub(super) carrier: Option<ReplicaId>,
    /// When each replica first heard it.
    pub(super) heard: BTreeMap<ReplicaId, Moment>,
}

/// A crash, and the life after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) replica: ReplicaId,
    pub(super) crashed: Moment,
    /// None if it stays down.
    pub(super) woke: Option<Moment>,
    /// Which of the adversary's choices it was.
    pub(super) choice: Option<usize>,
}

impl Facts {
    /// Reads a world whose trace was kept.
    pub(super) fn of<P: Protocol>(world: &World<P>) -> Facts {
        let committee = world.genesis().committee().expect("a world began with it");
        let mut facts = Facts {
            replicas: world.replicas().collect(),
            liars: world.setup().byzantine.keys().copied().collect(),
            quorum: P::quorum(&committee),
            fades: world.genesis().leak().is_some(),
            committee,
            messages: Vec::new(),
            remarks: Vec::new(),
            lives: Vec::new(),
            faults: Vec::new(),
            times: Vec::new(),
        };
        let births = facts.read(world.record());
        facts.find_crashes(world, &births);
        let steps = world.setup().schedule.steps().iter();
        let steps = steps.filter(|step| step.time <= world.now());
        let faults =
            steps.map(|step| (facts.moment(step.time), step.time, step.fault.clone())).collect();
        facts.faults = faults;
        facts
    }

    /// The first line that is not before a time.
    pub(super) fn moment(&self, time: Duration) -> Moment {
        self.times.partition_point(|at| *at < time)
    }

    pub(super) fn honest(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        self.replicas.iter().copied().filter(|id| !self.liars.contains(id))
    }

    /// Whether these are no quorum for certain: where weights fade, fewer can be one.
    pub(super) fn is_no_quorum(&self, ids: &BTreeSet<ReplicaId>) -> bool {
        !self.fades && !self.is_quorum(ids)
    }

    /// Whether these are a quorum of all that was bonded at the start.
    pub(super) fn is_quorum(&self, ids: &BTreeSet<ReplicaId>) -> bool {
        self.quorum.is_met(&self.committee, ids.iter().copied())
    }

    /// Whether a replica is without power at some time between two moments.
    pub(super) fn is_down(&self, id: ReplicaId, from: Moment, to: Moment) -> bool {
        self.lives.iter().any(|life| {
            life.replica == id && life.crashed <= to && life.woke.is_none_or(|woke| woke >= from)
        })
    }

    /// Whether a replica says something else than in an earlier life.
    pub(super) fn is_again(&self, message: &Said) -> bool {
        let Some(said) = message.said else { return false };
        let earlier = |each: &Said| {
            let same = (each.signer, each.slot, &each.kind)
                == (message.signer, message.slot, &message.kind);
            same && each.said.is_some_and(|before| {
                before < said
                    && self.lives.iter().any(|life| {
                        let between = before <= life.crashed && life.crashed <= said;
                        life.replica == message.signer && between
                    })
            })
        };
        !self.liars.contains(&message.signer) && self.messages.iter().any(earlier)
    }

    /// Reads the lines. Returns when each replica woke again.
    fn read(&mut self, record: &Record) -> Vec<(Moment, ReplicaId)> {
        let mut known: BTreeMap<(ReplicaId, Slot, String), Vec<usize>> = BTreeMap::new();
        let mut begun: BTreeMap<ReplicaId, usize> = BTreeMap::new();
        let mut births = Vec::new();
        let places = places(record);
        for (now, line) in record.lines().iter().enumerate() {
            let me = line.replica;
            if let What::Started { .. } = line.what {
                let begun = begun.entry(me).or_default();
                *begun += 1;
                if *begun > places.get(&me).copied().unwrap_or(1) {
                    births.push((now, me));
                }
            }
            let begun = begun.get(&me).copied().unwrap_or(1).max(1);
            let life = (begun - 1) / places.get(&me).copied().unwrap_or(1);
            let born = woke(record, me).nth(life).unwrap_or_default();
            self.times.push(born + Duration::from_micros(line.at));
            match &line.what {
                What::Heard { sender, kind, slot: Some(slot), about } => {
                    let at = self.message(&mut known, *sender, (kind, *slot), about);
                    self.messages[at].heard.entry(me).or_insert(now);
                    if *sender == me {
                        self.messages[at].said.get_or_insert(now);
                    }
                }
                What::Sent {
                    kind,
                    to,
                    class,
                    signer: Some(signer),
                    slot: Some(slot),
                    about,
                    ..
                } => {
                    let at = self.message(&mut known, *signer, (kind, *slot), about);
                    let message = &mut self.messages[at];
                    match *signer == me {
                        true => {
                            message.said.get_or_insert(now);
                            if *class != Class::Resend {
                                message.to.extend(to);
                            }
                        }
                        false => {
                            message.carrier.get_or_insert(me);
                        }
                    }
                }
                What::Note { label, detail } => {
                    if let Some(remark) = Remark::read(label, detail) {
                        self.remarks.push((now, me, remark));
                    }
                }
                _ => {}
            }
        }
        births
    }

    fn message(
        &mut self,
        known: &mut BTreeMap<(ReplicaId, Slot, String), Vec<usize>>,
        signer: ReplicaId,
        (kind, slot): (&str, Slot),
        about: &Topic,
    ) -> usize {
        let places = known.entry((signer, slot, kind.to_owned())).or_default();
        if let Some(at) = places.iter().find(|at| self.messages[**at].about == *about) {
            return *at;
        }
        places.push(self.messages.len());
        self.messages.push(Said {
            signer,
            kind: kind.to_owned(),
            slot,
            about: about.clone(),
            said: None,
            to: BTreeSet::new(),
            carrier: None,
            heard: BTreeMap::new(),
        });
        self.messages.len() - 1
    }

    /// A trace does not tell of crashes, only of lives that begin.
    fn find_crashes<P: Protocol>(&mut self, world: &World<P>, births: &[(Moment, ReplicaId)]) {
        let setup = world.setup();
        let steps = setup.schedule.steps();
        let crashes = steps.iter().filter_map(|step| match step.fault {
            Fault::Crash(id) if step.time <= world.now() => Some((step.time, id)),
            _ => None,
        });
        for (time, replica) in crashes {
            let crashed = self.moment(time);
            let mut later = births.iter().filter(|(at, id)| *id == replica && *at >= crashed);
            let woke = later.next().map(|(at, _)| *at);
            let choices = setup.adversary.choices.iter().enumerate();
            // The world plans such a crash itself, so it is a step like any other.
            let mut choices = choices.filter(|(_, choice)| match choice {
                Choice::Crash(crash) => {
                    let end = time + crash.down;
                    let is_it = match woke {
                        Some(at) => self.times[at] == end,
                        None => end > world.now(),
                    };
                    crash.replica == replica && is_it
                }
                _ => false,
            });
            let choice = choices.next().map(|(number, _)| number);
            let is_known = |life: &Life| life.replica == replica && life.woke == woke;
            if !self.lives.iter().any(is_known) {
                self.lives.push(Life { replica, crashed, woke, choice });
            }
        }
    }
}

/// When a replica's lives began.
fn woke(record: &Record, id: ReplicaId) -> impl Iterator<Item = Duration> + '_ {
    record.history(id).iter().filter_map(|milestone| match milestone {
        Milestone::Woke { at, .. } => Some(*at),
        Milestone::Final(_) => None,
    })
}

/// In how many places a replica lives: twins in two.
fn places(record: &Record) -> BTreeMap<ReplicaId, usize> {
    let mut started: BTreeMap<ReplicaId, usize> = BTreeMap::new();
    for line in record.lines() {
        if matches!(line.what, What::Started { .. }) {
            *started.entry(line.replica).or_default() += 1;
        }
    }
    let lives = |id: ReplicaId| woke(record, id).count().max(1);
    started.into_iter().map(|(id, started)| (id, (started / lives(id)).max(1))).collect()
}
