//! What several tests need.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// The lowest port tests listen on, and how many follow. All lie below those that the system hands
/// out (32768 upwards), so that no connection and no `:0` takes one before a node listens there.
const FIRST: u16 = 10_000;
const PORTS: u16 = 20_000;

/// An address that is free and that no other test of this process is given.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run at one time begin in different places.
    let begin = (std::process::id().wrapping_mul(127) % u32::from(PORTS)) as u16;
    loop {
        let place = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(place < PORTS, "no port is free");
        let port = FIRST + (begin + place) % PORTS;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
