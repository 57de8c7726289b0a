//! Rewards, and times that may go back a little.

use super::*;

/// Each block gives its proposer 50, and must be later than the median of five. Six came one second
/// after the other.
fn forge() -> Forge {
    let mut setup = Setup::new("tendermint", 2, 1);
    setup.settings = [("ledger.reward", 50), ("ledger.median_blocks", 5)]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
    let mut forge = Forge::of(setup);
    for nonce in 0..6 {
        let mut block = forge.draft(vec![forge.transfer(0, nonce, 10)]);
        block.header.time = forge.genesis.time + 1_000 * (nonce + 1);
        let block = forge.take(block);
        [ZERO, ONE].iter().for_each(|id| forge.report(*id, &block));
    }
    forge
}

fn flaws(forge: &mut Forge, block: Block) -> Vec<Flaw> {
    forge.report(ONE, &Arc::new(block));
    match &forge.judge()[..] {
        [] => Vec::new(),
        [Violation::InvalidBlock { flaws, .. }] => flaws.clone(),
        other => panic!("at most one invalid block was expected: {other:?}"),
    }
}

#[test]
fn blocks_with_rewards_are_good() {
    let forge = forge();
    let both = vec![Some(&forge.ledger), Some(&forge.ledger)];
    assert_eq!(forge.judge_with(Promises::default(), both), []);
    let proposer = forge.setup.validator(ONE).public().address();
    let account = forge.ledger.account(forge.ledger.root(), proposer).expect("the root is known");
    assert_eq!(account.balance, Amount(6 * 50 + 6));
}

/// The checker makes the reward itself: a block whose state is as before has none.
#[test]
fn a_block_without_its_reward_is_invalid() {
    let mut forge = forge();
    let mut block = forge.draft(vec![]);
    block.header.state = forge.ledger.root_header().state;
    let flaws = flaws(&mut forge, block);
    assert!(matches!(flaws[..], [Flaw::StateRoot { .. }, Flaw::Replay { .. }]), "{flaws:?}");
}

#[test]
fn a_time_may_be_earlier_than_the_parents_and_not_than_the_medians() {
    // The median of the last five is the fourth's.
    for (back, good) in [(0, true), (1_999, true), (2_000, false), (5_000, false)] {
        let mut forge = forge();
        let mut block = forge.draft(vec![]);
        let newest = forge.ledger.root_header().time;
        block.header.time = newest - back;
        let flaws = flaws(&mut forge, block);
        let late =
            |flaw: &Flaw| matches!(flaw, Flaw::Time { median, .. } if *median == newest - 2_000);
        assert_eq!(flaws.is_empty(), good, "{back} ms back: {flaws:?}");
        assert!(good || flaws.iter().any(late), "{flaws:?}");
    }
}
