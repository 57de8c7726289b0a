//! Frames that are no envelopes.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material::{self, noise},
    wire::{Ears, connect},
};

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "malformed",
    about: "frames of noise, and envelopes with a bit turned or a tail",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let mut rng = material::chance();
    let mut seq = 0;
    line.pour(|| {
        seq += 1;
        let mut turned = material::summary(seq, 1);
        turned[8 + seq as usize % 8] ^= 0x80;
        let mut tailed = material::summary(seq, 1);
        tailed.push(0);
        // Begins as a message does.
        let mut begun = noise(&mut rng, 3_000);
        begun[8..12].fill(0);
        vec![noise(&mut rng, seq as usize % 2_000), turned, tailed, begun]
    })
    .await;
    Ok(())
}
