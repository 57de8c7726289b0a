use super::*;
use std::sync::{
    Arc, Mutex,
    mpsc::{Sender, channel},
};

/// For a writer that the machine gives no time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Something to write to whose content can be looked at.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `story` leaves on paper.
fn shown(style: Style, story: impl FnOnce(&mut Screen)) -> String {
    let paper = Paper::default();
    let mut screen = Screen::new(style, paper.clone(), |error| panic!("{error}")).unwrap();
    story(&mut screen);
    screen.close_within(PATIENCE);
    let bytes = paper.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn node(id: u32, height: Option<u64>) -> NodeView {
    let sight = height.map(|height| Sight {
        height,
        round: 0,
        head: "3f8a00c1".repeat(8),
        head_height: height,
        pool: 0,
        peers: 3,
        state: "running".to_owned(),
        weights: None,
    });
    NodeView { id, up: true, pid: Some(1), rpc: String::new(), exit: None, lie: None, sight }
}

fn status(heights: [u64; 2]) -> Report {
    let nodes = (0..).zip(heights).map(|(id, height)| node(id, Some(height))).collect();
    Report::Status { nodes, finality: None }
}

const EXITED: Report = Report::Exited { id: 3, exit: Exit { code: None, signal: Some(9) } };

#[test]
fn programs_get_one_object_a_line() {
    let text = shown(Style::Json, |screen| {
        screen.hush(true);
        screen.remark("for people");
        screen.tell(&EXITED);
        screen.confirm(&Report::Started { id: 3, pid: 4711 });
        screen.tell(&status([1, 1]));
        let line = Line { step: 1, kind: Kind::Title, text: "a\nb".to_owned() };
        screen.tell(&Report::Demo(line));
        screen.tell(&Report::Stopped {});
    });
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(r#"{"event":"exited","id":3,"code":null,"signal":9}"#));
    assert_eq!(lines.next(), Some(r#"{"event":"started","id":3,"pid":4711}"#));
    assert!(lines.next().unwrap().starts_with(r#"{"event":"status","nodes":[{"id":0,"up":true"#));
    let demo = r#"{"event":"demo","step":1,"kind":"title","text":"a\nb"}"#;
    assert_eq!(lines.next(), Some(demo));
    assert_eq!(lines.next(), Some(r#"{"event":"stopped"}"#));
    assert_eq!(lines.next(), None);
}

#[test]
fn a_file_gets_a_line_when_something_changed() {
    let text = shown(Style::Plain, |screen| {
        for heights in [[1, 1], [1, 1], [2, 1], [2, 1]] {
            screen.tell(&status(heights));
        }
    });
    assert_eq!(
        text,
        "height    1    1   round 0  head 3f8a00c1  pool 0  peers 3\n\
         height    2    1   round 0  head 3f8a00c1  pool 0  peers 3\n"
    );
}

#[test]
fn the_summary_tells_the_dead_from_the_silent() {
    let dead = NodeView { up: false, ..node(1, Some(9)) };
    let line = summary(&[node(0, Some(8)), dead, node(2, None)]);
    assert_eq!(line, "height    8 down    ?   round 0  head 3f8a00c1  pool 0  peers 3");
    assert_eq!(summary(&[node(0, None)]), "height    ?");
}

#[test]
fn a_terminal_is_redrawn_in_place_and_news_stays() {
    let text = shown(Style::Terminal, |screen| {
        screen.tell(&status([1, 1]));
        screen.tell(&status([1, 1]));
        screen.tell(&status([2, 2]));
        screen.tell(&EXITED);
        screen.tell(&status([2, 2]));
    });
    assert_eq!(text.matches("\x1b[2A\x1b[J").count(), 1, "{text:?}");
    assert_eq!(text.matches("height 2 ").count(), 4, "{text:?}");
    assert!(text.contains("node 3 is down (SIGKILL); `testnet start 3`"), "{text:?}");
}

#[test]
fn a_story_is_not_interrupted_by_statuses_but_by_accidents() {
    let text = shown(Style::Plain, |screen| {
        screen.hush(true);
        screen.tell(&status([1, 1]));
        screen.confirm(&Report::Started { id: 2, pid: 4711 });
        screen.tell(&EXITED);
        screen.hush(false);
        screen.tell(&status([3, 3]));
    });
    assert!(text.starts_with("node 3 is down"), "{text}");
    assert!(text.contains("height    3    3"), "{text}");
}

#[test]
fn a_reader_who_left_is_noticed() {
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let (told, heard) = channel();
    let tell = move |error: io::Error| told.send(error.kind()).unwrap();
    let mut screen = Screen::new(Style::Plain, Closed, tell).unwrap();
    screen.tell(&EXITED);
    let kind = heard.recv_timeout(Duration::from_secs(10));
    assert_eq!(kind, Ok(io::ErrorKind::BrokenPipe));
    screen.tell(&EXITED);
    screen.close_within(PATIENCE);
}

#[test]
fn a_reader_who_does_not_read_holds_nobody_up_and_is_told_what_was_dropped() {
    /// Lets one write through for each word it is sent.
    struct Slow(Receiver<()>, Paper);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // An error means that the test has let go, and everything may pass.
            let _ = self.0.recv();
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let (go, wait): (Sender<()>, _) = channel();
    let paper = Paper::default();
    let out = Slow(wait, paper.clone());
    let mut screen = Screen::new(Style::Json, out, |error| panic!("{error}")).unwrap();
    for _ in 0..QUEUE + 50 {
        screen.send("news\n".to_owned());
    }
    drop(go);
    while !paper.0.lock().unwrap().ends_with(b"news\n")
        || paper.0.lock().unwrap().len() < QUEUE * "news\n".len()
    {
        thread::sleep(Duration::from_millis(5));
    }
    screen.tell(&EXITED);
    screen.close_within(PATIENCE);
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let mut last = text.lines().rev();
    assert!(last.next().unwrap().contains("exited"), "{text}");
    assert!(last.next().unwrap().contains(r#"{"event":"dropped","count":"#), "{text}");
}
