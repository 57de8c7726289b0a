//! What people or programs are shown.
//!
//! A person at a terminal sees one line for each node, redrawn in place, and news above them. A
//! person who sends the output into a file gets a line when something changed. A program gets one
//! line of JSON for each event.
//!
//! A thread of its own does the writing, because a pipe that nobody reads from fills up, and a
//! testnet that waits for its reader no longer hears Ctrl-C. When too much is waiting, news is
//! dropped, and the next line says how much.

use super::{
    fleet::Exit,
    partition::Groups,
    pulse::{Pulse, Split},
    sight::{NodeView, Sight},
};
use serde::Serialize;
use std::{
    env,
    fmt::Write as _,
    io::{self, IsTerminal, Write},
    mem,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Duration,
};

mod banner;

#[cfg(test)]
mod tests;

pub use banner::{Account, Node, Ready};

/// How many lines may wait for a slow reader.
const QUEUE: usize = 256;

/// How long a slow reader may take for the last lines.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Something to show. As JSON it is one object whose `event` names it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "the large one comes once a run")]
pub enum Report {
    /// The net is up: all that one needs to use it.
    Ready(Ready),
    /// How everybody is, once a second.
    Status {
        /// By id.
        nodes: Vec<NodeView>,
        /// Whether blocks still become final; left out where they are not final at once, or nobody
        /// says anything.
        #[serde(skip_serializing_if = "Option::is_none")]
        finality: Option<Pulse>,
    },
    /// Nothing has become final for longer than it should take.
    Halted {
        /// The height of the last final block.
        height: u64,
    },
    /// Something has become final again.
    Resumed {
        /// Its height.
        height: u64,
        /// How many milliseconds after the last final block before.
        after_ms: u64,
    },
    /// Two honest nodes hold different final blocks.
    Split(Split),
    /// A node's process ended.
    Exited {
        /// Which.
        id: u32,
        /// How.
        #[serde(flatten)]
        exit: Exit,
    },
    /// A node was started again.
    Started {
        /// Which.
        id: u32,
        /// Its process.
        pid: u32,
    },
    /// A node that the genesis does not name was made and started.
    Joined {
        /// Which.
        id: u32,
        /// Its process.
        pid: u32,
    },
    /// Nothing passes between these groups any more.
    Partitioned {
        /// By id.
        groups: Groups,
        /// Who is in none of them, and reaches all.
        free: Vec<u32>,
    },
    /// Everything passes again.
    Healed {},
    /// A line of the demo.
    Demo(Line),
    /// The reader was too slow for some news.
    Dropped {
        /// How much.
        count: u64,
    },
    /// All nodes have ended.
    Stopped {},
}

/// A line of the demo.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// The step it belongs to, from one.
    pub step: u32,
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub text: String,
}

/// What a line of the demo is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The step's name.
    Title,
    /// Told to the reader.
    Text,
    /// A command that is run now.
    Command,
    /// What a command printed.
    Output,
    /// The end.
    Done,
}

/// How things are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// To a program: lines of JSON.
    Json,
    /// To a person: lines redrawn in place.
    Terminal,
    /// To a person, through something that keeps every line.
    Plain,
}

impl Style {
    /// What suits this process's standard output.
    pub fn of_process(json: bool) -> Style {
        let draws = io::stdout().is_terminal() && env::var_os("TERM").is_none_or(|t| t != "dumb");
        match (json, draws) {
            (true, _) => Style::Json,
            (false, true) => Style::Terminal,
            (false, false) => Style::Plain,
        }
    }
}

/// Turns reports into text, and remembers what is on the screen.
pub struct Screen {
    style: Style,
    hushed: bool,
    /// How many lines are to be redrawn: those of the last status, if nothing came after it.
    drawn: usize,
    /// The last status, so that a status is only shown when something changed.
    shown: String,
    dropped: u64,
    queue: SyncSender<String>,
    /// Closed when all is written.
    written: Receiver<()>,
}

impl Screen {
    /// Shows things on `out`. When that fails, because nobody reads any more or the disk is full,
    /// `failed` hears of it once.
    ///
    /// # Errors
    ///
    /// Whatever the system says when it has no thread to give.
    pub fn new(
        style: Style,
        mut out: impl Write + Send + 'static,
        failed: impl FnOnce(io::Error) + Send + 'static,
    ) -> io::Result<Screen> {
        let (queue, texts) = sync_channel::<String>(QUEUE);
        let (writing, written) = sync_channel(0);
        thread::Builder::new().name("screen".to_owned()).spawn(move || {
            let _until_we_return: SyncSender<()> = writing;
            let mut write =
                |text: String| out.write_all(text.as_bytes()).and_then(|()| out.flush());
            if let Err(error) = texts.iter().try_for_each(&mut write) {
                failed(error);
            }
        })?;
        let shown = String::new();
        Ok(Screen { style, hushed: false, drawn: 0, shown, dropped: 0, queue, written })
    }

    /// Keeps people from seeing statuses, and what they asked for themselves, while somebody tells
    /// them a story. Programs see everything.
    pub fn hush(&mut self, hushed: bool) {
        self.hushed = hushed && self.style != Style::Json;
    }

    /// Shows something.
    pub fn tell(&mut self, report: &Report) {
        if self.dropped > 0 {
            let count = mem::take(&mut self.dropped);
            self.show(&Report::Dropped { count });
        }
        self.show(report);
    }

