use super::*;

#[test]
fn each_question_allows_one_answer() {
    let dealings = Dealings::default();
    dealings.ask(1);
    dealings.ask(1);
    assert_eq!(dealings.answer(2), Answer::Unasked, "another was asked");
    assert_eq!([dealings.answer(1), dealings.answer(1)], [Answer::Owed; 2]);
    assert_eq!(dealings.answer(1), Answer::Unasked);
}

#[test]
fn a_peer_that_is_asked_and_never_answers_owes_no_more_than_it_may() {
    let dealings = Dealings::default();
    (0..10 * OWED).for_each(|_| dealings.ask(1));
    let owed = (0..10 * OWED).filter(|_| dealings.answer(1) == Answer::Owed).count();
    assert_eq!(owed as u32, OWED);
}

#[test]
fn answers_to_a_life_that_is_over_are_no_outrage_and_a_flood_is() {
    let dealings = Dealings::default();
    assert!((0..OWED).all(|_| dealings.answer(1) == Answer::Unasked));
    let outrages = (0..10_000).filter(|_| dealings.answer(1) == Answer::Outrageous).count();
    assert!(outrages > 9_000, "{outrages}");
}

#[test]
fn whoever_gossips_what_is_of_no_use_is_not_listened_to() {
    let dealings = Dealings::default();
    assert!(dealings.is_useful(1));
    dealings.was_useless(1, 100 * u64::from(USELESS_AT_ONCE));
    assert!(!dealings.is_useful(1));
    assert!(dealings.is_useful(2));
}

#[test]
fn nobody_is_remembered_for_nothing() {
    let dealings = Dealings::default();
    for peer in 0..10_000 {
        assert!(dealings.is_useful(peer));
        assert!(dealings.lock().len() <= MANY);
    }
}
