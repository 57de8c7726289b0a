//! Carries a trial out, and stops at a violation that counts.

use super::{PATIENCE, setup};
use crate::{
    Goal, Progress, Promises, Scenario, Variant, Violation, World,
    adversary::Choice,
    checker::{Together, judge, progress},
    scenario::client::Client,
};
use consensus::{
    byzantine::mutants::Breaks,
    catalogue::{self, Module},
};
use ledger::ReplicaId;
use std::{collections::BTreeMap, time::Duration};

/// How often one looks.
const BEAT: Duration = Duration::from_millis(20);

/// How many seeds in a row must show what a mutant does where blocks are found by chance.
const OTHERS: u64 = 3;

/// What was found.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// The promise that was broken: the first that counts.
    pub violation: Violation,
    /// When it was seen, in virtual time.
    pub at: Duration,
    /// How many events were handled until then.
    pub events: u64,
}

/// Runs a scenario's first seed until a promise is broken that counts for the variant: for a mutant the
/// one that it is said to break, and only where the sound module keeps it in the same schedule; for a
/// module itself any, but for confirmed blocks undone, which proof-of-work never excludes.
///
/// # Panics
/// If a replica does: the trial is the caller's to tell.
pub fn attempt<P: Module>(scenario: &Scenario, variant: Variant) -> Option<Finding> {
    attempt_as::<P>(scenario, variant, variant.mutant.map(|about| about.breaks))
}

/// As [`attempt`], but a mutant is to keep every promise that the sound module keeps: somebody says that it
/// was repaired.
///
/// # Panics
/// As [`attempt`].
pub fn attempt_strictly<P: Module>(scenario: &Scenario, variant: Variant) -> Option<Finding> {
    attempt::<P>(scenario, variant).or_else(|| attempt_as::<P>(scenario, variant, None))
}

fn attempt_as<P: Module>(
    scenario: &Scenario,
    variant: Variant,
    breaks: Option<Breaks>,
) -> Option<Finding> {
    let finding = play::<P>(scenario, variant, breaks)?;
    if variant.mutant.is_none() {
        return Some(finding);
    }
    let sound = Variant { mutant: None, ..variant };
    let survives = |scenario: &Scenario| play::<P>(scenario, sound, breaks).is_none();
    // Where blocks are found by chance they may be undone by chance: that must not pass for a flaw.
    let by_chance = P::stage().parts.is_empty();
    let others = if by_chance { 1..OTHERS } else { 1..1 };
    let is_flaw = survives(scenario)
        && others.into_iter().all(|more| {
            let seed = scenario.seeds.start + more;
            let other = Scenario { seeds: seed..seed + 1, ..scenario.clone() };
            play::<P>(&other, variant, breaks).is_some() && survives(&other)
        });
    is_flaw.then_some(finding)
}

/// `breaks` is what counts; everything that a sound module promises, if none.
fn play<P: Module>(
    scenario: &Scenario,
    variant: Variant,
    breaks: Option<Breaks>,
) -> Option<Finding> {
    let setup = setup(scenario, variant);
    let mut world = World::<P>::new(setup, move |genesis| variant.make(genesis));
    let depths = catalogue::depths(world.genesis()).ok().flatten();
    let calm = scenario.calm();
    let end = scenario.until;
    let top = top(scenario);
    // Who is merely slow is not stuck.
    let wants_progress = breaks != Some(Breaks::Agreement) && end >= calm + PATIENCE;
    let mut before = None;
    let mut client = Client::new(scenario.transfers_per_second, scenario.seeds.start);
    while world.now() < end {
        let next = (world.now() + BEAT).min(end);
        client.play(&mut world, next);
        let reverted = breaks.is_some() && !world.record().reversions().is_empty();
        if (reverted || is_split(&world)) && breaks != Some(Breaks::Progress) {
            break;
        }
        let heights: BTreeMap<ReplicaId, u64> =
            live(&world).map(|id| (id, height(&world, id))).collect();
        let low = heights.values().copied().min().unwrap_or(0);
        if scenario.steps.end() <= world.now() && top.is_some_and(|top| low > top) {
            return verdict(&world, breaks, Promises::default());
        }
        if world.now() >= calm {
            let before = before.get_or_insert_with(|| heights.clone());
            let then = |id: &ReplicaId| before.get(id).copied().unwrap_or(0);
            let got_on = heights.iter().all(|(id, now)| *now > then(id));
            if depths.is_none() && (got_on || !wants_progress) {
                return verdict(&world, breaks, Promises::default());
            }
        }
    }
    let wants_progress = wants_progress && is_calm_at_last(scenario, &world);
    let progress = Progress { since: calm, within: end.saturating_sub(calm), goal: Goal::Gain(1) };
    let together = depths.map(|depths| Together { since: end, but: depths.confirmations });
    let progress = if world.now() >= end && wants_progress { vec![progress] } else { Vec::new() };
    let together = together.filter(|_| world.now() >= end && wants_progress);
    verdict(&world, breaks, Promises { progress, together, ..Promises::default() })
}

