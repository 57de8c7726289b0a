//! Reads lines one after the other: who is where, and what belongs to one moment.

mod resolve;

use super::{
    super::read::{BadTrace, Line, MAX_ARROWS, MAX_FAULTS, MAX_LANES, MAX_TIME},
    Item, Lane, Life, Moment, Sent, Weave, Why,
    lanes::Wrong,
};
use ledger::Slot;
use replica::trace::{TraceLine, What};
use simulator::record::{
    Aside,
    aside::{Loss, Under},
};
use std::collections::{BTreeMap, BTreeSet};

/// Puts a trace together, up to a time in microseconds if there is one.
///
/// # Errors
/// [`BadTrace`] if it names too many replicas or recipients, or a lane that it does not declare.
pub fn weave(lines: &[(usize, Line)], until: Option<u64>) -> Result<Weave, BadTrace> {
    let mut build = Build::new(lines, until.unwrap_or(u64::MAX))?;
    for (number, line) in lines {
        match line {
            Line::World(aside) => build.world(*number, aside)?,
            Line::Replica(line) => build.line(*number, line)?,
        }
    }
    Ok(build.finish())
}

/// What made a moment happen, before one knows where that was sent.
#[derive(Debug)]
enum Cause {
    /// Nothing that was sent.
    Known(Why),
    /// This very copy.
    Copy(Under),
    /// An envelope by the number that its carrier gave it in one of its lives.
    Number(u32, u64),
}

/// A lane, while its lines are read.
#[derive(Debug, Default)]
struct State {
    life: u32,
    born: u64,
    last: u64,
    /// The moment that goes on, with the envelope that its lines name.
    open: Option<(usize, Option<(u32, u64)>)>,
}

struct Build {
    weave: Weave,
    /// Whether the world tells of lives, so that all times are of one clock.
    is_told: bool,
    until: u64,
    /// The lane of the next line, if it is not that of its replica's number.
    here: Option<u32>,
    lane_of: BTreeMap<u32, usize>,
    states: Vec<State>,
    causes: Vec<Cause>,
    /// In which of its lane's lives each moment is.
    lives: Vec<u32>,
    /// What was sent, by lane, life and number.
    exact: BTreeMap<(usize, u32, u64), usize>,
    lost: Vec<(Under, Loss)>,
    wrong: Wrong,
    arrows: usize,
    faults: usize,
    ended: Option<u64>,
}

impl Build {
    fn new(lines: &[(usize, Line)], until: u64) -> Result<Build, BadTrace> {
        let lanes = lanes(lines)?;
        let mut lane_of = BTreeMap::new();
        for (number, lane) in lanes.iter().enumerate() {
            lane_of.entry(lane.replica).or_insert(number);
        }
        let states = lanes.iter().map(|_| State::default()).collect();
        let is_told = lines.iter().any(|(_, line)| matches!(line, Line::World(Aside::Woke { .. })));
        Ok(Build {
            weave: Weave { lanes, ..Weave::default() },
            is_told,
            until,
            here: None,
            lane_of,
            states,
            causes: Vec::new(),
            lives: Vec::new(),
            exact: BTreeMap::new(),
            lost: Vec::new(),
            wrong: Wrong::default(),
            arrows: 0,
            faults: 0,
            ended: None,
        })
    }

