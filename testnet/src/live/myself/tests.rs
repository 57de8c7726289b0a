use super::*;

#[test]
fn a_word_is_quoted_only_if_the_shell_would_misread_it() {
    assert_eq!(quote("/tmp/byzantium-1/wallet"), "/tmp/byzantium-1/wallet");
    assert_eq!(quote("my net"), "'my net'");
    assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
    assert_eq!(quote(""), "''");
    assert_eq!(quote("~"), "'~'");
}

#[test]
fn a_program_below_here_is_typed_relative() {
    let program = Path::new("/home/ann/byzantium/target/release/testnet");
    let here = Path::new("/home/ann/byzantium");
    assert_eq!(as_typed(program, Some(here)), "./target/release/testnet");
    assert_eq!(as_typed(program, Some(Path::new("/tmp"))), program.to_str().unwrap());
    assert_eq!(as_typed(program, None), program.to_str().unwrap());
}
