//! One measurement from beginning to end.
//!
//! First the machine is measured, while nothing runs on it. Then the network starts, and when all
//! nodes have found each other, the load begins: that is when every clock is read for the first
//! time. They are read again when the load ends. What is not final then gets some more time, so
//! that no latency is left out because it was long.

use super::{
    Bench, BenchError,
    accounts::{self, Purse},
    book::{Book, Phase},
    figures::{Latencies, each, limit_per_s},
    follow::follow,
    lane::{Lane, Pace},
    report::{Figure, Generator, Latency, Memory, Rate, Report},
    stage::Stage,
    system,
    yardstick::Yardstick,
};
use crate::live::{home::Home, up::UpError};
use crypto::SecretKey;
use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often the main loop looks around.
const BEAT: Duration = Duration::from_millis(50);

/// How often at most somebody at a terminal is told how it goes.
const SHOW: Duration = Duration::from_millis(500);

/// How long those who submit may take, when the load ends, for what was due in the last moment.
const LAST: Duration = Duration::from_millis(250);

/// How often memory is looked at, at the most often; and how many looks there are at the most.
const MEMORY: Duration = Duration::from_secs(2);
const LOOKS: u32 = 300;

const MEBIBYTE: f64 = 1_048_576.0;

/// Measures once in an empty home, and stops everything again.
///
/// # Errors
///
/// [`BenchError`], if there is nothing to report.
pub fn measure(order: &Bench, home: &Home, stop: &AtomicBool) -> Result<Report, BenchError> {
    let stopped = || stop.load(Ordering::Relaxed);
    let screen = Screen::new(order);
    screen.say("measuring this machine …");
    let yardstick = Yardstick::measure();
    let keys = accounts::generate(order.accounts);
    screen.say("starting the nodes …");
    let mut stage = Stage::open(home, &order.wish(), &accounts::funded(&keys))?;
    let outcome = if stage.await_ready(stopped)? {
        Run { order, keys, yardstick, screen }.run(&mut stage, &stopped)
    } else {
        Err(BenchError::Interrupted)
    };
    stage.close();
    Screen::new(order).clear();
    outcome
}

/// What a measurement needs to begin.
struct Run<'a> {
    order: &'a Bench,
    keys: Vec<SecretKey>,
    yardstick: Yardstick,
    screen: Screen,
}

/// What is read when the load begins and again when it ends. What cannot be read is missing.
struct Reading {
    at: Instant,
    height: Option<u64>,
    nodes_cpu: Option<f64>,
    own_cpu: Option<f64>,
    all_cpu: Option<f64>,
    sent: Option<u64>,
    disk: Option<u64>,
}

impl Reading {
    /// The quick ones nearest to the load, so that the slow ones are not counted into it.
    fn before(stage: &Stage) -> Reading {
        let (disk, sent) = (stage.disk_bytes(), stage.sent_bytes());
        Reading { disk, sent, ..Reading::clocks(stage) }
    }

    fn after(stage: &Stage) -> Reading {
        let clocks = Reading::clocks(stage);
        Reading { sent: stage.sent_bytes(), disk: stage.disk_bytes(), ..clocks }
    }

    fn clocks(stage: &Stage) -> Reading {
        Reading {
            height: stage.height().ok(),
            nodes_cpu: stage.cpu_seconds(),
            own_cpu: system::cpu_seconds("self"),
            all_cpu: system::all_cpu_seconds(),
            at: Instant::now(),
            sent: None,
            disk: None,
        }
    }
}

/// What is known when the load has ended.
struct Window {
    before: Reading,
    after: Reading,
    /// Final by then.
    committed: u64,
    /// Handed over by then.
    submitted: u64,
    memory: Vec<Memory>,
    interrupted: bool,
}

