//! Small questions with large answers, one after the other.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::{
    material::{self, ask, batch_of},
    wire::{Ears, connect, write},
};
use ledger::{BlockHash, ReplicaId};
use replica::packet::Ask;

/// Asked at once.
const AT_ONCE: u64 = 32;
/// How many validators a target may be: it answers questions that were put to it, and does not say which it is.
const SEATS: u64 = 4;
/// How many kinds of questions there are, the most frequent one several times.
const KINDS: u64 = 8;

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "asks",
    about: "questions of every kind with large answers; as a member of a PBFT committee, for batches too",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    let mut rng = material::chance();
    let (mut seq, mut batch) = (0, None::<BlockHash>);
    loop {
        let mut stream = line.stream().await;
        loop {
            while let Ok(frame) = line.frames.try_recv() {
                batch = batch_of(&frame).or(batch);
            }
            let mut frames = Vec::new();
            for _ in 0..AT_ONCE {
                seq += 1;
                let id = material::noise(&mut rng, 32).try_into().expect("32 bytes");
                frames.push(match seq % KINDS {
                    0 => ask(seq, Ask::Summary),
                    1 => ask(seq, Ask::Message(id)),
                    2 => batch
                        .and_then(|batch| material::fetch(&kit, seq, batch, seat(seq)))
                        .unwrap_or_else(|| ask(seq, Ask::Summary)),
                    3 => ask(seq, Ask::Block(batch.unwrap_or_default())),
                    _ => ask(seq, Ask::Blocks { from: 1 + seq % 7 }),
                });
            }
            if write(&mut stream, &frames, &kit.tally).await.is_err() {
                break;
            }
        }
    }
}

/// All of them in turn.
fn seat(seq: u64) -> ReplicaId {
    ReplicaId((seq / KINDS % SEATS) as u32)
}
