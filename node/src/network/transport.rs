//! How bytes get from host to host: over TCP, or over QUIC.
//!
//! All nodes of a net use the same one, since none listens on both. Over TCP noise proves the keys and
//! yamux gives substreams; QUIC has TLS 1.3 and streams of its own. Everything above is the same: the
//! keys, one connection for each pair, substreams, budgets, limits.
//!
//! One thing differs. When a process is killed, its system closes its TCP connections at once; over QUIC
//! nobody tells the peers. They notice after [`SILENCE`] at most, or as soon as the node is back at its
//! address, which answers to the old connection's packets that it knows none.

use std::{fmt, io, net::SocketAddr, time::Duration};

use clap::ValueEnum;
use libp2p::{Multiaddr, multiaddr::Protocol, quic};
use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, UdpSocket},
    time::{sleep, timeout},
};

use super::service::{HANDSHAKE, MAX_SUBSTREAMS};

/// How long a QUIC connection may be silent before it counts as lost.
const SILENCE: Duration = Duration::from_secs(6);
/// How often a side that has nothing to say shows that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
/// Bytes that one QUIC stream may hold unread. The longest frame fits.
const STREAM_BYTES: u32 = 4 * 1024 * 1024;
/// Bytes that all streams of one QUIC connection may hold unread.
const CONNECTION_BYTES: u32 = 8 * 1024 * 1024;
/// How long QUIC may hold a port after its connections have closed: three probe timeouts (RFC 9000, section
/// 10.2), each a second where no round trip was measured yet (RFC 9002, section 6.2.2), and twice that where
/// the machine is so busy that what was measured is longer.
pub(super) const LINGER: Duration = Duration::from_secs(6);
/// How often to look whether a port is free.
const GLANCE: Duration = Duration::from_millis(10);

/// What carries the bytes. Everybody in a net uses the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP, noise and yamux.
    #[default]
    Tcp,
    /// QUIC version 1, over UDP.
    Quic,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Tcp => "TCP",
            Transport::Quic => "QUIC",
        })
    }
}

impl Transport {
    /// Whether it is what everybody uses unless told otherwise.
    pub fn is_default(&self) -> bool {
        *self == Transport::default()
    }

    /// An address in libp2p's notation.
    pub(super) fn multiaddr(self, address: SocketAddr) -> Multiaddr {
        let host = Multiaddr::from(address.ip());
        match self {
            Transport::Tcp => host.with(Protocol::Tcp(address.port())),
            Transport::Quic => host.with(Protocol::Udp(address.port())).with(Protocol::QuicV1),
        }
    }

    /// The port of an address that is in libp2p's notation.
    pub(super) fn port(self, address: &Multiaddr) -> Option<u16> {
        address.iter().find_map(|part| match (self, part) {
            (Transport::Tcp, Protocol::Tcp(port)) | (Transport::Quic, Protocol::Udp(port)) => {
                Some(port)
            }
            _ => None,
        })
    }

    /// Fails if somebody listens on `address`. Port 0 is always free.
    pub(super) async fn check_free(self, address: SocketAddr) -> io::Result<()> {
        match self {
            Transport::Tcp => TcpListener::bind(address).await.map(drop),
            Transport::Quic => UdpSocket::bind(address).await.map(drop),
        }
    }

    /// Waits until nobody listens on `address` any more, or for so long. QUIC's sockets belong to tasks
    /// that end a moment after what they serve.
    pub(super) async fn let_go(self, address: SocketAddr, patience: Duration) {
        if self == Transport::Tcp {
            return;
        }
        let free = async {
            while self.check_free(address).await.is_err() {
                sleep(GLANCE).await;
            }
        };
        // If it takes longer, whoever wants the port next is told that it is taken.
        let _ = timeout(patience, free).await;
    }
}

/// QUIC with bounds like those of the other transport.
pub(super) fn quic(mut config: quic::Config) -> quic::Config {
    config.handshake_timeout = HANDSHAKE;
    config.max_idle_timeout = SILENCE.as_millis() as u32;
    config.keep_alive_interval = SIGN_OF_LIFE;
    config.max_concurrent_stream_limit = MAX_SUBSTREAMS as u32;
    config.max_stream_data = STREAM_BYTES;
    config.max_connection_data = CONNECTION_BYTES;
    config
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
