//! Envelopes that are in order, faster than anybody can want them.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material,
    wire::{Ears, connect},
};

/// Written at once.
const AT_ONCE: u64 = 64;

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "flood",
    about: "valid summaries, as many as the line takes",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let mut seq = 0;
    line.pour(|| {
        let frames = seq..seq + AT_ONCE;
        seq += AT_ONCE;
        frames.map(|seq| material::summary(seq, 0)).collect()
    })
    .await;
    Ok(())
}
