//! Gossip that means nothing.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material::{self, Payer, batch, noise},
    wire::{Ears, connect},
};
use ledger::Amount;
use std::time::Duration;

/// Between two rounds: gossip has a queue of its own, which has to drain.
const PAUSE: Duration = Duration::from_millis(2);

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "gossip-garbage",
    about: "gossips noise, and batches in which one signature is bad",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let mut rng = material::chance();
    let mut payer = Payer::new(kit.chain, kit.identity.clone(), Amount(1));
    line.connected().await;
    loop {
        line.publish(noise(&mut rng, 2_000)).await;
        let transactions: Vec<_> = (0..8).map(|_| payer.pay(Amount(1))).collect();
        kit.tally.transactions.add(8);
        let mut forged = batch(&transactions);
        *forged.last_mut().expect("a batch has bytes") ^= 1;
        line.publish(forged).await;
        tokio::time::sleep(PAUSE).await;
    }
}
