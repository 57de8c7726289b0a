//! The steps that the chain decides: money, stake, a seat, a block.

use super::{JoinError, Step, Walk, account_of};
use crypto::SecretKey;
use ledger::{
    Action, Amount, Payload, ReplicaId, TransactionId,
    query::{CommitteeAnswer, StakeAnswer},
};
use serde_json::json;
use std::cmp::Ordering;
use wallet_cli::{
    client::{Client, NodeUrl},
    keystore::Keystore,
    name::AccountName,
};

/// What each of the two transactions pays.
const FEE: Amount = Amount(1);

/// A seat that a node has.
pub(super) struct Taken {
    /// The block whose children it decides.
    pub(super) height: u64,
    /// How many members there are.
    pub(super) members: usize,
}

/// Gives the node's account what it lacks and puts it at stake, unless the node has a stake already.
/// Tells the height from which on it may have proposed.
pub(super) fn bond(
    walk: &Walk,
    id: u32,
    from: &AccountName,
    stake: Amount,
) -> Result<u64, JoinError> {
    let client = client(walk)?;
    let key = walk.key(id)?;
    let answer: StakeAnswer = client.call("stake", json!({}))?;
    match answer.register.number(&key.public()) {
        Some(number) if number != ReplicaId(id) => {
            return Err(JoinError::OtherNumber { node: id, number });
        }
        Some(number) => {
            let there = answer.register.validator(number).expect("it was just found");
            if there.punished.is_some() {
                return Err(JoinError::Punished(id));
            }
            if there.stake.0 > 0 {
                return Ok(there.seats.last().map_or(answer.height, |seat| seat.from));
            }
        }
        None => check_turn(id, answer.register.next_number())?,
    }
    let address = key.public().address();
    let balance = client.account(address)?.account.balance;
    let needed = Amount(stake.0.saturating_add(FEE.0));
    if balance < needed {
        let amount = Amount(needed.0 - balance.0);
        let action = Action::Transfer { to: address, amount };
        let payer = Keystore::open(walk.place.wallet()).unlock(from, "")?;
        let (transaction, height) = order(walk, &client, &payer, from, amount, action)?;
        let from = from.as_str().to_owned();
        walk.teller.tell(&Step::Funded { node: id, amount, from, transaction, height });
    }
    let action = Action::Bond { amount: stake, validator: ReplicaId(id) };
    let (transaction, height) = order(walk, &client, &key, &account_of(id), stake, action)?;
    walk.teller.tell(&Step::Bonded { node: id, stake, transaction, height });
    Ok(height)
}

/// Whether the chain's next number is the node's: numbers count up, and none is given twice.
pub(super) fn check_turn(id: u32, next: ReplicaId) -> Result<(), JoinError> {
    match next.cmp(&ReplicaId(id)) {
        Ordering::Less => Err(JoinError::OutOfTurn { node: id, next }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(JoinError::Taken { node: id, next }),
    }
}

/// Waits until the committee has the node.
pub(super) fn take_seat(walk: &Walk, id: u32) -> Result<Taken, JoinError> {
    let client = client(walk)?;
    walk.wait("waits for its seat", |told| {
        let Ok(answer) = client.call::<CommitteeAnswer>("committee", json!({})) else {
            return Ok(None);
        };
        let CommitteeAnswer { height, members, .. } = answer;
        *told = format!("waits for its seat at height {height}");
        let is_there = members.iter().any(|member| member.id == ReplicaId(id));
        Ok(is_there.then_some(Taken { height, members: members.len() }))
    })
}

/// Waits until a block of the node's is final. There is none up to `since`.
pub(super) fn propose(walk: &Walk, id: u32, since: u64) -> Result<u64, JoinError> {
    let client = client(walk)?;
    let mut next = since + 1;
    walk.wait("waits for its turn to propose", |told| {
        let Ok(answer) = client.headers(next) else { return Ok(None) };
        for header in answer.headers {
            if header.proposer == ReplicaId(id) {
                return Ok(Some(header.height));
            }
            next = next.max(header.height + 1);
        }
        *told = format!("waits for its turn after height {}", next - 1);
        Ok(None)
    })
}

/// Signs an action, hands it over and waits until it is final; says in which block.
fn order(
    walk: &Walk,
    client: &Client,
    key: &SecretKey,
    name: &AccountName,
    amount: Amount,
    action: Action,
) -> Result<(TransactionId, u64), JoinError> {
    let answer = client.account(key.public().address())?;
    let balance = answer.account.balance;
    let needed = u128::from(amount.0) + u128::from(FEE.0);
    if needed > u128::from(balance.0) {
        return Err(JoinError::Poor { from: name.as_str().to_owned(), balance, needed });
    }
    let (chain, sender, nonce) = (walk.genesis.chain_id(), key.public(), answer.next_nonce);
    let transaction = Payload { chain, sender, nonce, fee: FEE, action }.sign(key);
    let id = client.submit(&transaction)?;
    let height = walk.wait("waits for its transaction to be final", |_| {
        // A node that does not answer may come back, and another one answers meanwhile.
        let Ok(answer) = client.transaction(id) else { return Ok(None) };
        Ok(answer.finality.and(answer.height))
    })?;
    Ok((id, height))
}

/// Everybody who runs but the newcomer, who may be behind.
fn client(walk: &Walk) -> Result<Client, JoinError> {
    let nodes = walk.look()?.nodes;
    let others = nodes.iter().filter(|node| node.up && Some(node.id) != walk.id);
    let urls: Vec<NodeUrl> =
        others.map(|node| node.rpc.parse().expect("our own addresses are addresses")).collect();
    match urls.is_empty() {
        true => Err(JoinError::Alone),
        false => Ok(Client::new(urls)),
    }
}
