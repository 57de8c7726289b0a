//! Answers to questions that nobody asked, as long and as dear to check as they can be.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material::{self, Payer, answer},
    wire::{Ears, connect},
};
use ledger::Amount;

/// Transactions in a frame: it just fits the limit.
const TRANSACTIONS: usize = 4_500;

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "unasked",
    about: "blocks that nobody asked for, full of transactions whose signatures are good",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let mut payer = Payer::new(kit.chain, kit.identity.clone(), Amount(1));
    let mut transactions = Vec::new();
    for _ in 0..TRANSACTIONS {
        transactions.push(payer.pay(Amount(1)));
        kit.tally.transactions.increment();
        if transactions.len() % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let frame = answer(1, material::blocks(2, 1, &transactions));
    line.pour(|| vec![frame.clone()]).await;
    Ok(())
}
