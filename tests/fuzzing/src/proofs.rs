//! What a wallet believes: what it takes for proven is so on the real chain.
//!
//! The first byte chooses a chain, and its upper half what the rest is. Nobody here can sign for the
//! validators or find two leaves with one hash, so a proof of anything else breaks a rule.

use crate::fixture::{Chain, chain};
use consensus::catalogue;
use crypto::{Address, codec, merkle::Path};
use ledger::{
    Block, Header, Register,
    query::{
        AccountAnswer, BlocksAnswer, ChangeAnswer, Finality, StakeAnswer, TransactionAnswer,
        TransactionStatus,
    },
    state::{Account, AccountProof},
};
use wallet_cli::{
    headers::HeaderChain,
    verify::{
        blocks::{FinalBlock, verify_blocks},
        certify,
        inclusion::verify_inclusion,
        stake::verify_stake,
        verify, verify_account,
    },
};

/// Holds bytes against a chain.
pub type Kind = fn(&Chain, &[u8]);

/// What there is to check, in the order of the upper half of the first byte.
pub const KINDS: [(&str, Kind); 10] = [
    ("path", path),
    ("account", account),
    ("register", register),
    ("transaction-answer", transaction),
    ("account-answer", holding),
    ("stake-answer", stake),
    ("blocks-answer", blocks),
    ("finality", finality),
    ("headers", headers),
    ("changes", changes),
];

/// The first byte for a chain and a kind.
pub fn prefix(which: u8, kind: &str) -> u8 {
    let at = KINDS.iter().position(|(name, _)| *name == kind).expect("a kind there is");
    which | (at as u8) << 4
}

/// See the module's documentation.
pub fn check(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let (_, kind) = KINDS[usize::from(which >> 4) % KINDS.len()];
    kind(chain(which & 0x0f), bytes);
}

fn answer<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

fn decoded<T: serde::Serialize + serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    codec::decode(bytes, codec::LONGEST).ok()
}

/// The longest block there is.
fn longest(chain: &Chain) -> &Block {
    let block = chain.blocks.iter().max_by_key(|block| block.transactions.len());
    block.expect("there is a genesis")
}

fn path(chain: &Chain, bytes: &[u8]) {
    let Some((path, leaf)) = decoded::<(Path, Vec<u8>)>(bytes) else { return };
    let block = longest(chain);
    if path.verify(&leaf, block.header.transactions).is_ok() {
        let names: Vec<_> = block.transactions.iter().map(|each| each.id().0).collect();
        let place = names.iter().position(|name| name.as_bytes()[..] == leaf[..]);
        let place = place.expect("a leaf that is none is proven");
        if path.count == names.len() as u64 {
            assert_eq!(path.index, place as u64, "a leaf is proven to be where it is not");
        }
    }
}

fn account(chain: &Chain, bytes: &[u8]) {
    let Some((address, account, proof)) = decoded::<(Address, Account, AccountProof)>(bytes) else {
        return;
    };
    let root = chain.blocks.last().expect("there is a genesis").header.state;
    if proof.verify(root, address, &account).is_ok() {
        holds(chain, address, &account);
    }
}

/// What somebody is proven to hold at the end of the chain.
fn holds(chain: &Chain, address: Address, account: &Account) {
    match chain.holding(address) {
        Some(real) => assert_eq!(real.account, *account, "{address} holds something else"),
        // Validators and their like are not asked about; strangers have nothing.
        None => {
            let known = chain.genesis.validators.iter().any(|each| each.key.address() == address);
            assert!(known || *account == Account::default(), "a stranger has {account:?}");
        }
    }
}

fn register(chain: &Chain, bytes: &[u8]) {
    let Some((register, proof)) = decoded::<(Register, AccountProof)>(bytes) else { return };
    let root = chain.blocks.last().expect("there is a genesis").header.state;
    if proof.verify_register(root, &register).is_ok() {
        assert_eq!(register, chain.stake.register, "another register is proven");
    }
}

fn transaction(chain: &Chain, bytes: &[u8]) {
    let Some(answer) = answer::<TransactionAnswer>(bytes) else { return };
    if let Ok(verified) = verify(&chain.committees, answer.id, &answer) {
        assert_eq!(answer.status, TransactionStatus::Final);
        let header = verified.certified().header();
        is_real(chain, header);
        is_in(chain, header.height, &answer, verified.place());
    }
    let Some(header) = answer.height.and_then(|height| chain.header(height)) else { return };
    if let Ok(included) = verify_inclusion(&chain.genesis, answer.id, &answer, header) {
        is_in(chain, header.height, &answer, included.place());
    }
}

