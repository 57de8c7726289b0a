use super::*;
use crate::cli::{Cli, Command};
use clap::Parser;

fn wish(line: &str) -> Wish {
    match Cli::try_parse_from(line.split(' ')).unwrap().command {
        Command::Lab(order) => order.wish.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_range_is_gone_through_from_end_to_end() {
    assert_eq!(values(&Range::Whole(2, 5), u64::MAX).len(), 4);
    let Some(Value::Whole(last)) = values(&Range::Whole(2, 10_000), u64::MAX).last().copied()
    else {
        panic!("they are whole numbers")
    };
    assert_eq!(last, 10_000);
    let open = Range::Real { from: 0.0, with_from: false, to: 0.5, with_to: false };
    for value in values(&open, u64::MAX) {
        assert!(matches!(value, Value::Real(x) if x > 0.0 && x < 0.5), "{value:?}");
    }
    let words = Range::Word(&["a", "b"]);
    assert_eq!(values(&words, u64::MAX), [Value::Word("a"), Value::Word("b")]);
}

#[test]
fn fewer_values_still_reach_from_end_to_end() {
    let all: Vec<_> = (0..100).map(Value::Whole).collect();
    let some = thinned(&all, 11);
    assert_eq!((some.len(), some[0], some[10]), (11, Value::Whole(0), Value::Whole(99)));
    assert_eq!(thinned(&all[..3], 11), all[..3]);
    assert_eq!(thinned(&[], 11), []);
}

/// The page, the charts and the figures are there, and need nothing from elsewhere.
#[test]
fn the_pages_show_theory_and_what_was_measured() {
    let wish = wish("testnet lab gossip --nodes 12 --trials 50");
    let along = along(&wish, &AtomicBool::new(false)).unwrap();
    // A fanout of 11 is the greatest among 12.
    assert_eq!((along.theory.len(), along.measured.len()), (11, 11));
    let temp = tempfile::tempdir().unwrap();
    let page = along.write(&wish, temp.path()).unwrap();
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && !page.contains("http"), "{page}");
    let csv = fs::read_to_string(temp.path().join("gossip.csv")).unwrap();
    assert!(csv.lines().count() > 22, "{csv}");
    assert!(csv.starts_with("fanout,figure,theory,measured,tolerance,agrees\n1,missed,"), "{csv}");
    let svg = fs::read_to_string(temp.path().join("gossip-missed.svg")).unwrap();
    assert!(svg.contains("<circle") && svg.contains("stroke-dasharray"), "{svg}");
}
