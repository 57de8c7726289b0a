use super::*;
use crypto::PublicKey;
use ledger::{Keys, Stake, genesis::Validator};
use std::collections::BTreeMap;

struct NameOf;

impl Visitor for NameOf {
    type Output = &'static str;

    fn visit<P: Module>(self) -> &'static str {
        P::NAME
    }
}

struct Build<'a>(&'a Genesis);

impl Visitor for Build<'_> {
    type Output = Result<(), BadSettings>;

    fn visit<P: Module>(self) -> Self::Output {
        P::new(self.0).map(drop)
    }
}

fn verdict(genesis: &Genesis) -> Result<(), NotFinal> {
    let committee = genesis.committee().unwrap();
    let keys = Keys::of(genesis.chain_id(), &committee);
    let trusted = Trusted { genesis, parent: None, committee: &committee, keys: &keys };
    verify(&[], &Proof(Vec::new()), trusted)
}

fn genesis(settings: &[(&str, u64)]) -> Genesis {
    Genesis {
        name: "catalogue".into(),
        time: 0,
        consensus: Tendermint::NAME.into(),
        block_time: 1000,
        settings: settings.iter().map(|&(key, value)| (key.to_owned(), value)).collect(),
        validators: vec![Validator { key: PublicKey::from_bytes([0; 32]), stake: Stake(1) }],
        accounts: Vec::new(),
    }
}

#[test]
fn every_name_leads_to_the_module_that_bears_it() {
    for name in NAMES {
        assert_eq!(dispatch(name, NameOf), Ok(*name));
    }
}

#[test]
fn an_unknown_name_is_an_error_that_lists_what_exists() {
    let error = dispatch("tendermit", NameOf).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no consensus module called \"tendermit\"; there are: tendermint, pow, pbft"
    );
    let genesis = Genesis { consensus: "tendermit".into(), ..genesis(&[]) };
    assert_eq!(verdict(&genesis), Err(NotFinal::UnknownModule(error)));
}

#[test]
fn a_proof_is_read_by_the_module_that_is_named() {
    assert_eq!(verdict(&genesis(&[])), Err(NotFinal::Unproven(Unproven::NoHeaders)));
}

#[test]
fn every_module_builds_on_a_plain_genesis_and_ignores_the_settings_of_others() {
    for name in NAMES {
        let genesis = genesis(&[("elsewhere.depth", 6), ("tendermint.propose_ms", 700)]);
        assert_eq!(dispatch(name, Build(&genesis)), Ok(Ok(())));
    }
}

#[test]
fn a_misspelt_or_empty_setting_is_refused_with_its_name() {
    let build = |settings: &[(&str, u64)]| {
        dispatch(Tendermint::NAME, Build(&genesis(settings))).unwrap().unwrap_err().to_string()
    };
    assert_eq!(
        build(&[("tendermint.propose", 1)]),
        "the genesis sets \"tendermint.propose\", which is no setting; there are: \
         tendermint.propose_ms, tendermint.prevote_ms, tendermint.precommit_ms, \
         tendermint.delta_ms, tendermint.clock_skew_ms, tendermint.max_transactions, \
         tendermint.leak_epoch_ms, tendermint.leak_growth_ms"
    );
    assert_eq!(
        build(&[("tendermint.delta_ms", 0)]),
        "the genesis sets \"tendermint.delta_ms\" to zero; it must be at least 1"
    );
    for rules in [&[][..], &[("ledger.unbonding_blocks", 9), ("ledger.leak", 1)]] {
        let idle = [&[("tendermint.leak_epoch_ms", 900)][..], rules].concat();
        assert_eq!(
            build(&idle),
            "the genesis sets \"tendermint.leak_epoch_ms\", and there are no recovery rounds: set \
             \"ledger.leak\" to 2, too, or leave it out"
        );
    }
    assert_eq!(BTreeMap::<String, u64>::new(), genesis(&[]).settings);
}

#[test]
fn a_new_chain_is_calibrated_to_what_its_miners_compute() {
    let mut genesis = Genesis { consensus: Nakamoto::NAME.into(), block_time: 500, ..genesis(&[]) };
    for hash_rate in [10.0, 123_456.0, 4e6, 9e12] {
        let settings = calibrate(&genesis, hash_rate).unwrap();
        let settings = settings.into_iter().map(|(key, value)| (key.to_owned(), value));
        genesis.settings = settings.collect();
        let config = crate::nakamoto::Config::from_genesis(&genesis).unwrap();
        let ratio = config.anchor.work().hashes() / (hash_rate / 2.0);
        // The compact form keeps three digits to the base of 256, or two and a bit.
        assert!((0.99..1.01).contains(&ratio), "{hash_rate}: {ratio}");
    }
    for nonsense in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
        let settings = calibrate(&genesis, nonsense).unwrap();
        genesis.settings.insert(settings[0].0.to_owned(), settings[0].1);
        assert_eq!(check(&genesis), Ok(()), "{nonsense}");
    }
}

#[test]
fn where_blocks_take_no_work_there_is_nothing_to_calibrate() {
    let genesis = genesis(&[]);
    assert_eq!(calibrate(&genesis, 1e6), Ok(Vec::new()));
    assert_eq!(depths(&genesis), Ok(None));
}

#[test]
fn a_genesis_is_checked_before_anybody_starts() {
    assert_eq!(check(&genesis(&[])), Ok(()));
    let unknown = check(&genesis(&[("tendermint.blocktime", 1)])).unwrap_err();
    assert!(matches!(unknown, BadModule::Settings(BadSettings::Unknown { .. })), "{unknown}");
    let mining = Genesis { consensus: Nakamoto::NAME.into(), block_time: 0, ..genesis(&[]) };
    let zero = check(&mining).unwrap_err();
    assert!(matches!(zero, BadModule::Settings(BadSettings::Zero { .. })), "{zero}");
}

#[test]
fn only_a_module_that_counts_by_stake_has_an_inactivity_leak() {
    for mode in [1, 2] {
        let settings = [("ledger.unbonding_blocks", 20), ("ledger.leak", mode)];
        assert_eq!(check(&genesis(&settings)), Ok(()));
        for module in [Nakamoto::NAME, Pbft::NAME] {
            let other = Genesis { consensus: module.into(), ..genesis(&settings) };
            let refused = check(&other).unwrap_err();
            assert_eq!(refused, BadModule::Settings(BadSettings::Leak { module }));
            assert!(refused.to_string().contains("\"ledger.leak\""), "{refused}");
            let staking = Genesis { consensus: module.into(), ..genesis(&settings[..1]) };
            let refused = check(&staking).unwrap_err();
            assert_eq!(refused, BadModule::Settings(BadSettings::Staking { module }));
        }
    }
}
