//! Addresses: how people write an account.
//!
//! An address is the first 20 bytes of the tagged hash of a public key, written in bech32m
//! (BIP-350) with the prefix `byz`. The checksum finds every mistake of up to four characters, so
//! a mistyped address is refused instead of paid to. As BIP-173 asks, an address is also accepted
//! all in capitals; beyond that, each has one spelling.

use std::fmt;
use std::str::FromStr;

use bech32::primitives::decode::{CharError, UncheckedHrpstring, UncheckedHrpstringError};
use bech32::{Bech32, Bech32m, Hrp};
use thiserror::Error;

use crate::fixed::{fixed_bytes, shorten};

#[cfg(test)]
mod tests;

const PREFIX: &str = "byz1";
const HRP: Hrp = Hrp::parse_unchecked("byz");

/// The prefix, 32 characters for 160 bits, and 6 for the checksum.
const LENGTH: usize = PREFIX.len() + 32 + 6;

/// Names an account: 20 bytes of the tagged hash of its public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 20]);

fixed_bytes!(Address, 20);

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = bech32::encode::<Bech32m>(HRP, &self.0).map_err(|_| fmt::Error)?;
        formatter.pad(&text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse(text).map_err(|fault| AddressError { value: shorten(text), fault })
    }
}

/// A text that is not an address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{value:?} is not an address: {fault}")]
pub struct AddressError {
    /// The value as it was given, shortened if it is very long.
    pub value: String,
    /// What is wrong with it.
    pub fault: AddressFault,
}

/// What can be wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressFault {
    /// It belongs to another network, or is something else altogether.
    #[error("an address of this chain begins with {PREFIX:?}")]
    WrongPrefix,
    /// It is too short or too long.
    #[error("it has {found} characters instead of {LENGTH}; was it copied completely?")]
    WrongLength {
        /// How many characters there are.
        found: usize,
    },
    /// A character that bech32 does not use.
    #[error("{0:?} never appears in an address after {PREFIX:?}")]
    WrongCharacter(char),
    /// Small letters and capitals together.
    #[error("it mixes small letters and capitals")]
    MixedCase,
    /// A correct checksum of BIP-173, which this chain does not use.
    #[error("its checksum is plain bech32, and addresses here are bech32m (BIP-350)")]
    PlainBech32,
    /// At least one character is wrong.
    #[error("its checksum does not fit; is there a typing mistake?")]
    BadChecksum,
}

fn parse(text: &str) -> Result<Address, AddressFault> {
    // Prefix and length come first because they tell a person more than a failed checksum does.
    let prefix = text.get(..PREFIX.len());
    if !prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX)) {
        return Err(AddressFault::WrongPrefix);
    }
    let found = text.chars().count();
    if found != LENGTH {
        return Err(AddressFault::WrongLength { found });
    }
    let unchecked = UncheckedHrpstring::new(text).map_err(|error| match error {
        UncheckedHrpstringError::Char(CharError::InvalidChar(character)) => {
            AddressFault::WrongCharacter(character)
        }
        UncheckedHrpstringError::Char(CharError::MixedCase) => AddressFault::MixedCase,
        _ => AddressFault::WrongPrefix,
    })?;
    if unchecked.hrp() != HRP {
        // The last '1' separates the prefix, so a longer prefix means there is a second one.
        return Err(AddressFault::WrongCharacter('1'));
    }
    if unchecked.has_valid_checksum::<Bech32>() {
        return Err(AddressFault::PlainBech32);
    }
    let checked = unchecked
        .validate_and_remove_checksum::<Bech32m>()
        .map_err(|_| AddressFault::BadChecksum)?;
    // With the length known, the data is exactly 160 bits: nothing is missing and nothing padded.
    let mut bytes = [0; 20];
    for (slot, byte) in bytes.iter_mut().zip(checked.byte_iter()) {
        *slot = byte;
    }
    Ok(Address(bytes))
}
