//! Transactions that are valid and pay nothing, or next to nothing.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material::{Payer, batch},
    wire::{Ears, connect},
};
use ledger::Amount;
use std::time::Duration;

/// Transactions in a batch.
const BATCH: usize = 64;
/// Between two batches.
const PAUSE: Duration = Duration::from_millis(1);

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "low-fee",
    about: "gossips valid transfers that pay no fee, from the accounts it was given",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    // Of one key nobody has heard, but its transfers of nothing ask for nothing.
    let keys = match kit.accounts.is_empty() {
        true => vec![kit.identity.clone()],
        false => kit.accounts.clone(),
    };
    let mut payers: Vec<_> =
        keys.into_iter().map(|key| Payer::new(kit.chain, key, Amount(0))).collect();
    line.connected().await;
    for turn in 0.. {
        let turn = turn % payers.len();
        let payer = &mut payers[turn];
        let transactions: Vec<_> = (0..BATCH).map(|_| payer.pay(Amount(0))).collect();
        kit.tally.transactions.add(BATCH as u64);
        line.publish(batch(&transactions)).await;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
