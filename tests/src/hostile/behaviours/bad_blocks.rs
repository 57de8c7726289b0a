//! Says that it is ahead, and serves blocks that prove nothing.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material::{self, Payer, answer, asks_for_blocks, summary},
    wire::{Ears, connect, write},
};
use ledger::Amount;
use std::time::Duration;

/// How often it looks whether it was asked.
const PERIOD: Duration = Duration::from_millis(20);
/// How far ahead it says it is.
const AHEAD: u64 = 1 << 40;
/// Transactions in each block, all well signed, so that they are dear to look at.
const TRANSACTIONS: usize = 50;
/// Blocks in an answer.
const BLOCKS: u64 = 64;

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "bad-blocks",
    about: "says that it is ahead, and answers with blocks that stand on nothing and prove nothing",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let mut payer = Payer::new(kit.chain, kit.identity.clone(), Amount(1));
    let transactions: Vec<_> = (0..TRANSACTIONS).map(|_| payer.pay(Amount(1))).collect();
    let mut seq = 0;
    loop {
        let mut stream = line.stream().await;
        loop {
            seq += 1;
            let mut frames = Vec::new();
            if seq % 8 == 1 {
                frames.push(summary(seq, AHEAD));
            }
            while let Ok(frame) = line.frames.try_recv() {
                if let Some(from) = asks_for_blocks(&frame) {
                    frames.push(answer(seq, material::blocks(from + 1, BLOCKS, &transactions)));
                }
            }
            if write(&mut stream, &frames, &kit.tally).await.is_err() {
                break;
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}
