//! What blocks tell of who took part, and whom they are believed.

use super::rig::*;
use crate::{
    protocol::{Application, Effect, Input, Protocol},
    quorum::value_of,
    tendermint::{Commit, Config, Message, SignedTable, attendance::Shown, message::phase},
};
use crypto::{SecretKey, Signature, codec};
use ledger::{
    Block, BlockHash, Draft, Duty, Genesis, Keys, Leak, Proof, Register, ReplicaId, Seal, Share,
    Stake, genesis,
    leak::{Mode, WHOLE},
};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

const LEAK: Leak = Leak {
    mode: Mode::OnChain,
    quotient: 16,
    tolerates_permille: 100,
    bounded: true,
    grace_rounds: 3,
};

pub(super) fn leaking(mode: Mode) -> Config {
    Config { leak: Some(Leak { mode, ..LEAK }), ..brisk() }
}

/// Replica `me` of four with equal stake on such a chain.
fn started(me: u32, mode: Mode) -> Rig {
    let mut rig = Rig::new(me, committee(&[1; 4]), leaking(mode));
    // So that everybody builds the same block.
    rig.wall = std::time::Duration::ZERO;
    rig.wake();
    rig
}

/// Whose turn it is in round 0.
fn proposer(height: u64) -> u32 {
    (height % 4) as u32
}

/// What tells that `present` took part in the decision of `value`, by their true signatures.
fn told(height: u64, round: u64, value: BlockHash, present: &[u32]) -> Duty {
    let signed = present.iter().map(|&id| by(id, precommit(height, round, Some(value))));
    let signatures = signed.map(|signed| *signed.signature()).collect();
    duty(height, present, Shown { round, table: None, signatures }.encode())
}

fn duty(height: u64, present: &[u32], proof: Proof) -> Duty {
    let present = present.iter().map(|&id| ReplicaId(id)).collect();
    Duty::Participation { height, present, proof }
}

/// A block for the next height.
fn block(rig: &Rig, duties: Vec<Duty>) -> Arc<Block> {
    let parent = rig.book.root;
    let height = rig.book.blocks[&parent].header.height + 1;
    let (transactions, proposer) = (Vec::new(), ReplicaId(proposer(height)));
    let draft = Draft { parent, transactions, time: 0, proposer, duties, seal: Seal::default() };
    rig.book.assemble(draft).unwrap()
}

/// What the rig offers for `height`, if it is its turn.
fn offered(rig: &mut Rig, height: u64) -> Option<Arc<Block>> {
    let proposed = rig.signed.values().find_map(|signed| match signed.message() {
        Message::Proposal { height: of, block, .. } if *of == height => Some(block.clone()),
        _ => None,
    });
    (proposer(height) == rig.me).then(|| proposed.expect("it proposes in its turn"))
}

/// Decides `height` in round 0 by the votes of the rig and of `voters`. Where it is another's turn the
/// block has these `duties`.
fn decide(rig: &mut Rig, height: u64, voters: &[u32], duties: Vec<Duty>) -> Arc<Block> {
    let block = offered(rig, height).unwrap_or_else(|| block(rig, duties));
    rig.hear(proposer(height), proposal(height, 0, &block));
    let value = Some(block.hash());
    let own = prevote(height, 0, value);
    assert!(rig.signed.values().any(|signed| *signed.message() == own), "it finds it valid");
    rig.hear_all(voters, &prevote(height, 0, value));
    rig.hear_all(voters, &precommit(height, 0, value));
    assert_eq!(rig.book.root, block.hash());
    block
}

fn participation(block: &Block) -> Option<(u64, Vec<u32>)> {
    let [Duty::Participation { height, present, .. }] = &block.duties[..] else {
        assert_eq!(block.duties, []);
        return None;
    };
    Some((*height, present.iter().map(|id| id.0).collect()))
}

