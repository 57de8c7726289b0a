use super::{server::Server, *};
use crate::live::net::MOST_REPLICAS;
use std::{
    os::unix::fs::PermissionsExt,
    os::unix::net::UnixListener,
    sync::{Arc, Mutex},
    thread,
};
use tempfile::TempDir;

/// A net that starts whatever it is asked to start, and remembers what it was asked.
fn served() -> (TempDir, Place, Server, Arc<Mutex<Vec<Request>>>) {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let (server, asked) = serve(&place);
    (dir, place, server, asked)
}

fn serve(place: &Place) -> (Server, Arc<Mutex<Vec<Request>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let remembers = Arc::clone(&asked);
    let server = Server::open(place, move |request| {
        remembers.lock().unwrap().push(request);
        Some(Answer::Started { id: 3, pid: 4711 })
    });
    (server.unwrap(), asked)
}

/// What the net answers to these bytes.
fn say(place: &Place, bytes: &[u8]) -> Answer {
    let mut stream = connect(place).unwrap();
    // The server may have heard enough, and hung up, before all is written.
    let _ = stream.write_all(bytes);
    let deadline = Instant::now() + Duration::from_secs(10);
    serde_json::from_slice(&read_line(&mut stream, LONGEST_ANSWER, deadline).unwrap()).unwrap()
}

#[test]
fn a_request_is_answered() {
    let (_dir, place, _server, asked) = served();
    let answer = ask(&place, Request::Start { id: 3 }).unwrap();
    assert_eq!(answer, Answer::Started { id: 3, pid: 4711 });
    assert_eq!(*asked.lock().unwrap(), [Request::Start { id: 3 }]);
}

#[test]
fn requests_are_written_as_the_help_says() {
    for (line, request) in [
        (r#"{"command":"kill","id":3}"#, Request::Kill { id: 3 }),
        (r#"{"command":"stop","id":0}"#, Request::Stop { id: 0 }),
        (r#"{"id":1,"command":"start"}"#, Request::Start { id: 1 }),
        (r#"{"command":"status"}"#, Request::Status {}),
        (
            r#"{"command":"partition","groups":[[0,1],[2]]}"#,
            Request::Partition { groups: "0,1/2".parse().unwrap() },
        ),
        (r#"{"command":"heal"}"#, Request::Heal {}),
    ] {
        assert_eq!(server::parse(line.as_bytes()), Ok(request), "{line}");
    }
}

#[test]
fn the_largest_partition_fits_into_a_request() {
    let (_dir, place, _server, asked) = served();
    let groups = Groups((0..MOST_REPLICAS).map(|id| vec![id]).collect());
    let request = Request::Partition { groups };
    ask(&place, request.clone()).unwrap();
    assert_eq!(*asked.lock().unwrap(), [request]);
}

#[test]
fn hostile_bytes_are_answered_and_not_obeyed() {
    let (_dir, place, _server, asked) = served();
    let hostile: [&[u8]; 9] = [
        b"\n",
        b"kill 3\n",
        b"\xff\xfe\x00\n",
        b"{\"command\":\"kill\"}\n",
        b"{\"command\":\"kill\",\"id\":-1}\n",
        b"{\"command\":\"kill\",\"id\":4294967296}\n",
        b"{\"command\":\"kill\",\"id\":3,\"id\":2}\n",
        b"{\"command\":\"kill\",\"id\":3,\"signal\":9}\n",
        &[b'['; 100_000],
    ];
    for bytes in hostile {
        let answer = say(&place, bytes);
        assert!(matches!(answer, Answer::Refused { reason: Reason::Input, .. }), "{answer:?}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn who_connects_and_says_nothing_holds_nobody_up_for_long() {
    let (_dir, place, _server, _asked) = served();
    let _silent = connect(&place).unwrap();
    let gone = connect(&place).unwrap();
    drop(gone);
    assert!(ask(&place, Request::Status {}).is_ok());
}

#[test]
fn dripping_does_not_stretch_the_deadline() {
    let (mut drip, mut reader) = UnixStream::pair().unwrap();
    let dripping = thread::spawn(move || {
        while drip.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
    });
    let deadline = Instant::now() + Duration::from_millis(100);
    assert!(read_line(&mut reader, LONGEST_REQUEST, deadline).is_err());
    drop(reader);
    dripping.join().unwrap();
}

#[test]
fn only_the_owner_can_open_the_socket() {
    let (_dir, place, _server, _asked) = served();
    let mode = fs::metadata(place.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_dead_testnets_socket_is_replaced_and_our_own_removed() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    drop(UnixListener::bind(place.socket()).unwrap());
    assert!(place.socket().exists(), "a socket outlives its listener");
    assert!(matches!(ask(&place, Request::Status {}), Err(ControlError::NoNet { .. })));
    let (server, _asked) = serve(&place);
    assert!(ask(&place, Request::Status {}).is_ok());
    drop(server);
    assert!(!place.socket().exists());
}

#[test]
fn a_long_path_has_a_short_socket() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path().join("deep".repeat(30)));
    fs::create_dir_all(place.dir()).unwrap();
    assert!(socket(&place).unwrap().as_os_str().len() <= LONGEST_PATH);
    let (_server, _asked) = serve(&place);
    assert!(ask(&place, Request::Status {}).is_ok());
}

#[test]
fn where_no_net_runs_the_remedy_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let message = find(Some(dir.path())).unwrap_err().to_string();
    assert!(message.contains("testnet up --dir"), "{message}");
}

#[test]
fn several_nets_are_listed() {
    let places = vec![Place::new("/tmp/one"), Place::new("/tmp/two")];
    let message = ControlError::Several(Dirs(places)).to_string();
    assert!(message.contains("--dir /tmp/one\n  --dir /tmp/two"), "{message}");
}
