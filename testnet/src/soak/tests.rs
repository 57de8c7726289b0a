use super::*;
use clap::Parser;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    soak: Soak,
}

fn parse(words: &str) -> Result<Soak, clap::Error> {
    Line::try_parse_from(words.split_whitespace()).map(|line| line.soak)
}

#[test]
fn seeds_are_a_range_or_one() {
    assert_eq!(seeds("3..7"), Ok(3..7));
    assert_eq!(seeds("42"), Ok(42..43));
    for wrong in ["", "..", "7..3", "3..3", "a..b", "-1", "3..=4", "18446744073709551615"] {
        let error = seeds(wrong).unwrap_err();
        assert!(error.contains("write a range"), "{wrong}: {error}");
    }
}

#[test]
fn a_trace_is_that_of_a_single_run() {
    let order = parse("soak --replicas 4,7 --seeds 1 --trace t").unwrap();
    assert!(matches!(soak(&order), Err(SoakError::Traces)));
    let order = parse("soak --replicas 4 --seeds 0..2 --trace t").unwrap();
    assert!(matches!(soak(&order), Err(SoakError::Traces)));
}

#[test]
fn an_unknown_module_is_named() {
    let order = parse("soak --consensus coffee").unwrap();
    let error = soak(&order).unwrap_err().to_string();
    assert!(error.contains("coffee"), "{error}");
}

#[test]
fn a_run_can_be_asked_for_again() {
    let order = parse("soak --replicas 7 --chaos 5s").unwrap();
    let options = Options::new("tendermint", 7);
    let again = Batch::new(&order, &options, 7).again(42);
    let words = again.strip_prefix("testnet ").unwrap();
    let order = parse(words).unwrap();
    assert_eq!(
        (order.replicas, order.seeds, order.chaos),
        (vec![7], 42..43, span::parse("5s").unwrap())
    );
}

#[test]
fn a_leak_has_sizes_and_a_calm_of_its_own() {
    let order = parse("soak --leak --seeds 3").unwrap();
    assert_eq!(
        (order.replicas.as_slice(), order.calm),
        ([5, 6, 7, 8].as_slice(), Duration::from_secs(60))
    );
    let order = parse("soak --leak --replicas 9 --calm 40s").unwrap();
    assert_eq!((order.replicas.as_slice(), order.calm), ([9].as_slice(), Duration::from_secs(40)));
    let options = Options::leaking("tendermint", 9);
    let again = Batch::new(&order, &options, 9).again(42);
    let order = parse(again.strip_prefix("testnet ").unwrap()).unwrap();
    assert!(order.leak && order.seeds == (42..43));
    assert!(parse("soak --leak --churn").is_err());
}
