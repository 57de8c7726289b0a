//! Mutants of Tendermint.

use super::*;
use consensus::{Application, Effect, Input, Trusted, Unproven};
use ledger::{
    Block, BlockHash, Committee, Draft, Header, Keys, Proof, Rejected, Stake, Transaction,
    TransactionId, stake::Rotation, vote::Member,
};
use std::{collections::BTreeSet, sync::Arc};

type Message = <Tendermint as Protocol>::Message;

/// Tendermint, but on either side of the world two of four are a quorum.
struct TwoOfFour {
    inner: Tendermint,
    keys: Keys,
}

impl Protocol for TwoOfFour {
    type Message = Message;

    fn step(&mut self, input: Input<Message>, turn: &mut Turn<'_, Message>) {
        let mut app = Sided { me: turn.me, app: &mut *turn.app };
        let mut inner =
            Turn::new(turn.now, turn.wall, turn.me, &mut *turn.rng, &mut app, &self.keys);
        self.inner.step(input, &mut inner);
        inner.into_effects().into_iter().for_each(|effect| turn.act(effect));
    }

    fn verify(headers: &[Header], proof: &Proof, trusted: Trusted<'_>) -> Result<(), Unproven> {
        Tendermint::verify(headers, proof, trusted)
    }
}

/// The ledger as one side sees it: its own two replicas outweigh the other two by far.
struct Sided<'a> {
    me: ReplicaId,
    app: &'a mut dyn Application,
}

impl Application for Sided<'_> {
    fn root(&self) -> BlockHash {
        self.app.root()
    }

    fn block(&self, hash: BlockHash) -> Option<Arc<Block>> {
        self.app.block(hash)
    }

    fn committee(&self, parent: BlockHash) -> Option<Arc<Committee>> {
        let committee = self.app.committee(parent)?;
        let members = committee.members().iter().map(|member| {
            let ours = member.id.0 / 2 == self.me.0 / 2;
            Member { stake: Stake(if ours { 100 } else { 1 }), ..member.clone() }
        });
        Committee::new(members.collect()).ok().map(Arc::new)
    }

    fn proposers(&self, parent: BlockHash) -> Option<Rotation> {
        let height = self.app.block(parent)?.header.height + 1;
        Some(Rotation::at(self.committee(parent)?, height))
    }

    fn pending(
        &self,
        parent: BlockHash,
        taken: &BTreeSet<TransactionId>,
        limit: usize,
    ) -> Vec<Transaction> {
        self.app.pending(parent, taken, limit)
    }

    fn assemble(&self, draft: Draft) -> Result<Arc<Block>, Rejected> {
        self.app.assemble(draft)
    }

    fn accept(&mut self, block: &Arc<Block>) -> Result<BlockHash, Rejected> {
        self.app.accept(block)
    }
}

#[test]
fn where_two_of_four_decide_they_disagree() {
    let setup = four(1);
    let keys = setup.keys(&setup.genesis());
    let mut world = World::new(setup, move |genesis| TwoOfFour {
        inner: Module::new(genesis).expect("the settings are good"),
        keys: keys.clone(),
    });
    world.run_for(seconds(10));
    let verdict = checker::judge(&world, Promises::default());
    let (height, one, other) = find(&verdict, |violation| match violation {
        Violation::Disagreement { height, one, other } => Some((*height, *one, *other)),
        _ => None,
    });
    assert_eq!((one.0.0 / 2, other.0.0 / 2), (0, 1), "one of each side is named");
    assert_eq!(world.decided(one.0)[&height], one.1);
    assert_eq!(world.decided(other.0)[&height], other.1);
    // And what two signed proves nothing to those who know the true committee.
    find(&verdict, |violation| match violation {
        Violation::BadProof { reason, .. } if reason.contains("stake") => Some(()),
        _ => None,
    });
}

/// Tendermint, but it keeps its certificates to itself.
struct Secretive(Tendermint);

impl Protocol for Secretive {
    type Message = Message;

    fn step(&mut self, input: Input<Message>, turn: &mut Turn<'_, Message>) {
        let effects = turn.apart(|turn| self.0.step(input, turn));
        for effect in effects {
            turn.act(match effect {
                Effect::Commit { block, .. } => Effect::Commit { block, proof: None },
                other => other,
            });
        }
    }

    fn verify(headers: &[Header], proof: &Proof, trusted: Trusted<'_>) -> Result<(), Unproven> {
        Tendermint::verify(headers, proof, trusted)
    }
}

#[test]
fn commits_without_proofs_are_found() {
    let mut world = World::new(four(2), |genesis| Secretive(Module::new(genesis).expect("good")));
    world.run_for(seconds(5));
    let verdict = checker::judge(&world, Promises::default());
    for id in ALL {
        let to = world.height(id);
        assert!(
            to > 0
                && verdict.violations.contains(&Violation::Unproven { replica: id, from: 1, to })
        );
    }
}

/// Two of four are dead for good, and the others were to get on.
#[test]
fn a_standstill_is_found() {
    let mut world = world(four(3));
    reach(&mut world, &ALL, 3, seconds(30));
    world.crash(ALL[1]);
    world.crash(ALL[2]);
    let since = world.now();
    world.run_for(seconds(60));
    let promise = Progress { since, within: seconds(60), goal: Goal::Gain(2) };
    let promises = Promises { progress: vec![promise], ..Promises::default() };
    let verdict = checker::judge(&world, promises);
    let standings = find(&verdict, |violation| match violation {
        Violation::Stalled { standings, .. } => Some(standings.clone()),
        _ => None,
    });
    let who: Vec<_> = standings.iter().map(|standing| standing.replica).collect();
    assert_eq!(who, [ALL[0], ALL[3]], "the dead need not get on");
    assert!(standings.iter().all(|standing| standing.behind && standing.after >= 3));
    assert_eq!(verdict.violations.len(), 1, "and nothing else is wrong");
}
