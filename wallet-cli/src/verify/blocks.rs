//! Whole blocks in a row, proven by one certificate.
//!
//! A wallet that knows one final block can read on from it: the blocks that follow are final if
//!
//! 1. a certificate makes the last of them final (links 3 and 4 of [`verify`](mod@super));
//! 2. each stands on the one before it, so that the last one's certificate covers all of them and
//!    none is left out;
//! 3. each body is the one its header names;
//! 4. the first stands on the block that was known.
//!
//! The first three make the answer true by itself. So an answer in which only the fourth fails
//! proves something worse than a lie: two final blocks at one height.

use super::{Certified, NotProven, certify, names_its_heirs};
use crate::committees::Committees;
use ledger::{
    Block, BlockHash, Genesis, Header,
    chain::genesis_header,
    query::{BlocksAnswer, Finality},
};

#[cfg(test)]
mod tests;

/// Height and hash of a block that is final. Only the genesis and verification make one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FinalBlock {
    height: u64,
    hash: BlockHash,
}

impl FinalBlock {
    /// The first block, which needs no proof.
    pub fn genesis(genesis: &Genesis) -> FinalBlock {
        FinalBlock::of(&genesis_header(genesis))
    }

    /// How many blocks precede it.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// Its name.
    pub fn hash(&self) -> BlockHash {
        self.hash
    }

    /// For a header that was verified.
    pub(super) fn of(header: &Header) -> FinalBlock {
        FinalBlock { height: header.height, hash: header.hash() }
    }
}

impl Certified {
    /// The header's block.
    pub fn block(&self) -> FinalBlock {
        FinalBlock::of(&self.header)
    }
}

/// Final blocks in a row. Only [`verify_blocks`] makes one, and never an empty one.
#[derive(Clone, Copy, Debug)]
pub struct FinalBlocks<'a> {
    blocks: &'a [Block],
    finality: &'a Finality,
    last: FinalBlock,
}

impl<'a> FinalBlocks<'a> {
    /// By rising height.
    pub fn blocks(&self) -> &'a [Block] {
        self.blocks
    }

    /// Why the last one is final, and so all of them.
    pub fn finality(&self) -> &'a Finality {
        self.finality
    }

    /// The last one.
    pub fn last(&self) -> FinalBlock {
        self.last
    }

    /// Each of them by height and hash.
    pub fn each(&self) -> impl Iterator<Item = FinalBlock> {
        self.blocks.iter().map(|block| FinalBlock::of(&block.header))
    }
}

/// Checks that these are the final blocks after `known`, trusting nothing but the genesis and what
/// followed from it.
///
/// # Errors
///
/// [`NotProven`] names the first link that does not hold. [`NotProven::Fork`] is a proof by
/// itself: the answer is sound, and contradicts `known`.
pub fn verify_blocks<'a>(
    committees: &Committees,
    known: FinalBlock,
    answer: &'a BlocksAnswer,
) -> Result<FinalBlocks<'a>, NotProven> {
    let (Some(first), Some(last)) = (answer.blocks.first(), answer.blocks.last()) else {
        return Err(NotProven::Missing("block"));
    };
    let (first, last) = (&first.header, FinalBlock::of(&last.header));
    let finality = answer.finality.as_ref().ok_or(NotProven::Missing("certificate"))?;

    let certified = certify(committees, finality)?;
    if certified.block() != last {
        return Err(NotProven::OtherBlock { last, certified: certified.block() });
    }
    let stands = |pair: &[Block]| {
        let (below, above) = (&pair[0].header, &pair[1].header);
        above.parent == below.hash() && below.height.checked_add(1) == Some(above.height)
    };
    if !answer.blocks.windows(2).all(stands) {
        return Err(NotProven::Unlinked { from: first.height, to: last.height });
    }
    for block in &answer.blocks {
        names_its_heirs(committees, &block.header)?;
        if !block.body_matches() {
            return Err(NotProven::Body { height: block.header.height });
        }
    }
    follows(known, first)?;
    Ok(FinalBlocks { blocks: &answer.blocks, finality, last })
}

/// Whether `first`, which is final, stands on `known`.
fn follows(known: FinalBlock, first: &Header) -> Result<(), NotProven> {
    if known.height.checked_add(1) != Some(first.height) {
        return Err(NotProven::Gap { known: known.height, found: first.height });
    }
    match known.height {
        _ if first.parent == known.hash => Ok(()),
        // Nobody voted for the genesis, so this is another chain's block and no contradiction.
        0 => Err(NotProven::OtherGenesis { genesis: known.hash, found: first.parent }),
        height => Err(NotProven::Fork { known, rival: FinalBlock { height, hash: first.parent } }),
    }
}
