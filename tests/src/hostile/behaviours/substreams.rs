//! As many substreams as the node will have, and then some.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::wire::{Ears, connect, protocol};
use std::collections::VecDeque;

/// Held open at a time.
const HELD: usize = 1_000;

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "substreams",
    about: "opens substreams without end and holds a thousand of them",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let name = protocol(kit.chain);
    let mut held = VecDeque::new();
    loop {
        held.extend(line.try_stream(&name).await);
        if held.len() > HELD {
            held.pop_front();
        }
        tokio::task::yield_now().await;
    }
}
