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
        let purses = genesis
            .accounts
            .iter()
            .map(|funded| (funded.address, Purse { balance: funded.balance.0.into(), nonce: 0 }));
        let purses: Purses = purses.collect();
        assert_eq!(state_root(&purses), genesis_header(&genesis).state, "{number} accounts");
    }
}

#[test]
fn an_account_never_used_is_not_in_the_tree() {
    let address = crypto::SecretKey::from_seed([1; 32]).public().address();
    let empty = Purses::from([(address, Purse::default())]);
    assert_eq!(state_root(&empty), state_root(&Purses::new()));
}
