//! Whatever it hears, again and again.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::wire::{Ears, connect, write};
use std::{collections::VecDeque, time::Duration};

/// Frames that are kept to be sent again.
const KEPT: usize = 256;
/// Sent at once.
const AT_ONCE: usize = 16;
/// The wait while nothing was heard.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "replay",
    about: "sends what it receives, frames and gossip, again and again",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let mut kept: VecDeque<Vec<u8>> = VecDeque::new();
    loop {
        let mut stream = line.stream().await;
        loop {
            while let Ok(message) = line.gossip.try_recv() {
                line.publish(message).await;
            }
            while let Ok(frame) = line.frames.try_recv() {
                kept.push_back(frame);
            }
            while kept.len() > KEPT {
                kept.pop_front();
            }
            if kept.is_empty() {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let count = AT_ONCE.min(kept.len());
            kept.rotate_left(count);
            let frames: Vec<_> = kept.iter().take(count).cloned().collect();
            if write(&mut stream, &frames, &kit.tally).await.is_err() {
                break;
            }
        }
    }
}
