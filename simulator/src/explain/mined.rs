//! Tells of blocks that carry work: which branches grew, which was heavier, what was undone.

use super::{
    facts::Facts,
    opening,
    remark::Remark,
    rounds::words_of,
    words::{Names, count, list, sentence, who},
};
use crate::{
    Scenario, Variant, World,
    checker::Violation,
    mining::Find,
    scenario::{Outcome, Unmet},
    span,
};
use consensus::{Protocol, catalogue, work::Work};
use ledger::{BlockHash, ReplicaId};
use replica::trace::What;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

type Ids = BTreeSet<ReplicaId>;

/// How many remarks of one sort are told.
const TOLD: usize = 2;

/// Tells a run.
pub(super) fn tell<P: Protocol>(
    scenario: &Scenario,
    variant: Variant,
    outcome: &Outcome,
    world: &World<P>,
) -> Vec<String> {
    let facts = Facts::of(world);
    let mut sentences = Vec::new();
    opening::tell(&mut sentences, scenario, variant, &facts, None);
    let mut miner = Miner::new(facts, world, sentences);
    miner.tell(outcome, world);
    opening::tell_rule(&mut miner.sentences, variant);
    miner.sentences
}

struct Miner {
    facts: Facts,
    names: Names,
    finds: BTreeMap<BlockHash, Find>,
    /// What each replica adopted, and when.
    adopted: BTreeMap<ReplicaId, Vec<(Duration, BlockHash)>>,
    sentences: Vec<String>,
}

/// Blocks above the last common one, lowest first.
type Branch = Vec<Find>;

impl Miner {
    fn new<P: Protocol>(facts: Facts, world: &World<P>, sentences: Vec<String>) -> Miner {
        let finds = world.record().finds().iter().map(|find| (find.block, *find)).collect();
        let mut adopted: BTreeMap<ReplicaId, Vec<(Duration, BlockHash)>> = BTreeMap::new();
        for (line, at) in world.record().lines().iter().zip(&facts.times) {
            if let What::Adopted { block, .. } = line.what {
                adopted.entry(line.replica).or_default().push((*at, block));
            }
        }
        Miner { facts, names: Names::default(), finds, adopted, sentences }
    }

    fn say(&mut self, text: &str) {
        self.sentences.push(sentence(text));
    }

    fn who(&self, ids: &Ids) -> String {
        who(ids, &self.facts.liars)
    }

    fn tell<P: Protocol>(&mut self, outcome: &Outcome, world: &World<P>) {
        let unmet = outcome.unmet.iter().filter_map(|unmet| match unmet {
            Unmet::Broken(violation) => Some(&**violation),
            _ => None,
        });
        let mut violations: Vec<_> = outcome.broken.iter().chain(unmet).collect();
        violations.sort_by_key(|violation| match violation {
            Violation::Disagreement { .. } => 0,
            Violation::Reverted(_) => 1,
            Violation::Apart { .. } => 2,
            _ => 3,
        });
        let depth = catalogue::depths(world.genesis()).ok().flatten();
        let depth = depth.map_or(0, |depths| depths.confirmations);
        match violations.first() {
            Some(Violation::Reverted(reversion)) => {
                let (id, at) = (reversion.replica, reversion.at);
                self.tell_faults(at);
                let [old, new] = self.heads_around(id, at);
                if let Some(branches) = self.branches(old, new) {
                    self.tell_branches(&branches, &[None, None]);
                    self.say(&format!(
                        "replica {id} has adopted the first of them; {} of its blocks lie {} deep or \
                         deeper there, which is what is counted on",
                        count(reversion.blocks as usize),
                        count(depth as usize)
                    ));
                    self.tell_flaws(at, &branches);
                    self.tell_switch(id, at, &branches, reversion.depth);
                }
                self.tell_blame();
            }
            Some(Violation::Disagreement { height, one, other }) => {
                let finals = super::finals(&self.facts, world, *height);
                let mut at = Duration::ZERO;
                for (block, when, id) in finals {
                    if [*one, *other].contains(&(id, block)) {
                        at = at.max(when);
                    }
                }
                self.tell_faults(at);
                let heads = [one.0, other.0].map(|id| self.heads_around(id, at)[1]);
                if let Some(branches) = self.branches(heads[0], heads[1]) {
                    self.tell_flaws(at, &branches);
                    self.tell_alone(at);
                    self.tell_branches(&branches, &[Some(one.0), Some(other.0)]);
                }
                self.say(&format!(
                    "the two differ from height {height} on, and there replicas {} and {} take them to be deep \
                     enough to stand for good: agreement is broken",
                    one.0.min(other.0),
                    one.0.max(other.0)
                ));
                self.tell_blame();
            }
            _ => {
                self.tell_faults(world.now());
                self.tell_flaws(world.now(), &[Vec::new(), Vec::new()]);
                self.tell_heads(world);
            }
        }
    }

