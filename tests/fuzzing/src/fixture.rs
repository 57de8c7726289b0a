//! Real chains, one of each module, made by real replicas: what bytes are held against.

pub mod ring;

use consensus::catalogue::{self, Module, Visitor};
use crypto::{Address, SecretKey};
use ledger::{
    Action, Amount, Block, ChainId, Genesis, Hand, Header, Keys, Ledger, Payload, ReplicaId, Slot,
    Stake, Transaction, TransactionId,
    genesis::{Funded, Validator},
    query::{AccountAnswer, BlocksAnswer, Finality, StakeAnswer, TransactionAnswer},
    store::Pair,
    vote::Evidence,
};
use replica::{Answer, Query};
use ring::{Ring, SEATS};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};
use wallet_cli::committees::Committees;

/// Where the chains end.
const HEIGHT: u64 = 8;

/// How many accounts own something from the start.
const ACCOUNTS: u8 = 4;

/// Some real bytes.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What they are.
    pub kind: String,
    /// Which of that kind.
    pub number: usize,
    /// As they travel.
    pub bytes: Vec<u8>,
}

/// One chain, and what an honest node says of it.
pub struct Chain {
    /// Where it begins.
    pub genesis: Genesis,
    /// What checks its votes.
    pub keys: Keys,
    /// What a wallet trusts.
    pub committees: Committees,
    /// By height.
    pub blocks: Vec<Arc<Block>>,
    /// Why each of them is final, but for the genesis.
    pub finality: Vec<Finality>,
    /// About each transaction that is in it.
    pub transactions: Vec<TransactionAnswer>,
    /// About everybody who owns something, and somebody who owns nothing.
    pub accounts: Vec<AccountAnswer>,
    /// About all stake.
    pub stake: StakeAnswer,
    /// About all its blocks.
    pub all: BlocksAnswer,
    /// All that anybody ever signed to be executed.
    pub signed: BTreeSet<TransactionId>,
    /// What replicas said to each other.
    pub envelopes: Vec<Sample>,
    /// The same without envelopes and signatures.
    pub messages: Vec<Sample>,
    /// Gossiped transactions.
    pub batches: Vec<Sample>,
    /// The disk of seat 0 when it had committed one block.
    pub young: Vec<Pair>,
}

/// The chain of the module that a byte names, whatever it is.
pub fn chain(which: u8) -> &'static Chain {
    static CHAINS: [LazyLock<Chain>; 3] = [
        LazyLock::new(|| make(catalogue::NAMES[0])),
        LazyLock::new(|| make(catalogue::NAMES[1])),
        LazyLock::new(|| make(catalogue::NAMES[2])),
    ];
    &CHAINS[usize::from(which) % CHAINS.len()]
}

/// The key of an account that owns something.
pub fn account(number: u8) -> SecretKey {
    SecretKey::from_seed([100 + number; 32])
}

/// Everybody who could sign a transaction: the accounts, the validators, and somebody new.
pub fn signer(number: u8) -> SecretKey {
    match number % (ACCOUNTS + SEATS as u8 + 1) {
        seat if seat < SEATS as u8 => ring::validator(seat),
        other => account(other - SEATS as u8),
    }
}

/// A transaction of theirs.
pub fn sign(chain: ChainId, key: &SecretKey, nonce: u64, fee: u64, action: Action) -> Transaction {
    Payload { chain, sender: key.public(), nonce, fee: Amount(fee), action }.sign(key)
}

/// Where a chain of this module begins.
pub fn genesis(module: &str) -> Genesis {
    let customs = catalogue::customs(module).expect("it is in the catalogue");
    let mut settings: BTreeMap<String, u64> =
        customs.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
    let rules: &[(&str, u64)] = match module {
        // Blocks that tell who took part.
        "tendermint" => {
            &[("ledger.leak", 1), ("ledger.unbonding_blocks", 4), ("ledger.evidence_blocks", 2)]
        }
        // Final soon.
        "pow" => &[("pow.confirmations", 2), ("pow.irreversible", 4)],
        _ => &[],
    };
    settings.extend(rules.iter().map(|(key, value)| ((*key).to_owned(), *value)));
    let seats = 0..SEATS as u8;
    let funded = (0..ACCOUNTS).map(account).chain(seats.clone().map(ring::validator));
    let genesis = Genesis {
        name: format!("fuzzed {module}"),
        time: 1_700_000_000_000,
        consensus: module.to_owned(),
        block_time: 1_000,
        settings,
        validators: seats
            .map(|seat| Validator { key: ring::validator(seat).public(), stake: Stake(10) })
            .collect(),
        accounts: funded
            .map(|key| Funded { address: key.public().address(), balance: Amount(1_000) })
            .collect(),
    };
    genesis.check().unwrap_or_else(|error| panic!("{module}: {error}"));
    catalogue::check(&genesis).unwrap_or_else(|error| panic!("{module}: {error}"));
    genesis
}

