//! Tells the network whom the chain names, whenever that changes.

use crate::network::MAX_SEATS;
use crate::network::Network;
use ledger::{Ledger, stake::MAX_VALIDATORS, vote::Member};

// Whomever the chain names, the network has a seat for.
const _: () = assert!(MAX_VALIDATORS <= MAX_SEATS as usize);

/// Whom the network was last told of.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<Member>);

impl Members {
    /// Looks who decides the block after the last final one, and tells the network if they are others
    /// than before.
    pub(super) fn follow(&mut self, ledger: &Ledger, network: &Network) {
        let Some(committee) = ledger.committee(ledger.root()) else { return };
        if committee.members() == self.0 {
            return;
        }
        self.0 = committee.members().to_vec();
        let members = self.0.iter().map(|member| (member.id.0, member.key.to_bytes()));
        network.recognise(&members.collect::<Vec<_>>());
    }
}
