use super::*;
use crate::{
    conditions::{Link, MAX_DELAY, Spread, World, tests::conditions},
    config::Mining,
    network::{self, Config, Events, Network, NetworkEvent, PeerConfig, Transport},
    runtime::Levers,
    testing::free_address,
};
use crypto::SecretKey;
use ledger::ChainId;
use proptest::prelude::*;
use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::UnixListener,
    },
    sync::Arc,
    thread,
};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);

fn secret(id: u32) -> SecretKey {
    SecretKey::from_seed([id as u8 + 1; 32])
}

struct Node {
    dir: TempDir,
    network: Network,
    events: Events,
    world: World,
    server: Option<Server>,
}

/// Networks that all know each other, each with a control socket in a directory of its own. They
/// run on the runtime; tests are its blocking side, as a person's command is.
struct Bench {
    runtime: tokio::runtime::Runtime,
    nodes: Vec<Node>,
}

fn config(id: u32, addresses: &[SocketAddr]) -> Config {
    let others = (0..).zip(addresses).filter(|(other, _)| *other != id);
    let peers = others.map(|(id, address)| PeerConfig {
        id,
        public_key: secret(id).public().to_bytes(),
        address: *address,
    });
    Config {
        seed: secret(id).seed(),
        listen: addresses[id as usize],
        transport: Transport::Tcp,
        peers: peers.collect(),
        guests: 0,
        chain: ChainId::default().to_string(),
    }
}

fn bench(count: u32) -> Bench {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let addresses: Vec<_> = (0..count).map(|_| free_address()).collect();
    let nodes = (0..count)
        .map(|id| {
            let dir = tempfile::tempdir().expect("a directory");
            let start = network::start(config(id, &addresses));
            let (network, events) = runtime.block_on(start).expect("starts");
            let _inside = runtime.enter();
            let fair = Conditions::default();
            let (weather, events) = network.weather(events, id, fair).expect("a thread");
            let world = World::new(weather, Levers::new(Mining::default()));
            let server = Server::open(dir.path(), network.clone(), world.clone());
            let server = Some(server.expect("a socket"));
            Node { dir, network, events, world, server }
        })
        .collect();
    let bench = Bench { runtime, nodes };
    let everybody = count as usize - 1;
    wait_for("all are linked", || bench.nodes.iter().all(|node| node.network.peers() == everybody));
    bench
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < SOON, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

impl Bench {
    fn ask(&self, id: usize, request: &Request) -> Result<View, ControlError> {
        ask(self.nodes[id].dir.path(), request)
    }

    fn connect(&self, id: usize) -> UnixStream {
        let stream = UnixStream::connect(self.path(id)).expect("it listens");
        stream.set_read_timeout(Some(SOON)).expect("a timeout");
        stream
    }

    fn path(&self, id: usize) -> PathBuf {
        self.nodes[id].dir.path().join(SOCKET)
    }

    /// Waits for a frame from one node at the other, which has been sent nothing before.
    fn passes(&mut self, from: u32, to: u32) {
        self.nodes[from as usize].network.send(to, Arc::new([from as u8; 9]));
        let events = &mut self.nodes[to as usize].events;
        let frame = async {
            loop {
                match events.recv().await.expect("it runs") {
                    NetworkEvent::Frame { from: sender, bytes } if sender == from => return bytes,
                    _ => {}
                }
            }
        };
        let heard = self.runtime.block_on(async { tokio::time::timeout(SOON, frame).await });
        assert_eq!(heard.expect("it comes"), [from as u8; 9]);
    }

    /// Sees that a frame from one node does not reach the other, as one does that a third sends after it.
    fn is_kept(&mut self, from: u32, to: u32, witness: u32) {
        self.nodes[from as usize].network.send(to, Arc::new([from as u8; 9]));
        thread::sleep(Duration::from_millis(300));
        self.nodes[witness as usize].network.send(to, Arc::new([0xff; 9]));
        let events = &mut self.nodes[to as usize].events;
        loop {
            match self.runtime.block_on(events.recv()).expect("it runs") {
                NetworkEvent::Frame { from: sender, bytes } if sender == witness => {
                    assert_eq!(bytes, [0xff; 9]);
                    return;
                }
                NetworkEvent::Frame { from: sender, .. } => assert_ne!(sender, from, "it came"),
                _ => {}
            }
        }
    }

    fn end(self) {
        for Node { network, server, .. } in self.nodes {
            if let Some(server) = server {
                self.runtime.block_on(server.stop());
            }
            self.runtime.block_on(network.shutdown());
        }
    }
}

fn cut(seats: &[u32]) -> Request {
    Request::Cut(seats.iter().copied().collect())
}

/// Says something raw, and hears one line.
fn say(stream: &mut UnixStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).expect("it listens");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("an answer");
    line
}

