use super::*;

#[test]
fn an_address_keeps_its_port_in_both_notations() {
    for address in ["127.0.0.1:7000", "[::1]:65535", "10.0.0.1:0"] {
        let address: SocketAddr = address.parse().unwrap();
        for transport in [Transport::Tcp, Transport::Quic] {
            let told = transport.multiaddr(address);
            assert_eq!(transport.port(&told), Some(address.port()), "{told}");
        }
    }
    let address = "127.0.0.1:7000".parse().unwrap();
    let [tcp, quic] = [Transport::Tcp, Transport::Quic].map(|each| each.multiaddr(address));
    assert_eq!(tcp.to_string(), "/ip4/127.0.0.1/tcp/7000");
    assert_eq!(quic.to_string(), "/ip4/127.0.0.1/udp/7000/quic-v1");
    assert_eq!((Transport::Tcp.port(&quic), Transport::Quic.port(&tcp)), (None, None));
}

#[tokio::test]
async fn a_port_is_taken_for_its_own_transport_only() {
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = udp.local_addr().unwrap();
    assert!(Transport::Quic.check_free(address).await.is_err());
    Transport::Quic.let_go(address, Duration::from_millis(30)).await;
    drop(udp);
    Transport::Quic.check_free(address).await.unwrap();
    Transport::Quic.let_go(address, Duration::from_secs(3_600)).await;
}

#[test]
fn signs_of_life_come_well_before_a_silence_counts() {
    assert!(SIGN_OF_LIFE * 2 < SILENCE);
    const { assert!(STREAM_BYTES >= super::super::MAX_FRAME) };
}
