//! Wants everything, reads nothing, and goes silent in the middle of a frame.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material::ask,
    wire::{Ears, connect, write, write_raw},
};
use replica::packet::Ask;
use std::time::Duration;

/// Asked before it goes silent.
const ASKED: u64 = 256;
/// How long it is silent. Then it hangs up and begins again.
const SILENCE: Duration = Duration::from_secs(15);

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "stall",
    about: "asks for blocks, never reads an answer, writes half a frame and no more",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Shut)?;
    loop {
        let mut stream = line.stream().await;
        let asks: Vec<_> = (1..=ASKED).map(|seq| ask(seq, Ask::Blocks { from: 1 })).collect();
        if write(&mut stream, &asks, &kit.tally).await.is_err() {
            continue;
        }
        let half = [&1_000_000u32.to_le_bytes()[..], &[0; 1_000]].concat();
        if write_raw(&mut stream, &half, &kit.tally).await.is_ok() {
            tokio::time::sleep(SILENCE).await;
            line.hang_up().await;
        }
    }
}
