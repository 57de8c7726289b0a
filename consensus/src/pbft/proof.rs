//! What proves that a block is final: a stable checkpoint.

use super::{
    message::{Checkpoint, Message, Prepared, ViewChange},
    mutants::{self, P3},
};
use crate::{
    Flaw,
    protocol::{Backing, Message as _, Trusted, Unproven},
    quorum::{Claimed, Size, value_of},
};
use crypto::{Signature, codec};
use ledger::{Committee, Header, Proof, ReplicaId, vote::MAX_COMMITTEE};
use serde::{Deserialize, Serialize};

/// A stable checkpoint: a quorum has executed so far. Beside a block it is that block's [`Proof`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stable {
    /// What they all said.
    pub checkpoint: Checkpoint,
    /// Who said it, by rising id, with the signatures.
    pub signatures: Vec<(ReplicaId, Signature)>,
}

impl Stable {
    /// No honest proof is longer: two numbers, a hash, a length, and an id and signature for each seat.
    const MAX_BYTES: usize = 8 + 8 + 32 + 8 + MAX_COMMITTEE * (4 + 64);

    /// As it travels.
    pub fn encode(&self) -> Proof {
        Proof(codec::encode(self))
    }

    /// From bytes that anyone may have written.
    pub fn decode(proof: &Proof) -> Result<Stable, Unproven> {
        codec::decode(&proof.0, Stable::MAX_BYTES)
            .map_err(|error| Unproven::Malformed(error.to_string()))
    }
}

/// Whether a signature is its sender's.
pub(super) type Judge<'a> = &'a dyn Fn(&Claimed<Message>) -> bool;

/// Checks that at least `needed` distinct members, in rising order, signed `message`.
fn check_signers(
    message: &Message,
    signatures: &[(ReplicaId, Signature)],
    needed: usize,
    committee: &Committee,
    judge: Judge<'_>,
) -> Result<(), Unproven> {
    // The cheap questions come first.
    if signatures.len() < needed {
        return Err(Unproven::TooFew { found: signatures.len(), needed });
    }
    let mut last = None;
    for &(sender, _) in signatures {
        if last.is_some_and(|last| sender <= last) {
            return Err(Unproven::DuplicateSigner(sender));
        }
        last = Some(sender);
        committee.member(sender).ok_or(Unproven::NotMember(sender))?;
    }
    for &(sender, signature) in signatures {
        let claimed = Claimed { sender, message: message.clone(), signature };
        if !judge(&claimed) {
            return Err(Unproven::BadSignature(sender));
        }
    }
    Ok(())
}

/// Whether a quorum signed the checkpoint.
pub(super) fn check_stable(
    stable: &Stable,
    committee: &Committee,
    judge: Judge<'_>,
) -> Result<(), Unproven> {
    let message = Message::Checkpoint(stable.checkpoint);
    let needed = Size::of(committee).quorum();
    check_signers(&message, &stable.signatures, needed, committee, judge)
}

/// Whether a certificate shows that its value was prepared: with the primary, its signers are a
/// quorum, and the primary is none of them.
pub(super) fn check_prepared(
    prepared: &Prepared,
    committee: &Committee,
    judge: Judge<'_>,
) -> Result<(), Unproven> {
    let Prepared { view, sequence, value, ref signatures } = *prepared;
    let primary = primary(committee, view);
    if signatures.iter().any(|(sender, _)| *sender == primary) {
        return Err(Unproven::DuplicateSigner(primary));
    }
    let message = Message::Prepare { view, sequence, value };
    let needed = Size::of(committee).quorum() - 1;
    check_signers(&message, signatures, needed, committee, judge)
}

/// Whether a view change may be believed: every certificate holds, of an earlier view, for a number
/// within `window` of its stable checkpoint, each number once. None has more signatures than it
/// takes, or a liar could make a NEW-VIEW too long to travel.
pub(super) fn check_change(
    change: &ViewChange,
    window: u64,
    flaw: Flaw,
    committee: &Committee,
    judge: Judge<'_>,
) -> Result<(), Unproven> {
    let (low, quorum) = (change.low(), Size::of(committee).quorum());
    let mut last = low;
    for prepared in &change.prepared {
        let Prepared { view, sequence, ref signatures, .. } = *prepared;
        let is_of_use = sequence > last
            && sequence <= low.saturating_add(window)
            && (view < change.view || flaw.is(P3))
            && signatures.len() < quorum;
        if !is_of_use {
            let reason = format!("a certificate for number {sequence} of view {view} is no use");
            return Err(Unproven::Malformed(reason));
        }
        last = sequence;
    }
    if change.stable.as_ref().is_some_and(|stable| stable.signatures.len() > quorum) {
        return Err(Unproven::Malformed("the stable checkpoint has too many signatures".into()));
    }
    if let Some(stable) = &change.stable {
        check_stable(stable, committee, judge)?;
    }
    if flaw.is(P3) {
        let believes = |one| mutants::p3_believes(one, change.view, committee, judge);
        let reason = || Unproven::Malformed("a certificate does not hold".into());
        return change.prepared.iter().all(believes).then_some(()).ok_or_else(reason);
    }
    change.prepared.iter().try_for_each(|prepared| check_prepared(prepared, committee, judge))
}

/// [`crate::Protocol::backing`] for PBFT: the CHECKPOINTs.
pub(super) fn backing(proof: &Proof) -> Vec<Backing> {
    let Ok(Stable { checkpoint, signatures }) = Stable::decode(proof) else { return Vec::new() };
    let message = Message::Checkpoint(checkpoint);
    let Some(slot) = message.slot() else { return Vec::new() };
    let value = value_of(&message);
    let one = |(signer, signature)| Backing { signer, slot, value, signature };
    signatures.into_iter().map(one).collect()
}

/// primary(v) = v mod n, counted in seats.
pub(super) fn primary(committee: &Committee, view: u64) -> ReplicaId {
    let seat = view % committee.len() as u64;
    committee.members()[usize::try_from(seat).expect("a seat is small")].id
}

/// [`crate::Protocol::verify`] for PBFT: the headers are a chain that one committee decides, and a
/// quorum of it made the last of them a checkpoint.
pub(super) fn verify(
    headers: &[Header],
    proof: &Proof,
    trusted: Trusted<'_>,
) -> Result<(), Unproven> {
    let Trusted { committee, keys, .. } = trusted;
    let last = trusted.last_of(headers)?;
    let stable = Stable::decode(proof)?;
    let expected = last.hash();
    if stable.checkpoint.block != expected {
        return Err(Unproven::WrongBlock { expected, found: stable.checkpoint.block });
    }
    if stable.checkpoint.height != last.height {
        return Err(Unproven::Malformed("the checkpoint is at another height".into()));
    }
    check_stable(&stable, committee, &|claimed| claimed.clone().open(keys).is_ok())
}
