use super::*;
use crate::testing::{address, genesis, key};

#[test]
fn a_genesis_survives_json_and_keeps_its_name() {
    let genesis = genesis(&[(10, 500), (11, u64::MAX - 500)]);
    let read = Genesis::parse(&genesis.to_json()).unwrap();
    assert_eq!(read, genesis);
    assert_eq!(read.chain_id(), genesis.chain_id());
    assert_eq!(read.block_time(), Duration::from_millis(500));
}

#[test]
fn layout_and_order_of_the_json_do_not_matter_but_every_letter_does() {
    let genesis = genesis(&[(10, 500)]);
    let value: serde_json::Value = serde_json::from_str(&genesis.to_json()).unwrap();
    assert_eq!(Genesis::parse(&value.to_string()).unwrap().chain_id(), genesis.chain_id());
    let renamed = genesis.to_json().replace("\"test\"", "\"tess\"");
    assert_ne!(Genesis::parse(&renamed).unwrap().chain_id(), genesis.chain_id());
}

#[test]
fn validators_are_numbered_in_their_order() {
    let committee = genesis(&[]).committee().unwrap();
    let members = committee.members().iter();
    let expected = (0..4).map(|number| (ReplicaId(number.into()), key(number).public()));
    assert!(members.map(|member| (member.id, member.key)).eq(expected));
}

#[test]
fn a_genesis_no_chain_can_begin_with_is_refused() {
    let bad = |bend: fn(&mut Genesis)| {
        let mut genesis = genesis(&[(10, 500)]);
        bend(&mut genesis);
        let error = Genesis::parse(&genesis.to_json()).unwrap_err();
        assert_eq!(genesis.check(), Err(error.clone()));
        error
    };
    assert_eq!(bad(|genesis| genesis.validators.clear()), BadCommittee::Empty.into());
    assert_eq!(
        bad(|genesis| genesis.validators[1].key = key(0).public()),
        BadCommittee::SameKey(key(0).public()).into()
    );
    assert_eq!(
        bad(|genesis| genesis.validators[2].stake = Stake(0)),
        BadCommittee::NoStake(ReplicaId(2)).into()
    );
    assert_eq!(
        bad(|genesis| genesis.accounts.push(genesis.accounts[0].clone())),
        BadGenesis::SameAccount(address(10))
    );
    let rich = |genesis: &mut Genesis| {
        genesis.accounts.push(Funded { address: address(11), balance: Amount(u64::MAX - 499) });
    };
    assert_eq!(bad(rich), BadGenesis::Supply);
}

#[test]
fn what_is_no_genesis_is_refused_with_a_reason() {
    for json in ["", "{}", "[1]", "{\"name\": 3}"] {
        assert!(matches!(Genesis::parse(json), Err(BadGenesis::Malformed(_))));
    }
    let negative = genesis(&[(10, 500)]).to_json().replace("500", "-500");
    assert!(matches!(Genesis::parse(&negative), Err(BadGenesis::Malformed(_))));
}

#[test]
fn the_ledgers_own_settings_are_checked() {
    let with = |key: &str, value| {
        let mut genesis = genesis(&[(10, 5)]);
        genesis.settings.insert(key.into(), value);
        genesis
    };
    assert_eq!(with("ledger.reward", 7).check(), Ok(()));
    assert_eq!(with("ledger.reward", 7).reward(), Amount(7));
    assert_eq!(with("ledger.median_blocks", 11).check(), Ok(()));
    assert_eq!(with("ledger.median_blocks", 10).check(), Err(BadGenesis::MedianBlocks(10)));
    assert_eq!(with("ledger.median_blocks", 101).check(), Err(BadGenesis::MedianBlocks(101)));
    let unknown = BadGenesis::UnknownSetting { setting: "ledger.rewards".into() };
    assert_eq!(with("ledger.rewards", 7).check(), Err(unknown));
    let plain = genesis(&[(10, 5)]);
    assert_eq!((plain.reward(), plain.median_blocks()), (Amount::ZERO, 1));
}

#[test]
fn the_rules_of_stake_must_fit_each_other() {
    let with = |settings: &[(&str, u64)]| {
        let mut genesis = genesis(&[(10, 5)]);
        genesis.settings.extend(settings.iter().map(|&(key, value)| (key.to_owned(), value)));
        genesis
    };
    assert_eq!(with(&[]).staking(), None);
    let plain = with(&[("ledger.unbonding_blocks", 20)]);
    assert_eq!((plain.check(), plain.founding_supply()), (Ok(()), Amount(45)));
    let rules = plain.staking().unwrap();
    assert_eq!((rules.unbonding_blocks, rules.evidence_blocks), (20, 18));
    assert_eq!((rules.penalty_permille, rules.reporter_permille), (100, 100));
    assert_eq!(rules.minimum, Amount(1));

    let lone = with(&[("ledger.penalty_permille", 5)]).check();
    assert_eq!(lone, Err(BadGenesis::NoStaking("ledger.penalty_permille")));
    let long = with(&[("ledger.unbonding_blocks", 9), ("ledger.evidence_blocks", 8)]).check();
    let long_error = BadGenesis::EvidenceTooLong { evidence_blocks: 8, unbonding_blocks: 9 };
    assert_eq!(long, Err(long_error));
    let more = with(&[("ledger.unbonding_blocks", 9), ("ledger.penalty_permille", 1001)]).check();
    let setting = "ledger.penalty_permille".into();
    assert_eq!(more, Err(BadGenesis::Permille { setting, value: 1001 }));
    let poor = with(&[("ledger.unbonding_blocks", 9), ("ledger.minimum_stake", 11)]).check();
    let (validator, stake, minimum) = (ReplicaId(0), Stake(10), Amount(11));
    assert_eq!(poor, Err(BadGenesis::TooLittleStake { validator, stake, minimum }));
    let mut full = plain;
    full.accounts[0].balance = Amount(u64::MAX - 39);
    assert_eq!(full.check(), Err(BadGenesis::Supply));
}

