//! Frames that announce more than anybody may send.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::wire::{Ears, connect, write_raw};

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "oversized",
    about: "frames that announce four gigabytes, and envelopes above the limit of envelopes",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let chunk = vec![0xab; 64 * 1024];
    let lengths = [u32::MAX, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1];
    for length in lengths.into_iter().cycle() {
        let mut stream = line.stream().await;
        let mut left = length as usize;
        if write_raw(&mut stream, &length.to_le_bytes(), &kit.tally).await.is_err() {
            continue;
        }
        while left > 0 {
            let part = &chunk[..left.min(chunk.len())];
            if write_raw(&mut stream, part, &kit.tally).await.is_err() {
                break;
            }
            left -= part.len();
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}
