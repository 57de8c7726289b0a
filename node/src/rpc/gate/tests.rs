use super::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

const SOON: Duration = Duration::from_secs(10);

async fn gate(places: usize, idle: Duration) -> (Gate, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (Gate { listener, places: Arc::new(Semaphore::new(places)), idle }, address)
}

#[tokio::test]
async fn beyond_the_bound_connections_wait_until_one_leaves() {
    let (mut gate, address) = gate(1, SOON).await;
    let _one = TcpStream::connect(address).await.expect("connected");
    let _two = TcpStream::connect(address).await.expect("in the system's queue");
    let (first, _) = gate.accept().await;
    assert!(timeout(Duration::from_millis(50), gate.accept()).await.is_err());
    drop(first);
    assert!(timeout(SOON, gate.accept()).await.is_ok());
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_ended() {
    let (mut gate, address) = gate(1, Duration::from_millis(50)).await;
    let _silent = TcpStream::connect(address).await.expect("connected");
    let (mut guest, _) = gate.accept().await;
    let read = timeout(SOON, guest.read_u8()).await.expect("not for ever");
    assert_eq!(read.expect_err("ended").kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn what_it_says_passes_and_buys_it_time() {
    let idle = Duration::from_millis(200);
    let (mut gate, address) = gate(1, idle).await;
    let mut wallet = TcpStream::connect(address).await.expect("connected");
    let (mut guest, _) = gate.accept().await;
    for byte in 0..6 {
        wallet.write_u8(byte).await.expect("sent");
        assert_eq!(guest.read_u8().await.expect("in time"), byte);
        guest.write_u8(byte + 100).await.expect("answered");
        assert_eq!(wallet.read_u8().await.expect("heard"), byte + 100);
        tokio::time::sleep(idle / 3).await;
    }
}