fn make(module: &'static str) -> Chain {
    struct Make(&'static str);

    impl Visitor for Make {
        type Output = Chain;

        fn visit<P: Module>(self) -> Chain {
            live::<P>(genesis(self.0))
        }
    }

    catalogue::dispatch(module, Make(module)).expect("it is in the catalogue")
}

/// A chain that had transactions, a replica that was away, and a peaceful end.
fn live<P: Module>(genesis: Genesis) -> Chain {
    let mut ring = Ring::<P>::new(genesis);
    let id = ring.genesis.chain_id();
    let wanted = wishes(&ring.genesis);
    for transaction in &wanted {
        ring.submit(transaction.clone().verify(id).expect("it was signed for this chain"));
    }
    ring.reach(0, 1);
    let young = ring.disk(0);
    // Who leads at first is away for a while, so that something has to be done about it. A miner would find a
    // chain of its own, and believe in it.
    if P::proofs_settle() {
        ring.mute(Some(0));
        ring.reach(1, HEIGHT / 2);
        ring.mute(None);
    }
    ring.reach(0, HEIGHT);
    let mut transactions = Vec::new();
    for transaction in &wanted {
        let Answer::Transaction(answer) = ring.ask(Query::Transaction(transaction.id())) else {
            panic!("another answer")
        };
        transactions.push(*answer);
    }
    let mut accounts = Vec::new();
    for number in 0..=ACCOUNTS {
        let address = account(number).public().address();
        let Answer::Account(answer) = ring.ask(Query::Account(address)) else {
            panic!("another answer")
        };
        accounts.push(*answer);
    }
    let Answer::Blocks(all) = ring.ask(Query::Blocks(1)) else { panic!("another answer") };
    tell(ring, young, wanted, (transactions, accounts, *all))
}

fn tell<P: Module>(
    ring: Ring<P>,
    young: Vec<Pair>,
    wanted: Vec<Transaction>,
    (transactions, accounts, all): (Vec<TransactionAnswer>, Vec<AccountAnswer>, BlocksAnswer),
) -> Chain {
    let ledger: &Ledger = ring.first().ledger();
    let examples: Vec<_> =
        examples(ring.genesis.chain_id()).into_iter().map(|(_, example)| example).collect();
    let committed = |height| ledger.committed(height).expect("it is committed");
    Chain {
        blocks: (0..=ledger.height()).map(committed).collect(),
        finality: (1..=ledger.height()).filter_map(|height| ledger.finality(height)).collect(),
        stake: ledger.stake_answer().expect("memory does not fail"),
        committees: Committees::of(&ring.genesis).expect("four founders"),
        signed: wanted.iter().chain(&examples).map(Transaction::id).collect(),
        transactions,
        accounts,
        all,
        young,
        genesis: ring.genesis,
        keys: ring.keys,
        envelopes: ring.envelopes,
        messages: ring.messages,
        batches: ring.batches,
    }
}

/// What people want of a chain: one thing of each kind.
fn wishes(genesis: &Genesis) -> Vec<Transaction> {
    let id = genesis.chain_id();
    let to = |number: u8| account(number).public().address();
    let pay = |from: u8, nonce, number| {
        let action = Action::Transfer { to: to(number), amount: Amount(7) };
        sign(id, &account(from), nonce, 2, action)
    };
    let mut wishes = vec![pay(0, 0, 1), pay(0, 1, ACCOUNTS + 1), pay(1, 0, 2), pay(2, 0, 2)];
    if genesis.staking().is_some() {
        let bond = Action::Bond { amount: Amount(1), validator: ReplicaId(0) };
        let unbond = Action::Unbond { amount: Amount(3) };
        wishes.push(sign(id, &ring::validator(0), 0, 1, bond));
        wishes.push(sign(id, &ring::validator(1), 0, 1, unbond));
    }
    wishes
}

/// What people sign: one of each kind, for the corpus.
pub fn examples(chain: ChainId) -> Vec<(&'static str, Transaction)> {
    let to = account(1).public().address();
    let signed = |action| sign(chain, &account(0), 0, 2, action);
    let bond = Action::Bond { amount: Amount(5), validator: ReplicaId(4) };
    let evidence = Action::Evidence(Box::new(evidence(chain, 2, 1)));
    let unbond = Action::Unbond { amount: Amount(3) };
    vec![
        ("transfer", signed(Action::Transfer { to, amount: Amount(7) })),
        ("bond", signed(bond)),
        ("unbond", sign(chain, &ring::validator(1), 0, 1, unbond)),
        ("evidence", signed(evidence)),
    ]
}

/// Proof that a validator signed two values.
pub fn evidence(chain: ChainId, seat: u8, height: u64) -> Evidence {
    let hand = Hand::new(ReplicaId(seat.into()), chain, ring::validator(seat));
    let slot = Slot { height, ..Slot::default() };
    let value = |byte: u8| crypto::hash::sha256(&[byte]);
    let signed = |byte| (value(byte), hand.sign(Some(slot), value(byte)));
    Evidence::new(hand.me(), slot, signed(1), signed(2))
}

impl Chain {
    /// Its name.
    pub fn id(&self) -> ChainId {
        self.genesis.chain_id()
    }

    /// The header at a height.
    pub fn header(&self, height: u64) -> Option<&Header> {
        let at = usize::try_from(height).ok()?;
        self.blocks.get(at).map(|block| &block.header)
    }

    /// What somebody really holds at the end.
    pub fn holding(&self, address: Address) -> Option<&AccountAnswer> {
        self.accounts.iter().find(|answer| answer.address == address)
    }
}
