//! Real bytes to begin with: what fuzzers and property tests change.
//!
//! They lie in `fuzz/corpus`, a folder for each fuzzer, and the program `corpus` writes them anew. The same
//! code always writes the same bytes.

use crate::{
    block::{Proposal, Wish},
    fixture::{self, Chain, Sample, account, chain, evidence, examples, ring, sign},
    peer::Turn,
    proofs::prefix,
};
use consensus::{
    Message, Signed,
    catalogue::{self, Module, NAMES, Visitor},
};
use crypto::{codec, merkle};
use ledger::{Action, Amount, Duty, Hand, ReplicaId, Transaction};
use replica::{Envelope, Packet, testimony::Stub};
use serde::Serialize;
use serde_json::{Value, json};
use simulator::Scenario;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A file: its name, and what is in it.
pub type File = (String, Vec<u8>);

/// Where it lies.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

/// What lies there for one fuzzer, by rising name.
///
/// # Errors
/// If it cannot be read.
pub fn stored(target: &str) -> io::Result<Vec<File>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(target))? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        found.push((name.unwrap_or_default(), fs::read(&path)?));
    }
    found.sort();
    Ok(found)
}

/// Where the first of the chains begins, for whoever cannot make it (`node/src/rpc/fuzzing.rs`).
pub fn genesis() -> String {
    chain(0).genesis.to_json() + "\n"
}

/// Every fuzzer's beginnings: its name, and files by name.
pub fn made() -> Vec<(&'static str, Vec<File>)> {
    vec![
        ("codec", codec_files()),
        ("transaction", transaction_files()),
        ("block", block_files()),
        ("envelope", envelope_files()),
        ("peer", peer_files()),
        ("proofs", proof_files()),
        ("scenario", scenario_files()),
        ("rpc", rpc_files()),
        ("control", control_files()),
    ]
}

/// The chains by number.
fn chains() -> impl Iterator<Item = (u8, &'static str, &'static Chain)> {
    (0..).zip(NAMES).map(|(which, name)| (which, *name, chain(which)))
}

fn prefixed(first: u8, bytes: &[u8]) -> Vec<u8> {
    [&[first], bytes].concat()
}

fn transaction_files() -> Vec<File> {
    let mut files = Vec::new();
    for (which, name, chain) in chains() {
        for (kind, transaction) in examples(chain.id()) {
            files.push((format!("{name}-{kind}"), prefixed(which, &codec::encode(&transaction))));
        }
        // Those that were really signed for this chain, which alone may verify.
        for (number, answer) in chain.transactions.iter().enumerate() {
            let bytes = codec::encode(answer.transaction.as_ref().expect("it is in the chain"));
            files.push((format!("{name}-included-{number}"), prefixed(which, &bytes)));
        }
    }
    files
}

fn block_files() -> Vec<File> {
    let mut files = Vec::new();
    for (which, name, chain) in chains() {
        for block in chain.blocks.iter().filter(|block| block.header.height <= 3) {
            let bytes = prefixed(which << 1, &codec::encode(&**block));
            files.push((format!("{name}-block-{}", block.header.height), bytes));
        }
        let bytes = prefixed(which << 1 | 1, &codec::encode(&proposals(chain)));
        files.push((format!("{name}-wishes"), bytes));
    }
    files
}

/// Blocks that people could propose.
fn proposals(chain: &Chain) -> Vec<Proposal> {
    let wish = |signer, nonce, action| Wish { signer, nonce, fee: 1, action };
    let to = account(3).public().address();
    let pay = |amount| Action::Transfer { to, amount: Amount(amount) };
    let first = vec![
        wish(4, 0, pay(7)),
        wish(4, 1, pay(999)),
        wish(0, 0, Action::Bond { amount: Amount(5), validator: ReplicaId(0) }),
        wish(5, 0, Action::Bond { amount: Amount(500), validator: ReplicaId(4) }),
        wish(1, 0, Action::Unbond { amount: Amount(3) }),
    ];
    let second = vec![
        wish(6, 0, Action::Evidence(Box::new(evidence(chain.id(), 2, 1)))),
        wish(1, 1, Action::Unbond { amount: Amount(7) }),
    ];
    let wishes = [first, second, Vec::new()];
    let duties = |height: u64| -> Vec<Duty> {
        let told = chain.blocks.iter().find(|block| block.header.height == height);
        told.map(|block| block.duties.clone()).unwrap_or_default()
    };
    (1..)
        .zip(wishes)
        .map(|(height, wishes)| Proposal {
            time: 0,
            proposer: ReplicaId(height % 4),
            wishes,
            duties: duties(height.into()),
        })
        .collect()
}

fn named(first: u8, chain: &str, samples: &[Sample]) -> Vec<File> {
    let file = |Sample { kind, number, bytes }: &Sample| {
        (format!("{chain}-{kind}-{number}"), prefixed(first, bytes))
    };
    samples.iter().map(file).collect()
}

