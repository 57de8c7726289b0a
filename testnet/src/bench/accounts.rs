//! Accounts that send, and the transfers they sign.

use crypto::{Address, PublicKey, SecretKey, codec};
use ledger::{Action, Amount, ChainId, Payload, TransactionId, genesis::Funded};

#[cfg(test)]
mod tests;

/// What each has at the beginning: more than it can spend at any rate in a year.
pub const BALANCE: Amount = Amount(1_000_000_000_000);

/// What each transfer moves.
const AMOUNT: Amount = Amount(1);

/// What each transfer pays to the proposer.
const FEE: Amount = Amount(1);

/// Fresh accounts, all of which are to be funded.
pub fn generate(count: u32) -> Vec<SecretKey> {
    (0..count).map(|_| SecretKey::generate()).collect()
}

/// How a genesis funds them.
pub fn funded(keys: &[SecretKey]) -> Vec<Funded> {
    let fund = |key: &SecretKey| Funded { address: key.public().address(), balance: BALANCE };
    keys.iter().map(fund).collect()
}

/// A signed transfer, ready to be handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Its name.
    pub id: TransactionId,
    /// Its canonical encoding, in hexadecimal.
    pub digits: String,
}

/// Some accounts of one sender, who uses them in turn. Nobody else may, or nonces would collide.
#[derive(Debug)]
pub struct Purse {
    chain: ChainId,
    accounts: Vec<Account>,
    /// Whose turn it is.
    next: usize,
}

#[derive(Debug)]
struct Account {
    key: SecretKey,
    public: PublicKey,
    nonce: u64,
    /// Whom it pays.
    to: Address,
}

/// Deals `keys` out to `lanes` purses. Each account pays the next one.
///
/// # Panics
///
/// If there are fewer keys than purses.
pub fn deal(keys: &[SecretKey], lanes: u32, chain: ChainId) -> Vec<Purse> {
    let lanes = lanes as usize;
    assert!(keys.len() >= lanes, "every purse needs an account");
    let account = |index: usize| {
        let (key, to) = (keys[index].clone(), &keys[(index + 1) % keys.len()]);
        Account { public: key.public(), key, nonce: 0, to: to.public().address() }
    };
    let purse = |lane| {
        let accounts = (lane..keys.len()).step_by(lanes).map(account).collect();
        Purse { chain, accounts, next: 0 }
    };
    (0..lanes).map(purse).collect()
}

impl Purse {
    /// Signs the next transfer.
    pub fn sign(&mut self) -> Transfer {
        let turn = self.next;
        self.next = (turn + 1) % self.accounts.len();
        let account = &mut self.accounts[turn];
        let payload = Payload {
            chain: self.chain,
            sender: account.public,
            nonce: account.nonce,
            fee: FEE,
            action: Action::Transfer { to: account.to, amount: AMOUNT },
        };
        account.nonce += 1;
        let transaction = payload.sign(&account.key);
        let digits = hex::encode(codec::encode(&transaction));
        Transfer { id: transaction.id(), digits }
    }
}
