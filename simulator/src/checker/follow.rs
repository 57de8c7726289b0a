//! One replica's finality, as it unfolds: every height once, in order, for good, and proven.

use super::{Ruling, Violation};
use crate::record::{Commit, Milestone};
use ledger::{BlockHash, Ledger, Proof, ReplicaId};
use std::collections::BTreeMap;

/// What is known of one replica so far.
#[derive(Debug)]
pub(crate) struct Follow {
    pub(crate) id: ReplicaId,
    /// How much of its history was read.
    read: usize,
    /// The greatest height it is known to hold final.
    pub(crate) height: u64,
    /// What it held final first at each height.
    pub(crate) held: BTreeMap<u64, BlockHash>,
    /// Up to here proofs cover what it holds.
    proven: u64,
    /// Proofs that were not looked at yet: a proof may cover ancestors that others report later.
    proofs: Vec<(u64, BlockHash, Proof)>,
    /// What was told of it and is not told again, since it would be true for ever: that its newest
    /// blocks lack a proof, that a proof is none, that its ledger is not what its reports say, and
    /// that others hold other blocks.
    unproven: bool,
    misproven: bool,
    pub(crate) estranged: bool,
    pub(crate) disagrees: bool,
}

impl Follow {
    pub(crate) fn new(id: ReplicaId) -> Follow {
        Follow {
            id,
            read: 0,
            height: 0,
            held: BTreeMap::new(),
            proven: 0,
            proofs: Vec::new(),
            unproven: false,
            misproven: false,
            estranged: false,
            disagrees: false,
        }
    }

    /// Reads on in its history. Returns what is new.
    pub(crate) fn read(
        &mut self,
        history: &[Milestone],
        violations: &mut Vec<Violation>,
    ) -> Vec<Commit> {
        let new = &history[self.read..];
        self.read = history.len();
        for milestone in new {
            match milestone {
                // The disk may hold more than was reported, and never less. What it holds more
                // comes next.
                Milestone::Woke { at, height } if *height < self.height => {
                    let (replica, reported, held) = (self.id, self.height, *height);
                    violations.push(Violation::Forgotten { replica, at: *at, reported, held });
                    self.height = held;
                }
                Milestone::Woke { .. } => {}
                Milestone::Final(commit) => self.hold(commit, violations),
            }
        }
        new.iter().filter_map(Milestone::commit).cloned().collect()
    }

    fn hold(&mut self, commit: &Commit, violations: &mut Vec<Violation>) {
        let (replica, due) = (self.id, self.height + 1);
        let Commit { at, height, block, .. } = *commit;
        if height != due {
            violations.push(Violation::OutOfOrder { replica, at, due, reported: height, block });
        }
        let first = *self.held.entry(height).or_insert(block);
        if first != block {
            violations.push(Violation::TakenBack { replica, height, first, second: block });
        }
        self.height = self.height.max(height);
        self.proofs.extend(commit.proof.clone().map(|proof| (height, block, proof)));
    }

    /// Looks at the ledger of a replica that is up: it may know more than was reported, but
    /// nothing else. Proofs that came after their blocks are found here.
    pub(crate) fn compare(&mut self, ledger: &Ledger, at: std::time::Duration) -> Vec<Violation> {
        let (replica, reported, held) = (self.id, self.height, ledger.height());
        if held < reported {
            return vec![Violation::Forgotten { replica, at, reported, held }];
        }
        let here = ledger.committed(reported).map(|block| block.hash());
        let mut violations = Vec::new();
        if let (Some(first), Some(second)) = (self.held.get(&reported), here)
            && *first != second
        {
            let (height, first) = (reported, *first);
            violations.push(Violation::TakenBack { replica, height, first, second });
        }
        let waiting = self.proofs.last().map_or(self.proven, |(height, ..)| *height);
        for height in waiting + 1..=reported {
            let (proof, block) = (ledger.proof(height), self.held.get(&height));
            self.proofs.extend(proof.zip(block).map(|(proof, block)| (height, *block, proof)));
        }
        violations
    }

    /// Has all new proofs verified; `lag` newest heights may do without.
    pub(crate) fn prove(&mut self, ruling: &mut Ruling, lag: u64) -> Vec<Violation> {
        let replica = self.id;
        let mut violations = Vec::new();
        for (height, block, proof) in std::mem::take(&mut self.proofs) {
            // The first proof of a height covers what no proof covered; another stands for itself.
            let below = self.proven.min(height.saturating_sub(1));
            match ruling.verify(block, below, &proof) {
                Ok(()) => self.proven = self.proven.max(height),
                Err(_) if self.misproven => {}
                Err(reason) => {
                    self.misproven = true;
                    violations.push(Violation::BadProof { replica, height, block, reason });
                }
            }
        }
        if !self.unproven && self.height > self.proven + lag {
            self.unproven = true;
            let (from, to) = (self.proven + 1, self.height);
            violations.push(Violation::Unproven { replica, from, to });
        }
        violations
    }
}
