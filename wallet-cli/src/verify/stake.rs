//! Who has what at stake, proven by links 3 and 4 of [`verify`](mod@super) and a path from the register to
//! the header's state root.

use super::{NotProven, blocks::FinalBlock, certify};
use crate::committees::Committees;
use ledger::{Amount, Register, chain::genesis_header, query::StakeAnswer};

/// Everybody's stake after a final block. Only [`verify_stake`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedStake {
    register: Register,
    supply: Amount,
    block: FinalBlock,
}

impl VerifiedStake {
    /// Who has what at stake.
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// All the money there is, stakes included.
    pub fn supply(&self) -> Amount {
        self.supply
    }

    /// The block after which it is so.
    pub fn block(&self) -> FinalBlock {
        self.block
    }
}

/// Checks who has what at stake, trusting nothing but the genesis and what followed from it. The supply
/// is calculated, and the rules are the genesis': what the node says of them is not looked at.
///
/// # Errors
///
/// [`NotProven`] names the first link that does not hold.
pub fn verify_stake(
    committees: &Committees,
    answer: &StakeAnswer,
) -> Result<VerifiedStake, NotProven> {
    let genesis = committees.genesis();
    let header = match &answer.finality {
        Some(finality) => certify(committees, finality)?.header,
        // The genesis needs no certificate: we have it ourselves.
        None if answer.height == 0 => genesis_header(genesis),
        None => return Err(NotProven::Missing("certificate")),
    };
    if header.height != answer.height {
        return Err(NotProven::Height { claimed: answer.height, header: header.height });
    }
    let register = answer.register.clone();
    answer.proof.verify_register(header.state, &register).map_err(NotProven::Register)?;
    let made = genesis.supply(genesis.founding_supply(), header.height);
    let supply = Amount(made.0.saturating_sub(register.burned().0));
    Ok(VerifiedStake { register, supply, block: FinalBlock::of(&header) })
}
