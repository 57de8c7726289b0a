use super::*;

const INTERVAL: Duration = Duration::from_secs(600);

#[test]
fn a_find_is_heard_by_whoever_is_told() {
    let mut chance = Chance::of("miners", 1, 0);
    let mut miners = Miners::new(steady(INTERVAL), 3, &[], &mut chance);
    miners.now += INTERVAL;
    let said = miners.find(0);
    let [said] = &said[..] else { panic!("one block") };
    assert_eq!(miners.tip(0), Tip { height: 1, miner: Some(ReplicaId(0)), ..miners.tip(0) });
    assert!(miners.hear(1, said).is_empty());
    assert_eq!(miners.tip(1), miners.tip(0));
    assert_eq!((miners.tip(2).height, miners.tip(2).miner), (0, None));
}

/// R8, here as everywhere.
#[test]
fn of_two_branches_of_one_length_the_first_seen_stays_until_the_other_is_longer() {
    let mut chance = Chance::of("miners", 2, 0);
    let mut miners = Miners::new(steady(INTERVAL), 3, &[], &mut chance);
    let [left, right] = [0, 1].map(|miner| miners.find(miner).remove(0));
    miners.hear(2, &right);
    miners.hear(2, &left);
    assert_eq!(miners.tip(2), miners.tip(1));
    let longer = miners.find(0).remove(0);
    miners.hear(2, &longer);
    assert_eq!(miners.tip(2), miners.tip(0));
    assert_eq!(miners.tip(2).height, 2);
}

#[test]
fn what_is_found_bears_the_time_at_which_it_was_last_brought_up_to_date() {
    let mut chance = Chance::of("miners", 3, 0);
    let mut miners = Miners::new(steady(INTERVAL), 1, &[], &mut chance);
    let time = |miners: &mut Miners| {
        let said = miners.find(0).remove(0);
        let Message::Block(block) = said.message();
        assert!(Target::EASIEST.is_met_by(block.hash().0.as_bytes()), "it is sealed");
        block.header.time - EPOCH
    };
    miners.now = INTERVAL;
    assert_eq!(time(&mut miners), 1);
    miners.now = INTERVAL * 2;
    miners.refresh(0);
    assert_eq!(time(&mut miners), 1_200_000);
}

#[test]
#[should_panic(expected = "lacks")]
fn nobody_hears_of_a_child_before_its_parent() {
    let mut chance = Chance::of("miners", 4, 0);
    let mut miners = Miners::new(steady(INTERVAL), 2, &[], &mut chance);
    let [_, child] = [0, 0].map(|miner| miners.find(miner).remove(0));
    miners.hear(1, &child);
}
