//! Two final blocks that exclude one another: both proofs are kept, and the guilty are named as far
//! as the proofs convict them.
//!
//! A node notices a conflict when its protocol commits a block beside the root, or when a peer that it
//! asked for blocks answers with a proof of another block at a height that it has committed. It asks
//! as soon as the peer is ahead, and its own last height comes along. What it does not notice is a
//! rival that nobody builds upon, nor one below the height that it asked for: such blocks are refused.
//! Where stake can be lost it does not believe in a rival either that is too old for evidence
//! ([`ledger::Staking::evidence_blocks`]), whoever signed it: those who left the committee keep their keys and
//! nothing else, and could halt everybody with another past. What a node has seen first stands.

use super::Replica;
use consensus::{Backing, Protocol, conviction, conviction::Unprovable};
use crypto::codec;
use ledger::{
    BlockHash, Committee, Proof,
    query::{ConflictAnswer, Finality},
    store::{Store, StoreError},
    vote::Evidence,
};

/// The key of the conflict in the replica's part of the store.
const CONFLICT: &[u8] = b"rc";

impl<P: Protocol> Replica<P> {
    /// The protocol has committed a block beside the root: its body is long dropped.
    pub(super) fn alarm_of_commit(
        &mut self,
        (ours, theirs): (BlockHash, BlockHash),
        proof: Option<Proof>,
    ) {
        let their_finality = proof.map(|proof| Finality { headers: Vec::new(), proof });
        self.alarm(self.ledger.height(), (ours, theirs), their_finality);
    }

    /// A peer has proven another block than ours final.
    pub(super) fn alarm_of_rival(
        &mut self,
        height: u64,
        blocks: (BlockHash, BlockHash),
        proven: Finality,
    ) {
        self.alarm(height, blocks, Some(proven));
    }

    /// Stops for good, keeps both proofs, and says who did it.
    fn alarm(
        &mut self,
        height: u64,
        (ours, theirs): (BlockHash, BlockHash),
        their_finality: Option<Finality>,
    ) {
        if self.halted.is_some() {
            return;
        }
        let our_finality = self.ledger.finality(height);
        let backings =
            [&our_finality, &their_finality].map(|finality| backing::<P>(finality.as_ref()));
        let guilty = match &backings {
            [Some(one), Some(other)] => conviction::contradictions(one, other, &self.keys),
            _ => Default::default(),
        };
        let guilty: Vec<Evidence> = guilty.into_values().collect();
        guilty.iter().for_each(|evidence| self.convict(evidence));
        let committee = height.checked_sub(1).and_then(|below| {
            let below = self.ledger.committed(below)?;
            self.ledger.committee(below.hash())
        });
        let [one, other] = backings.each_ref().map(Option::as_deref);
        let why = Unprovable::why(P::proofs_settle(), [(ours, one), (theirs, other)]);
        let blame = blame(&guilty, committee.as_deref(), why);
        let verdict =
            format!("two final blocks conflict: {ours} and {theirs}, at height {height}; {blame}");
        let conflict = ConflictAnswer {
            height,
            ours,
            our_finality,
            theirs,
            their_finality,
            guilty,
            verdict: verdict.clone(),
        };
        self.batch.put(CONFLICT.to_vec(), codec::encode(&conflict));
        self.conflict = Some(Box::new(conflict));
        self.halt(verdict);
    }
}

/// What a proof rests on; none where there is no proof, or no header that it is of.
fn backing<P: Protocol>(finality: Option<&Finality>) -> Option<Vec<Backing>> {
    let finality = finality?;
    Some(P::backing(finality.headers.last()?, &finality.proof))
}

/// Who is convicted, with what they weigh, and why nobody else is.
fn blame(guilty: &[Evidence], committee: Option<&Committee>, why: Option<Unprovable>) -> String {
    let stake = |evidence: &Evidence| {
        let member = committee.and_then(|committee| committee.member(evidence.offender));
        member.map_or(0, |member| u128::from(member.stake.0))
    };
    let weight: u128 = guilty.iter().map(stake).sum();
    let total = committee.map_or(0, Committee::bonded);
    let names: Vec<_> = guilty
        .iter()
        .map(|each| format!("replica {} with {} stake", each.offender, stake(each)))
        .collect();
    let why = why.filter(|_| 3 * weight <= total).map(|why| why.to_string());
    match (names.is_empty(), why) {
        (true, why) => format!("nobody can be convicted: {}", why.unwrap_or_default()),
        (false, None) => {
            format!("guilty of it are {}: {weight} of {total} stake", names.join(", "))
        }
        (false, Some(why)) => {
            let names = names.join(", ");
            format!(
                "guilty are {names}: {weight} of {total} stake, too little to have done it; {why}"
            )
        }
    }
}

/// The conflict that an earlier life saw, if it saw one.
pub(super) fn stored(store: &dyn Store) -> Result<Option<Box<ConflictAnswer>>, StoreError> {
    let Some(bytes) = store.get(CONFLICT)? else { return Ok(None) };
    let conflict = codec::decode(&bytes, codec::LONGEST)
        .map_err(|error| StoreError::damaged(CONFLICT, format!("no conflict: {error}")))?;
    Ok(Some(Box::new(conflict)))
}
