//! The longest frame there can be, byte by byte.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::wire::{Ears, connect, write_raw};
use std::time::Duration;

/// Between two bytes.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "drip",
    about: "announces the longest frame and writes it byte by byte",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut line = connect(&kit, Ears::Open)?;
    loop {
        let mut stream = line.stream().await;
        let length = 4 * 1024 * 1024u32;
        let mut next = write_raw(&mut stream, &length.to_le_bytes(), &kit.tally).await;
        while next.is_ok() {
            tokio::time::sleep(PAUSE).await;
            next = write_raw(&mut stream, &[0], &kit.tally).await;
        }
    }
}