/// Whether anybody may be expected to get on in the end: nothing keeps messages away any more, and no more
/// replicas are down or lie than may be.
fn is_calm_at_last<P: Module>(scenario: &Scenario, world: &World<P>) -> bool {
    let down = honest(world).filter(|id| !world.is_up(*id)).count();
    let faulty = down + world.setup().byzantine.len();
    scenario.steps.ends_whole() && faulty <= super::faulty(scenario.replicas) as usize
}

/// The first promise broken that counts.
fn verdict<P: Module>(
    world: &World<P>,
    breaks: Option<Breaks>,
    promises: Promises,
) -> Option<Finding> {
    let counts = |violation: &Violation| {
        let is_late = matches!(violation, Violation::Stalled { .. } | Violation::Apart { .. });
        match (breaks, violation) {
            (None, Violation::Reverted(_)) => false,
            (None, _) => true,
            (Some(Breaks::Progress), _) => is_late,
            (Some(Breaks::Agreement), violation) => matches!(
                violation,
                Violation::Disagreement { .. }
                    | Violation::TakenBack { .. }
                    | Violation::Reverted(_)
            ),
        }
    };
    let parted = is_split(world) || !world.record().reversions().is_empty();
    if breaks == Some(Breaks::Agreement) && !parted {
        return None; // Spares the trouble of executing every block again.
    }
    let violation = judge(world, promises).violations.into_iter().find(counts)?;
    Some(Finding { violation, at: world.now(), events: world.events() })
}

/// The greatest height that anything chosen is about; none if something goes by the clock.
fn top(scenario: &Scenario) -> Option<u64> {
    let by_clock = scenario.chaos.is_some()
        || scenario.byzantine.values().any(|lie| lie != "script" && lie != "equivocate");
    let height = |choice: &Choice| match choice {
        Choice::Withhold(withhold) => withhold.what.height,
        Choice::Say { line, .. } => line.height,
        Choice::Crash(crash) => crash.after.height,
    };
    let top = scenario.adversary.choices.iter().map(height).max()?;
    (!by_clock).then_some(top + 1)
}

/// Whether two honest replicas hold different blocks final at one height, or one takes back its own.
fn is_split<P: Module>(world: &World<P>) -> bool {
    let honest: Vec<_> = honest(world).collect();
    honest.iter().enumerate().any(|(at, one)| {
        let one = world.decided(*one);
        honest[at + 1..].iter().any(|other| {
            let other = world.decided(*other);
            one.iter().any(|(height, block)| other.get(height).is_some_and(|it| it != block))
        })
    })
}

fn height<P: Module>(world: &World<P>, id: ReplicaId) -> u64 {
    progress::height(world.record(), id, world.now())
}

fn live<P: Module>(world: &World<P>) -> impl Iterator<Item = ReplicaId> {
    honest(world).filter(|id| world.is_up(*id))
}

fn honest<P: Module>(world: &World<P>) -> impl Iterator<Item = ReplicaId> {
    world.replicas().filter(|id| !world.setup().byzantine.contains_key(id))
}