    /// Shows what was done because somebody asked for it.
    pub fn confirm(&mut self, report: &Report) {
        if !self.hushed {
            self.tell(report);
        }
    }

    /// Tells a person, and no program.
    pub fn remark(&mut self, text: &str) {
        if self.style != Style::Json {
            self.print(&format!("{text}\n"));
        }
    }

    /// Ends when everything is written, or when the reader is too slow for that.
    pub fn close(self) {
        self.close_within(LAST_WORDS);
    }

    fn close_within(self, patience: Duration) {
        let Screen { queue, written, .. } = self;
        drop(queue);
        // Nothing is ever sent: the wait ends with the writer.
        let _: Result<(), RecvTimeoutError> = written.recv_timeout(patience);
    }

    fn show(&mut self, report: &Report) {
        match (self.style, report) {
            (Style::Json, _) => {
                let line = serde_json::to_string(report).expect("a report is plain data");
                self.send(line + "\n");
            }
            (_, Report::Status { .. }) if self.hushed => {}
            (Style::Terminal, Report::Status { nodes, finality }) => {
                self.redraw(nodes, finality.as_ref());
            }
            (Style::Plain, Report::Status { nodes, finality }) => {
                self.log(nodes, finality.as_ref());
            }
            (_, report) => self.print(&text(report)),
        }
    }

    /// Prints news. A status drawn before it stays above it, and the next is drawn below.
    fn print(&mut self, text: &str) {
        self.drawn = 0;
        self.shown.clear();
        self.send(text.to_owned());
    }

    fn redraw(&mut self, nodes: &[NodeView], finality: Option<&Pulse>) {
        let pulse = finality.map(Pulse::lines).unwrap_or_default();
        let count = nodes.len() + pulse.len();
        let nodes = nodes.iter().map(|node| format!("{node}\n"));
        let lines: String = nodes.chain(pulse.iter().map(|line| format!("{line}\n"))).collect();
        if lines == self.shown {
            return;
        }
        // Up to where the last status began, and clear from there.
        let back = match self.drawn {
            0 => "\n".to_owned(),
            drawn => format!("\x1b[{drawn}A\x1b[J"),
        };
        self.send(back + &lines);
        self.drawn = count;
        self.shown = lines;
    }

    fn log(&mut self, nodes: &[NodeView], finality: Option<&Pulse>) {
        let mut line = summary(nodes);
        if let Some(pulse) = finality.filter(|pulse| !pulse.is_usual()) {
            let _ = write!(line, "\n  {}", pulse.timeless());
        }
        line.push('\n');
        if line != self.shown {
            self.send(line.clone());
            self.shown = line;
        }
    }

    fn send(&mut self, text: String) {
        if self.queue.try_send(text).is_err() {
            self.dropped += 1;
        }
    }
}

/// A report other than a status, for a person.
fn text(report: &Report) -> String {
    match report {
        Report::Ready(ready) => ready.to_string(),
        Report::Status { nodes, .. } => summary(nodes) + "\n",
        Report::Halted { height } => {
            format!("nothing becomes final any more after height {height}\n")
        }
        Report::Split(split) => format!("{split}\n"),
        Report::Resumed { height, after_ms } => {
            let seconds = *after_ms as f64 / 1_000.0;
            format!("height {height} is final, {seconds:.1} s after the block before\n")
        }
        Report::Exited { id, exit } => {
            format!("node {id} is down ({exit}); `testnet start {id}` starts it again\n")
        }
        Report::Started { id, pid } => format!("node {id} is started again, as process {pid}\n"),
        Report::Joined { id, pid } => {
            format!("node {id} is new, and started as process {pid}; it has no seat yet\n")
        }
        Report::Partitioned { groups, .. } => {
            format!("nothing passes between {groups} any more; `testnet heal` ends that\n")
        }
        Report::Healed {} => "everything passes again\n".to_owned(),
        Report::Demo(Line { step, kind, text }) => match kind {
            Kind::Title => format!("\n\n{step}. {text}\n"),
            Kind::Text | Kind::Done => format!("\n{text}\n"),
            Kind::Command => format!("\n$ {text}\n"),
            Kind::Output => format!("{}\n", text.trim_end()),
        },
        Report::Dropped { count } => format!("({count} lines were dropped: the reader is slow)\n"),
        Report::Stopped {} => "All nodes are stopped.\n".to_owned(),
    }
}

/// All nodes in one line.
fn summary(nodes: &[NodeView]) -> String {
    let mut line = "height".to_owned();
    for node in nodes {
        let _ = match (&node.sight, node.up) {
            (_, false) => write!(line, " {:>4}", "down"),
            (None, true) => write!(line, " {:>4}", "?"),
            (Some(sight), true) => write!(line, " {:>4}", sight.head_height),
        };
    }
    // Of the nodes that say the most, the first speaks for all.
    let sights = nodes.iter().filter(|node| node.up).filter_map(|node| node.sight.as_ref());
    let higher = |best: &Sight, sight: &Sight| sight.head_height > best.head_height;
    let best = sights.reduce(|best, sight| if higher(best, sight) { sight } else { best });
    if let Some(sight) = best {
        let Sight { height, round, head, pool, peers, .. } = sight;
        let head = head.get(..8).unwrap_or(head);
        let _ = match sight.is_ahead() {
            true => write!(line, "   final {height}"),
            false => write!(line, "   round {round}"),
        };
        let _ = write!(line, "  head {head}  pool {pool}  peers {peers}");
    }
    line
}
