use super::*;
use crate::live::home::Place;
use simulator::Tracing;

const STORY: &str = r#"
name = "shares"
consensus = ["tendermint", "pbft", "pow"]
replicas = 5
block_time = "700ms"
stakes = [3, 1, 1, 1, 1]
settings = { "pow.confirmations" = 3, "tendermint.propose_ms" = 800 }
"#;

/// What a study group finds here it must be able to find there.
#[test]
fn the_genesis_is_that_of_the_simulator_but_for_keys_and_time() {
    let mut scenario = Scenario::parse(STORY).unwrap();
    for module in ["tendermint", "pbft"] {
        let dir = tempfile::tempdir().unwrap();
        let net = found(Place::new(dir.path()), &scenario, module).unwrap();
        scenario.settings.retain(|key, _| key.starts_with(module));
        let simulated = scenario.setup(module, 0, Tracing::Off).genesis();
        assert_eq!(net.genesis.settings, simulated.settings, "{module}");
        assert_eq!(net.genesis.block_time, simulated.block_time);
        let stakes = |genesis: &ledger::Genesis| {
            genesis.validators.iter().map(|each| each.stake).collect::<Vec<_>>()
        };
        assert_eq!(stakes(&net.genesis), stakes(&simulated));
        let balances = |genesis: &ledger::Genesis| {
            genesis.accounts.iter().map(|each| each.balance).collect::<Vec<_>>()
        };
        assert_eq!(balances(&net.genesis), balances(&simulated));
        scenario = Scenario::parse(STORY).unwrap();
    }
}

#[test]
fn candidates_have_money_and_a_node_and_no_stake() {
    let text = "name = \"join\"\nconsensus = \"tendermint\"\nreplicas = 5\ncandidates = 1\n";
    let scenario = Scenario::parse(text).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let net = found(Place::new(dir.path()), &scenario, "tendermint").unwrap();
    assert_eq!((net.founders(), net.len()), (4, 5));
    let address = net.key(4).address();
    let funded = net.genesis.accounts.iter().find(|account| account.address == address);
    assert_eq!(funded.map(|account| account.balance), Some(simulator::setup::BALANCE));
}

#[test]
fn all_miners_together_leave_something_for_the_nodes() {
    let text = "name = \"rich\"\nconsensus = \"pow\"\nhash_rates = [{ replica = 0, factor = 9 }]\n";
    let share = share(&Scenario::parse(text).unwrap());
    assert!(share * 9.0 <= 1.0 && share * 12.0 <= MINING + 1e-9, "{share}");
    assert!(share * 12.0 > MINING * 0.9, "and they use what they may: {share}");
}
