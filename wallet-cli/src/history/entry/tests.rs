use super::*;
use crate::network::{Network, poor, rich, validator};

#[test]
fn sender_and_recipient_see_one_transfer_from_their_own_side() {
    let mut network = Network::new("entry");
    let rich = rich().public().address();
    let transfers = vec![network.transfer(0, poor(), 10), network.transfer(1, rich, 5)];
    let block = network.decide(transfers, true);
    let rewards = Rewards::of(&network.genesis);
    let seen = |address| {
        let entries = of_block(&block, address, &rewards);
        entries.map(|each| (each.direction, each.counterparty, each.nonce)).collect::<Vec<_>>()
    };
    let own = (Direction::Own, Some(rich), Some(1));
    assert_eq!(seen(rich), [(Direction::Out, Some(poor()), Some(0)), own]);
    assert_eq!(seen(poor()), [(Direction::In, Some(rich), Some(0))]);
    let nobody = crypto::SecretKey::from_seed([99; 32]).public().address();
    assert_eq!(seen(nobody), []);
}

#[test]
fn an_entry_says_everything_in_two_lines() {
    let mut network = Network::new("entry");
    let transfer = network.transfer(0, poor(), 10);
    let block = network.decide(vec![transfer.clone()], true);
    let mut entry = of_block(&block, poor(), &Rewards::of(&network.genesis)).next().expect("one");
    entry.time = 1_700_000_000_000;
    let rich = rich().public().address();
    assert_eq!(
        entry.to_string(),
        format!(
            "       1  2023-11-14 22:13:20Z  got 10 from {rich}, fee 1, nonce 0\n          {}",
            transfer.id()
        )
    );
}

#[test]
fn a_proposer_earns_the_reward_and_the_fees_where_the_chain_rewards_blocks() {
    let proposer = validator(0).public().address();
    for (reward, kinds) in [(0, vec![]), (50, vec![(Kind::Reward, Some(Amount(50)), Amount(2))])] {
        let mut network = Network::rewarding("entry", reward);
        let transfers = vec![network.transfer(0, poor(), 10), network.transfer(1, poor(), 5)];
        let block = network.decide(transfers, true);
        let rewards = Rewards::of(&network.genesis);
        let entries: Vec<_> = of_block(&block, proposer, &rewards).collect();
        let found: Vec<_> = entries.iter().map(|each| (each.kind, each.amount, each.fee)).collect();
        assert_eq!(found, kinds);
        assert_eq!(of_block(&block, poor(), &rewards).count(), 2, "nobody else earns anything");
    }
}

#[test]
fn a_reward_ends_where_an_amount_cannot_hold_more() {
    let mut network = Network::rewarding("entry", u64::MAX - 1500);
    let proposer = validator(0).public().address();
    let rewards = Rewards::of(&network.genesis);
    let mut earned = Vec::new();
    for _ in 0..3 {
        let block = network.decide(Vec::new(), true);
        earned.extend(of_block(&block, proposer, &rewards).map(|each| each.amount));
    }
    // 1000 are there from the start.
    let expected = [u64::MAX - 1500, 500, 0].map(|amount| Some(Amount(amount)));
    assert_eq!(earned, expected);
    let text = reward(Amount(50), Amount(3)).to_string();
    assert!(text.ends_with("earned 50 for the block, and 3 of fees in it"), "{text}");
}

fn reward(amount: Amount, fee: Amount) -> Entry {
    Entry {
        height: 1,
        time: 0,
        direction: Direction::In,
        kind: Kind::Reward,
        counterparty: None,
        amount: Some(amount),
        fee,
        id: None,
        nonce: None,
    }
}

#[test]
fn dates_know_leap_years() {
    for (time, text) in [
        (0, "1970-01-01 00:00:00Z"),
        (951_782_400_000, "2000-02-29 00:00:00Z"),
        (951_868_799_999, "2000-02-29 23:59:59Z"),
        (951_868_800_000, "2000-03-01 00:00:00Z"),
        (4_107_542_400_000, "2100-03-01 00:00:00Z"),
        (4_107_542_399_999, "2100-02-28 23:59:59Z"),
        (1_798_761_599_000, "2026-12-31 23:59:59Z"),
    ] {
        assert_eq!(Utc(time).to_string(), text);
    }
    // A header may bear any time at all.
    assert!(Utc(u64::MAX).to_string().starts_with("584556"));
}