#[test]
fn what_is_cut_does_not_get_through_either_way_until_it_is_healed() {
    let mut bench = bench(3);
    let view = |cut: &[u32], connected: &[u32], peers: [u32; 2]| {
        let (cut, connected) = (cut.into(), connected.into());
        View { cut, connected, peers: peers.into() }
    };
    assert_eq!(bench.ask(0, &Request::Status).expect("answered"), view(&[], &[1, 2], [1, 2]));
    bench.passes(0, 1);
    bench.passes(1, 0);

    assert_eq!(bench.ask(0, &cut(&[1])).expect("done"), view(&[1], &[2], [1, 2]));
    bench.is_kept(0, 1, 2);
    bench.is_kept(1, 0, 2);
    // The third is not concerned.
    bench.passes(0, 2);
    assert_eq!(bench.ask(0, &Request::Status).expect("answered"), view(&[1], &[2], [1, 2]));

    assert!(bench.ask(0, &Request::Heal).expect("done").cut.is_empty());
    wait_for("they find each other", || {
        bench.ask(0, &Request::Status).is_ok_and(|now| now == view(&[], &[1, 2], [1, 2]))
            && bench.ask(1, &Request::Status).is_ok_and(|now| now == view(&[], &[0, 2], [0, 2]))
    });
    bench.passes(0, 1);
    bench.passes(1, 0);
    bench.end();
}

#[test]
fn conditions_are_obeyed_from_when_they_are_told_until_others_are() {
    let mut bench = bench(3);
    let tell = |bench: &Bench, links: &[(u32, Link)]| {
        let links = links.iter().cloned().collect();
        let all = Conditions { links, ..Conditions::default() };
        bench.ask(1, &Request::Conditions(Box::new(all))).expect("done")
    };
    let silent = Link { lost_ppm: 1_000_000, ..Link::default() };
    let view = tell(&bench, &[(0, silent)]);
    assert_eq!((view.cut, view.connected), (vec![], vec![0, 2]), "no link is down");
    // Nothing one way, everything the other.
    bench.is_kept(0, 1, 2);
    bench.passes(1, 0);
    assert!(bench.nodes[1].network.counters().weather_lost > 0);

    // Those of the third now take longer than any test, and the old ones hold no more.
    let slow = Link { delay: Spread(vec![MAX_DELAY]), ..Link::default() };
    tell(&bench, &[(2, slow)]);
    bench.passes(0, 1);
    bench.is_kept(2, 1, 0);
    bench.end();
}

#[test]
fn only_its_owner_can_open_the_socket() {
    let bench = bench(1);
    let found = fs::symlink_metadata(bench.path(0)).expect("it is there");
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(bench.nodes[0].dir.path())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, [SOCKET], "the place it was made in is gone");
    bench.end();
}

