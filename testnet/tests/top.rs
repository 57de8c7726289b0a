//! `testnet top` at a terminal of its own, with keys that are pressed and signals that come.

mod support;

use nix::{
    pty::{OpenptyResult, Winsize, openpty},
    sys::{
        signal::{Signal, kill},
        termios::{Termios, tcgetattr},
    },
    unistd::Pid,
};
use serde_json::Value;
use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    thread,
};
use support::{Guard, Up, finish, testnet, text, until};

/// What a terminal is told when it is given back: the other screen is left, and there is a cursor again.
const LEFT: &str = "\u{1b}[?1049l";
const CURSOR: &str = "\u{1b}[?25h";

/// `testnet top` at a terminal.
struct Top {
    process: Guard,
    keys: File,
    terminal: OwnedFd,
    before: Termios,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Top {
    fn start(up: &Up, temp: &Path) -> Top {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(Some(&size), None).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let dir = up.dir();
        let mut command = testnet(temp, &["top", "--dir", dir.to_str().unwrap()]);
        command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "xterm-256color");
        let process = Guard(command.spawn().unwrap());
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut screen, all) = (File::from(master.try_clone().unwrap()), Arc::clone(&shown));
        thread::spawn(move || {
            let mut chunk = [0; 4_096];
            // It ends with an error when nobody has the terminal any more.
            while let Ok(count @ 1..) = screen.read(&mut chunk) {
                all.lock().unwrap().extend_from_slice(&chunk[..count]);
            }
        });
        Top { process, keys: File::from(master), terminal: slave, before, shown }
    }

    /// Whatever was drawn so far, with what moves the cursor.
    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Whether a text was drawn. Of spaces a screen is full, so that none is drawn: the cursor moves on.
    fn shows(&self, text: &str) -> bool {
        let (shown, mut drawn) = (self.shown(), String::new());
        let mut rest = shown.chars().filter(|letter| *letter != ' ');
        while let Some(letter) = rest.next() {
            match letter {
                // What drives a terminal ends with a letter.
                '\u{1b}' => drop(rest.by_ref().find(char::is_ascii_alphabetic)),
                other => drawn.push(other),
            }
        }
        drawn.contains(&text.replace(' ', ""))
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until it has ended, and looks whether the terminal is as it was.
    fn expect_end(mut self) {
        assert_eq!(self.process.wait().code(), Some(0), "{}", self.shown());
        until("the terminal is given back", || {
            let shown = self.shown();
            shown.rfind(LEFT).is_some() && shown.rfind(CURSOR).is_some()
        });
        assert_eq!(tcgetattr(&self.terminal).unwrap(), self.before);
    }
}

fn node(up: &Up) -> Value {
    let view = up.run(&["status", "--json", "--dir", up.dir().to_str().unwrap()]);
    let view: Value = serde_json::from_slice(&view.stdout).unwrap();
    view["nodes"][0].clone()
}

#[test]
fn keys_kill_and_start_a_node_and_the_terminal_is_given_back() {
    let mut up = Up::start(&["--replicas", "1", "--block-time", "250ms"]);
    let temp = tempfile::tempdir().unwrap();
    let mut top = Top::start(&up, temp.path());
    until("the net is shown", || top.shows("1 of 1 up"));
    assert!(top.shows("tendermint · chain"));
    let pid = node(&up)["pid"].clone();
    top.press("k");
    until("the node is down", || node(&up)["up"] == false);
    until("that is shown", || top.shows("node 0 is down (SIGKILL)"));
    top.press("s");
    until("the node is up", || node(&up)["up"] == true);
    assert_ne!(node(&up)["pid"], pid);
    // The node that was started is the net's to end, and the test's to know.
    up.event("started");
    top.press("q");
    top.expect_end();
    assert_eq!(node(&up)["up"], true, "the net goes on");
    up.signal(Signal::SIGTERM);
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();
}

#[test]
fn whatever_ends_it_gives_the_terminal_back() {
    let up = Up::start(&["--replicas", "1"]);
    let temp = tempfile::tempdir().unwrap();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let top = Top::start(&up, temp.path());
        until("the net is shown", || top.shows("1 of 1 up"));
        assert_ne!(tcgetattr(&top.terminal).unwrap(), top.before, "keys come one by one");
        kill(Pid::from_raw(top.process.0.id().try_into().unwrap()), signal).unwrap();
        top.expect_end();
    }
    let mut top = Top::start(&up, temp.path());
    until("the net is shown", || top.shows("1 of 1 up"));
    top.press("\u{3}");
    top.expect_end();
}

#[test]
fn without_a_terminal_it_says_what_there_is_instead() {
    let temp = tempfile::tempdir().unwrap();
    let refused = finish(&mut testnet(temp.path(), &["top"]));
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("testnet status --json"), "{}", text(&refused));
}
