use super::*;
use consensus::catalogue::{Visitor, dispatch};
use words::{list, who};

/// A mutant's file, with its story, which is held beside it.
macro_rules! held {
    ($id:literal) => {
        (
            include_str!(concat!("../../../scenarios/mutants/", $id, ".toml")),
            concat!("src/explain/tests/", $id, ".txt"),
            include_str!(concat!("tests/", $id, ".txt")),
        )
    };
}

/// Read aloud and found true. If a story changes, read the new one before it takes the old one's place:
/// with `BYZANTIUM_STORIES=write` this test writes it there.
const HELD: [(&str, &str, &str); 6] =
    [held!("T3"), held!("T9"), held!("P2"), held!("P4"), held!("T11"), held!("N1")];

/// In how many of them, the first ones, two quorums decide differently.
const SPLIT: usize = 4;

/// Other files, whose stories nobody has learnt by heart.
const FILES: [&str; 8] = [
    include_str!("../../../scenarios/mutants/T1.toml"),
    include_str!("../../../scenarios/mutants/T10.toml"),
    include_str!("../../../scenarios/mutants/P5.toml"),
    include_str!("../../../scenarios/mutants/T4.toml"),
    include_str!("../../../scenarios/mutants/T5.toml"),
    include_str!("../../../scenarios/mutants/N2.toml"),
    include_str!("../../../scenarios/19-twins-beyond-the-bound.toml"),
    include_str!("../../../scenarios/05-one-crash.toml"),
];

/// The story of a scenario's first variant.
fn story(text: &str) -> (Variant, Story) {
    struct Explain<'a>(&'a Scenario, Variant);

    impl Visitor for Explain<'_> {
        type Output = Story;

        fn visit<P: Module>(self) -> Story {
            explain::<P>(self.0, self.1)
        }
    }

    let scenario = Scenario::parse(text).unwrap();
    let variant: Variant = scenario.consensus[0].parse().unwrap();
    (variant, dispatch(variant.module, Explain(&scenario, variant)).unwrap())
}

#[test]
fn these_stories_are_told_word_by_word() {
    for (text, path, expected) in HELD {
        let (_, found) = story(text);
        if std::env::var("BYZANTIUM_STORIES").is_ok_and(|word| word == "write") {
            std::fs::write(path, found.to_string()).unwrap();
            continue;
        }
        assert_eq!(found.to_string(), expected, "{path}: read it, and see HELD for what to do");
    }
}

#[test]
fn a_story_is_short_and_says_which_rule_is_weak() {
    let files = HELD.iter().map(|(text, ..)| *text).chain(FILES);
    for text in files {
        let (variant, Story { sentences }) = story(text);
        let most = if variant.mutant.is_some() { 25 } else { 32 };
        assert!((4..=most).contains(&sentences.len()), "{variant}: {} sentences", sentences.len());
        for sentence in &sentences {
            let first = sentence.chars().next().unwrap();
            assert!(first.is_uppercase() && sentence.ends_with('.'), "{variant}: {sentence}");
        }
        let Some(about) = variant.mutant else { continue };
        assert!(sentences[0].contains(about.id), "{variant}: {}", sentences[0]);
        assert!(sentences.last().unwrap().contains(about.rule), "{variant}");
        let acts = |sentence: &String| sentence.contains("the weak rule");
        assert!(sentences.iter().any(acts), "{variant}: nobody tells where the rule was missed");
    }
}

#[test]
fn a_value_is_called_by_its_hash_once_and_by_its_letter_afterwards() {
    for text in HELD.iter().map(|(text, ..)| *text).chain(FILES) {
        let (variant, story) = story(text);
        let told = story.to_string();
        let words = told.split(|letter: char| !letter.is_ascii_alphanumeric());
        let is_hash = |word: &&str| {
            let digits = word.bytes().all(|digit| b"0123456789abcdef".contains(&digit));
            word.len() == 8 && digits && word.bytes().any(|digit| digit.is_ascii_digit())
        };
        for hash in words.filter(is_hash) {
            assert_eq!(told.matches(hash).count(), 1, "{variant}: {hash} comes twice in\n{told}");
            assert!(told.contains(&format!("{hash}, call it ")), "{variant}: {hash} in\n{told}");
        }
    }
}

#[test]
fn where_agreement_breaks_the_two_quorums_are_named_and_where_they_meet() {
    for (text, ..) in &HELD[..SPLIT] {
        let (variant, story) = story(text);
        let told = story.to_string();
        for part in ["different blocks are final", "was decided by the", "Here they share"] {
            assert!(told.contains(part), "{variant}: {part} is missing in\n{told}");
        }
    }
}

#[test]
fn the_same_run_is_told_in_the_same_words() {
    for (text, ..) in HELD {
        assert_eq!(story(text), story(text));
    }
}

#[test]
fn where_nobody_gets_on_everybodys_place_in_the_end_is_told() {
    let (_, story) = story(FILES[1]);
    let told = story.to_string();
    for part in ["nobody honest has decided height 1", "locked on V", "it takes three of the four"]
    {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
}

#[test]
fn what_liars_keep_back_is_told_as_their_choice() {
    let (_, kept) = story(FILES[3]);
    let told = kept.to_string();
    for part in ["it had kept to itself", "Liar 1 signed prevotes for nil and V in round 0"] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
    let (_, late) = story(FILES[4]);
    let told = late.to_string();
    for part in ["but says so only in round 2", "lets replica 2 hear it only in round 1"] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
    assert!(!told.contains("does not hear"), "{told}");
}

#[test]
fn a_run_that_breaks_nothing_is_told_as_one() {
    let (_, story) =
        story("name = \"calm\"\nconsensus = \"tendermint\"\nseeds = 1\nuntil = \"10s\"");
    let told = story.to_string();
    assert!(told.contains("Nobody breaks a promise"), "{told}");
    assert!(!told.contains("adversary"), "{told}");
}

#[test]
fn replicas_are_listed_as_people_do() {
    assert_eq!(list([0, 1, 3]), "0, 1 and 3");
    assert_eq!(list([7]), "7");
    let ids = |ids: &[u32]| ids.iter().copied().map(ReplicaId).collect();
    assert_eq!(who(&ids(&[1]), &ids(&[])), "replica 1");
    assert_eq!(who(&ids(&[0, 1, 3]), &ids(&[3])), "replicas 0 and 1, and liar 3");
    assert_eq!(who(&ids(&[0, 3]), &ids(&[3])), "replica 0 and liar 3");
}

#[test]
fn remarks_are_understood_as_protocols_word_them() {
    let value = "0011aabb".to_owned();
    let read = Remark::read("lock", "1/2 0011aabb");
    assert_eq!(read, Some(Remark::Lock { height: 1, round: 2, value: value.clone() }));
    let read = Remark::read("execute", "3 as block 2, batch 0011aabb");
    assert_eq!(read, Some(Remark::Execute { number: 3, height: 2, value }));
    let read = Remark::read("view-change", "from 0 to 1");
    assert_eq!(read, Some(Remark::GiveUp { from: 0, to: 1 }));
    assert_eq!(Remark::read("round", "nonsense"), None);
}

/// Where weights fade, no trace tells whose votes were enough.
#[test]
fn nothing_is_said_of_quorums_where_weights_fade() {
    let (_, story) = story(include_str!("../../../scenarios/mutants/K3.toml"));
    let story = story.to_string();
    assert!(story.contains("while nobody's weight has faded."), "{story}");
    for verdict in ["no quorum", "a quorum,", "hears a quorum", "quorum: that would be"] {
        assert!(!story.contains(verdict), "{story}");
    }
}