#[test]
fn what_a_killed_node_left_is_replaced_and_what_is_no_socket_is_not() {
    let bench = bench(1);
    let Node { network, world, .. } = &bench.nodes[0];
    let _inside = bench.runtime.enter();
    let open = |dir: &TempDir| Server::open(dir.path(), network.clone(), world.clone());

    let dir = tempfile::tempdir().expect("a directory");
    drop(UnixListener::bind(dir.path().join(SOCKET)).expect("a socket that outlives its owner"));
    fs::create_dir(dir.path().join(".control")).expect("made");
    drop(UnixListener::bind(dir.path().join(".control/s")).expect("killed in the middle"));
    assert!(matches!(ask(dir.path(), &Request::Status), Err(ControlError::Unreachable { .. })));
    let server = open(&dir).expect("it replaces both");
    assert!(ask(dir.path(), &Request::Status).is_ok());
    drop(server);
    assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 0, "nothing is left");

    fs::write(dir.path().join(SOCKET), "dear diary").expect("written");
    let error = open(&dir).expect_err("refused");
    assert!(matches!(error, ControlError::Occupied { .. }), "{error}");
    assert!(error.to_string().contains("move it away"), "{error}");
    assert_eq!(fs::read(dir.path().join(SOCKET)).expect("still there"), b"dear diary");
    bench.end();
}

#[test]
fn a_node_that_ends_late_leaves_its_successors_socket() {
    let mut bench = bench(1);
    let Node { dir, network, world, .. } = &bench.nodes[0];
    let inside = bench.runtime.enter();
    let before = fs::metadata(bench.path(0)).expect("there").ino();
    let successor = Server::open(dir.path(), network.clone(), world.clone());
    let successor = successor.expect("a socket");
    let after = fs::metadata(bench.path(0)).expect("there").ino();
    assert_ne!(before, after);
    drop(inside);
    bench.runtime.block_on(bench.nodes[0].server.take().expect("the first").stop());
    let found = fs::metadata(bench.path(0)).expect("still there").ino();
    assert_eq!(found, after);
    assert!(bench.ask(0, &Request::Status).is_ok());
    drop(successor);
    assert!(!bench.path(0).exists());
    bench.end();
}

#[test]
fn garbage_is_answered_with_an_error_that_names_it_and_harms_nothing() {
    let bench = bench(2);
    let mut stream = bench.connect(0);
    let cases: [(&[u8], &str); 16] = [
        (b"hello", "hello"),
        (b"", "no request"),
        (b"[]", "no request"),
        (b"{}", "one thing"),
        (b"{\"cut\":[1],\"heal\":true}", "one thing"),
        (b"{\"heal\":false}", "false"),
        (b"{\"cut\":null}", "null"),
        (b"{\"cut\":[-1]}", "-1"),
        (b"{\"cut\":[4294967296]}", "4294967296"),
        (b"{\"crash\":[1]}", "crash"),
        (b"{\"conditions\":{},\"heal\":true}", "one thing"),
        (b"{\"conditions\":{\"sync\":[9,8]}}", "`sync`: 8 follows 9"),
        (b"{\"conditions\":{\"others\":{\"lost_ppm\":1000001}}}", "`others.lost_ppm`: 1000001"),
        (b"{\"conditions\":{\"weather\":1}}", "weather"),
        (b"{\"status\":true} {\"heal\":true}", "trailing"),
        (b"\xff\xfe\x00{{{{", "no request"),
    ];
    for (line, word) in cases {
        let reply = say(&mut stream, &[line, b"\n"].concat());
        let Ok(Answer::Refused { error }) = serde_json::from_str(&reply) else {
            panic!("{line:?} was answered with {reply}");
        };
        assert!(error.contains(word) && error.contains("{\"status\":true}"), "{error}");
    }
    let reply = say(&mut stream, b"{\"cut\":[0]}\n");
    assert!(reply.contains("0 is no peer of this node, whose peers are 1"), "{reply}");
    // The same connection still serves, and nothing has changed.
    let reply = say(&mut stream, b"{\"status\":true}\n");
    assert_eq!(reply, "{\"cut\":[],\"connected\":[1],\"peers\":[1]}\n");
    bench.end();
}

