//! An inactivity leak among real processes.

mod support;

use ledger::query::{BlockAnswer, CommitteeAnswer, WeightsAnswer};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
};
use support::{PATIENCE, Up, finish, testnet, text, until};
use wallet_cli::client::Client;

/// A node, asked as any wallet would.
fn client(up: &Up, id: usize) -> Client {
    let url = up.ready["nodes"][id]["rpc"].as_str().unwrap();
    Client::new(vec![url.parse().unwrap()])
}

/// What a node shows to Prometheus.
fn metrics(up: &Up, id: usize) -> String {
    let url = up.ready["nodes"][id]["rpc"].as_str().unwrap();
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

/// The value of a metric with a label; none if there is no such line.
fn metric(page: &str, name: &str) -> Option<u64> {
    page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

fn heights(status: &Value) -> Vec<Option<u64>> {
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["height"].as_u64()).collect()
}

/// Millionths of each bond that count, by what the nodes tell `up`.
fn lefts(status: &Value) -> Vec<u64> {
    let members = status["finality"]["weights"]["members"].as_array();
    members.into_iter().flatten().map(|member| member["left"].as_u64().unwrap()).collect()
}

/// A report of the wallet's, proven from the genesis.
fn wallet(up: &Up, words: &[&str]) -> Value {
    let dir = up.dir().join("wallet");
    let node = up.ready["nodes"][0]["rpc"].as_str().unwrap();
    let place = ["--json", "--node", node, "--dir", dir.to_str().unwrap()];
    let output = up.run(&[&["wallet"], words, &place].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Each validator's account and what it has at stake.
fn stakes(up: &Up) -> Vec<(String, u64)> {
    let report = wallet(up, &["stake"]);
    let validators = report["validators"].as_array().unwrap();
    let each = validators.iter().map(|each| {
        (each["address"].as_str().unwrap().to_owned(), each["stake"].as_u64().unwrap())
    });
    each.collect()
}

/// What an account holds after which block.
fn balance(up: &Up, address: &str) -> (u64, u64) {
    let answer = client(up, 0).account(address.parse().unwrap()).unwrap();
    (answer.account.balance.0, answer.height)
}

/// What counts of the bonds of nodes 3 and 4 while nobody can decide, as node 0 tells again and again
/// until the height is final at which they have faded: by RPC, and as metrics.
fn watch_weights_fade(up: &Up) -> (Vec<WeightsAnswer>, Vec<u64>) {
    let node = client(up, 0);
    let (mut told, mut shown) = (Vec::<WeightsAnswer>::new(), Vec::new());
    until("something is final again", || {
        let answer: CommitteeAnswer = node.call("committee", json!({})).unwrap();
        let has_faded = |weights: &WeightsAnswer| weights.members[4].left < 1_000_000;
        let is_final = |weights: &WeightsAnswer| weights.height <= answer.height;
        if told.iter().any(has_faded) && told.iter().all(is_final) {
            return true;
        }
        if let Some(recovery) = answer.recovery {
            assert!(recovery.recovering && recovery.height == answer.height + 1);
            let whole = |seat: usize| answer.members[seat].share.left == 1_000_000;
            assert!((0..5).all(whole), "the chain knows nothing of it yet");
            // Nobody has faded where a height only took long.
            told.retain(|earlier| earlier.height == recovery.height);
            told.push(recovery);
            let page = metrics(up, 0);
            // A replica that takes too long to answer has no figures on the page.
            if page.contains("byzantium_height ") {
                shown.extend(metric(&page, "byzantium_weight_permille{validator=\"4\"}"));
                assert!(page.contains("byzantium_inactivity_score{validator=\"4\"}"), "{page}");
            }
        }
        false
    });
    (told, shown)
}

/// A leak fast enough for a test.
const FLAGS: &[&str] = &[
    "--replicas",
    "5",
    "--block-time",
    "250ms",
    "--set",
    "ledger.reward=7",
    "--set",
    "tendermint.leak_growth_ms=10",
    "--leak",
    "recovery",
    "--leak-quotient",
    "16",
    "--leak-grace",
    "2700ms",
    "--leak-epoch",
    "900ms",
];

#[test]
fn two_of_five_die_their_votes_fade_the_others_go_on_and_they_come_back_and_count() {
    let mut up = Up::start(FLAGS);
    let leak = &up.ready["leak"];
    assert_eq!((&leak["mode"], &leak["grace_rounds"]), (&"recovery".into(), &3.into()));
    assert_eq!((&leak["quotient"], &leak["tolerated_nodes"]), (&16.into(), &0.into()));
    up.event_where("status", |status| heights(status).iter().all(|height| *height >= Some(3)));

    let before = stakes(&up);
    let had: Vec<_> = before[3..].iter().map(|(address, _)| balance(&up, address)).collect();
    assert_eq!(up.run(&["kill", "3"]).status.code(), Some(0));
    assert_eq!(up.run(&["kill", "4"]).status.code(), Some(0));

    let (told, shown) = watch_weights_fade(&up);
    let halted_at = told[0].height - 1;
    let left = |weights: &WeightsAnswer, seat: usize| weights.members[seat].left;
    assert!(
        told.iter().any(|weights| left(weights, 3) < 1_000_000 && left(weights, 4) < 1_000_000)
    );
    assert!(told.iter().all(|weights| (0..3).all(|seat| left(weights, seat) == 1_000_000)));
    assert!(told.is_sorted_by_key(|weights| weights.round), "rounds go on");
    assert!(shown.iter().any(|permille| *permille < 1_000), "{shown:?}");
    let resumed = up.event_where("resumed", |event| event["height"].as_u64() > Some(halted_at));
    println!("final again after {} ms", resumed["after_ms"]);

    // Three rounds of grace, and three misses until three of five are two thirds of what counts.
    let decided = halted_at + 1..=resumed["height"].as_u64().unwrap();
    let blocks = decided.map(|height| client(&up, 0).block(height).unwrap().unwrap().block);
    let rows = |duty: &ledger::Duty| match duty {
        ledger::Duty::Leak { round, table } => Some((*round, table.rows().len())),
        ledger::Duty::Participation { .. } => None,
    };
    let (round, rows) = blocks.flat_map(|block| block.duties).find_map(|duty| rows(&duty)).unwrap();
    assert!(round >= 6 && rows >= 3, "round {round}, {rows} rows");

    let status = up.event_where("status", |status| heights(status)[0] > Some(halted_at + 8));
    assert_eq!(heights(&status)[3..], [None; 2]);
    assert!(lefts(&status)[3..].iter().all(|left| *left < 750_000), "{status}");
    assert!(lefts(&status)[..3].iter().all(|left| *left == 1_000_000), "{status}");
    let shown = text(&up.run(&["status"]));
    assert!(shown.contains("final · weights 100 100 100 "), "{shown}");
    let proven = wallet(&up, &["stake"]);
    assert!(proven["validators"][4]["left"].as_u64() < Some(750_000), "{proven}");
    assert_eq!(stakes(&up), before, "no stake is lost");
    let supply = proven["height"].as_u64().unwrap() * 7 + 4 * 1_000_000 + 5 * 1_000;
    assert_eq!(proven["supply"], supply);

    assert_eq!(up.run(&["start", "3"]).status.code(), Some(0));
    assert_eq!(up.run(&["start", "4"]).status.code(), Some(0));
    let goal = heights(&status)[0];
    up.event_where("status", |status| heights(status)[3..].iter().all(|height| *height > goal));
    expect_nothing_earned(&up, &before, &had);
    up.event_where("status", |status| lefts(status) == [1_000_000; 5]);
    expect_one_chain(&up);
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();
}

/// What the two have now they had before they died, or earned as proposers since: nothing makes up
/// for blocks that others proposed.
fn expect_nothing_earned(up: &Up, before: &[(String, u64)], had: &[(u64, u64)]) {
    for ((address, _), (id, (earned, height))) in before[3..].iter().zip((3..).zip(had)) {
        let (now, newest) = balance(up, address);
        let blocks = (height + 1..=newest)
            .map(|height| client(up, 0).block(height).unwrap().unwrap().block.header);
        let proposed = blocks.filter(|header| header.proposer.0 == id).count() as u64;
        assert_eq!(now, earned + 7 * proposed, "node {id}");
    }
}

/// Every node has the same block, and so the same state, at a height that all have reached.
fn expect_one_chain(up: &Up) {
    let newest = (0..5).map(|id| client(up, id).status().unwrap().height).min().unwrap();
    let at = |id| -> BlockAnswer { client(up, id).block(newest).unwrap().unwrap() };
    let first = at(0);
    for id in 1..5 {
        let other = at(id);
        assert_eq!(other.block.header.state, first.block.header.state, "node {id}");
        assert_eq!(other.hash, first.hash, "node {id}");
    }
}

#[test]
fn what_no_chain_can_have_is_refused_with_the_remedy() {
    let temp = tempfile::tempdir().unwrap();
    for (flags, words) in [
        (&["--consensus", "pow", "--leak", "recovery"][..], "pow has no inactivity leak"),
        (&["--consensus", "pbft", "--leak-unbounded"], "choose --consensus tendermint"),
        (&["--consensus", "pbft", "--set", "ledger.leak=1"], "pbft has no inactivity leak"),
        (&["--leak-epoch", "1s"], "add --leak recovery"),
        (&["--leak", "none", "--leak-quotient", "64"], "leave one of both out"),
        (&["--leak", "recovery", "--leak-tolerates", "0.4"], "below a third"),
        (&["--leak", "sometimes"], "on-chain"),
        (&["--leak", "recovery", "--leak-quotient", "0"], "1..="),
    ] {
        let refused = finish(testnet(temp.path(), &["up", "--for", "0s"]).args(flags));
        assert_eq!(refused.status.code(), Some(2), "{flags:?}: {}", text(&refused));
        assert!(text(&refused).contains(words), "{flags:?}: {}", text(&refused));
    }
    let crash =
        finish(&mut testnet(temp.path(), &["crash", "--consensus", "pow", "--leak", "on-chain"]));
    assert_eq!(crash.status.code(), Some(2), "{}", text(&crash));
}

#[test]
fn who_takes_away_the_floor_is_told_what_it_costs() {
    let temp = tempfile::tempdir().unwrap();
    let flags = ["up", "--replicas", "1", "--for", "0s", "--leak", "recovery", "--leak-unbounded"];
    let told = text(&finish(&mut testnet(temp.path(), &flags)));
    assert!(told.contains("UNSAFE") && told.contains("may end in two chains"), "{told}");
    let mut up = Up::start(&["--replicas", "1", "--for", "1s", "--leak-tolerates", "0.2"]);
    assert_eq!(up.ready["leak"]["mode"], "on-chain");
    assert_eq!(up.ready["leak"]["tolerates_permille"], 200);
    assert!(up.ready["leak"]["safe_partition_ms"].is_null());
    assert_eq!(up.wait().code(), Some(0));
}
