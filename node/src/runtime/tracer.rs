//! Writes the replica's trace, one line of JSON for each event, to a file.
//!
//! Each life begins with a line that tells when it did, by this machine's clock: `{"world":"life","wall_us":N}`, in
//! microseconds since 1970. The replica's own lines count from there, so that the traces of several nodes can
//! be set on one axis of time. A line `{"world":"final","at":N,"height":H,"block":B}` says that the node has told of a final
//! block: only then is it durable, which the replica's own line about it comes before.

use super::{
    counters::Counters,
    threads::{Failure, Failures},
};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use ledger::BlockHash;
use replica::trace::TraceLine;
use serde::Serialize;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

#[cfg(test)]
mod tests;

/// Lines that wait for the file.
const WAITING: usize = 8_192;

/// Hands lines to the thread that writes them. The replica never waits for it: when too many
/// wait, lines are dropped and counted, and their numbers are missing in the file.
#[derive(Debug)]
pub(super) struct Tracer {
    lines: Sender<Line>,
    counters: Arc<Counters>,
}

/// What is written.
#[derive(Debug)]
enum Line {
    Replica(Box<TraceLine>),
    World(World),
}

/// What the node has to say beside its replica.
#[derive(Debug, Serialize)]
#[serde(tag = "world", rename_all = "snake_case")]
enum World {
    /// A block is final, durable and told of, so many microseconds after this life began.
    Final { at: u64, height: u64, block: BlockHash },
}

impl Tracer {
    /// Opens the file, behind what earlier lives wrote, and starts the thread. It ends, with
    /// everything written, when the [`Tracer`] is dropped.
    pub(super) fn start(
        path: &Path,
        counters: Arc<Counters>,
        failures: &Failures,
    ) -> io::Result<(Tracer, JoinHandle<()>)> {
        let shown = path.display().to_string();
        let file = open(path)
            .map_err(|error| io::Error::new(error.kind(), format!("{shown}: {error}")))?;
        let (lines, queue) = bounded(WAITING);
        let thread = failures.watch("trace", move || {
            // A study without a trace is a pity; a replica that stops for it is a fault.
            if let Err(error) = write(&queue, BufWriter::new(file)) {
                tracing::error!("the trace {shown} ends here: {error}");
            }
            Ok::<_, Failure>(())
        })?;
        Ok((Tracer { lines, counters }, thread))
    }

    /// Writes a line, soon.
    pub(super) fn line(&self, line: Box<TraceLine>) {
        self.put(Line::Replica(line));
    }

    /// Writes that a block is final, durable and told of.
    pub(super) fn told(&self, at: Duration, height: u64, block: BlockHash) {
        let at = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        self.put(Line::World(World::Final { at, height, block }));
    }

    fn put(&self, line: Line) {
        match self.lines.try_send(line) {
            Ok(()) => {}
            // After a failed write nobody listens any more, which was said in the log.
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counters.note(|figures| figures.trace_lines_dropped += 1);
            }
        }
    }
}

/// Opens the file and begins a life in it. An earlier one may have ended within a line.
fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let end = if last == [b'\n'] { "" } else { "\n" };
    writeln!(file, "{end}{{\"world\":\"life\",\"wall_us\":{wall}}}")?;
    Ok(file)
}

/// Writes lines as they come, and flushes whenever none waits.
fn write(queue: &Receiver<Line>, mut file: impl Write) -> io::Result<()> {
    while let Ok(first) = queue.recv() {
        let mut next = Some(first);
        while let Some(line) = next {
            match &line {
                Line::Replica(line) => serde_json::to_writer(&mut file, line)?,
                Line::World(line) => serde_json::to_writer(&mut file, line)?,
            }
            file.write_all(b"\n")?;
            next = queue.try_recv().ok();
        }
        file.flush()?;
    }
    Ok(())
}