    fn world(&mut self, line: usize, aside: &Aside) -> Result<(), BadTrace> {
        let lane = |lane: u32| match (lane as usize) < self.states.len() {
            true => Ok(lane as usize),
            false => Err(BadTrace::NoLane { line, lane }),
        };
        match aside {
            Aside::Scenario { name, module } => {
                (self.weave.name, self.weave.module) = (name.clone(), module.clone());
            }
            Aside::Run { seed, .. } => self.weave.seed = Some(*seed),
            Aside::Until { time, words } => self.wrong.until((*time).min(self.until), words),
            Aside::Here { lane: here } => self.here = Some(lane(*here)? as u32),
            Aside::Broken { words } => self.weave.broken.push(words.clone()),
            Aside::Ended { time } => self.ended = Some((*time).min(self.until)),
            Aside::Fault { time, fault, words } if *time <= self.until => {
                self.faults += 1;
                if self.faults > MAX_FAULTS {
                    let (value, most) = (self.faults as u64, MAX_FAULTS as u64);
                    return Err(BadTrace::TooMuch {
                        line,
                        what: "the number of faults",
                        value,
                        most,
                    });
                }
                self.wrong.fault(*time, fault, words);
            }
            Aside::Woke { time, lane: here, life } => {
                let here = lane(*here)?;
                self.wake(here, *time, *life);
            }
            Aside::Crashed { time, lane: here } => {
                let here = lane(*here)?;
                self.crash(here, *time);
            }
            Aside::Rang { time, lane: here, slot } => {
                self.begin(lane(*here)?, *time, Cause::Known(Why::Timer(*slot)), None);
            }
            Aside::Asked { time, lane: here } => {
                self.begin(lane(*here)?, *time, Cause::Known(Why::Client), None);
            }
            Aside::Found { time, lane: here, height, block, parent } => {
                let here = lane(*here)?;
                let (block, parent) = (block.short(), parent.short());
                if let Some(at) = self.begin(here, *time, Cause::Known(Why::Found), None) {
                    self.weave.moments[at].items.push(Item::Found(*height, block.clone()));
                }
                self.weave.parents.insert(block, parent);
            }
            Aside::Left { lane: here, life, envelope, bytes, .. } => {
                let number = self.exact.get(&(lane(*here)?, *life, *envelope));
                if let Some(number) = number {
                    self.weave.sent[*number].bytes = Some(*bytes);
                }
            }
            Aside::Arrived { time, parcel } => {
                let (from, to) = (lane(parcel.from)?, lane(parcel.to)?);
                let named = (self.weave.lanes[from].replica, parcel.envelope);
                self.begin(to, *time, Cause::Copy(*parcel), Some(named));
            }
            Aside::Lost { time, parcel, why } if *time <= self.until => {
                lane(parcel.from)?;
                lane(parcel.to)?;
                self.lost.push((*parcel, *why));
            }
            Aside::Fault { .. } | Aside::Lost { .. } | Aside::Life { .. } | Aside::Final { .. } => {
            }
        }
        Ok(())
    }

    fn wake(&mut self, lane: usize, time: u64, life: u32) {
        let state = &mut self.states[lane];
        (state.life, state.born) = (life, time);
        if self.begin(lane, time, Cause::Known(Why::Birth), None).is_some() {
            self.weave.lanes[lane].lives.push(Life { from: time, to: None });
        }
    }

    fn crash(&mut self, lane: usize, time: u64) {
        if let Some(at) = self.begin(lane, time, Cause::Known(Why::Crash), None) {
            self.weave.moments[at].items.push(Item::Crashed);
            if let Some(life) = self.weave.lanes[lane].lives.last_mut() {
                life.to = Some(time);
            }
        }
    }

    /// A moment begins, unless nobody looks so far.
    fn begin(
        &mut self,
        lane: usize,
        time: u64,
        cause: Cause,
        named: Option<(u32, u64)>,
    ) -> Option<usize> {
        let state = &mut self.states[lane];
        state.open = None;
        if time > self.until {
            return None;
        }
        let time = time.max(state.last);
        state.last = time;
        let at = self.weave.moments.len();
        state.open = Some((at, named));
        self.lives.push(state.life);
        let why = Why::Itself;
        self.weave.moments.push(Moment { lane, time, why, items: Vec::new() });
        self.causes.push(cause);
        Some(at)
    }

    fn line(&mut self, number: usize, line: &TraceLine) -> Result<(), BadTrace> {
        self.weave.lines += 1;
        let replica = line.replica.0;
        let first = self.lane_of.get(&replica).copied();
        let lane = self.here.take().map(|lane| lane as usize).or(first);
        let lane = lane.filter(|lane| self.weave.lanes[*lane].replica == replica);
        let lane = lane.ok_or(BadTrace::NoLane { line: number, lane: replica })?;
        if !self.is_told && matches!(line.what, What::Started { .. }) {
            let State { life, last, .. } = self.states[lane];
            let time = if life == 0 { 0 } else { last + 1_000 };
            self.wake(lane, time, life + 1);
        }
        let state = &self.states[lane];
        let time = state.born.saturating_add(line.at).min(2 * MAX_TIME);
        let named = line.cause.map(|(id, envelope)| (id.0, envelope));
        // Microseconds are rounded down, before and after they are added up.
        let goes_on = |at: usize| self.weave.moments[at].time.abs_diff(time) <= 1;
        let at = match state.open {
            Some((at, open)) if open == named && goes_on(at) => Some(at),
            _ => {
                let cause = match named {
                    Some((replica, envelope)) => Cause::Number(replica, envelope),
                    None => Cause::Known(Why::Itself),
                };
                self.begin(lane, time, cause, named)
            }
        };
        let Some(at) = at else { return Ok(()) };
        let item = self.item(at, lane, line)?;
        self.weave.moments[at].items.push(item);
        Ok(())
    }