    fn tell_faults(&mut self, until: Duration) {
        let faults = self.facts.faults.iter().filter(|(_, at, _)| *at <= until);
        let told: Vec<_> = faults
            .filter_map(|(_, at, fault)| {
                Some(format!("at {} {}", span::show(*at), words_of(fault)?))
            })
            .collect();
        if !told.is_empty() {
            self.say(&told.join("; "));
        }
    }

    /// The head that a replica left at a time, and the one it took.
    fn heads_around(&self, id: ReplicaId, at: Duration) -> [BlockHash; 2] {
        let adopted = self.adopted.get(&id).map_or(&[][..], |adopted| adopted);
        let last = adopted.partition_point(|(when, _)| *when <= at);
        let head = |back: usize| last.checked_sub(back).map(|at| adopted[at].1).unwrap_or_default();
        [head(2), head(1)]
    }

    /// Two branches, from the block above which they part.
    fn branches(&self, one: BlockHash, other: BlockHash) -> Option<[Branch; 2]> {
        let [one, other] = [one, other].map(|tip| self.path(tip));
        let shared =
            one.iter().zip(&other).take_while(|(one, other)| one.block == other.block).count();
        let both = [one[shared..].to_vec(), other[shared..].to_vec()];
        both.iter().all(|branch| !branch.is_empty()).then_some(both)
    }

    /// The blocks up to a tip, lowest first.
    fn path(&self, tip: BlockHash) -> Branch {
        let mut path = Vec::new();
        let mut at = tip;
        while let Some(find) = self.finds.get(&at) {
            path.push(*find);
            at = find.parent;
        }
        path.reverse();
        path
    }

    /// Who of the honest stands on blocks of its own alone, if several do.
    fn tell_alone(&mut self, at: Duration) {
        let is_alone = |id: &ReplicaId| {
            let path = self.path(self.heads_around(*id, at)[1]);
            !path.is_empty() && path.iter().all(|find| find.miner == *id)
        };
        let alone: Ids = self.facts.honest().filter(is_alone).collect();
        let condemns = self.facts.remarks.iter().any(
            |(_, _, remark)| matches!(remark, Remark::Flaw { detail } if detail.contains("condemns")),
        );
        if alone.len() > 1 && condemns {
            self.say(&format!(
                "whoever has condemned a header refuses the true block, too, when it comes, and all that \
                 stands on it; so by {} each of {} has a chain of nothing but its own blocks",
                span::show(Duration::from_millis(at.as_millis() as u64)),
                self.who(&alone)
            ));
        }
    }

    fn tell_branches(&mut self, branches: &[Branch; 2], holders: &[Option<ReplicaId>; 2]) {
        let height = branches[0][0].height;
        self.say(&match height {
            0 | 1 => "from the beginning of the chain two branches grow".to_owned(),
            _ => format!(
                "up to height {} there is one chain; above it two branches grow",
                height - 1
            ),
        });
        for (number, (branch, holder)) in branches.iter().zip(holders).enumerate() {
            let tip = branch.last().expect("it is not empty");
            let name = self.names.of(&tip.block.short(), "block");
            let mut shares: BTreeMap<ReplicaId, usize> = BTreeMap::new();
            for find in branch {
                *shares.entry(find.miner).or_default() += 1;
            }
            let shares: Vec<_> = shares
                .iter()
                .map(|(id, blocks)| {
                    format!("{} by {}", count(*blocks), self.who(&Ids::from([*id])))
                })
                .collect();
            let which = if number == 0 { "one" } else { "the other" };
            let holder = holder.map(|id| format!("; replica {id} follows it")).unwrap_or_default();
            let s = if branch.len() == 1 { "" } else { "s" };
            let [low, high] = [branch[0], *tip].map(|find| find.target.work().hashes());
            let cheaper = match low >= 2.0 * high {
                true => format!(" (the first of them for {low:.0}, the last for {high:.0})"),
                false => String::new(),
            };
            self.say(&format!(
                "{which} has {} block{s} ({}), the last of them {name} at height {}; together they stand for \
                 about {} hashes{cheaper}{holder}",
                count(branch.len()),
                list(shares),
                tip.height,
                hashes(branch)
            ));
        }
    }