fn envelope_files() -> Vec<File> {
    let mut files = Vec::new();
    for (which, name, chain) in chains() {
        files.extend(named(which, name, &chain.envelopes));
        files.extend(named(which | 0x10, name, &chain.batches));
        let rare = catalogue::dispatch(name, Rare(chain)).expect("it is in the catalogue");
        files.extend(named(which, name, &rare));
    }
    files
}

/// Envelopes that are seldom needed: a branch, stubs, and a message without its transactions.
struct Rare(&'static Chain);

impl Visitor for Rare {
    type Output = Vec<Sample>;

    fn visit<P: Module>(self) -> Vec<Sample> {
        let Rare(chain) = self;
        let hand = Hand::new(ReplicaId(2), chain.id(), ring::validator(2));
        let decoded = |sample: &Sample| codec::decode::<P::Message>(&sample.bytes, codec::LONGEST);
        let messages: Vec<P::Message> = chain.messages.iter().flat_map(decoded).collect();
        let stubs = messages.iter().flat_map(|one| Stub::of(&Signed::by(&hand, one.clone())));
        let branch = chain.blocks.iter().rev().take(2).cloned().collect();
        let sample = |kind: &str, bytes| Sample { kind: kind.to_owned(), number: 0, bytes };
        let whole = |packet: Packet<P::Message>| Envelope { seq: 7, packet };
        let mut samples = vec![sample("branch", whole(Packet::Branch(branch)).encode())];
        let stubs: Vec<Stub> = stubs.take(3).collect();
        if !stubs.is_empty() {
            samples.push(sample("testimony", whole(Packet::Testimony(stubs)).encode()));
        }
        let carrier = messages.into_iter().find_map(|mut message| {
            Arc::make_mut(message.block_mut()?).transactions = many(chain);
            Some(Signed::by(&hand, message))
        });
        let carrier = whole(Packet::Message(carrier.expect("every module sends blocks")));
        let young: Vec<_> = many(chain).iter().take(3).map(Transaction::id).collect();
        let compact = carrier.encode_compact(|id| young.contains(&id));
        samples.push(sample("compact", compact.expect("there are many")));
        samples
    }
}

/// So many that a message leaves them behind.
fn many(chain: &Chain) -> Vec<Transaction> {
    let to = account(1).public().address();
    let action = Action::Transfer { to, amount: Amount(1) };
    (0..120).map(|nonce| sign(chain.id(), &account(3), nonce, 1, action.clone())).collect()
}

fn peer_files() -> Vec<File> {
    let mut files = Vec::new();
    for (which, name, chain) in chains() {
        let signed: Vec<Turn> =
            chain.messages.iter().map(|sample| Turn::Signed(sample.bytes.clone())).collect();
        let heard = chain.envelopes.iter().filter(|sample| sample.bytes.len() < 2_048);
        let heard: Vec<Turn> = (0..)
            .zip(heard)
            .map(|(from, sample)| Turn::Envelope(from, sample.bytes.clone()))
            .collect();
        let batch = chain.batches.iter().map(|sample| Turn::Batch(sample.bytes.clone()));
        let batch: Vec<Turn> = batch.chain([Turn::Time(100)]).collect();
        for (kind, turns) in [("signed", signed), ("heard", heard), ("batch", batch)] {
            for (number, some) in turns.chunks(8).enumerate() {
                let turns: Vec<Turn> = some.iter().cloned().chain([Turn::Time(40)]).collect();
                let bytes = prefixed(which, &codec::encode(&turns));
                files.push((format!("{name}-{kind}-{number}"), bytes));
            }
        }
    }
    files
}

fn proof_files() -> Vec<File> {
    let mut files = Vec::new();
    for (which, name, chain) in chains() {
        let mut add = |kind: &str, bytes: Vec<u8>| {
            files.push((format!("{name}-{kind}"), prefixed(prefix(which, kind), &bytes)));
        };
        let longest = chain.blocks.iter().max_by_key(|block| block.transactions.len());
        let longest = longest.expect("there is a genesis");
        let leaves: Vec<_> =
            longest.transactions.iter().map(|each| each.id().0.to_bytes()).collect();
        let path = merkle::prove(&leaves, 1).expect("two transactions in one block");
        add("path", codec::encode(&(path, leaves[1].to_vec())));
        let held = &chain.accounts[1];
        add("account", codec::encode(&(held.address, held.account, &held.proof)));
        add("register", codec::encode(&(&chain.stake.register, &chain.stake.proof)));
        add("transaction-answer", json(&chain.transactions[0]));
        add("account-answer", json(held));
        add("stake-answer", json(&chain.stake));
        let mut all = chain.all.clone();
        all.blocks.truncate(2);
        all.finality = chain.finality.get(all.blocks.len().saturating_sub(1)).cloned();
        add("blocks-answer", json(&all));
        let headers = chain.blocks.iter().skip(1).take(3).map(|block| &block.header);
        add("headers", codec::encode(&headers.collect::<Vec<_>>()));
        if let Some(finality) = chain.finality.first() {
            add("finality", codec::encode(finality));
        }
    }
    files
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("answers are plain data")
}

/// One of each type of [`codec`](crate::codec::TYPES), where the chains have one.
fn codec_files() -> Vec<File> {
    let mut files = Vec::new();
    let chain = chain(0);
    let block = &chain.blocks[2];
    let mut add = |at: u8, name: &str, bytes: Vec<u8>| {
        files.push((name.to_owned(), prefixed(at, &bytes)));
    };
    add(0, "transaction", codec::encode(&examples(chain.id())[0].1));
    add(1, "block", codec::encode(&**block));
    add(2, "header", codec::encode(&block.header));
    add(4, "genesis", codec::encode(&chain.genesis));
    add(10, "finality", codec::encode(&chain.finality[0]));
    add(11, "account-proof", codec::encode(&chain.accounts[0].proof));
    let committee = chain.genesis.committee().expect("four founders");
    add(12, "members", codec::encode(committee.members()));
    add(13, "evidence", codec::encode(&evidence(chain.id(), 1, 3)));
    add(14, "register", codec::encode(&chain.stake.register));
    add(15, "duties", codec::encode(&block.duties));
    add(16, "commit", chain.finality[0].proof.0.clone());
    for (at, which) in [(17, 0), (18, 2), (19, 1)] {
        for sample in fixture::chain(which).messages.iter().filter(|sample| sample.number == 0) {
            add(at, &format!("message-{at}-{}", sample.kind), sample.bytes.clone());
        }
    }
    let slot = Some(ledger::Slot { height: 7, ..Default::default() });
    let mixed = (9u64, slot, "text".to_owned(), vec![vec![1u8, 2], Vec::new()], [3u8; 32], true);
    add(20, "mixed", codec::encode(&mixed));
    add(21, "transaction-answer", codec::encode(&chain.transactions[0]));
    files
}

/// The repository's scenarios, as they are written.
fn scenario_files() -> Vec<File> {
    let mut files = Vec::new();
    let root = root().join("../../scenarios");
    for folder in [root.clone(), root.join("mutants")] {
        for entry in fs::read_dir(folder).expect("there are scenarios") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let text = fs::read_to_string(&path).expect("a text");
                let scenario = Scenario::parse(&text).expect("a scenario");
                let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
                files.push((name, scenario.to_toml("").into_bytes()));
            }
        }
    }
    files
}

