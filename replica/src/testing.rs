//! What the tests of this crate share: a committee of four with simulated keys, a message that
//! means nothing, and a puppet for a protocol.

use consensus::{Effect, Input, Message, Protocol, Signed, Trusted, Turn, Unproven};
use crypto::{Address, Hash, SecretKey};
use ledger::{
    Action, Amount, Block, BlockHash, ChainId, Committee, Genesis, Hand, Header, Keys, Payload,
    Proof, ReplicaId, Seal, Slot, Stake, Transaction, VerifiedTransaction,
    block::transaction_root,
    genesis::{Funded, Validator},
    vote::SimulatedSecret,
};
use serde::{Deserialize, Serialize};
use std::{cell::RefCell, collections::VecDeque, rc::Rc, sync::Arc};

const SECRET: SimulatedSecret = SimulatedSecret([7; 32]);

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Word {
    pub(crate) height: u64,
    pub(crate) round: u64,
    pub(crate) text: u64,
}

impl Message for Word {
    fn kind(&self) -> &'static str {
        "word"
    }

    fn kinds() -> &'static [&'static str] {
        &["word"]
    }

    fn slot(&self) -> Option<Slot> {
        Some(Slot { height: self.height, round: self.round, ..Slot::default() })
    }
}

/// A message that carries a block: in a slot, or at height zero in none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Cargo {
    pub(crate) height: u64,
    pub(crate) block: Arc<Block>,
}

impl Message for Cargo {
    fn kind(&self) -> &'static str {
        "cargo"
    }

    fn kinds() -> &'static [&'static str] {
        &["cargo"]
    }

    fn slot(&self) -> Option<Slot> {
        (self.height > 0).then(|| Slot { height: self.height, ..Slot::default() })
    }

    fn block(&self) -> Option<&Arc<Block>> {
        Some(&self.block)
    }

    fn block_mut(&mut self) -> Option<&mut Arc<Block>> {
        Some(&mut self.block)
    }
}

/// A block that nobody could execute, but whose body is the one its header names.
pub(crate) fn block(height: u64, transactions: Vec<Transaction>) -> Arc<Block> {
    let header = Header {
        parent: BlockHash::default(),
        height,
        time: 1,
        proposer: ReplicaId(0),
        transactions: transaction_root(&transactions),
        state: Hash::default(),
        committee: Hash::default(),
        participation: Hash::default(),
        leak: Hash::default(),
        seal: Seal::default(),
    };
    Arc::new(Block { header, transactions, duties: Vec::new() })
}

/// What the puppet does in one step.
pub(crate) type Pull = Box<dyn FnOnce(&mut Turn<'_, Word>)>;

/// Does whatever the test queued for its next step, and remembers what it was told.
#[derive(Clone, Default)]
pub(crate) struct Puppet {
    pub(crate) told: Rc<RefCell<Vec<Input<Word>>>>,
    pub(crate) strings: Rc<RefCell<VecDeque<Pull>>>,
}

impl Puppet {
    /// Queues what to do in the next step that has nothing queued yet.
    pub(crate) fn pull(&self, pull: impl FnOnce(&mut Turn<'_, Word>) + 'static) {
        self.strings.borrow_mut().push_back(Box::new(pull));
    }

    /// Queues one effect.
    pub(crate) fn act(&self, effect: Effect<Word>) {
        self.pull(|turn| turn.act(effect));
    }

    /// How many inputs of this kind it was told.
    pub(crate) fn count(&self, kind: impl Fn(&Input<Word>) -> bool) -> usize {
        self.told.borrow().iter().filter(|input| kind(input)).count()
    }
}

impl Protocol for Puppet {
    type Message = Word;

    fn step(&mut self, input: Input<Word>, turn: &mut Turn<'_, Word>) {
        self.told.borrow_mut().push(input);
        let pull = self.strings.borrow_mut().pop_front();
        if let Some(pull) = pull {
            pull(turn);
        }
    }

    /// Believes a proof that says "final", and nothing else.
    fn verify(_headers: &[Header], proof: &Proof, _trusted: Trusted<'_>) -> Result<(), Unproven> {
        match proof == &believed() {
            true => Ok(()),
            false => Err(Unproven::Malformed("it does not say final".into())),
        }
    }
}

/// The only proof that a puppet believes.
pub(crate) fn believed() -> Proof {
    Proof(b"final".to_vec())
}

fn key(who: u32) -> SecretKey {
    SecretKey::from_seed([who as u8 + 1; 32])
}

/// The account that belongs to validator `who`'s key, with a thousand coins.
pub(crate) fn address(who: u32) -> Address {
    key(who).public().address()
}

pub(crate) fn genesis() -> Genesis {
    let validators = (0..4).map(|who| Validator { key: key(who).public(), stake: Stake(1) });
    let accounts = (0..4).map(|who| Funded { address: address(who), balance: Amount(1_000) });
    Genesis {
        name: "puppets".into(),
        time: 0,
        consensus: "puppet".into(),
        block_time: 1_000,
        settings: Default::default(),
        validators: validators.collect(),
        accounts: accounts.collect(),
    }
}

/// The same, where stake can be lost, and somebody else has money, too.
pub(crate) fn staking_genesis() -> Genesis {
    let settings = [("ledger.unbonding_blocks", 20), ("ledger.evidence_blocks", 10)];
    let settings = settings.map(|(name, value)| (name.to_string(), value));
    let mut genesis = Genesis { settings: settings.into(), ..genesis() };
    genesis.accounts.push(Funded { address: address(4), balance: Amount(1_000) });
    genesis
}

/// The hand of a validator there, which reports from its own account.
pub(crate) fn staking_hand(who: u32) -> Hand {
    let chain = staking_genesis().chain_id();
    Hand::simulated(ReplicaId(who), chain, SECRET).with_account(key(who))
}

/// What checks votes there, also of some who have no seat.
pub(crate) fn staking_keys() -> Keys {
    Keys::simulated(staking_genesis().chain_id(), SECRET, 12)
}

pub(crate) fn chain() -> ChainId {
    genesis().chain_id()
}

pub(crate) fn transfer(from: u32, nonce: u64, amount: u64) -> VerifiedTransaction {
    let action = Action::Transfer { to: address(3), amount: Amount(amount) };
    let sender = key(from).public();
    let payload = Payload { chain: chain(), sender, nonce, fee: Amount(1), action };
    payload.sign(&key(from)).verify(chain()).expect("it is signed by its sender")
}

pub(crate) fn hand(who: u32) -> Hand {
    Hand::simulated(ReplicaId(who), chain(), SECRET)
}

pub(crate) fn say<M: Message>(hand: &Hand, message: M) -> Signed<M> {
    Signed::by(hand, message)
}

pub(crate) fn keys() -> Keys {
    Keys::simulated(chain(), SECRET, 4)
}

pub(crate) fn committee() -> Committee {
    genesis().committee().expect("four members with stake")
}