#[test]
fn the_rules_of_a_leak_have_bounds_and_need_those_of_stake() {
    const STAKING: (&str, u64) = ("ledger.unbonding_blocks", 20);
    let with = |settings: &[(&str, u64)]| {
        let mut genesis = genesis(&[(10, 5)]);
        genesis.settings.extend(settings.iter().map(|&(key, value)| (key.to_owned(), value)));
        genesis
    };
    assert_eq!(with(&[STAKING]).leak(), None);
    let leak = |mode| with(&[STAKING, ("ledger.leak", mode)]);
    let rules = leak(1).leak().unwrap();
    assert_eq!((leak(1).check(), rules.mode), (Ok(()), Mode::OnChain));
    assert_eq!((rules.quotient, rules.tolerates_permille, rules.grace_rounds), (256, 100, 5));
    assert!(rules.bounded);
    assert_eq!((leak(2).check(), leak(2).leak().unwrap().mode), (Ok(()), Mode::Recovery));

    let lone = with(&[("ledger.leak", 1)]).check();
    assert_eq!(lone, Err(BadGenesis::NoStaking("ledger.leak")));
    for (setting, range, default) in [
        ("ledger.leak", 1..=2, 1),
        ("ledger.leak_quotient", 1..=MAX_QUOTIENT, 256),
        ("ledger.leak_tolerates_permille", 0..=333, 100),
        ("ledger.leak_unbounded", 0..=1, 0),
        ("ledger.leak_grace_rounds", 1..=MAX_GRACE, 5),
    ] {
        let set = |value| with(&[STAKING, ("ledger.leak", 1), (setting, value)]);
        for value in [*range.start(), *range.end(), default] {
            assert_eq!(set(value).check(), Ok(()), "{setting} = {value}");
        }
        assert!(default == 1 || set(default).leak() == Some(rules), "{setting}");
        for value in [range.end() + 1, u64::MAX, range.start().wrapping_sub(1)] {
            let (setting, range) = (setting.to_owned(), range.clone());
            let refused = BadGenesis::Leak { setting, value, range };
            assert_eq!(set(value).check(), Err(refused));
        }
        if setting != "ledger.leak" {
            let alone = with(&[STAKING, (setting, default)]).check();
            assert_eq!(alone, Err(BadGenesis::NoLeak { setting: setting.to_owned() }));
        }
    }
    assert!(
        !with(&[STAKING, ("ledger.leak", 1), ("ledger.leak_unbounded", 1)]).leak().unwrap().bounded
    );
}

#[test]
fn the_supply_grows_by_the_reward_until_it_is_full() {
    let mut genesis = genesis(&[(10, u64::MAX - 25)]);
    genesis.settings.insert("ledger.reward".into(), 10);
    let founding = genesis.founding_supply();
    let supply = |height| genesis.supply(founding, height).0;
    assert_eq!([0, 1, 2, 3, 4].map(supply), [25, 15, 5, 0, 0].map(|rest| u64::MAX - rest));
    assert_eq!(supply(u64::MAX), u64::MAX);
}

/// A record of rounds has room for 2,048 voices. What needs more of them would leave those who are left waiting.
#[test]
fn a_leak_that_no_record_is_long_enough_for_is_refused() {
    let rules =
        [("ledger.unbonding_blocks", 240), ("ledger.leak", 2), ("ledger.leak_quotient", 20_000)];
    let mut slow = genesis(&[(10, 5)]);
    slow.settings.extend(rules.map(|(setting, value)| (setting.to_owned(), value)));
    assert_eq!(slow.check(), Ok(()), "few validators leave room for many rows");
    let founder = slow.validators[0].clone();
    slow.validators = (0..16)
        .map(|id| Validator { key: crate::testing::key(id + 40).public(), ..founder.clone() })
        .collect();
    let refused = slow.check().unwrap_err();
    assert!(matches!(refused, BadGenesis::SlowLeak { room: 128, validators: 16, .. }), "{refused}");
    slow.settings.insert("ledger.leak_quotient".into(), 256);
    assert_eq!(slow.check(), Ok(()));
}