/// Calls, and requests that are none: see `node/src/fuzzing.rs`.
fn rpc_files() -> Vec<File> {
    let chain = chain(0);
    let digits = hex::encode(codec::encode(&examples(chain.id())[0].1));
    let zero = "00".repeat(32);
    let address = account(1).public().address().to_string();
    let calls: [(&str, Value); 16] = [
        ("status", json!({})),
        ("block", json!({ "height": 1 })),
        ("block", json!({ "hash": zero })),
        ("blocks", json!({ "from": 1 })),
        ("headers", json!({ "from": 0 })),
        ("transaction", json!({ "id": zero })),
        ("account", json!({ "address": address })),
        ("account", json!({ "address": address, "height": 1 })),
        ("submit", json!({ "transaction": digits })),
        ("submit_batch", json!({ "transactions": [digits, "00", "zz"] })),
        ("committee", json!({})),
        ("committees", json!({ "from": 1 })),
        ("stake", json!({})),
        ("conflict", json!({})),
        ("consensus", json!({})),
        ("transaction_ids", json!({ "from": 1, "wait": 0 })),
    ];
    let call = |(number, (method, params)): (usize, (&str, Value))| {
        let body = json!({ "jsonrpc": "2.0", "id": number, "method": method, "params": params });
        (format!("call-{number:02}-{method}"), prefixed(0, body.to_string().as_bytes()))
    };
    let mut files: Vec<_> = calls.into_iter().enumerate().map(call).collect();
    for (name, head) in [
        ("post", "POST\n/\nlocalhost:80\napplication/json; charset=utf-8\n{}"),
        ("metrics", "GET\n/metrics\n127.0.0.1\n\n"),
        ("health", "GET\n/health\n[::1]:8080\n\n"),
        ("stranger", "POST\nhttp://example.org/\nexample.org\ntext/plain\n[]"),
    ] {
        files.push((format!("request-{name}"), prefixed(1, head.as_bytes())));
    }
    files
}

/// Lines on a control socket.
fn control_files() -> Vec<File> {
    let lines = [
        ("cut", "{\"cut\":[1,2,3]}\n"),
        ("cut-nobody", "{\"cut\":[]}\n"),
        ("heal", "{\"heal\":true}\n"),
        ("status", "{\"status\":true}\n"),
        ("two", "{\"heal\":true,\"status\":true}\n"),
        (
            "conditions",
            "{\"conditions\":{\"seed\":7,\"links\":{\"1\":{\"lost_ppm\":1000,\"doubled_ppm\":5,\
             \"delay\":[0,100,2000],\"held\":[{\"share_ppm\":9,\"by\":[5],\"for_ms\":10}]}},\
             \"others\":{\"lost_ppm\":1},\"clock\":{\"offset_ms\":-5,\"drift_ppm\":20},\
             \"sync\":[1,2],\"miner_share\":0.5}}\n",
        ),
    ];
    lines.map(|(name, line)| (name.to_owned(), line.as_bytes().to_vec())).into()
}
