//! What accounts are called on this machine.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// The most characters a name may have.
pub const LONGEST_NAME: usize = 32;

/// The local name of an account: `[a-z0-9_-]{1,32}`, beginning with no hyphen.
///
/// A name becomes a file name, so these characters are also what keeps it inside the wallet's
/// directory. Capitals are refused because some file systems cannot tell `Alice` from `alice`, and
/// nothing that could be an address is a name, so that `--to` is never ambiguous.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(String);

impl AccountName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match fault_of(text) {
            None => Ok(Self(text.to_owned())),
            Some(fault) => Err(NameError { value: text.chars().take(80).collect(), fault }),
        }
    }
}

impl TryFrom<String> for AccountName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> String {
        name.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Whether `text` is meant as an address rather than as a name.
pub fn looks_like_an_address(text: &str) -> bool {
    text.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("byz1"))
}

/// A text that cannot name an account.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{value:?} cannot name an account: {fault}")]
pub struct NameError {
    /// The text as it was given, shortened if it is very long.
    pub value: String,
    /// What is wrong with it.
    pub fault: NameFault,
}

/// What can be wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameFault {
    /// There is no character in it.
    #[error("it is empty; use 1 to {LONGEST_NAME} of the characters a-z, 0-9, _ and -")]
    Empty,
    /// It has more than [`LONGEST_NAME`] characters.
    #[error("it has {0} characters, and at most {LONGEST_NAME} are allowed")]
    TooLong(usize),
    /// It has a capital letter.
    #[error("{0:?} is a capital; write it small, since some file systems cannot tell them apart")]
    Capital(char),
    /// It has a character that no name has.
    #[error("{0:?} is not allowed; use a-z, 0-9, _ and -")]
    Character(char),
    /// It begins like an option.
    #[error("it begins with a hyphen and would be read as an option")]
    Hyphen,
    /// It begins like an address.
    #[error("it looks like an address; choose a name that does not begin with \"byz1\"")]
    Address,
}

fn fault_of(text: &str) -> Option<NameFault> {
    let len = text.chars().count();
    let wrong = |c: &char| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    match text.chars().find(wrong) {
        _ if text.is_empty() => Some(NameFault::Empty),
        _ if looks_like_an_address(text) => Some(NameFault::Address),
        _ if len > LONGEST_NAME => Some(NameFault::TooLong(len)),
        Some(capital) if capital.is_uppercase() => Some(NameFault::Capital(capital)),
        Some(other) => Some(NameFault::Character(other)),
        None if text.starts_with('-') => Some(NameFault::Hyphen),
        None => None,
    }
}
