//! Transactions that are well signed, by accounts that nobody has ever paid anything.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material::{Payer, batch},
    wire::{Ears, connect},
};
use crypto::SecretKey;
use ledger::Amount;
use std::time::Duration;

/// Transactions in a batch, half of which move nothing and pay nothing.
const BATCH: u64 = 64;
/// Between two batches.
const PAUSE: Duration = Duration::from_millis(1);

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "unfunded",
    about: "gossips transfers of accounts that do not exist, each of another",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    line.connected().await;
    loop {
        let signed = (0..BATCH).map(|number| {
            let amount = Amount(number % 2);
            Payer::new(kit.chain, SecretKey::generate(), amount).pay(amount)
        });
        let transactions: Vec<_> = signed.collect();
        kit.tally.transactions.add(BATCH);
        line.publish(batch(&transactions)).await;
        tokio::time::sleep(PAUSE).await;
    }
}
