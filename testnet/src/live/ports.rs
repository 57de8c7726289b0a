//! Free ports on the loopback interface.
//!
//! A port is found free by binding it, over TCP and over UDP, and given back before the node binds it in
//! its turn. Somebody may be quicker in between; then the node says so and the start fails. That is rare:
//! all lie below those that systems hand out to whoever asks for none in particular, which is every
//! connection that is made, and each process begins to look in a place of its own.

use serde::{Deserialize, Serialize};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    process,
    sync::atomic::{AtomicU16, Ordering},
};

#[cfg(test)]
mod tests;

/// The lowest port that is looked at, and how many follow. Linux hands out those from 32768 on, others those
/// from 49152 on (RFC 6335).
const FIRST: u16 = 10_000;
const PORTS: u16 = 20_000;

/// How many ports lie between where two processes begin to look that were started one after the other. By
/// the golden section of them all, those that were started soon after one another begin far apart (Knuth,
/// volume 3, section 6.4).
const APART: u32 = 12_361;

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
/// If none is free.
pub fn choose(nodes: usize) -> io::Result<Vec<Ports>> {
    let mut ports = vec![Ports { listen: loopback(0), rpc: loopback(0) }; nodes];
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
        match Held::take(**address) {
            Ok(port) if address.port() != 0 => held.push(port),
            _ => taken.push(address),
        }
    }
    let moved = !taken.is_empty();
    for address in taken {
        let (found, port) = find()?;
        **address = found;
        held.push(port);
    }
    Ok(moved)
}

/// A port that nobody else can take.
#[derive(Debug)]
struct Held {
    _tcp: TcpListener,
    _udp: UdpSocket,
}

impl Held {
    fn take(address: SocketAddr) -> io::Result<Held> {
        Ok(Held { _tcp: TcpListener::bind(address)?, _udp: UdpSocket::bind(address)? })
    }
}

/// The next free port. One that this process has looked at before comes last, so that whoever was given it
/// has the time to bind it.
fn find() -> io::Result<(SocketAddr, Held)> {
    static LOOKED_AT: AtomicU16 = AtomicU16::new(0);
    let begin = process::id() % u32::from(PORTS) * APART % u32::from(PORTS);
    for _ in 0..PORTS {
        let place = u32::from(LOOKED_AT.fetch_add(1, Ordering::Relaxed));
        let address = loopback(FIRST + ((begin + place) % u32::from(PORTS)) as u16);
        if let Ok(port) = Held::take(address) {
            return Ok((address, port));
        }
    }
    let last = FIRST + (PORTS - 1);
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        format!("none of the ports {FIRST} to {last} is free on the loopback interface"),
    ))
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