    fn item(&mut self, at: usize, lane: usize, line: &TraceLine) -> Result<Item, BadTrace> {
        Ok(match line.what.clone() {
            What::Started { height } => Item::Started(height),
            What::Heard { sender, kind, slot, about } => {
                Item::Heard { sender: sender.0, kind, slot, about }
            }
            What::Sent { envelope, kind, to, class, signer, slot, about } => {
                let to: BTreeSet<_> =
                    to.iter().filter_map(|id| self.lane_of.get(&id.0)).copied().collect();
                self.arrows += to.len();
                if self.arrows > MAX_ARROWS {
                    return Err(BadTrace::TooManyArrows);
                }
                let number = self.weave.sent.len();
                self.exact.insert((lane, self.states[lane].life, envelope), number);
                let signer = signer.map(|id| id.0);
                let arrows = resolve::open(to);
                let (moment, bytes) = (at, None);
                let sent =
                    Sent { moment, envelope, kind, class, signer, slot, about, bytes, arrows };
                self.weave.sent.push(sent);
                Item::Sent(number)
            }
            What::Refused { kind, reason } => Item::Refused(kind, reason),
            What::Adopted { height, block, abandoned, .. } => {
                Item::Adopted { height, block: block.short(), abandoned }
            }
            What::Committed { height, block, transactions } => {
                Item::Committed { height, block: block.short(), transactions }
            }
            What::Note { label, detail } => Item::Note(label, detail),
            What::Accused { offender, charge, slot } => Item::Accused(offender.0, charge, slot),
            What::Halted { reason } => Item::Halted(reason),
        })
    }
}

/// Who takes part: as the world says, or else whoever wrote a line.
fn lanes(lines: &[(usize, Line)]) -> Result<Vec<Lane>, BadTrace> {
    let run = lines.iter().find_map(|(number, line)| match line {
        Line::World(Aside::Run { lanes, liars, .. }) => Some((*number, lanes, liars)),
        _ => None,
    });
    let (line, ids, liars) = match run {
        Some((line, lanes, liars)) => (line, lanes.iter().map(|id| id.0).collect(), Some(liars)),
        None => {
            let ids: BTreeSet<u32> = lines
                .iter()
                .filter_map(|(_, line)| match line {
                    Line::Replica(line) => Some(line.replica.0),
                    Line::World(_) => None,
                })
                .collect();
            (1, ids.into_iter().collect::<Vec<_>>(), None)
        }
    };
    if ids.len() > MAX_LANES {
        let (value, most) = (ids.len() as u64, MAX_LANES as u64);
        return Err(BadTrace::TooMuch { line, what: "the number of replicas", value, most });
    }
    let mut known = BTreeSet::new();
    let lane = |replica: &u32| Lane {
        replica: *replica,
        is_second: !known.insert(*replica),
        lie: liars.and_then(|liars| {
            let liar = liars.iter().find(|(id, _)| id.0 == *replica);
            liar.map(|(_, lie)| lie.clone())
        }),
        lives: Vec::new(),
    };
    Ok(ids.iter().map(lane).collect())
}

/// A message's place, as far as it must be the same where it leaves and where it is heard.
type Said<'a> = (Option<u32>, &'a str, Option<Slot>);

impl Moment {
    /// The first message that was delivered in it.
    fn heard(&self) -> Option<Said<'_>> {
        self.items.iter().find_map(|item| match item {
            Item::Heard { sender, kind, slot, .. } => Some((Some(*sender), kind.as_str(), *slot)),
            _ => None,
        })
    }
}

impl Sent {
    fn said(&self) -> Said<'_> {
        (self.signer, &self.kind, self.slot)
    }
}
