//! Tries one schedule after the other on some threads, and shrinks the first that breaks something. What
//! comes of it depends on the order of the trials alone.

use super::is_stopped;
use crate::lab::{one, pool, story};
use consensus::catalogue::{Module, Visitor, dispatch};
use simulator::{
    Scenario, Story, Tracing, Variant, Violation,
    explore::{self, Finding, Trial, shrink, trial},
    scenario::{Agreement, BadScenario, Confirmed, Expect, judge},
};
use std::{
    io::{self, IsTerminal, Write},
    mem::discriminant,
    ops::Range,
    panic::{self, AssertUnwindSafe},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// How often people are told how far it is.
const BEAT: Duration = Duration::from_millis(200);

/// What all trials have in common.
pub(super) struct Hunt {
    /// What is tried.
    pub(super) variant: Variant,
    pub(super) threads: usize,
    /// Set by Ctrl-C.
    pub(super) stop: &'static AtomicBool,
    /// Whether people watch.
    pub(super) loud: bool,
    /// Whether a mutant, which somebody has repaired, is to keep every promise.
    pub(super) strict: bool,
}

/// What came of the trials.
pub(super) struct Search {
    /// How many were carried out, without a gap from the first.
    pub(super) tried: u64,
    /// How long that took.
    pub(super) seconds: f64,
    /// The first that broke a promise.
    pub(super) found: Option<(Trial, Finding)>,
    /// The first in which a replica panicked, and what it said, if nothing was found before.
    pub(super) panic: Option<(u64, String)>,
    /// Whether somebody stopped it.
    pub(super) interrupted: bool,
}

/// A violation, and the least that leads to it.
pub(super) struct Found {
    /// The trial.
    pub(super) number: u64,
    /// How it was made up.
    pub(super) strategy: &'static str,
    /// How much went wrong in the trial; see [`Scenario::faults`].
    pub(super) before: usize,
    /// What is left of it, with what is to be expected.
    pub(super) scenario: Scenario,
    /// What is broken then.
    pub(super) finding: Finding,
    /// How many runs it took to find that out.
    pub(super) runs: u64,
    /// What happens, in words.
    pub(super) story: Story,
}

impl Hunt {
    /// Tries them in turn until one breaks a promise, no time is left, or somebody stops it.
    pub(super) fn search(
        &self,
        base: &Scenario,
        numbers: Range<u64>,
        budget: Option<Duration>,
    ) -> Search {
        let began = Instant::now();
        let is_over =
            || is_stopped(self.stop) || budget.is_some_and(|budget| began.elapsed() >= budget);
        // Whoever finds something ends the search: all earlier trials have begun then, and are waited for.
        let enough = AtomicBool::new(false);
        let work = |number: u64| {
            if is_over() {
                enough.store(true, Ordering::Relaxed);
                return None;
            }
            let trial = trial(base, number);
            let came = self.attempt(&trial.scenario);
            if !matches!(came, Ok(None)) {
                enough.store(true, Ordering::Relaxed);
            }
            Some((trial.strategy, came.map(|finding| finding.map(|finding| (trial, finding)))))
        };
        let (mut search, mut ended) = (Search::new(), false);
        let mut screen = Screen::new(self.loud);
        pool::spread(numbers, self.threads, &enough, work, |number, came| {
            let Some((strategy, came)) = came.filter(|_| !ended) else {
                ended = true;
                return;
            };
            search.tried += 1;
            match came {
                Ok(None) => {}
                Ok(Some(found)) => search.found = Some(found),
                Err(said) => search.panic = Some((number, said)),
            }
            ended = search.found.is_some() || search.panic.is_some();
            screen.show(|| {
                let rate = search.tried as f64 / began.elapsed().as_secs_f64().max(1e-3);
                format!("{} trials, {rate:.0} a second, {strategy}", search.tried)
            });
        });
        screen.clear();
        search.seconds = began.elapsed().as_secs_f64();
        search.interrupted = is_stopped(self.stop) && !ended_by_itself(&search);
        search
    }

    /// The least that is broken in the same way. If somebody stops it, it is as small as it is by then.
    pub(super) fn shrink(&self, trial: Trial, finding: Finding) -> Found {
        let Trial { number, strategy, mut scenario } = trial;
        let before = scenario.faults();
        let second = Duration::from_secs(1);
        let seen = Duration::from_secs(finding.at.as_secs()) + second;
        scenario.until = scenario.until.max(seen);
        scenario.expect = Expect::default();
        scenario.name = format!("{}, trial {number}", self.variant);
        let (mut runs, mut screen) = (0, Screen::new(self.loud));
        let mut is_broken = |candidates: &[Scenario]| {
            let first = self.first(candidates, &finding);
            runs += first.map_or(candidates.len(), |first| first + 1) as u64;
            let now = first.map(|first| candidates[first].faults());
            screen.show(|| match now {
                Some(now) => format!("shrinking: {before} steps, now {now}, {runs} runs"),
                None => format!("shrinking: {before} steps, {runs} runs"),
            });
            first
        };
        let scenario = shrink(scenario, &mut is_broken);
        screen.clear();
        let least = self.attempt(&scenario).ok().flatten();
        let finding = least.unwrap_or(finding);
        let story = story(&scenario, &self.variant.to_string())
            .unwrap_or_else(|said| Story { sentences: vec![format!("{said}.")] });
        let scenario = self.expecting(scenario, &finding);
        Found { number, strategy, before, scenario, finding, runs, story }
    }

    /// The first candidate that is broken in the same way before it is over.
    fn first(&self, candidates: &[Scenario], wanted: &Finding) -> Option<usize> {
        let enough = AtomicBool::new(false);
        let is_same = |finding: Finding, until: Duration| {
            let kind = discriminant(&finding.violation) == discriminant(&wanted.violation);
            (kind || self.variant.mutant.is_some()) && finding.at <= until
        };
        let work = |candidate: &Scenario| {
            let is_broken = !is_stopped(self.stop)
                && self
                    .attempt(candidate)
                    .is_ok_and(|it| it.is_some_and(|it| is_same(it, candidate.until)));
            if is_broken {
                enough.store(true, Ordering::Relaxed);
            }
            is_broken
        };
        let (mut first, mut at) = (None, 0);
        pool::spread(candidates, self.threads, &enough, work, |_, is_broken| {
            if is_broken && first.is_none() {
                first = Some(at);
            }
            at += 1;
        });
        first
    }

    /// Carries one scenario out. A replica that panics must not take the others' runs with it.
    pub(super) fn attempt(&self, scenario: &Scenario) -> Result<Option<Finding>, String> {
        struct Attempt<'a>(&'a Scenario, Variant, bool);

        impl Visitor for Attempt<'_> {
            type Output = Option<Finding>;

            fn visit<P: Module>(self) -> Option<Finding> {
                let Attempt(scenario, variant, strict) = self;
                match strict {
                    true => explore::attempt_strictly::<P>(scenario, variant),
                    false => explore::attempt::<P>(scenario, variant),
                }
            }
        }

        let job = Attempt(scenario, self.variant, self.strict);
        let run = AssertUnwindSafe(|| dispatch(self.variant.module, job));
        let came = panic::catch_unwind(run).map_err(|panic| crate::soak::said(&*panic))?;
        came.map_err(|error| error.to_string())
    }

    /// The scenario for `testnet run`: the variant is to break what it broke, and the sound module, if the
    /// variant is another, is to survive.
    fn expecting(&self, mut scenario: Scenario, finding: &Finding) -> Scenario {
        let usual = Expect::default();
        let anything =
            Expect { agreement: Agreement::Either, confirmed: Confirmed::Either, ..usual.clone() };
        let still = scenario.calm()..scenario.until;
        let wish = match &finding.violation {
            Violation::Disagreement { .. } | Violation::TakenBack { .. } => {
                Expect { agreement: Agreement::Broken, confirmed: Confirmed::Either, ..usual }
            }
            Violation::Reverted(_) => Expect { confirmed: Confirmed::Reverted, ..usual },
            Violation::Stalled { .. } if !still.is_empty() => {
                Expect { no_progress: vec![still], ..usual }
            }
            _ => anything.clone(),
        };
        let name = self.variant.to_string();
        let mutant = self.first_that_comes(&scenario, &name, [wish], &anything);
        if self.variant.mutant.is_none() {
            return Scenario { expect: mutant, ..scenario };
        }
        let sound = self.variant.module.to_owned();
        let undone = Expect { confirmed: Confirmed::Either, ..Expect::default() };
        scenario.consensus = vec![name.clone(), sound.clone()];
        scenario.expect =
            self.first_that_comes(&scenario, &sound, [Expect::default(), undone], &anything);
        scenario.expect_of = [(name, mutant)].into();
        scenario
    }

    /// The first of some expectations that comes true for a variant, or else one that always does.
    fn first_that_comes<const N: usize>(
        &self,
        scenario: &Scenario,
        variant: &str,
        expectations: [Expect; N],
        always: &Expect,
    ) -> Expect {
        let comes = |expect: &Expect| {
            let mut scenario = scenario.clone();
            scenario.consensus = vec![variant.to_owned()];
            scenario.expect = expect.clone();
            let Ok(scenario) = made_readable(&scenario) else { return false };
            let seed = scenario.seeds.start;
            one(&scenario, variant, seed, Tracing::Off, |_| {}).is_ok_and(|outcome| {
                outcome.unmet.is_empty() && judge(&scenario, variant, &[outcome]).is_empty()
            })
        };
        expectations.into_iter().find(comes).unwrap_or_else(|| always.clone())
    }
}

impl Search {
    fn new() -> Search {
        Search { tried: 0, seconds: 0.0, found: None, panic: None, interrupted: false }
    }
}

fn ended_by_itself(search: &Search) -> bool {
    search.found.is_some() || search.panic.is_some()
}

/// What a file says of a scenario.
pub(super) fn made_readable(scenario: &Scenario) -> Result<Scenario, BadScenario> {
    Scenario::parse(&scenario.to_toml(""))
}

/// A line on a terminal that is written anew.
struct Screen {
    is_on: bool,
    last: Instant,
}

impl Screen {
    fn new(loud: bool) -> Screen {
        Screen { is_on: loud && io::stderr().is_terminal(), last: Instant::now() }
    }

    fn show(&mut self, line: impl FnOnce() -> String) {
        if self.is_on && self.last.elapsed() >= BEAT {
            self.last = Instant::now();
            // Nobody has to watch.
            let _ = write!(io::stderr(), "\r\x1b[K{}", line());
        }
    }

    fn clear(&mut self) {
        if self.is_on {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
