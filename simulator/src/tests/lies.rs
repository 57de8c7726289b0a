//! Stories of whole replicas among which some lie.

mod blame;
mod conflict;
mod evidence;
mod faults;
mod knowing;
mod mining;
mod pbft;
mod punished;
mod twins;

use super::*;
use crate::{Goal, Progress, Promises, Tracing, Transfer, Verdict, checker};
use consensus::{Protocol, byzantine};
use replica::trace::What;
use std::collections::BTreeMap;

/// Some replicas, of which the last few tell one lie. Nobody is punished, so that they tell it again and
/// again.
fn liars(module: &str, replicas: u32, count: u32, lie: &str, seed: u64) -> Setup {
    let mut setup = Setup::new(module, replicas, seed);
    let liars = replicas - count..replicas;
    setup.byzantine = liars.map(|id| (ReplicaId(id), lie.to_owned())).collect();
    setup.tracing = Tracing::Kept;
    let punishes = ["ledger.unbonding_blocks", "ledger.evidence_blocks"];
    setup.settings.retain(|name, _| !punishes.contains(&name.as_str()));
    setup
}

/// As many as may lie among so many replicas, where blocks are final at once.
fn bound(replicas: u32) -> u32 {
    replicas.saturating_sub(1) / 3
}

/// Lets so much time go by, with a transfer now and then at somebody honest.
fn live<P: Protocol>(world: &mut World<P>, time: Duration) {
    let end = world.now() + time;
    let honest: Vec<_> =
        world.replicas().filter(|id| !world.setup().byzantine.contains_key(id)).collect();
    for turn in 0.. {
        if world.now() >= end {
            break;
        }
        let (from, to) = (turn % 4, (turn + 1) % 4);
        let transfer = Transfer { from, to, amount: 1, fee: 1 };
        world.submit(honest[turn as usize % honest.len()], transfer);
        world.run_for(seconds(1).min(end - world.now()));
    }
}

/// Whether the honest kept every promise, and got on by so many heights since.
fn judge<P: Protocol>(world: &World<P>, since: Duration, gain: u64) -> Verdict {
    let within = world.now() - since;
    let progress = vec![Progress { since, within, goal: Goal::Gain(gain) }];
    checker::judge(world, Promises { progress, ..Promises::default() })
}

/// What liars remarked upon their own lies, with how often.
fn told<P: Protocol>(world: &World<P>) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for line in world.record().lines() {
        if let What::Note { label, detail } = &line.what
            && label == byzantine::LABEL
        {
            assert!(world.setup().byzantine.contains_key(&line.replica), "{line:?}");
            *told.entry(detail.clone()).or_default() += 1;
        }
    }
    told
}

/// How often a remark was made that begins so.
fn times<P: Protocol>(world: &World<P>, beginning: &str) -> usize {
    let told = told(world);
    told.iter().filter(|(detail, _)| detail.starts_with(beginning)).map(|(_, count)| count).sum()
}

/// How often an honest replica made a remark in which these words are.
fn remarks<P: Protocol>(world: &World<P>, label: &str, words: &str) -> usize {
    let honest = |id: &ReplicaId| !world.setup().byzantine.contains_key(id);
    let lines = world.record().lines().iter().filter(|line| honest(&line.replica));
    let told = lines.filter(|line| match &line.what {
        What::Note { label: told, detail } => told == label && detail.contains(words),
        _ => false,
    });
    told.count()
}
