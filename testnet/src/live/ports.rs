//! Free ports on the loopback interface.
//!
//! A port is found free by binding it, and given back before the node binds it in its turn.
//! Somebody may be quicker in between; then the node says so and the start fails, which is rare
//! enough to simply try again.

use serde::{Deserialize, Serialize};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

#[cfg(test)]
mod tests;

/// Where one node listens. Both are on the loopback interface: a testnet is nobody else's business.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ports {
    /// For its peers.
    pub listen: SocketAddr,
    /// For wallets.
    pub rpc: SocketAddr,
}

/// Ports for `nodes` nodes, all different.
///
/// # Errors
///
/// Whatever the system says when it has none to give.
pub fn choose(nodes: usize) -> io::Result<Vec<Ports>> {
    let mut ports = vec![Ports { listen: anywhere(), rpc: anywhere() }; nodes];
    refresh(&mut ports)?;
    Ok(ports)
}

/// Replaces what somebody else has taken meanwhile. True if anything was replaced.
///
/// # Errors
///
/// As [`choose`].
pub fn refresh(ports: &mut [Ports]) -> io::Result<bool> {
    let mut addresses: Vec<_> =
        ports.iter_mut().flat_map(|p| [&mut p.listen, &mut p.rpc]).collect();
    // All that can stay are held until all are found, so that no port is given out twice.
    let mut held = Vec::new();
    let mut taken = Vec::new();
    for address in &mut addresses {
        match TcpListener::bind(**address) {
            Ok(listener) if address.port() != 0 => held.push(listener),
            _ => taken.push(address),
        }
    }
    let moved = !taken.is_empty();
    for address in taken {
        let listener = TcpListener::bind(anywhere())?;
        **address = listener.local_addr()?;
        held.push(listener);
    }
    Ok(moved)
}

fn anywhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}