fn is_in(chain: &Chain, height: u64, answer: &TransactionAnswer, place: (u64, u64)) {
    let transactions = &chain.blocks[usize::try_from(height).expect("it is real")].transactions;
    let real = transactions.iter().position(|each| each.id() == answer.id);
    let real = real.expect("a transaction that is not there is proven") as u64;
    let (index, count) = place;
    assert!(count != transactions.len() as u64 || index == real, "it is proven to be elsewhere");
    assert_eq!(answer.transaction.as_ref(), transactions.get(real as usize));
}

fn is_real(chain: &Chain, header: &Header) {
    assert_eq!(chain.header(header.height), Some(header), "a header that is not the chain's");
}

fn is_real_spot(chain: &Chain, block: FinalBlock) {
    let header = chain.header(block.height()).expect("a block beyond the chain is final");
    assert_eq!(header.hash(), block.hash(), "another block is final");
}

fn holding(chain: &Chain, bytes: &[u8]) {
    let Some(answer) = answer::<AccountAnswer>(bytes) else { return };
    if let Ok(verified) = verify_account(&chain.committees, answer.address, &answer) {
        is_real_spot(chain, verified.block());
        if verified.block().height() + 1 == chain.blocks.len() as u64 {
            holds(chain, verified.address(), verified.account());
        }
    }
}

fn stake(chain: &Chain, bytes: &[u8]) {
    let Some(answer) = answer::<StakeAnswer>(bytes) else { return };
    if let Ok(verified) = verify_stake(&chain.committees, &answer) {
        is_real_spot(chain, verified.block());
        if verified.block().height() == chain.stake.height {
            assert_eq!(verified.register(), &chain.stake.register);
            assert_eq!(verified.supply(), chain.stake.supply);
        }
    }
}

fn blocks(chain: &Chain, bytes: &[u8]) {
    let Some(answer) = answer::<BlocksAnswer>(bytes) else { return };
    let known = FinalBlock::genesis(&chain.genesis);
    if let Ok(verified) = verify_blocks(&chain.committees, known, &answer) {
        for block in verified.blocks() {
            let real = chain.blocks.get(usize::try_from(block.header.height).expect("a height"));
            assert_eq!(real.map(|real| &**real), Some(block), "another block is proven");
        }
    }
}

fn finality(chain: &Chain, bytes: &[u8]) {
    let Some(finality) = decoded::<Finality>(bytes) else { return };
    if let Ok(certified) = certify(&chain.committees, &finality) {
        is_real(chain, certified.header());
        finality.headers.iter().for_each(|header| is_real(chain, header));
    }
}

/// Headers by work: whoever does the work may add some, so they need not be the chain's. What is taken in
/// weighs something, and is what a second look finds, too.
fn headers(chain: &Chain, bytes: &[u8]) {
    let Some(headers) = decoded::<Vec<Header>>(bytes) else { return };
    let before = [chain.blocks[0].header.clone()];
    let weighed = catalogue::weigh(&chain.genesis, &before, &headers);
    let Ok(Some(depths)) = catalogue::depths(&chain.genesis) else {
        assert!(weighed.is_err(), "blocks without work weigh something");
        return;
    };
    let mut known = HeaderChain::new(&chain.genesis, depths);
    let nothing = known.work();
    if known.extend(&headers, u64::MAX).is_ok() {
        assert_eq!(known.height(), headers.len() as u64);
        assert_eq!(known.work() > nothing, !headers.is_empty(), "work is what headers weigh");
        // Nothing weighs nothing, which is no weight.
        assert_eq!(weighed.is_ok(), !headers.is_empty(), "{weighed:?}");
    } else {
        assert_eq!((known.height(), known.work()), (0, nothing), "all of them or none");
    }
}

fn changes(chain: &Chain, bytes: &[u8]) {
    let Some(changes) = answer::<Vec<ChangeAnswer>>(bytes) else { return };
    let mut committees = chain.committees.clone();
    // What is refused leaves those before it; what holds was announced on the real chain.
    let _ = committees.extend(changes.clone());
    for change in changes.iter().take(committees.changes()) {
        let [header] = &change.finality.headers[..] else { panic!("one header announces it") };
        is_real(chain, header);
    }
}
