use super::*;
use ledger::{Amount, chain::genesis_header, genesis::Funded};

/// The checker's root against the ledger's tree, for every number of accounts from none on.
#[test]
fn the_root_is_that_of_the_jellyfish_merkle_tree() {
    for number in (0..20).chain([100, 1000]) {
        let mut genesis = crate::Setup::new("tendermint", 1, 3).genesis();
        let addresses = (0..number).map(|n: u32| crypto::SecretKey::from_seed([n as u8; 32]));
        let addresses: std::collections::BTreeSet<_> =
            addresses.map(|key| key.public().address()).collect();
        let funded = addresses.iter().zip(1..);
        let funded =
            funded.map(|(address, balance)| Funded { address: *address, balance: Amount(balance) });
        genesis.accounts = funded.collect();
        let purses = genesis.accounts.iter().map(|funded| {
            (funded.address, Purse { balance: funded.balance.0.into(), ..Purse::default() })
        });
        let mut purses: Purses = purses.collect();
        let root = |genesis: &ledger::Genesis| genesis_header(genesis).state;
        // With rules of stake the founder's account has its stake, and a leaf names the register.
        let founder = &genesis.validators[0];
        let register = ledger::Register::founding(&genesis).hash();
        let plain = purses.clone();
        purses.entry(founder.key.address()).or_default().bonded = founder.stake.0.into();
        assert_eq!(state_root(&purses, Some(register)), root(&genesis), "{number} accounts");
        genesis.settings.clear();
        assert_eq!(state_root(&plain, None), root(&genesis), "{number} accounts, no stake");
    }
}

#[test]
fn an_account_never_used_is_not_in_the_tree() {
    let address = crypto::SecretKey::from_seed([1; 32]).public().address();
    let empty = Purses::from([(address, Purse::default())]);
    assert_eq!(state_root(&empty, None), state_root(&Purses::new(), None));
}
