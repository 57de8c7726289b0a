//! How much of a committee stands behind a proof, and by whose weights that counts.

use super::{Module, UnknownModule, Visitor, dispatch};
use crate::quorum::Quorum;
use ledger::{Committee, Genesis, Header, Proof, ReplicaId, leak::WHOLE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What stands behind a proof that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// What it takes, under the weights that count.
    pub quorum: Quorum,
    /// What all who signed count together, in the unit of the quorum.
    pub reached: u128,
    /// Whose weights count.
    pub weights: Weights,
}

/// What a vote weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Its bond: nothing has faded.
    Bonds,
    /// What is left of its bond, as the chain says it. In millionths of a unit of stake.
    Chain,
    /// What is left of its bond, as the proof's own table of a recovery says it. In millionths of a unit
    /// of stake.
    Table,
}

/// What stands behind `proof` of `header`, which `committee` decided. The proof is believed: only one that
/// [`super::verify`] accepts should come here.
///
/// # Errors
/// [`UnknownModule`] if nobody here knows what the genesis asks for.
pub fn support(
    genesis: &Genesis,
    committee: &Committee,
    header: &Header,
    proof: &Proof,
) -> Result<Support, UnknownModule> {
    struct Ask<'a>(&'a Genesis, &'a Committee, &'a Header, &'a Proof);

    impl Visitor for Ask<'_> {
        type Output = Support;

        fn visit<P: Module>(self) -> Self::Output {
            let Ask(genesis, committee, header, proof) = self;
            let signers = P::backing(header, proof).into_iter().map(|backing| backing.signer);
            let signers: BTreeSet<_> = signers.collect();
            let by_table = P::by_table(genesis, committee, proof);
            let (weighed, faded) = match &by_table {
                Some(weighed) => (weighed, Weights::Table),
                None => (committee, Weights::Chain),
            };
            of(P::quorum(weighed), weighed, signers, faded)
        }
    }

    dispatch(&genesis.consensus, Ask(genesis, committee, header, proof))
}

fn of(
    quorum: Quorum,
    weighed: &Committee,
    signers: BTreeSet<ReplicaId>,
    faded: Weights,
) -> Support {
    let reached = quorum.reached(weighed, signers.into_iter());
    let is_whole = weighed.members().iter().all(|member| member.share.left == WHOLE);
    Support { quorum, reached, weights: if is_whole { Weights::Bonds } else { faded } }
}
