use super::rig::*;
use crate::{
    nakamoto::Nakamoto,
    protocol::{Protocol, Trusted, Unproven},
};
use ledger::{Keys, chain::CommitError};

#[test]
fn r10_a_block_is_committed_at_the_irreversible_depth_and_not_before() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let branch = forge.branch(forge.root(), 1, 12);
    rig.hear_all(&branch[..9]);
    assert_eq!(rig.commits, []);
    rig.hear(&branch[9]);
    assert_eq!(rig.commits, [(branch[0].hash(), None)], "it counts itself");
    rig.hear_all(&branch[10..]);
    assert_eq!((rig.commits.len(), rig.ledger.root()), (3, branch[2].hash()));
}

#[test]
fn r10_a_proof_comes_every_thirty_two_heights_and_holds() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let branch = forge.branch(forge.root(), 1, 80);
    rig.hear_all(&branch);
    let proven: Vec<_> = rig.commits.iter().filter(|(_, proof)| proof.is_some()).collect();
    assert_eq!(proven.len(), 2);
    let committee = rig.genesis.committee().unwrap();
    let keys = Keys::of(rig.genesis.chain_id(), &committee);
    let parent = forge.header(forge.root());
    let trusted =
        |parent| Trusted { genesis: &rig.genesis, parent, committee: &committee, keys: &keys };
    let headers: Vec<_> = branch.iter().map(|block| block.header.clone()).collect();
    for (block, proof) in proven {
        let proof = proof.as_ref().unwrap();
        let at = branch.iter().position(|each| each.hash() == *block).unwrap();
        assert_eq!((at + 1) % 32, 0);
        let chain = &headers[..=at];
        assert_eq!(Nakamoto::verify(chain, proof, trusted(Some(&parent))), Ok(()));
        assert_eq!(Nakamoto::verify(chain, proof, trusted(None)), Err(Unproven::NoParent(1)));
        let other = &headers[..at];
        let verdict = Nakamoto::verify(other, proof, trusted(Some(&parent)));
        assert_eq!(verdict, Err(Unproven::BrokenChain(at as u64 + 2)), "of another block");
    }
}

#[test]
fn undoing_a_confirmed_block_is_remarked_upon() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let ours = forge.branch(forge.root(), 1, 4);
    let theirs = forge.branch(forge.root(), 2, 5);
    rig.hear_all(&ours);
    rig.hear_all(&theirs);
    assert_eq!(rig.noted("reorganised"), 1);
    let reverted = rig.notes.iter().find(|(label, _)| *label == "reverted");
    assert_eq!(reverted.unwrap().1, "2 confirmed blocks undone", "four deep and three deep");
}

#[test]
fn r12_a_heavier_branch_below_the_root_is_a_conflict() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let ours = forge.branch(forge.root(), 1, 12);
    rig.hear_all(&ours);
    let theirs = forge.branch(forge.root(), 2, 13);
    rig.hear_all(&theirs[..12]);
    assert_eq!(rig.conflict, None, "as heavy is not heavier");
    rig.hear(&theirs[12]);
    let (committed, asked) = (rig.ledger.root(), theirs[0].hash());
    assert_eq!(rig.conflict, Some(CommitError::Conflict { committed, asked }));
}

#[test]
fn r12_a_light_branch_below_the_root_is_nothing() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let ours = forge.branch(forge.root(), 1, 20);
    rig.hear_all(&ours);
    let mut parent = forge.root();
    for number in 1..=21 {
        let cheap = forge.block(parent, 2, 40.0 * f64::from(number), Vec::new());
        parent = cheap.hash();
        rig.hear(&cheap);
    }
    assert_eq!((rig.conflict.clone(), rig.head()), (None, ours[19].hash()), "longer, and lighter");
}
