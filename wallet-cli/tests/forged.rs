//! The binary on a chain of proof-of-work, with nodes that forge what they say.

use ledger::{BlockHash, Header};
use serde_json::{Value, json};
use std::fs;
use support::{
    Pit, crooked,
    fake_node::{FakeNode, Reply},
    mined::{INTERVAL, sealed, unsealed},
    miner,
    network::poor,
    paid,
};

mod support;

/// An honest node but for what `forge` makes of its headers, from height 3 on.
fn forger(pit: &Pit, forge: fn(&mut Vec<Header>)) -> FakeNode {
    crooked(pit, move |chain, method, params| {
        let from = params["from"].as_u64().filter(|_| method == "headers")?;
        let mut answer = chain.headers(from);
        if answer.headers.last().is_some_and(|last| last.height >= 3) {
            forge(&mut answer.headers);
        }
        Some(Reply::result(json!(answer)))
    })
}

#[test]
fn forged_headers_are_refused_and_the_node_is_named() {
    type Forgery = (fn(&mut Vec<Header>), &'static str);
    let (pit, wallet, tx) = paid(4);
    let forgeries: [Forgery; 5] = [
        (
            |headers| {
                headers[2].seal.bits -= 1;
                headers[2] = sealed(headers[2].clone());
            },
            "its target is not the one that is due",
        ),
        (|headers| headers[2] = unsealed(headers[2].clone()), "does not meet its target"),
        (
            |headers| {
                headers[2].parent = BlockHash(crypto::Hash::ZERO);
                headers[2] = sealed(headers[2].clone());
            },
            "header 3 does not stand on the one before it",
        ),
        (
            |headers| {
                headers[2].time -= 2 * INTERVAL;
                headers[2] = sealed(headers[2].clone());
            },
            "the time of header 3 is not later than the median",
        ),
        (|headers| _ = headers.remove(2), "and shows others"),
    ];
    for (forge, words) in forgeries {
        let liar = forger(&pit, forge);
        for arguments in
            [["verify", &tx], ["status", &tx], ["balance", "rich"], ["history", "rich"]]
        {
            let refused = wallet.json(&[&arguments[..], &["--node", liar.url()]].concat());
            assert_eq!(refused.error(1), "not_proven", "{words}");
            assert!(refused.out.contains(words), "{words}: {refused:?}");
            assert!(refused.out.contains(&format!("asked at {}", liar.url())), "{refused:?}");
        }
        let to = poor().to_string();
        assert_eq!(
            wallet
                .json(&[
                    "send",
                    "--from",
                    "rich",
                    "--to",
                    &to,
                    "--amount",
                    "1",
                    "--node",
                    liar.url()
                ])
                .error(1),
            "not_proven"
        );
        // Beside an honest node it is left out, and said so.
        let honest = miner(&pit);
        let both = ["verify", &tx, "--node", liar.url(), "--node", honest.url()];
        let human = wallet.run(&both);
        assert_eq!(human.code, 0, "{human:?}");
        assert!(human.err.contains(&format!("{} does not agree", liar.url())), "{human:?}");
        assert!(human.err.contains(words), "{human:?}");
        fs::remove_dir_all(wallet.dir().join("headers")).expect("they were kept");
    }
    assert_eq!(
        pit.lock().expect("nobody panicked").transaction(tx.parse().unwrap()).height,
        Some(4)
    );
}

#[test]
fn a_lie_under_honest_headers_is_found_out() {
    let (pit, wallet, tx) = paid(4);
    let liar = |lie: fn(&mut Value), about: &'static str| {
        crooked(&pit, move |chain, method, params| {
            let height = chain.ledger.head_height();
            let mut answer = match method {
                "account" => {
                    let address = params["address"].as_str()?.parse().ok()?;
                    json!(chain.account(address, params["height"].as_u64().unwrap_or(height)))
                }
                "transaction" => json!(chain.transaction(params["id"].as_str()?.parse().ok()?)),
                _ => return None,
            };
            (method == about).then(|| {
                lie(&mut answer);
                Reply::result(answer)
            })
        })
    };
    let node = liar(|answer| answer["path"]["siblings"] = json!(["0".repeat(64)]), "transaction");
    let refused = wallet.json(&["verify", &tx, "--node", node.url()]);
    assert_eq!(refused.error(1), "not_proven");
    assert!(refused.out.contains("is not shown to be in the block at height 4"), "{refused:?}");
    let node = liar(|answer| answer["height"] = json!(5), "transaction");
    assert_eq!(wallet.json(&["verify", &tx, "--node", node.url()]).error(1), "not_proven");
    let node = liar(|answer| answer["account"]["balance"] = json!(1_000_000), "account");
    let refused = wallet.json(&["balance", "rich", "--node", node.url()]);
    assert_eq!(refused.error(1), "not_proven");
    // Beside an honest node nothing of it counts.
    let honest = miner(&pit);
    let both = ["balance", "rich", "--node", node.url(), "--node", honest.url()];
    let found = wallet.json(&both);
    assert_eq!((found.code, &found.json()["balance"]), (0, &json!(974)), "{found:?}");
    assert_eq!(found.json()["nodes"][0]["agrees"], false);
}
