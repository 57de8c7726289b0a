use super::{AccountName, NameFault};
use proptest::prelude::*;

fn fault(text: &str) -> Option<NameFault> {
    text.parse::<AccountName>().err().map(|error| error.fault)
}

#[test]
fn good_names_are_kept_as_they_are() {
    for text in ["a", "alice", "cold-wallet_2", "_x", "0", &"z".repeat(32)] {
        assert_eq!(text.parse::<AccountName>().expect(text).as_str(), text);
    }
}

#[test]
fn each_fault_is_named() {
    assert_eq!(fault(""), Some(NameFault::Empty));
    assert_eq!(fault(&"a".repeat(33)), Some(NameFault::TooLong(33)));
    assert_eq!(fault("Alice"), Some(NameFault::Capital('A')));
    assert_eq!(fault("../../etc/passwd"), Some(NameFault::Character('.')));
    assert_eq!(fault("a/b"), Some(NameFault::Character('/')));
    assert_eq!(fault("a\0b"), Some(NameFault::Character('\0')));
    assert_eq!(fault("jürgen"), Some(NameFault::Character('ü')));
    assert_eq!(fault("-rf"), Some(NameFault::Hyphen));
    assert_eq!(fault("byz1savings"), Some(NameFault::Address));
    assert_eq!(fault("BYZ1QQQ"), Some(NameFault::Address));
}

#[test]
fn the_message_says_what_and_what_to_do() {
    let error = "Alice".parse::<AccountName>().expect_err("a capital");
    let text = error.to_string();
    assert!(text.contains("\"Alice\"") && text.contains("write it small"), "{text}");
}

proptest! {
    #[test]
    fn no_name_leaves_its_directory(text in any::<String>()) {
        if let Ok(name) = text.parse::<AccountName>() {
            let path = std::path::Path::new("/keys").join(format!("{name}.json"));
            prop_assert_eq!(path.components().count(), 3);
        }
    }
}
