use super::*;
use crate::{
    cli::{Cli, Command},
    failure::{Failure, Verdict},
};
use clap::{Parser, error::ErrorKind};

fn order(args: &[&str]) -> Result<Bench, clap::Error> {
    match Cli::try_parse_from([&["testnet", "bench"], args].concat())?.command {
        Command::Bench(order) => Ok(order),
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_flags_it_asks_for_the_most_four_nodes_carry_in_twenty_seconds() {
    let order = order(&[]).unwrap();
    assert_eq!((order.replicas, order.rate), (4, Rate::Max));
    assert_eq!((order.duration, order.drain), (Duration::from_secs(20), Duration::from_secs(30)));
    assert_eq!(order.wish(), Wish { replicas: Some(4), ..Wish::default() });
    assert_eq!((order.accounts, order.lanes(), order.window()), (400, 8, 512));
    assert!(order.dir.is_none() && !order.json && order.check().is_ok());
}

#[test]
fn every_flag_reaches_the_order() {
    let order = order(&[
        "--consensus",
        "tendermint",
        "--replicas",
        "7",
        "--duration",
        "10m",
        "--rate",
        "2000",
        "--block-time",
        "250ms",
        "--accounts",
        "1000",
        "--in-flight",
        "700",
        "--drain",
        "2m",
        "--dir",
        "kept",
        "--json",
    ])
    .unwrap();
    let wish = order.wish();
    assert_eq!(wish.consensus.as_deref(), Some("tendermint"));
    assert_eq!((wish.replicas, wish.block_time), (Some(7), Some(Duration::from_millis(250))));
    assert_eq!((order.duration, order.drain), (Duration::from_secs(600), Duration::from_secs(120)));
    assert_eq!((order.rate, order.accounts), (Rate::PerSecond(2_000), 1_000));
    assert_eq!((order.lanes(), order.window(), order.json), (14, 50, true));
    assert_eq!(order.dir, Some(PathBuf::from("kept")));
}

#[test]
fn no_load_and_no_pause_make_sense() {
    let order = order(&["--rate", "0", "--block-time", "0ms"]).unwrap();
    assert_eq!((order.rate, order.block_time), (Rate::PerSecond(0), Some(Duration::ZERO)));
    assert!(order.check().is_ok());
}

#[test]
fn what_makes_no_sense_is_a_usage_error_which_exits_with_two() {
    for args in [
        ["--replicas", "0"],
        ["--replicas", "17"],
        ["--duration", "20"],
        ["--duration", "0s"],
        ["--duration", "25h"],
        ["--rate", "-1"],
        ["--rate", "fast"],
        ["--rate", "1.5"],
        ["--rate", "1000001"],
        ["--block-time", "2h"],
        ["--accounts", "0"],
        ["--accounts", "5001"],
        ["--in-flight", "0"],
        ["--in-flight", "8193"],
        ["--drain", "soon"],
    ] {
        let error = order(&args).unwrap_err();
        let by_value = [ErrorKind::ValueValidation, ErrorKind::UnknownArgument];
        assert!(by_value.contains(&error.kind()), "{args:?}: {error}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn what_does_not_go_together_is_refused_before_anything_is_made() {
    for (args, words) in [
        (&["--consensus", "paxos"][..], "there is no consensus module called \"paxos\""),
        (&["--accounts", "3"], "--accounts 3 is less than --replicas 4"),
        (&["--in-flight", "3"], "--in-flight 3 is less than --replicas 4"),
    ] {
        let error = order(args).unwrap().check().unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(Failure::from(error).verdict(), Verdict::BadInput);
    }
}

#[test]
fn few_accounts_make_a_small_window_because_nonces_must_not_run_away() {
    let order = order(&["--accounts", "4", "--replicas", "1", "--in-flight", "8192"]).unwrap();
    assert_eq!((order.lanes(), order.window()), (4, MOST_OF_ONE_ACCOUNT as usize));
}

#[test]
fn every_node_has_as_many_lanes_and_every_lane_an_account() {
    for (replicas, accounts, lanes) in
        [("1", "400", 8), ("2", "400", 8), ("4", "400", 8), ("7", "400", 14), ("4", "5", 4)]
    {
        let order = order(&["--replicas", replicas, "--accounts", accounts]).unwrap();
        assert_eq!(order.lanes(), lanes, "{replicas} nodes, {accounts} accounts");
    }
    let order = order(&["--in-flight", "5"]).unwrap();
    assert_eq!((order.lanes(), order.window()), (4, 1), "never more under way than was asked for");
}

#[test]
fn each_end_has_its_exit_code() {
    let trouble = book::Trouble::Refused { reason: "balance".into(), message: "poor".into() };
    for (error, verdict) in [
        (BenchError::Interrupted, Verdict::DoesNotHold),
        (BenchError::Unfinished { count: 3, drain: Duration::ZERO }, Verdict::DoesNotHold),
        (BenchError::Order("no".to_owned()), Verdict::BadInput),
        (BenchError::Trouble { trouble, dir: PathBuf::new() }, Verdict::OurFailure),
        (BenchError::Panicked, Verdict::OurFailure),
    ] {
        assert_eq!(Failure::from(error).verdict(), verdict);
    }
}
