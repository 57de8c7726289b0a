//! Everything in order, but for another chain.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material::{self, Payer, batch},
    wire::{Ears, connect, protocol, write},
};
use crypto::Hash;
use ledger::{Amount, ChainId, ReplicaId};
use std::time::Duration;

/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(5);
/// Transactions in a batch.
const BATCH: usize = 32;

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "wrong-chain",
    about: "asks for another chain's protocol, and signs messages and transactions for that chain",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let other = ChainId(Hash::from_bytes([0x5a; 32]));
    let its_protocol = protocol(other);
    let stranger = Kit { chain: other, ..kit.clone() };
    let mut payer = Payer::new(other, kit.identity.clone(), Amount(1));
    let mut seq = 0;
    loop {
        let mut stream = line.stream().await;
        loop {
            seq += 1;
            drop(line.try_stream(&its_protocol).await);
            let transactions: Vec<_> = (0..BATCH).map(|_| payer.pay(Amount(1))).collect();
            kit.tally.transactions.add(BATCH as u64);
            line.publish(batch(&transactions)).await;
            let vote = material::fetch(&stranger, seq, Default::default(), ReplicaId(0));
            let frames = vec![vote.unwrap_or_else(|| material::summary(seq, 0))];
            if write(&mut stream, &frames, &kit.tally).await.is_err() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
