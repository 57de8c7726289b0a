//! What several tests need.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
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
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}

/// Our metrics as `docs/rpc.md` names them, without those that are named by a pattern. The first cell of a
/// row has them in code: the first one whole, others of the row perhaps by their ends, as `_peers`.
pub(crate) fn documented_metrics() -> BTreeSet<String> {
    let manual = include_str!("../../docs/rpc.md");
    let rows = manual.lines().filter(|line| line.starts_with("| `byzantium_"));
    let names = rows.flat_map(|row| {
        let cell = row.split('|').nth(1).unwrap_or_default();
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
    });
    let mut names: BTreeSet<_> = names
        .filter(|name| !name.contains('*'))
        .map(|name| match name.strip_prefix('_') {
            Some(end) => format!("byzantium_{end}"),
            None => name,
        })
        .collect();
    assert!(manual.contains("`byzantium_longest_seconds`"));
    names.insert("byzantium_longest_seconds".to_owned());
    names
}

/// Our metrics on a page, without the network's, which the manual does not list one by one.
pub(crate) fn shown_metrics(page: &str) -> BTreeSet<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let named = types.filter_map(|line| line.split_once(' '));
    let ours = named.filter(|(name, _)| {
        name.starts_with("byzantium_") && !name.starts_with("byzantium_network_")
    });
    ours.map(|(name, kind)| match kind {
        "counter" => format!("{name}_total"),
        _ => name.to_owned(),
    })
    .collect()
}
