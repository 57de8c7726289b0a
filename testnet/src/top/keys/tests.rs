use super::super::state::tests::{at, down, watched};
use super::*;
use proptest::prelude::*;

fn key(letter: char) -> KeyEvent {
    KeyEvent::from(KeyCode::Char(letter))
}

fn press(state: &mut State, text: &str) -> Option<Wish> {
    text.chars().fold(None, |_, letter| state.press(key(letter), at(9)))
}

fn message(state: &State) -> &str {
    state.message.as_ref().map_or("", |(_, text)| text)
}

#[test]
fn arrows_choose_and_stop_at_the_ends() {
    let mut state = watched(4, |_| {});
    for (code, chosen) in [
        (KeyCode::Up, 0),
        (KeyCode::Down, 1),
        (KeyCode::Down, 2),
        (KeyCode::Up, 1),
        (KeyCode::End, 3),
        (KeyCode::Down, 3),
        (KeyCode::Home, 0),
    ] {
        assert_eq!(state.press(code.into(), at(9)), None);
        assert_eq!(state.chosen, chosen, "{code:?}");
    }
}

#[test]
fn digits_choose_and_two_of_them_soon_are_one_number() {
    let mut state = watched(16, |_| {});
    press(&mut state, "12");
    assert_eq!(state.chosen, 12);
    state.press(key('1'), at(20));
    state.press(key('3'), at(22));
    assert_eq!(state.chosen, 3, "too late for thirteen");
    press(&mut state, "9");
    press(&mut state, "9");
    assert_eq!(state.chosen, 9, "there is no ninety-nine");
    let mut few = watched(4, |_| {});
    press(&mut few, "7");
    assert_eq!((few.chosen, message(&few)), (0, "there is no node 7"));
}

#[test]
fn a_key_does_to_the_chosen_node_what_it_says() {
    for (letter, wish) in [
        ('k', Request::Kill { id: 2 }),
        ('t', Request::Stop { id: 2 }),
        ('h', Request::Heal {}),
        ('c', Request::Partition { groups: Groups(vec![vec![2], vec![0, 1, 3]]) }),
    ] {
        let mut state = watched(4, |_| {});
        state.chosen = 2;
        assert_eq!(press(&mut state, &letter.to_string()), Some(Wish::Ask(wish.clone())));
        assert_eq!(state.busy, Some(wish));
    }
    let mut state = watched(4, |view| down(&mut view.nodes[2]));
    assert_eq!(press(&mut state, "2s"), Some(Wish::Ask(Request::Start { id: 2 })));
}

#[test]
fn what_makes_no_sense_is_not_asked_for() {
    let mut state = watched(4, |view| down(&mut view.nodes[2]));
    assert_eq!(
        (press(&mut state, "2k"), message(&state)),
        (None, "node 2 is not running; s starts it")
    );
    assert_eq!(
        (press(&mut state, "2t"), message(&state)),
        (None, "node 2 is not running; s starts it")
    );
    assert_eq!((press(&mut state, "1s"), message(&state)), (None, "node 1 is running already"));
    let mut alone = watched(1, |_| {});
    assert_eq!(
        (press(&mut alone, "c"), message(&alone)),
        (None, "there is nobody to cut it off from")
    );
    let mut nobody = State::default();
    assert_eq!(press(&mut nobody, "kstc5"), None);
}

#[test]
fn one_thing_is_done_at_a_time() {
    let mut state = watched(4, |_| {});
    assert!(press(&mut state, "k").is_some());
    assert_eq!(
        (press(&mut state, "h"), message(&state)),
        (None, "one moment: kill node 0 is being done")
    );
    assert_eq!(state.busy, Some(Request::Kill { id: 0 }));
}

#[test]
fn groups_are_written_checked_and_asked_for() {
    let mut state = watched(4, |_| {});
    assert_eq!(press(&mut state, "p0,1/2,3"), None);
    let groups = Groups(vec![vec![0, 1], vec![2, 3]]);
    let wish = state.press(KeyCode::Enter.into(), at(9));
    assert_eq!(wish, Some(Wish::Ask(Request::Partition { groups })));
    assert_eq!(state.mode, Mode::Watching);
}