#[test]
fn a_precommit_that_comes_late_is_told_of() {
    let mut rig = started(0, Mode::OnChain);
    decide(&mut rig, 1, &[1, 2], vec![]);
    let second = decide(&mut rig, 2, &[1, 2], vec![]).hash();
    rig.hear(3, precommit(2, 0, Some(second)));
    decide(&mut rig, 3, &[1, 2], vec![]);
    let fourth = offered(&mut rig, 4).unwrap();
    assert_eq!(participation(&fourth), Some((2, vec![0, 1, 2, 3])));
    assert_eq!(fourth.duties, [told(2, 0, second, &[0, 1, 2, 3])]);

    // Somebody who did not hear the late one looks at its signature and finds it good.
    let mut other = started(1, Mode::OnChain);
    for height in 1..=3 {
        decide(&mut other, height, &[0, 2], vec![]);
    }
    assert_eq!(other.book.root, rig.book.root);
    other.sent();
    other.hear(0, proposal(4, 0, &fourth));
    assert_eq!(other.sent(), [prevote(4, 0, Some(fourth.hash()))]);
}

#[test]
fn what_is_no_precommit_of_the_decision_is_not_told_of() {
    let mut rig = started(0, Mode::OnChain);
    decide(&mut rig, 1, &[1, 2], vec![]);
    let second = decide(&mut rig, 2, &[1, 2], vec![]).hash();
    rig.hear(3, prevote(2, 0, Some(second)));
    rig.hear(3, precommit(2, 0, None));
    rig.hear(3, precommit(2, 1, Some(second)));
    rig.hear(9, precommit(2, 0, Some(second)));
    let third = decide(&mut rig, 3, &[1, 2], vec![]).hash();
    // Too late: nobody could show it any more.
    rig.hear(3, precommit(2, 0, Some(second)));
    rig.hear(3, precommit(3, 0, Some(third)));
    assert_eq!(participation(&offered(&mut rig, 4).unwrap()), Some((2, vec![0, 1, 2])));
}

#[test]
fn the_horizon_lags_by_a_height_and_nothing_else_of_it_is_acted_on() {
    let mut rig = started(0, Mode::Recovery);
    assert_eq!(rig.replica.heights_ahead(), 5);
    for height in 1..=2 {
        decide(&mut rig, height, &[1, 2], vec![]);
    }
    let buried = rig.effects.iter().filter_map(|effect| match effect {
        Effect::Horizon { height, round: 0 } => Some(*height),
        _ => None,
    });
    assert_eq!(buried.collect::<Vec<_>>(), [0, 1]);
    rig.sent();
    let first = rig.book.blocks[&rig.book.root].header.parent;
    let rival = rig.book.child(first, 2, 77);
    rig.hear(2, proposal(2, 0, &rival));
    rig.hear_all(&[1, 2, 3], &prevote(2, 0, Some(rival.hash())));
    rig.hear_all(&[1, 2, 3], &precommit(2, 1, Some(rival.hash())));
    rig.hear_all(&[1, 2, 3], &precommit(2, 7, None));
    assert!(rig.effects.is_empty());
    assert_eq!((rig.round(), rig.commits.len()), (0, 2));
}

#[test]
fn where_there_is_no_leak_nothing_is_told_and_nothing_lags() {
    let mut rig = Rig::started(0);
    assert_eq!(rig.replica.heights_ahead(), 4);
    for height in 1..=3 {
        decide(&mut rig, height, &[1, 2], vec![]);
    }
    assert!(rig.effects.iter().any(|effect| matches!(effect, Effect::Horizon { height: 3, .. })));
    assert_eq!(offered(&mut rig, 4).unwrap().duties, []);
}

