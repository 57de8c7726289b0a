//! Mutants of proof-of-work.

use super::*;
use consensus::{Effect, Input, Protocol, Trusted, Turn, Unproven};
use ledger::{Header, Proof};

type Message = <Nakamoto as Protocol>::Message;

/// Proof-of-work that never proves anything.
struct Proofless(Nakamoto);

impl Protocol for Proofless {
    type Message = Message;

    fn step(&mut self, input: Input<Message>, turn: &mut Turn<'_, Message>) {
        for effect in turn.apart(|turn| self.0.step(input, turn)) {
            turn.act(match effect {
                Effect::Commit { block, .. } => Effect::Commit { block, proof: None },
                other => other,
            });
        }
    }

    fn proofs_settle() -> bool {
        Nakamoto::proofs_settle()
    }

    fn verify(headers: &[Header], proof: &Proof, trusted: Trusted<'_>) -> Result<(), Unproven> {
        Nakamoto::verify(headers, proof, trusted)
    }
}

/// A proof is for every 32nd height: 31 committed blocks may lack one, and not one more.
#[test]
fn blocks_that_are_never_proven_are_noticed() {
    let setup = with(pow(2, 1), "pow.irreversible", 10);
    let make = |genesis: &_| Proofless(Module::new(genesis).expect("the settings are good"));
    let mut world = World::new(setup, make);
    let verdict = |world: &World<Proofless>| {
        checker::judge(world, Promises { may_revert: true, ..Promises::default() })
    };
    let first = |height| {
        move |world: &World<Proofless>| {
            world.replicas().any(|id| world.ledger(id).expect("it is up").height() >= height)
        }
    };
    assert!(world.run_until(first(31), seconds(1_000)));
    assert!(verdict(&world).holds(), "{}", verdict(&world));
    assert!(world.run_until(first(33), seconds(1_000)));
    world.run_for(seconds(1));
    let verdict = verdict(&world);
    let unproven = |one: &Violation| matches!(one, Violation::Unproven { from: 1, .. });
    assert!(!verdict.holds() && verdict.violations.iter().all(unproven), "{verdict}");
}
