use super::*;
use crypto::SecretKey;
use ledger::{Stake, genesis::Validator};

fn genesis(consensus: &str) -> Genesis {
    let key = |seed: u8| SecretKey::from_seed([seed; 32]).public();
    let customs = catalogue::customs(consensus).unwrap().iter();
    Genesis {
        name: "test".to_owned(),
        time: 0,
        consensus: consensus.to_owned(),
        block_time: 1_000,
        settings: customs.map(|(key, value)| ((*key).to_owned(), *value)).collect(),
        validators: (1..=5).map(|id| Validator { key: key(id), stake: Stake(1_000) }).collect(),
        accounts: Vec::new(),
    }
}

/// A new chain's genesis.
fn found(wish: &LeakWish, set: &[(&str, u64)]) -> Result<Genesis, NetError> {
    let set: BTreeMap<_, _> = set.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
    let mut genesis = genesis("tendermint");
    genesis.settings.extend(set.clone());
    wish.found(&set, &mut genesis).map(|()| genesis)
}

fn recovery() -> LeakWish {
    LeakWish { kind: Some(Kind::Recovery), ..LeakWish::default() }
}

fn refused(wish: &LeakWish, set: &[(&str, u64)]) -> String {
    found(wish, set).unwrap_err().to_string()
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn unless_told_otherwise_a_chain_of_stake_leaks_in_its_blocks() {
    let leak = found(&LeakWish::default(), &[]).unwrap().leak().unwrap();
    let Leak { mode, quotient, tolerates_permille, bounded, grace_rounds } = leak;
    assert_eq!((mode, quotient, tolerates_permille), (Mode::OnChain, 256, 100));
    assert_eq!((bounded, grace_rounds), (true, 5));
    let none = LeakWish { kind: Some(Kind::None), ..LeakWish::default() };
    assert_eq!(found(&none, &[]).unwrap().leak(), None);
    let set = found(&LeakWish::default(), &[(LEAK, 2)]).unwrap();
    assert_eq!(set.leak().unwrap().mode, Mode::Recovery);
}

#[test]
fn a_grace_is_as_many_rounds_as_it_takes() {
    let rounds = |grace, epoch| {
        let wish = LeakWish { grace, epoch, ..recovery() };
        let genesis = found(&wish, &[]).unwrap();
        genesis.check().unwrap();
        genesis.leak().unwrap().grace_rounds
    };
    assert_eq!(rounds(None, None), 5);
    assert_eq!(rounds(Some(ms(7_500)), None), 5);
    assert_eq!(rounds(Some(ms(7_501)), None), 6, "rounded up");
    assert_eq!(rounds(Some(ms(30)), None), 1, "one at least");
    assert_eq!(rounds(Some(ms(2_700)), Some(ms(900))), 3);
    assert_eq!(rounds(None, Some(ms(500))), 15, "the usual time, not the usual number");
}

#[test]
fn what_is_asked_for_stands_in_the_genesis() {
    let wish = LeakWish {
        quotient: Some(16),
        epoch: Some(ms(900)),
        tolerates: Some(200),
        unbounded: true,
        ..recovery()
    };
    let genesis = found(&wish, &[("tendermint.leak_growth_ms", 10)]).unwrap();
    let leak = genesis.leak().unwrap();
    assert_eq!((leak.quotient, leak.tolerates_permille, leak.bounded), (16, 200, false));
    let epochs = catalogue::epochs(&genesis).unwrap().unwrap();
    assert_eq!((epochs.first, epochs.growth), (ms(900), ms(30)));
    assert_eq!(genesis.settings[epochs.setting], 900);
}

#[test]
fn flags_that_contradict_one_another_are_refused() {
    let on_chain = |wish: LeakWish| LeakWish { kind: Some(Kind::OnChain), ..wish };
    let grace = LeakWish { grace: Some(ms(900)), ..LeakWish::default() };
    let epoch = LeakWish { epoch: Some(ms(900)), ..LeakWish::default() };
    for wish in [&grace, &epoch, &on_chain(grace.clone()), &on_chain(epoch.clone())] {
        assert!(refused(wish, &[]).contains("add --leak recovery"), "{wish:?}");
    }
    let unbounded = LeakWish { kind: Some(Kind::None), unbounded: true, ..LeakWish::default() };
    assert!(refused(&unbounded, &[]).contains("--leak-unbounded changes a leak"));
    assert!(refused(&recovery(), &[(LEAK, 1)]).contains("give one"));
    let long = LeakWish { grace: Some(ms(31_000)), epoch: Some(ms(30)), ..recovery() };
    assert!(refused(&long, &[]).contains("--leak-grace, --leak-epoch: a grace of 31000 ms"));
    let quotient = LeakWish { quotient: Some(9), ..recovery() };
    assert!(refused(&quotient, &[(QUOTIENT, 8)]).contains(QUOTIENT));
}

#[test]
fn modules_whose_votes_do_not_fade_say_so() {
    let tolerates = LeakWish { tolerates: Some(50), ..LeakWish::default() };
    for module in ["pbft", "pow"] {
        let refused = |wish: &LeakWish, set: &[(&str, u64)]| {
            let set = set.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
            wish.found(&set, &mut genesis(module)).unwrap_err().to_string()
        };
        for message in [
            refused(&recovery(), &[]),
            refused(&tolerates, &[]),
            refused(&LeakWish::default(), &[(LEAK, 1)]),
        ] {
            let words = format!("{module} has no inactivity leak");
            assert!(message.contains(&words), "{message}");
            assert!(message.contains("choose --consensus tendermint"), "{message}");
        }
        let mut plain = genesis(module);
        let none = LeakWish { kind: Some(Kind::None), ..LeakWish::default() };
        for wish in [LeakWish::default(), none] {
            wish.found(&BTreeMap::new(), &mut plain).unwrap();
            assert_eq!(plain.leak(), None);
        }
    }
}

#[test]
fn a_chain_that_is_there_keeps_its_leak() {
    let there =
        found(&LeakWish { epoch: Some(ms(900)), grace: Some(ms(2_700)), ..recovery() }, &[]);
    let there = there.unwrap();
    let agree = |wish: &LeakWish| {
        wish.agree(&there, |flag, wanted, is| match wanted == is {
            true => Ok(()),
            false => Err(NetError::Leak(format!("{flag} {wanted}; has {is}"))),
        })
    };
    for wish in [
        LeakWish::default(),
        recovery(),
        LeakWish {
            grace: Some(ms(2_700)),
            epoch: Some(ms(900)),
            quotient: Some(256),
            ..recovery()
        },
        LeakWish { tolerates: Some(100), ..LeakWish::default() },
    ] {
        agree(&wish).unwrap();
    }
    for (wish, words) in [
        (
            LeakWish { kind: Some(Kind::OnChain), ..LeakWish::default() },
            "--leak on-chain; has recovery",
        ),
        (LeakWish { quotient: Some(64), ..LeakWish::default() }, "--leak-quotient 64; has 256"),
        (LeakWish { tolerates: Some(0), ..LeakWish::default() }, "--leak-tolerates 0; has .1"),
        (
            LeakWish { epoch: Some(ms(1_500)), ..LeakWish::default() },
            "--leak-epoch 1500ms; has 900ms",
        ),
        (LeakWish { unbounded: true, ..LeakWish::default() }, "has a floor"),
        (
            LeakWish { grace: Some(ms(9_000)), epoch: Some(ms(900)), ..LeakWish::default() },
            "--leak-grace 9s (10 rounds); has 3 rounds",
        ),
    ] {
        assert!(agree(&wish).unwrap_err().to_string().contains(words), "{wish:?}");
    }
    let without = genesis("tendermint");
    let refused = LeakWish { quotient: Some(64), ..LeakWish::default() };
    let refused = refused.agree(&without, |flag, asked, is| {
        Err(NetError::Leak(format!("{flag} {asked}; has {is}")))
    });
    assert_eq!(refused.unwrap_err().to_string(), "--leak-quotient 64; has no inactivity leak");
}

#[test]
fn one_is_told_what_the_leak_tolerates() {
    let told = |wish: &LeakWish| Told::of(&found(wish, &[]).unwrap()).unwrap();
    let usual = told(&recovery()).to_string();
    assert!(usual.starts_with("in rounds of 1.5 s once nobody can decide for 8.1 s"), "{usual}");
    assert!(usual.contains("β = .1 tolerates 0 of 5 nodes"), "{usual}");
    assert!(usual.contains("below 61.1 % of its bond") && !usual.contains("UNSAFE"), "{usual}");
    let cautious = told(&LeakWish { tolerates: Some(200), ..recovery() }).to_string();
    assert!(cautious.contains("β = .2 tolerates 1 of 5 nodes"), "{cautious}");
    let on_chain = told(&LeakWish::default()).to_string();
    assert!(on_chain.starts_with("in blocks only"), "{on_chain}");

    let unbounded = told(&LeakWish { unbounded: true, ..recovery() });
    let rounds = unbounded.leak.grace_rounds + unbounded.leak.safe_misses();
    // Each of the three timers of a round grows by 20 ms from one round to the next.
    let expected: u64 = (0..rounds).map(|round| 1_500 + 60 * round).sum();
    assert_eq!(unbounded.safe_partition_ms, Some(expected));
    let seconds = format!("{:.1} s", ms(expected).as_secs_f64());
    let text = unbounded.to_string();
    assert!(text.contains("UNSAFE") && text.contains(&seconds), "{text}");
    let on_chain = told(&LeakWish { unbounded: true, ..LeakWish::default() });
    assert_eq!(on_chain.safe_partition_ms, None, "its blocks need a quorum of what counts anyway");
    assert!(on_chain.to_string().contains("loses its seat"));
}

#[test]
fn a_share_is_read_in_thousandths() {
    let good = [("0.1", 100), (".1", 100), ("0.333", 333), ("0", 0), ("0.050", 50), (".2500", 250)];
    for (text, expected) in good {
        assert_eq!(permille(text), Ok(expected), "{text}");
        assert_eq!(permille(&share(expected)), Ok(expected), "{text}");
    }
    let bad = ["", ".", "0.", "1", "-0.1", "0.1.1", "1/10", "10%", "0,1", "0.334", "0.1234", "٠.١"];
    for text in bad {
        assert!(permille(text).is_err(), "{text}");
    }
}
