//! One connection after the other, under one new name after the other.

use super::{Behaviour, HostileError, Kit};
use crate::hostile::wire::{Ears, connect_as};
use crypto::SecretKey;
use std::{collections::VecDeque, time::Duration};
use tokio::{net::TcpStream, time::timeout};

/// Sockets that are held open and say nothing.
const HELD: usize = 200;
/// Sockets that are opened for each connection under a name.
const IN_A_ROW: usize = 20;
/// How long a handshake is waited for.
const HANDSHAKE: Duration = Duration::from_secs(1);

pub(super) const ABOUT: Behaviour = Behaviour {
    name: "connections",
    about: "opens sockets and holds them in silence, and connects and hangs up under ever new names",
    run: |kit| Box::pin(run(kit)),
};

async fn run(kit: Kit) -> Result<(), HostileError> {
    let mut held = VecDeque::new();
    loop {
        for _ in 0..IN_A_ROW {
            match timeout(HANDSHAKE, TcpStream::connect(kit.target)).await {
                Ok(Ok(socket)) => {
                    kit.tally.connections.increment();
                    held.push_back(socket);
                }
                _ => kit.tally.connections_refused.increment(),
            }
            if held.len() > HELD {
                held.pop_front();
            }
        }
        let mut line = connect_as(&SecretKey::generate(), &kit, Ears::Open)?;
        // Whether it succeeds or not is the node's affair.
        let _ = timeout(HANDSHAKE, line.connected()).await;
    }
}