impl Run<'_> {
    fn run(&self, stage: &mut Stage, stopped: &dyn Fn() -> bool) -> Result<Report, BenchError> {
        let book = Arc::new(Book::new(self.order.lanes()));
        let purses = accounts::deal(&self.keys, self.order.lanes(), stage.net.chain_id());
        let before = Reading::before(stage);
        let threads = self.start(stage, &book, purses, &before)?;
        let loaded = self.load(stage, &book, before, stopped);
        book.enter(Phase::Drain);
        let drained = match &loaded {
            Ok(_) => self.drain(stage, &book, stopped),
            Err(_) => Ok(()),
        };
        book.enter(Phase::Over);
        let panicked = threads.into_iter().filter_map(|thread| thread.join().err()).count();
        let window = loaded?;
        drained?;
        if panicked > 0 {
            return Err(BenchError::Panicked);
        }
        Ok(self.report(stage, &book, window))
    }

    /// Starts those who submit and the one who follows; nobody, if there is no load.
    fn start(
        &self,
        stage: &Stage,
        book: &Arc<Book>,
        purses: Vec<Purse>,
        before: &Reading,
    ) -> Result<Vec<JoinHandle<()>>, BenchError> {
        let pace = match (self.order.schedule(), self.order.rate) {
            (Some(schedule), _) => Pace::Open(schedule, self.order.duration),
            (None, Rate::Max) => Pace::Window(self.order.window()),
            (None, Rate::PerSecond(_)) => return Ok(Vec::new()),
        };
        let (begun, from) = (before.at, before.height.unwrap_or(0) + 1);
        let mut threads = Vec::new();
        let (client, its_book) = (stage.clients[0].clone(), Arc::clone(book));
        threads.push(spawn("follow", move || follow(&client, 0, from, &its_book))?);
        for (number, purse) in (0..).zip(purses) {
            let node = number % self.order.replicas;
            let (client, book) = (stage.clients[node as usize].clone(), Arc::clone(book));
            let lane = Lane { number, node, client, purse, pace, book, begun };
            threads.push(spawn("submit", move || lane.run())?);
        }
        Ok(threads)
    }

    /// Watches until the load is over.
    fn load(
        &self,
        stage: &mut Stage,
        book: &Book,
        before: Reading,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Window, BenchError> {
        let duration = self.order.duration;
        let every = MEMORY.max(duration / LOOKS);
        let mut memory = Vec::new();
        let mut look = Duration::ZERO;
        let mut show = Show::default();
        let interrupted = loop {
            let elapsed = before.at.elapsed();
            if elapsed >= duration || stopped() {
                break elapsed < duration;
            }
            self.check(stage, book)?;
            if elapsed >= look {
                memory.extend(remember(stage, elapsed));
                look = elapsed + every;
            }
            self.screen.progress(&mut show, book, elapsed, duration);
            thread::sleep(BEAT.min(duration - elapsed));
        };
        // One look at the book, before anything slow.
        let page = book.page();
        let (committed, submitted) = (page.committed(), page.submitted);
        drop(page);
        let after = Reading::after(stage);
        memory.extend(remember(stage, after.at - before.at));
        if let (Some(schedule), false) = (self.order.schedule(), interrupted) {
            // What was due in the last moment may be on its way.
            let due = schedule.before(duration);
            let until = Instant::now() + LAST;
            drop(book.wait_until(Phase::Load, until, |page| page.submitted >= due));
        }
        Ok(Window { before, after, committed, submitted, memory, interrupted })
    }

    /// Waits until all that is under way is final, within reason.
    fn drain(
        &self,
        stage: &mut Stage,
        book: &Book,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(), BenchError> {
        let until = Instant::now() + self.order.drain;
        loop {
            self.check(stage, book)?;
            let waiting = book.page().waiting();
            if waiting == 0 || stopped() || Instant::now() >= until {
                return Ok(());
            }
            self.screen.say(&format!("{waiting} transfers are not final yet …"));
            thread::sleep(BEAT);
        }
    }

    fn check(&self, stage: &mut Stage, book: &Book) -> Result<(), BenchError> {
        stage.check_alive()?;
        match &book.page().trouble {
            Some(trouble) => {
                let dir = stage.net.place.dir().to_owned();
                Err(BenchError::Trouble { trouble: trouble.clone(), dir })
            }
            None => Ok(()),
        }
    }

    fn report(&self, stage: &Stage, book: &Book, window: Window) -> Report {
        let Bench { replicas, rate, accounts, .. } = *self.order;
        let in_flight = self.order.lanes() * self.order.window() as u32;
        let Window { before, after, memory, interrupted, .. } = window;
        let page = book.page();
        let seconds = (after.at - before.at).as_secs_f64();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let committed = window.committed as f64;
        let committed_per_s = committed / seconds;
        let limit = limit_per_s(cores, replicas, self.yardstick.verify);
        let blocks = grown(before.height, after.height).unwrap_or(0.0);
        let cpu = spent(before.nodes_cpu, after.nodes_cpu);
        let own = spent(before.own_cpu, after.own_cpu);
        let all = spent(before.all_cpu, after.all_cpu);
        let others = all.zip(cpu).zip(own).map(|((all, cpu), own)| (all - cpu - own).max(0.0));
        let per_second = |amount: Option<f64>| amount.map(|amount| Figure(amount / seconds));
        let per_tx = |amount: Option<f64>| amount.and_then(|it| each(it, committed)).map(Figure);
        let disk = grown(before.disk, after.disk).map(|bytes| bytes / f64::from(replicas));
        let most = memory.iter().flat_map(|memory| &memory.rss_mib).map(|mib| mib.0);
        let submitted = window.submitted as f64;
        let own_each = own.and_then(|own| each(own * 1e6, submitted));
        let length = (after.at - before.at).min(self.order.duration);
        let due = self.order.schedule().map_or(0, |schedule| schedule.before(length));
        Report {
            consensus: stage.net.genesis.consensus.clone(),
            replicas,
            rate,
            accounts,
            block_time_ms: stage.net.genesis.block_time,
            in_flight: (rate == Rate::Max).then_some(in_flight),
            duration_s: Figure(seconds),
            interrupted,
            cores,
            verify_us: Figure(self.yardstick.verify.as_secs_f64() * 1e6),
            committed_per_s: Figure(committed_per_s),
            limit_per_s: limit.map(Figure),
            ratio: limit.map(|limit| Figure(committed_per_s / limit)),
            latency_ms: latency(&page.latencies),
            blocks_per_s: Figure(blocks / seconds),
            empty_blocks_per_s: (rate == Rate::PerSecond(0)).then_some(Figure(blocks / seconds)),
            transactions_per_block: each(committed, blocks).map(Figure),
            bytes_per_tx: per_tx(grown(before.sent, after.sent)),
            disk_bytes_per_tx: per_tx(disk),
            cpu_cores: per_second(cpu),
            cpu_us_per_tx: per_tx(cpu.map(|cpu| cpu * 1e6)),
            other_cpu_cores: per_second(others),
            rss_mib: most.reduce(f64::max).map(Figure),
            rss_mib_series: memory,
            submitted: page.submitted,
            accepted: page.accepted,
            committed: page.committed(),
            refused: page.refusals.values().sum(),
            refusals: page.refusals.clone(),
            unsent: due.saturating_sub(page.submitted),
            unfinished: page.waiting() as u64,
            generator: Generator {
                cpu_cores: per_second(own),
                cpu_us_per_tx: own_each.map(Figure),
                sign_us: Figure(self.yardstick.sign.as_secs_f64() * 1e6),
            },
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, BenchError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|error| UpError::System(error).into())
}

fn remember(stage: &Stage, at: Duration) -> Option<Memory> {
    let mib = |bytes: u64| Figure(bytes as f64 / MEBIBYTE);
    let rss_mib = stage.resident_bytes()?.into_iter().map(mib).collect();
    Some(Memory { at_s: Figure(at.as_secs_f64()), rss_mib })
}

/// What something grew by. A directory may shrink; then it did not grow.
fn grown(before: Option<u64>, after: Option<u64>) -> Option<f64> {
    Some(after?.saturating_sub(before?) as f64)
}

fn spent(before: Option<f64>, after: Option<f64>) -> Option<f64> {
    Some(after? - before?)
}

fn latency(latencies: &Latencies) -> Option<Latency> {
    let figure = |time: Duration| Figure(time.as_secs_f64() * 1e3);
    let percentile = |percent| latencies.percentile(percent).map(figure);
    Some(Latency {
        p50: percentile(50)?,
        p95: percentile(95)?,
        p99: percentile(99)?,
        max: latencies.greatest().map(figure)?,
    })
}

/// What a person at a terminal sees meanwhile: one line, written over and over.
struct Screen {
    shown: bool,
}

/// What was shown last.
#[derive(Default)]
struct Show {
    at: Duration,
    committed: u64,
}

impl Screen {
    fn new(order: &Bench) -> Screen {
        Screen { shown: !order.json && io::stderr().is_terminal() }
    }

    fn say(&self, line: &str) {
        self.write(&format!("\r\x1b[K{line}"));
    }

    fn clear(&self) {
        self.write("\r\x1b[K");
    }

    fn progress(&self, show: &mut Show, book: &Book, elapsed: Duration, duration: Duration) {
        if !self.shown || elapsed < show.at + SHOW {
            return;
        }
        let page = book.page();
        let (committed, waiting) = (page.committed(), page.waiting());
        drop(page);
        let since = (elapsed - show.at).as_secs_f64();
        let rate = (committed - show.committed) as f64 / since;
        *show = Show { at: elapsed, committed };
        self.say(&format!(
            "{:.0} of {:.0} s: {rate:.0} transfers final per second, {waiting} under way",
            elapsed.as_secs_f64(),
            duration.as_secs_f64()
        ));
    }

    fn write(&self, text: &str) {
        if self.shown {
            // Nobody has to watch.
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}
