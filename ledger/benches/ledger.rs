//! What a block costs a replica: building it, checking and executing it, and the root of the state.
//!
//! `cargo bench -p ledger --bench ledger`; the figures are in docs/benchmarks.md. Everything is on
//! a store in memory. Signatures were checked before, as they are in a node when a block comes.

use criterion::{BatchSize, Criterion, Throughput};
use crypto::{Address, Domain, SecretKey, hash};
use ledger::{
    Action, Amount, Block, ChainId, Draft, Genesis, Ledger, Payload, ReplicaId, Seal, Stake,
    Transaction,
    genesis::{Funded, Validator},
    store::{Batch, MemoryStore},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const BALANCE: Amount = Amount(1_000_000_000);

/// How many accounts send in a block of transfers.
const SENDERS: u32 = 400;

/// How many accounts a block changes when only the size of the state matters.
const CHANGED: u32 = 150;

/// Where trees are compared: an update should cost O(changed x log accounts).
const SIZES: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];

fn main() {
    let mut criterion =
        Criterion::default().sample_size(20).measurement_time(Duration::from_secs(3));
    criterion = criterion.configure_from_args();
    blocks(&mut criterion);
    state_root(&mut criterion);
    criterion.final_summary();
}

/// A whole block of transfers, at the proposer and at everybody else.
fn blocks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("block");
    for transfers in [150, 1_000] {
        let chain = Chain::new(SENDERS, SENDERS);
        let all: Vec<_> =
            (0..transfers).map(|number| chain.pay(number % SENDERS, number / SENDERS)).collect();
        let draft = chain.draft(all);
        let ledger = chain.ledger();
        group.throughput(Throughput::Elements(transfers.into()));
        group.bench_function(format!("assemble {transfers} transfers"), |b| {
            b.iter(|| ledger.assemble(draft.clone()))
        });
        let block = ledger.assemble(draft.clone()).expect("a good draft");
        assert_eq!(block.transactions.len(), transfers as usize, "they are all in it");
        group.bench_function(format!("accept {transfers} transfers"), |b| {
            let fresh = || (chain.ledger(), Batch::default());
            let accept = |(ledger, batch): &mut (Ledger, Batch)| {
                ledger.accept(&block, batch).expect("a good block")
            };
            b.iter_batched_ref(fresh, accept, BatchSize::LargeInput)
        });
        group.bench_function(format!("accept and commit {transfers} transfers"), |b| {
            let fresh = || (chain.ledger(), Batch::default());
            let both = |(ledger, batch): &mut (Ledger, Batch)| commit(ledger, &block, batch);
            b.iter_batched_ref(fresh, both, BatchSize::LargeInput)
        });
    }
}

fn commit(ledger: &mut Ledger, block: &Arc<Block>, batch: &mut Batch) -> usize {
    let hash = ledger.accept(block, batch).expect("a good block");
    ledger.commit(hash, None, batch).expect("a known block").len()
}

/// A block that changes as many accounts, among ever more of them.
fn state_root(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("state root, {CHANGED} accounts change"));
    for accounts in SIZES {
        let chain = Chain::new(accounts, CHANGED / 2);
        // Each transfer changes its sender and a recipient of its own; no fee changes a proposer.
        let all: Vec<_> = (0..CHANGED / 2).map(|number| chain.pay(number, 0)).collect();
        let draft = chain.draft(all);
        let ledger = chain.ledger();
        group.bench_function(format!("of {accounts}"), |b| {
            b.iter(|| ledger.assemble(draft.clone()))
        });
    }
}

/// A genesis with this many accounts, and the keys of those that send.
struct Chain {
    genesis: Genesis,
    chain: ChainId,
    senders: Vec<SecretKey>,
}

impl Chain {
    fn new(accounts: u32, senders: u32) -> Chain {
        let senders: Vec<_> =
            (0..senders).map(|number| SecretKey::from_seed(seed(number))).collect();
        let sending = senders.iter().map(|key| key.public().address());
        let idle = (senders.len() as u32..accounts).map(address);
        let funded = sending.chain(idle).map(|address| Funded { address, balance: BALANCE });
        let validator = SecretKey::from_seed([0xff; 32]).public();
        let genesis = Genesis {
            name: "bench".into(),
            time: 1_000,
            consensus: "none".into(),
            block_time: 1_000,
            settings: BTreeMap::new(),
            validators: vec![Validator { key: validator, stake: Stake(1) }],
            accounts: funded.collect(),
        };
        Chain { chain: genesis.chain_id(), genesis, senders }
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(Arc::new(MemoryStore::default()), &self.genesis).expect("a fresh store")
    }

    /// Pays an account that is funded and sends nothing, or if all send, the next one.
    fn pay(&self, sender: u32, nonce: u32) -> Transaction {
        let key = &self.senders[sender as usize];
        let others = self.genesis.accounts.len() as u32 - self.senders.len() as u32;
        // Spread over the whole state, as payments are.
        let to = match others {
            0 => sender as usize + 1,
            _ => self.senders.len() + (sender * (others / SENDERS).max(1) % others) as usize,
        };
        let to = self.genesis.accounts[to % self.genesis.accounts.len()].address;
        let action = Action::Transfer { to, amount: Amount(1) };
        let (sender, nonce) = (key.public(), nonce.into());
        let payload = Payload { chain: self.chain, sender, nonce, fee: Amount::ZERO, action };
        let transaction = payload.sign(key);
        // All its clones know from now on that it is good.
        transaction.clone().verify(self.chain).expect("well signed");
        transaction
    }

    fn draft(&self, transactions: Vec<Transaction>) -> Draft {
        let (proposer, duties, seal) = (ReplicaId(0), Vec::new(), Seal::default());
        Draft { parent: self.ledger().root(), transactions, time: 2_000, proposer, duties, seal }
    }
}

fn seed(number: u32) -> [u8; 32] {
    *hash::tagged(Domain::Simulated, &number.to_le_bytes()).as_bytes()
}

/// Somebody whose key nobody needs.
fn address(number: u32) -> Address {
    let bytes = seed(number);
    Address::from_bytes(*bytes.first_chunk().expect("a hash is longer than an address"))
}
