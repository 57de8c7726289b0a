//! The recovery phrase: a key as words a person can write down (BIP-39).
//!
//! A new account's phrase has 24 English words, which is 256 bits. Its Ed25519 seed is the first
//! 32 bytes of the phrase's BIP-39 seed, with the empty BIP-39 passphrase and no derivation path.
//! That is the published recipe of `solana-keygen`, so other tools can reproduce a key from its
//! phrase, and phrases of 12, 15, 18 and 21 words work as well.

use bip39::{Error, Language, Mnemonic};
use crypto::SecretKey;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// A phrase whose checksum is right. It prints nothing secret and is wiped when dropped.
pub struct Phrase(Mnemonic);

impl Phrase {
    /// 24 fresh words.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness to give, since no key made then would be secret.
    pub fn generate() -> Phrase {
        let mut entropy = Zeroizing::new([0; 32]);
        getrandom::fill(entropy.as_mut()).expect("the operating system provides randomness");
        let mnemonic = Mnemonic::from_entropy_in(Language::English, entropy.as_slice());
        Phrase(mnemonic.expect("32 bytes make 24 words"))
    }

    /// Reads a phrase as people write it: in capitals or not, over several lines or not.
    ///
    /// # Errors
    ///
    /// See [`BadPhrase`]; none of them repeats a word.
    pub fn parse(text: &str) -> Result<Phrase, BadPhrase> {
        let mut words = Zeroizing::new(String::with_capacity(text.len()));
        for word in text.split_whitespace() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.extend(word.chars().flat_map(char::to_lowercase));
        }
        match Mnemonic::parse_in_normalized(Language::English, &words) {
            Ok(mnemonic) => Ok(Phrase(mnemonic)),
            Err(Error::BadWordCount(count)) => Err(BadPhrase::Count(count)),
            Err(Error::UnknownWord(index)) => Err(BadPhrase::Word(index + 1)),
            Err(_) => Err(BadPhrase::Checksum),
        }
    }

    /// The words, in order. They are the key: show them to its owner and to nobody else.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.words()
    }

    /// The key that the phrase stands for.
    pub fn key(&self) -> SecretKey {
        let seed = Zeroizing::new(self.0.to_seed_normalized(""));
        let first = seed.first_chunk().expect("64 bytes begin with 32");
        SecretKey::from_seed(*first)
    }
}

impl std::fmt::Debug for Phrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phrase(..)")
    }
}

/// A text that is no recovery phrase. The words themselves stay out of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPhrase {
    /// It has the wrong number of words.
    #[error("the phrase has {0} words, and a phrase has 12, 15, 18, 21 or 24")]
    Count(usize),
    /// A word is not in the list. Counted from one.
    #[error("word {0} of the phrase is not in BIP-39's English list; is there a typing mistake?")]
    Word(usize),
    /// Every word exists, yet together they are no phrase.
    #[error("the phrase's checksum does not fit; is a word wrong, or the order?")]
    Checksum,
}
