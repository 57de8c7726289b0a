//! Says that it is far ahead, and answers nothing, or nonsense.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material::{answer, asks_for_blocks, summary},
    wire::{Ears, connect, write},
};
use std::time::Duration;

/// As often as an honest peer speaks.
const PERIOD: Duration = Duration::from_millis(150);

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "heights",
    about: "says that it is ahead by a world, and answers with nothing at all or with no blocks",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let mut seq = 0;
    loop {
        let mut stream = line.stream().await;
        loop {
            seq += 1;
            let mut frames = vec![summary(seq, u64::MAX - seq % 2)];
            while let Ok(frame) = line.frames.try_recv() {
                if asks_for_blocks(&frame).is_some() && seq % 2 == 0 {
                    frames.push(answer(seq, Vec::new()));
                }
            }
            if write(&mut stream, &frames, &kit.tally).await.is_err() {
                break;
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}
