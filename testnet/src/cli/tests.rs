use super::*;
use crate::live::{fleet::Exit, liars::Liars, sight::NodeView};
use clap::{CommandFactory, error::ErrorKind};

fn up(args: &[&str]) -> Result<Order, clap::Error> {
    match Cli::try_parse_from([&["testnet", "up"], args].concat())?.command {
        Command::Up(up) => Ok(up.order().expect("nobody is named twice")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn what_is_left_open_is_left_to_the_net() {
    let order = up(&[]).unwrap();
    assert_eq!(order.wish, Wish::default());
    assert!(order.dir.is_none() && order.duration.is_none() && !order.demo && !order.json);
}

#[test]
fn every_flag_reaches_the_order() {
    let order = up(&[
        "--consensus",
        "tendermint",
        "--replicas",
        "7",
        "--dir",
        "my-net",
        "--block-time",
        "250ms",
        "--for",
        "2m",
        "--demo",
        "--json",
    ])
    .unwrap();
    assert_eq!(order.wish.consensus.as_deref(), Some("tendermint"));
    assert_eq!(order.wish.replicas, Some(7));
    assert_eq!(order.wish.block_time, Some(Duration::from_millis(250)));
    assert_eq!(order.dir, Some(PathBuf::from("my-net")));
    assert_eq!(order.duration, Some(Duration::from_secs(120)));
    assert!(order.demo && order.json);
}

#[test]
fn settings_and_shares_are_read_and_checked() {
    let order = up(&["--set", "pow.irreversible=20", "--set", "a=0", "--miner-share", "0.5"]);
    let wish = order.unwrap().wish;
    let settings = [("a".to_owned(), 0), ("pow.irreversible".to_owned(), 20)];
    assert_eq!(wish.settings, settings.into());
    assert_eq!(wish.miner_share, Some(0.5));
    for args in [
        ["--set", "pow.irreversible"],
        ["--set", "=20"],
        ["--set", "a=many"],
        ["--set", "a=-1"],
        ["--miner-share", "0"],
        ["--miner-share", "1.5"],
        ["--miner-share", "NaN"],
        ["--miner-share", "half"],
    ] {
        assert_eq!(up(&args).unwrap_err().kind(), ErrorKind::ValueValidation, "{args:?}");
    }
}

#[test]
fn what_makes_no_sense_is_a_usage_error_which_exits_with_two() {
    for args in [
        ["--replicas", "0"],
        ["--replicas", "17"],
        ["--replicas", "four"],
        ["--block-time", "0s"],
        ["--block-time", "5"],
        ["--for", "soon"],
    ] {
        let error = up(&args).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation, "{args:?}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn nodes_and_wallet_are_within_reach() {
    for args in
        [["testnet", "wallet", "balance", "alice"], ["testnet", "node", "run", "--dir=node-0"]]
    {
        assert!(Cli::try_parse_from(args).is_ok(), "{args:?}");
    }
}

#[test]
fn help_shows_examples_and_hides_what_only_we_call() {
    let help = Cli::command().render_help().to_string();
    assert!(help.contains("testnet up --demo") && help.contains("wallet"), "{help}");
    assert!(!help.lines().any(|line| line.trim_start().starts_with("node ")), "{help}");
}

#[test]
fn the_status_is_a_table() {
    let dead = NodeView {
        id: 0,
        up: false,
        pid: None,
        rpc: "http://127.0.0.1:1".to_owned(),
        exit: Some(Exit { code: None, signal: Some(9) }),
        lie: None,
        sight: None,
    };
    let view = NetView {
        consensus: "tendermint".to_owned(),
        chain_id: "3f8a00c1".repeat(8),
        dir: "/tmp/net".to_owned(),
        depths: None,
        partition: None,
        byzantine: Liars::default(),
        finality: None,
        nodes: vec![dead],
    };
    let expected = "tendermint, chain 3f8a00c1…, in /tmp/net\nnode 0   down (SIGKILL)";
    assert_eq!(table(&view), expected);
    let depths = Some(Depths { confirmations: 6, irreversible: 100 });
    let view = NetView { depths, partition: "0,1/2,3".parse().ok(), ..view };
    let lines =
        "\na block is counted on 6 deep, and final 100 deep\nnothing passes between 0 1 | 2 3\n";
    assert!(table(&view).contains(lines), "{}", table(&view));
    let lie = Some("silent".to_owned());
    let nodes = vec![NodeView { lie, ..view.nodes[0].clone() }];
    let byzantine = Liars([(0, "silent".to_owned())].into());
    let view = NetView { byzantine, nodes, ..view };
    let answer = Answer::Status(view.clone());
    let json = serde_json::to_string(&answer).unwrap();
    assert_eq!(serde_json::from_str::<Answer>(&json).unwrap(), answer, "{json}");
    let text = table(&view);
    assert!(text.contains("\nnode 0 lies: silent\n") && text.ends_with("node 0 * down (SIGKILL)"));
}

#[test]
fn a_partition_is_groups_of_nodes() {
    let read = |args: &[&str]| Cli::try_parse_from([&["testnet", "partition"], args].concat());
    match read(&["0,1/2,3", "--dir", "my-net", "--json"]).unwrap().command {
        Command::Partition(Partition { groups, net }) => {
            assert_eq!(groups, Groups(vec![vec![0, 1], vec![2, 3]]));
            assert!(net.json && net.dir.is_some());
        }
        other => panic!("{other:?}"),
    }
    for groups in ["0,1", "0/0", "a/b", "0//1"] {
        let error = read(&[groups]).unwrap_err();
        assert_eq!((error.kind(), error.exit_code()), (ErrorKind::ValueValidation, 2), "{groups}");
    }
}

#[test]
fn whoever_is_in_no_group_is_told_of() {
    let groups: Groups = "0,1/2".parse().unwrap();
    let text = |free: &[u32]| parted(&groups, free);
    assert_eq!(text(&[]), "Nothing passes between 0 1 | 2 until `testnet heal`.");
    assert!(text(&[3]).ends_with("\nNode 3 is in no group and reaches all."));
    assert!(text(&[3, 4]).ends_with("\nNodes 3, 4 are in no group and reach all."));
}
