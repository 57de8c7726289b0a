//! Lies that know proof-of-work, a file each. Nobody can be convicted of any of them: work speaks
//! for itself, whoever shows it, and when.

mod cheap_branch;
mod double_spend;
mod mutated_tail;
mod private;
mod selfish;
mod timestamps;
mod withhold_blocks;

use super::{Instance, Message, Nakamoto};
use crate::{byzantine::Entry, protocol::Input};
use ledger::{Block, ReplicaId};
use std::sync::Arc;

/// What [`Protocol::lies`](crate::Protocol::lies) tells.
pub(super) fn lies() -> Vec<Entry<Nakamoto>> {
    vec![
        Entry::invalid_block(),
        Entry::knowing(
            "selfish",
            "hides its blocks and shows as many as it takes to waste the others' work",
            "Eyal, Sirer, \"Majority Is Not Enough: Bitcoin Mining Is Vulnerable\", FC 2014, \
             algorithm 1",
            || Box::<selfish::Selfish>::default(),
        ),
        Entry::knowing(
            "double-spend",
            "mines a branch of its own, shows it once longer than a confirmed one",
            "Nakamoto, \"Bitcoin: A Peer-to-Peer Electronic Cash System\", 2008, section 11; \
             Rosenfeld, \"Analysis of Hashrate-Based Double Spending\", 2014",
            || Box::<double_spend::DoubleSpend>::default(),
        ),
        Entry::knowing(
            "cheap-branch",
            "dates a branch ahead, so that its blocks are cheap; shows it once longer",
            "Garay, Kiayias, Leonardos, \"The Bitcoin Backbone Protocol with Chains of Variable \
             Difficulty\", CRYPTO 2017 (why the most difficult chain counts); Bahack, \"Theoretical \
             Bitcoin Attacks with less than Half of the Computational Power\", 2013",
            || Box::<cheap_branch::CheapBranch>::default(),
        ),
        Entry::knowing(
            "withhold-blocks",
            "keeps each block back until another of its height is there",
            "Bahack, \"Theoretical Bitcoin Attacks with less than Half of the Computational Power\", \
             2013, block discarding",
            || Box::<withhold_blocks::WithholdBlocks>::default(),
        ),
        Entry::knowing(
            "timestamps",
            "dates its blocks as early and as late by turns as the rules allow",
            "Yaish, Tochner, Zohar, \"Blockchain Stretching & Squeezing: Manipulating Time for Your \
             Best Interest\", EC 2022",
            || Box::new(timestamps::Timestamps),
        ),
        Entry::knowing(
            "mutated-tail",
            "sends each block first with its last transactions doubled",
            "CVE-2012-2459 (Bitcoin: one Merkle root for two lists of transactions)",
            || Box::new(mutated_tail::MutatedTail),
        ),
    ]
}

/// A block of somebody else, if that is what comes.
fn foreign(input: &Input<Message>, me: ReplicaId) -> Option<&Arc<Block>> {
    match input {
        Input::Heard(signed) if signed.sender() != me => {
            let Message::Block(block) = signed.message();
            Some(block)
        }
        Input::Arrived(block) if block.header.proposer != me => Some(block),
        _ => None,
    }
}

/// The height of the branch that the honest protocol is on; zero before it lives.
fn head_height(at: Option<&Instance>) -> u64 {
    let header = at.and_then(|at| at.tree.header(at.tree.head()));
    header.map_or(0, |header| header.height)
}
