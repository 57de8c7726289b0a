use super::*;

/// BIP-39's first test vector of 24 words.
const ZEROS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon \
                     abandon abandon abandon abandon abandon abandon abandon abandon \
                     abandon abandon abandon abandon abandon abandon abandon art";

#[test]
fn a_new_phrase_has_24_words_and_reads_back_to_its_key() {
    let phrase = Phrase::generate();
    let words: Vec<_> = phrase.words().collect();
    assert_eq!(words.len(), 24);
    let again = Phrase::parse(&words.join("  ")).expect("our own words");
    assert_eq!(again.key().public(), phrase.key().public());
    assert_ne!(Phrase::generate().key().public(), phrase.key().public());
}

#[test]
fn the_seed_is_the_first_half_of_bip39s() {
    // The whole BIP-39 seed of this phrase without passphrase begins so.
    let seed = "408b285c123836004f4b8842c89324c1f01382450c0d439af345ba7fc49acf70";
    let key = Phrase::parse(ZEROS).expect("a test vector").key();
    assert_eq!(hex::encode(*key.seed()), seed);
}

#[test]
fn capitals_and_line_breaks_do_not_matter() {
    let shouted = ZEROS.to_uppercase().replace(' ', "\n\t");
    let key = Phrase::parse(&shouted).expect("the same words").key();
    assert_eq!(key.public(), Phrase::parse(ZEROS).expect("a test vector").key().public());
}

#[test]
fn each_mistake_is_told_without_the_words() {
    let refusal = |text: &str| Phrase::parse(text).expect_err("no phrase");
    assert_eq!(refusal(""), BadPhrase::Count(0));
    assert_eq!(refusal("abandon art"), BadPhrase::Count(2));
    assert_eq!(refusal(&ZEROS.replace("art", "arrt")), BadPhrase::Word(24));
    assert_eq!(refusal(&ZEROS.replace("art", "zoo")), BadPhrase::Checksum);
    assert!(!refusal(&ZEROS.replace("art", "secretword")).to_string().contains("secretword"));
    assert_eq!(format!("{:?}", Phrase::generate()), "Phrase(..)");
}