#[test]
fn bad_groups_are_said_to_be_and_can_be_corrected() {
    let mut state = watched(4, |_| {});
    for (text, word) in [
        ("", "empty"),
        ("0,1", "one group"),
        ("0/9", "no node 9"),
        ("0/0", "twice"),
        ("0//1", "empty"),
    ] {
        press(&mut state, "p");
        press(&mut state, text);
        assert_eq!(state.press(KeyCode::Enter.into(), at(9)), None);
        let Mode::Groups { text: kept, error: Some(error) } = &state.mode else {
            panic!("{:?}", state.mode)
        };
        assert_eq!(kept, text);
        assert!(error.contains(word), "{error}");
        state.press(KeyCode::Esc.into(), at(9));
        assert_eq!(state.mode, Mode::Watching);
    }
    press(&mut state, "p0/9");
    state.press(KeyCode::Backspace.into(), at(9));
    press(&mut state, "1");
    assert!(state.press(KeyCode::Enter.into(), at(9)).is_some());
}

#[test]
fn while_groups_are_written_letters_do_nothing_else() {
    let mut state = watched(4, |_| {});
    press(&mut state, "p0");
    assert_eq!(press(&mut state, "kqx"), None);
    let Mode::Groups { text, error: Some(error) } = &state.mode else { panic!("{:?}", state.mode) };
    assert_eq!((text.as_str(), error.as_str()), ("0", "digits, commas and slashes, as in 0,1/2,3"));
    press(&mut state, &"1,".repeat(500));
    let Mode::Groups { text, .. } = &state.mode else { panic!("{:?}", state.mode) };
    assert_eq!(text.len(), LONGEST_GROUPS);
}

#[test]
fn help_comes_and_goes_and_everything_can_be_quit() {
    let mut state = watched(4, |_| {});
    press(&mut state, "?");
    assert_eq!(state.mode, Mode::Help);
    assert_eq!(press(&mut state, "k"), None, "it only ends the help");
    assert_eq!(state.mode, Mode::Watching);
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    for before in ["", "?", "p0,1"] {
        let mut state = watched(4, |_| {});
        press(&mut state, before);
        assert_eq!(state.press(control_c, at(9)), Some(Wish::Quit));
    }
    assert_eq!(press(&mut state, "q"), Some(Wish::Quit));
    assert_eq!(press(&mut state, "?q"), Some(Wish::Quit));
}

#[test]
fn a_key_that_is_let_go_does_nothing() {
    let mut state = watched(4, |_| {});
    let mut released = key('q');
    released.kind = KeyEventKind::Release;
    assert_eq!(state.press(released, at(9)), None);
}

proptest! {
    /// Whatever is typed, what is asked of the net makes sense there and fits a request.
    #[test]
    fn no_typing_does_harm(text in "[0-9kstcph?,/\u{8}\n\u{1b}x ]{0,60}", nodes in 0..17_u32) {
        let mut state = watched(nodes, |_| {});
        for letter in text.chars() {
            let code = match letter {
                '\n' => KeyCode::Enter,
                '\u{8}' => KeyCode::Backspace,
                '\u{1b}' => KeyCode::Esc,
                other => KeyCode::Char(other),
            };
            if let Some(Wish::Ask(request)) = state.press(code.into(), at(9)) {
                let line = serde_json::to_string(&request).unwrap();
                prop_assert!(line.len() < crate::live::control::LONGEST_REQUEST, "{}", line);
                match request {
                    Request::Kill { id } | Request::Stop { id } | Request::Start { id } => {
                        prop_assert!(id < nodes);
                    }
                    Request::Partition { groups } => prop_assert_eq!(groups.check(nodes), Ok(())),
                    _ => {}
                }
                state.busy = None;
            }
            prop_assert!(nodes == 0 || state.chosen < nodes);
        }
    }
}