#[test]
fn lines_are_bounded_and_the_last_may_lack_its_end() {
    let bench = bench(1);
    let mut longest = b"{\"status\":true}".to_vec();
    longest.resize(LONGEST_LINE - 1, b' ');
    longest.push(b'\n');
    let mut stream = bench.connect(0);
    assert!(say(&mut stream, &longest).contains("connected"));
    let reply = say(&mut stream, &vec![b'['; LONGEST_LINE + 1]);
    assert!(reply.contains("error") && reply.contains("65536"), "{reply}");
    assert_eq!(stream.read(&mut [0]).expect("hung up on"), 0);

    let mut stream = bench.connect(0);
    stream.write_all(b"{\"status\":true}").expect("it listens");
    stream.shutdown(std::net::Shutdown::Write).expect("no more");
    assert!(say(&mut stream, b"").contains("connected"));
    assert_eq!(stream.read(&mut [0]).expect("hung up on"), 0);
    // Half a line and a hasty end.
    let mut stream = bench.connect(0);
    stream.write_all(b"{\"heal\"").expect("it listens");
    drop(stream);
    assert!(bench.ask(0, &Request::Status).is_ok());
    bench.end();
}

#[test]
fn too_many_at_once_are_sent_away() {
    let bench = bench(1);
    let mut patient: Vec<_> = (0..server::CONNECTIONS).map(|_| bench.connect(0)).collect();
    for stream in &mut patient {
        assert!(say(stream, b"{\"status\":true}\n").contains("connected"), "all are served");
    }
    let error = bench.ask(0, &Request::Status).expect_err("no room");
    assert!(matches!(&error, ControlError::Refused { error, .. } if error.contains("8 others")));
    drop(patient);
    wait_for("there is room again", || bench.ask(0, &Request::Status).is_ok());
    bench.end();
}

#[test]
fn who_cannot_be_asked_is_told_of_with_the_remedy() {
    let dir = tempfile::tempdir().expect("a directory");
    let complaint = |dir: &Path| ask(dir, &Request::Heal).expect_err("nobody").to_string();
    let words = complaint(dir.path());
    assert!(words.contains("is the node running, and was it started by testnet?"), "{words}");
    assert!(words.contains("control.sock"), "{words}");

    let long = dir.path().join("x".repeat(LONGEST_PATH));
    let words = complaint(&long);
    assert!(words.contains("shorter path") && words.contains("may have 100"), "{words}");

    for reply in ["", "{}\n", "nonsense\n", "{\"cut\":[1]", &"x".repeat(LONGEST_LINE + 1)] {
        let path = dir.path().join(SOCKET);
        let listener = UnixListener::bind(&path).expect("a socket");
        let reply = reply.to_owned();
        let stranger = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody asks");
            let mut request = String::new();
            BufReader::new(&stream).read_line(&mut request).expect("a request");
            let _ = stream.write_all(reply.as_bytes());
            request
        });
        let error = ask(dir.path(), &cut(&[3, 1])).expect_err("no answer");
        assert!(matches!(error, ControlError::Broken { .. }), "{error}");
        assert_eq!(stranger.join().expect("no panic"), "{\"cut\":[1,3]}\n");
        fs::remove_file(path).expect("removed");
    }
}

#[test]
fn what_is_asked_is_what_is_read() {
    for request in [cut(&[]), cut(&[0]), cut(&[7, u32::MAX]), Request::Heal, Request::Status] {
        assert_eq!(Request::parse(request.to_line().as_bytes()), Ok(request));
    }
}

proptest! {
    #[test]
    fn conditions_that_are_asked_for_are_those_that_are_read(all in conditions()) {
        let request = Request::Conditions(Box::new(all));
        prop_assert_eq!(Request::parse(request.to_line().as_bytes()), Ok(request));
    }
}