    /// Where the weak rule acted: on a block of these branches, if it did on any.
    fn tell_flaws(&mut self, until: Duration, branches: &[Branch; 2]) {
        let end = self.facts.moment(until + Duration::from_millis(1));
        let mut flaws: Vec<(String, Ids)> = Vec::new();
        for (moment, id, remark) in &self.facts.remarks {
            let Remark::Flaw { detail } = remark else { continue };
            if *moment > end || self.facts.liars.contains(id) {
                continue;
            }
            match flaws.iter_mut().find(|(known, _)| known == detail) {
                Some((_, ids)) => drop(ids.insert(*id)),
                None => flaws.push((detail.clone(), Ids::from([*id]))),
            }
        }
        let names: Vec<_> = branches.iter().flatten().map(|find| find.block.short()).collect();
        let is_of_them =
            |(detail, _): &(String, Ids)| names.iter().any(|name| detail.contains(name));
        if flaws.iter().any(is_of_them) {
            flaws.retain(is_of_them);
        }
        let more = flaws.len().saturating_sub(TOLD);
        flaws.truncate(TOLD);
        for (detail, ids) in flaws {
            let text = detail.split_once(": ").map_or(detail.as_str(), |(_, text)| text);
            let text = self.names.in_text(text, "block");
            let text = self.with_finder(&text, &detail);
            let who = self.who(&ids);
            let who = if ids.len() == 1 { who } else { format!("each of {who}") };
            self.say(&format!("here the weak rule lets it pass: {who} {text}"));
        }
        if more > 0 {
            self.say(&format!("the like happens {} more times", count(more)));
        }
    }

    /// Adds who found a block that is named for the first time.
    fn with_finder(&self, text: &str, detail: &str) -> String {
        let named = |find: &&Find| detail.contains(&find.block.short());
        let mut found = self.finds.values().filter(named);
        let (Some(find), None) = (found.next(), found.next()) else { return text.to_owned() };
        let hash = format!("{}, call it ", find.block.short());
        let Some((before, after)) = text.split_once(&hash) else { return text.to_owned() };
        let Some((letter, rest)) = after.split_once(',') else { return text.to_owned() };
        let miner = self.who(&Ids::from([find.miner]));
        format!("{before}{hash}{letter}, which {miner} found at height {},{rest}", find.height)
    }

    fn tell_switch(&mut self, id: ReplicaId, at: Duration, branches: &[Branch; 2], depth: u64) {
        let [old, new] = branches.each_ref().map(|branch| {
            (branch.len(), branch.iter().map(|find| find.target.work()).sum::<Work>())
        });
        let why = match (new.0 > old.0, new.1 > old.1) {
            (_, true) => "it carries more work",
            (true, false) => "it is longer, though it carries no more work",
            (false, false) => "it is neither longer nor heavier",
        };
        self.say(&format!(
            "at {} replica {id} hears of the other branch and adopts it, because {why}: it takes back {} of \
             its blocks",
            span::show(Duration::from_millis(at.as_millis() as u64)),
            count(depth as usize)
        ));
    }

    fn tell_blame(&mut self) {
        self.say(
            "nobody is guilty by signature: whoever finds a block may build on what it likes, and a proof of \
             work names nobody who promised anything",
        );
    }

    /// Where everybody stands in the end.
    fn tell_heads<P: Protocol>(&mut self, world: &World<P>) {
        let mut heads: BTreeMap<BlockHash, Ids> = BTreeMap::new();
        for id in self.facts.honest().filter(|id| world.is_up(*id)) {
            if let Some(ledger) = world.ledger(id) {
                heads.entry(ledger.head()).or_default().insert(id);
            }
        }
        let end = span::show(world.now());
        let mut branches: Vec<(u64, String, Ids)> = Vec::new();
        for (head, ids) in heads {
            let height = self.finds.get(&head).map_or(0, |find| find.height);
            let name = self.names.of(&head.short(), "block");
            branches.push((height, name, ids));
        }
        branches.sort();
        let Some((lowest, _, behind)) = branches.first() else {
            return self.say(&format!("in the end, at {end}, nobody honest is up"));
        };
        let told: Vec<_> = branches
            .iter()
            .map(|(height, name, ids)| {
                let does = if ids.len() == 1 { "follows" } else { "follow" };
                format!("{} {does} {name} at height {height}", self.who(ids))
            })
            .collect();
        let spread = branches.last().map_or(0, |(top, ..)| *top) - lowest;
        let behind = self.who(behind);
        self.say(&format!("in the end, at {end}, {}", list(told)));
        if spread > 2 {
            self.say(&format!(
                "{behind} cannot follow the others any more, though all that they say arrives"
            ));
        }
    }
}

/// The work in a branch, in hashes on average.
fn hashes(branch: &Branch) -> String {
    let work: Work = branch.iter().map(|find| find.target.work()).sum();
    format!("{:.0}", work.hashes())
}
