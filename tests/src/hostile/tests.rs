use super::{behaviours::ALL, material::*, *};
use replica::packet::Ask;

#[test]
fn every_behaviour_has_a_name_of_its_own_and_a_line() {
    let names: Vec<_> = ALL.iter().map(|behaviour| behaviour.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    assert!(ALL.iter().all(|behaviour| !behaviour.about.is_empty()));
    assert!(behaviours::find("flood").is_some() && behaviours::find("kindness").is_none());
}

/// The places of numbers in a frame are known here a second time, so that a hostile peer needs no keys to read.
#[test]
fn a_question_for_blocks_is_recognised_and_nothing_else() {
    assert_eq!(asks_for_blocks(&ask(9, Ask::Blocks { from: 77 })), Some(77));
    assert_eq!(asks_for_blocks(&ask(9, Ask::Summary)), None);
    assert_eq!(asks_for_blocks(&summary(9, 77)), None);
    assert_eq!(asks_for_blocks(&answer(9, blocks(1, 2, &[]))), None);
    let frame = ask(9, Ask::Blocks { from: 77 });
    assert!((0..frame.len()).all(|length| asks_for_blocks(&frame[..length]).is_none()));
}

#[test]
fn bad_blocks_hang_together_and_stand_on_nothing() {
    let chain = blocks(5, 3, &[]);
    let headers: Vec<_> = chain.iter().map(|chained| &chained.block.header).collect();
    assert!(headers.windows(2).all(|pair| pair[1].parent == pair[0].hash()));
    assert!(chain.iter().all(|chained| chained.block.body_matches() && chained.proof.is_some()));
    assert_eq!(headers[0].height, 5);
}