/// What the rig votes for a block of height 3 with `duties`, which are made from the values of heights 1
/// and 2.
fn verdict(mode: Mode, duties: impl Fn([BlockHash; 2]) -> Vec<Duty>) -> Option<BlockHash> {
    let mut rig = started(0, mode);
    let decided = [1, 2].map(|height| decide(&mut rig, height, &[1, 2], vec![]).hash());
    let block = block(&rig, duties(decided));
    rig.sent();
    rig.hear(3, proposal(3, 0, &block));
    let [Message::Prevote { value, .. }] = rig.sent()[..] else { panic!("one prevote") };
    assert!(value.is_none_or(|value| value == block.hash()));
    value
}

#[test]
fn a_block_that_tells_lies_is_invalid() {
    let good = |[first, _]: [BlockHash; 2]| vec![told(1, 0, first, &[0, 1, 2])];
    assert!(verdict(Mode::OnChain, good).is_some());
    let no_one_heard = |[first, _]: [BlockHash; 2]| vec![told(1, 4, first, &[1, 2, 3])];
    assert!(verdict(Mode::OnChain, no_one_heard).is_some(), "of another round, but true");

    let by_prevote = |first| *by(3, prevote(1, 0, Some(first))).signature();
    let of = |first, ids: &[u32]| match told(1, 0, first, ids) {
        Duty::Participation { proof, .. } => proof,
        other => panic!("{other:?}"),
    };
    let shown = |first, more: Vec<Signature>| {
        let own = [0, 1, 2].map(|id| *by(id, precommit(1, 0, Some(first))).signature());
        Shown { round: 0, table: None, signatures: own.into_iter().chain(more).collect() }.encode()
    };
    type Lie<'a> = &'a dyn Fn([BlockHash; 2]) -> Duty;
    let lies: [(&str, Lie<'_>); 12] = [
        ("a forged precommit", &|[first, _]| {
            duty(1, &[0, 1, 2, 3], shown(first, vec![Signature::from_bytes([9; 64])]))
        }),
        ("a prevote", &|[first, _]| duty(1, &[0, 1, 2, 3], shown(first, vec![by_prevote(first)]))),
        ("another round's precommit", &|[first, _]| {
            let later = *by(3, precommit(1, 1, Some(first))).signature();
            duty(1, &[0, 1, 2, 3], shown(first, vec![later]))
        }),
        ("another one's name", &|[first, _]| duty(1, &[0, 1, 3], of(first, &[0, 1, 2]))),
        ("a stranger", &|[first, _]| told(1, 0, first, &[0, 1, 2, 9])),
        ("the same twice", &|[first, _]| told(1, 0, first, &[0, 1, 1, 2])),
        ("disorder", &|[first, _]| told(1, 0, first, &[1, 0, 2])),
        ("fewer signatures than names", &|[first, _]| duty(1, &[0, 1, 2, 3], shown(first, vec![]))),
        ("no proof", &|_| duty(1, &[0, 1, 2], Proof(vec![0xff; 9]))),
        ("another value", &|[_, second]| told(1, 0, second, &[0, 1, 2])),
        ("the height before", &|[_, second]| told(2, 0, second, &[0, 1, 2])),
        ("a height that never was", &|[first, _]| told(u64::MAX, 0, first, &[0, 1, 2])),
    ];
    for (name, lie) in lies {
        for mode in [Mode::OnChain, Mode::Recovery] {
            assert_eq!(verdict(mode, |decided| vec![lie(decided)]), None, "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever bytes a proposer makes of it: one wrong bit, and the block is invalid.
    #[test]
    fn a_bent_duty_makes_its_block_invalid(
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
        mode in prop_oneof![Just(Mode::OnChain), Just(Mode::Recovery)],
    ) {
        let bend = |[first, _]: [BlockHash; 2]| {
            let good = told(1, 0, first, &[0, 1, 2, 3]);
            let mut bytes = codec::encode(&good);
            let place = at.index(bytes.len());
            bytes[place] ^= 1 << bit;
            let bent = codec::decode::<Duty>(&bytes, bytes.len()).ok();
            bent.filter(|bent| matches!(bent, Duty::Participation { .. })).into_iter().collect()
        };
        let found = verdict(mode, bend);
        // Some bytes are no duty at all.
        let nothing = verdict(mode, |_| vec![]);
        prop_assert!(found.is_none() || found == nothing, "{found:?}");
    }
}

#[test]
fn the_genesis_was_decided_by_nobody() {
    let mut rig = started(0, Mode::Recovery);
    decide(&mut rig, 1, &[1, 2], vec![]);
    let root = rig.book.blocks[&rig.book.root].header.parent;
    let block = block(&rig, vec![told(0, 0, root, &[])]);
    rig.sent();
    rig.hear(2, proposal(2, 0, &block));
    assert_eq!(rig.sent(), [prevote(2, 0, None)]);
}

#[test]
fn where_absence_counts_a_quorum_must_be_told_of() {
    let two = |[first, _]: [BlockHash; 2]| vec![told(1, 0, first, &[1, 3])];
    assert_eq!(verdict(Mode::OnChain, two), None);
    assert!(verdict(Mode::Recovery, two).is_some());
    let none = |[first, _]: [BlockHash; 2]| vec![told(1, 0, first, &[])];
    assert_eq!(verdict(Mode::OnChain, none), None);
    assert!(verdict(Mode::Recovery, none).is_some());
}

/// With the weights of that height, and not of the one that the block is of.
#[test]
fn those_who_decided_are_asked_and_not_those_who_decide_now() {
    let mut rig = started(0, Mode::OnChain);
    let first = block(&rig, vec![]);
    // From height 2 on replica 3 outweighs the others, and 2 has left.
    let heavy = committee(&[1, 1, 1, 20]);
    let others = heavy.members().iter().filter(|member| member.id != ReplicaId(2));
    let later = Arc::new(ledger::Committee::new(others.cloned().collect()).unwrap());
    rig.book.changes.insert(first.hash(), later);
    decide(&mut rig, 1, &[1, 2], vec![]);
    for (height, told) in [(2, vec![]), (3, vec![told(1, 0, first.hash(), &[0, 1, 2])])] {
        let block = rig.book.assemble(Draft {
            parent: rig.book.root,
            transactions: Vec::new(),
            time: 0,
            proposer: ReplicaId(3),
            duties: told,
            seal: Seal::default(),
        });
        let block = block.unwrap();
        rig.book.changes.insert(block.hash(), rig.book.committee(first.hash()).unwrap());
        rig.hear(3, proposal(height, 0, &block));
        let value = Some(block.hash());
        rig.hear_all(&[1, 3], &prevote(height, 0, value));
        rig.hear_all(&[1, 3], &precommit(height, 0, value));
        assert_eq!(rig.book.root, block.hash(), "height {height}");
    }
}

#[test]
fn a_signature_that_was_heard_is_not_checked_again() {
    for (told_of, is_valid) in [([0, 1, 2], true), ([1, 2, 3], false)] {
        let mut rig = started(0, Mode::OnChain);
        let first = decide(&mut rig, 1, &[1, 2], vec![]).hash();
        decide(&mut rig, 2, &[1, 2], vec![]);
        let block = block(&rig, vec![told(1, 0, first, &told_of)]);
        rig.sent();
        // Nobody's signature is good any more.
        rig.keys = Keys::simulated(chain(), SECRET, 0);
        rig.hear(3, proposal(3, 0, &block));
        assert_eq!(rig.sent(), [prevote(3, 0, is_valid.then_some(block.hash()))]);
    }
}

#[test]
fn after_a_crash_it_tells_nothing_until_it_knows_enough() {
    for crashes_at in 2..=4 {
        let mut rig = started(0, Mode::OnChain);
        for height in 1..=3 {
            if height == crashes_at {
                rig.crash();
                rig.wake();
            }
            decide(&mut rig, height, &[1, 2], vec![]);
        }
        if crashes_at == 4 {
            rig.crash();
            rig.wake();
        }
        // It has proposed before it crashed, or knows how height 2 was decided, or heard too little of it.
        let tells = participation(&offered(&mut rig, 4).unwrap());
        let expected = (crashes_at != 3).then_some((2, vec![0, 1, 2]));
        assert_eq!(tells, expected, "crashed at {crashes_at}");
    }
}

#[test]
fn whoever_was_brought_on_tells_of_what_the_proof_shows() {
    let mut rig = started(0, Mode::OnChain);
    let chain = |rig: &mut Rig| {
        let block = block(rig, vec![]);
        rig.book.hold(&block);
        rig.book.root = block.hash();
        block.hash()
    };
    chain(&mut rig);
    let second = chain(&mut rig);
    let vote = |id| (ReplicaId(id), *by(id, precommit(2, 5, Some(second))).signature());
    let signatures = [1, 2, 3].map(vote).to_vec();
    let proof =
        Commit { round: 5, block: second, signatures, table: SignedTable::default() }.encode();
    rig.feed(Input::Advanced { block: second, proof });
    rig.hear(0, precommit(2, 5, Some(second)));
    decide(&mut rig, 3, &[1, 2], vec![]);
    let fourth = offered(&mut rig, 4).unwrap();
    assert_eq!(participation(&fourth), Some((2, vec![0, 1, 2, 3])));
    // Of a height that sync passed over it knows nothing.
    let mut rig = started(0, Mode::OnChain);
    decide(&mut rig, 1, &[1, 2], vec![]);
    let second = chain(&mut rig);
    let third = chain(&mut rig);
    let proof =
        Commit { round: 0, block: third, signatures: vec![], table: SignedTable::default() }
            .encode();
    rig.feed(Input::Advanced { block: third, proof });
    assert_ne!(second, third);
    assert_eq!(offered(&mut rig, 4).unwrap().duties, []);
}

#[test]
fn a_value_that_is_offered_again_tells_what_it_told() {
    let mut rig = started(0, Mode::OnChain);
    for height in 1..=3 {
        decide(&mut rig, height, &[1, 2], vec![]);
    }
    let fourth = offered(&mut rig, 4).unwrap();
    let value = Some(fourth.hash());
    rig.hear_all(&[1, 2], &prevote(4, 0, value));
    rig.hear_all(&[1, 2, 3], &precommit(4, 0, None));
    rig.ring(4, 0, phase::PRECOMMIT);
    rig.sent();
    rig.hear(1, again(4, 1, 0, &[0, 1, 2], &fourth));
    assert_eq!(rig.sent(), [prevote(4, 1, value)]);
    let Message::Proposal { block, .. } = again(4, 1, 0, &[], &fourth) else { unreachable!() };
    assert_eq!(value_of(&proposal(4, 0, &block)), value_of(&proposal(4, 0, &fourth)));
    assert_eq!(participation(&block), Some((2, vec![0, 1, 2])));
}

/// The register of the four as the blocks of `rig` move it.
fn register() -> Register {
    let validators = (0..4).map(|id| genesis::Validator {
        key: SecretKey::from_seed([id + 1; 32]).public(),
        stake: Stake(1),
    });
    Register::founding(&Genesis {
        name: "table".into(),
        time: 0,
        consensus: "tendermint".into(),
        block_time: 1000,
        settings: BTreeMap::new(),
        validators: validators.collect(),
        accounts: Vec::new(),
    })
}

fn follow(register: &mut Register, block: &Block, leak: &Leak) {
    for duty in &block.duties {
        let Duty::Participation { height, present, .. } = duty else { panic!("{duty:?}") };
        assert!(register.could_take_part(*height, present));
        if let Some(after) = register.after_participation(*height, present, leak) {
            *register = after;
        }
    }
}

fn share(register: &Register, id: u32) -> Share {
    register.validator(ReplicaId(id)).unwrap().share
}

/// What an honest proposer of `height` tells who knows that these took part.
fn honest(decided: &[BlockHash], height: u64, present: &[u32]) -> Vec<Duty> {
    match height.checked_sub(2).filter(|of| *of > 0) {
        Some(of) => vec![told(of, 0, decided[of as usize], present)],
        None => vec![],
    }
}

#[test]
fn the_absent_fade_block_by_block_to_the_floor_and_come_back_by_precommits() {
    let (mut rig, mut register) = (started(0, Mode::OnChain), register());
    let mut decided = vec![rig.book.root];
    let mut lefts = Vec::new();
    for height in 1..=60 {
        // Replica 3 sleeps, and then it comes back. Its turns would be taken by others; here they are not.
        let present: &[u32] = if height <= 30 { &[0, 1, 2] } else { &[0, 1, 2, 3] };
        let duties = match height {
            31 | 32 => honest(&decided, height, &[0, 1, 2]),
            _ => honest(&decided, height, present),
        };
        let block = decide(&mut rig, height, &[1, 2], duties);
        if height > 30 {
            rig.hear(3, precommit(height, 0, Some(block.hash())));
        }
        decided.push(block.hash());
        follow(&mut register, &block, &LEAK);
        lefts.push(share(&register, 3).left);
        for id in 0..3 {
            assert_eq!(share(&register, id), Share::FULL);
        }
    }
    let floor = LEAK.floor();
    assert_eq!(lefts[..2], [WHOLE; 2], "nothing is told before block 3");
    let reached = lefts.iter().position(|left| *left == floor).unwrap();
    assert!(lefts[1..=reached].windows(2).all(|pair| pair[0] > pair[1]), "{lefts:?}");
    assert!(lefts[reached..32].iter().all(|left| *left == floor), "{lefts:?}");
    // A sixty-fourth of the whole for each precommit.
    let step = WHOLE.div_ceil(64);
    assert_eq!(lefts[32..35], [1, 2, 3].map(|nth| floor + nth * step));
    assert_eq!(lefts.last(), Some(&WHOLE));
}

/// What counts of replica 2 after each block, where every fourth comes from a liar that never knows of it.
fn left_out(quotient: u64, heights: u64) -> Vec<u32> {
    let (mut rig, mut register) = (started(0, Mode::OnChain), register());
    let leak = Leak { quotient, ..LEAK };
    let (mut decided, mut lefts) = (vec![rig.book.root], vec![]);
    for height in 1..=heights {
        let told = if proposer(height) == 1 { &[0, 1, 3][..] } else { &[0, 1, 2, 3] };
        let duties = honest(&decided, height, told);
        let block = decide(&mut rig, height, &[1, 2], duties);
        rig.hear(3, precommit(height, 0, Some(block.hash())));
        decided.push(block.hash());
        follow(&mut register, &block, &leak);
        lefts.push(share(&register, 2).left);
    }
    lefts
}

/// A miss takes one part in Q, and each of the precommits that the others show gives back one in 64.
#[test]
fn a_liar_that_leaves_somebody_out_in_its_turns_does_not_make_him_fade() {
    for (quotient, made_good) in [(256, 1), (32, 2)] {
        let lefts = left_out(quotient, 84);
        let missed = WHOLE - WHOLE / quotient as u32;
        for turn in lefts[4..].chunks(4) {
            assert_eq!(turn[0], missed, "Q = {quotient}");
            assert!(
                turn[made_good..].iter().all(|left| *left == WHOLE),
                "Q = {quotient}: {turn:?}"
            );
        }
    }
    // With less it does, as far as what is lost of the rest: x/16 = 3/64.
    let lefts = left_out(16, 400);
    let settled = lefts[lefts.len() - 1];
    assert!(settled.abs_diff(WHOLE / 4 * 3) < 1000, "{settled}");
}
