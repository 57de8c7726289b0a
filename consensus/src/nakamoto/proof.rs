//! What headers alone can show: to a wallet, to a replica that catches up, to the checker.

use super::Config;
use crate::{
    protocol::{Trusted, Unproven},
    work::{Target, Work},
};
use crypto::codec;
use ledger::{Genesis, Header, Proof};
use std::collections::VecDeque;

/// The longest encoding of a header, in bytes, with room to spare.
const MAX_HEADER_BYTES: usize = 512;

/// That a block lies deep: the headers upon it, oldest first.
pub(super) fn encode(upon: &[Header]) -> Proof {
    Proof(codec::encode(upon))
}

/// [`crate::protocol::Protocol::verify`]: the headers carry the work they must, and so do as many
/// more upon them as make the last one irreversible.
///
/// It shows that somebody did the work, not that nobody did more: see the chapter.
pub(super) fn verify(
    headers: &[Header],
    proof: &Proof,
    trusted: Trusted<'_>,
) -> Result<(), Unproven> {
    let config = config(trusted.genesis)?;
    let first = headers.first().ok_or(Unproven::NoHeaders)?;
    let parent = trusted.parent.ok_or(Unproven::NoParent(first.height))?;
    let needed = config.depths.irreversible - 1;
    let limit = MAX_HEADER_BYTES * (needed as usize + 1);
    let upon: Vec<Header> =
        codec::decode(&proof.0, limit).map_err(|error| Unproven::Malformed(error.to_string()))?;
    if (upon.len() as u64) < needed {
        return Err(Unproven::TooShallow { found: upon.len() as u64, needed });
    }
    let mut parent = parent;
    for header in headers.iter().chain(&upon) {
        check(&config, parent, header)?;
        parent = header;
    }
    Ok(())
}

/// [`crate::catalogue::Module::weigh`].
pub(super) fn weigh(
    genesis: &Genesis,
    before: &[Header],
    headers: &[Header],
) -> Result<Work, Unproven> {
    let config = config(genesis)?;
    let first = headers.first().ok_or(Unproven::NoHeaders)?;
    let mut parent = before.last().ok_or(Unproven::NoParent(first.height))?;
    let known = genesis.median_blocks();
    let mut times: VecDeque<u64> =
        before.iter().rev().take(known).rev().map(|header| header.time).collect();
    let mut sum = Work::ZERO;
    for header in headers {
        sum = sum.plus(check(&config, parent, header)?);
        let mut sorted: Vec<u64> = times.iter().copied().collect();
        sorted.sort_unstable();
        if header.time <= sorted[sorted.len() / 2] {
            return Err(Unproven::Time(header.height));
        }
        times.push_back(header.time);
        if times.len() > known {
            times.pop_front();
        }
        parent = header;
    }
    Ok(sum)
}

/// What a header's seal is worth, if it is the one that a child of `parent` must have.
fn check(config: &Config, parent: &Header, header: &Header) -> Result<Work, Unproven> {
    let height = header.height;
    let hash = header.hash();
    if header.parent != parent.hash() || parent.height.checked_add(1) != Some(height) {
        return Err(Unproven::BrokenChain(height));
    }
    if header.seal.bits != config.required(parent) {
        return Err(Unproven::Work { height, reason: "its target is not the one that is due" });
    }
    match Target::from_bits(header.seal.bits) {
        Some(target) if target.is_met_by(hash.0.as_bytes()) => Ok(target.work()),
        _ => Err(Unproven::Work { height, reason: "its hash does not meet its target" }),
    }
}

fn config(genesis: &Genesis) -> Result<Config, Unproven> {
    Config::from_genesis(genesis).map_err(|error| Unproven::Settings(error.to_string()))
}
