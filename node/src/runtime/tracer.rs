//! Writes the replica's trace, one line of JSON for each event, to a file.

use super::{
    counters::Counters,
    threads::{Failure, Failures},
};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use replica::trace::TraceLine;
use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    path::Path,
    sync::Arc,
    thread::JoinHandle,
};

#[cfg(test)]
mod tests;

/// Lines that wait for the file.
const WAITING: usize = 8_192;

/// Hands lines to the thread that writes them. The replica never waits for it: when too many
/// wait, lines are dropped and counted, and their numbers are missing in the file.
#[derive(Debug)]
pub(super) struct Tracer {
    lines: Sender<TraceLine>,
    counters: Arc<Counters>,
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
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file =
            file.map_err(|error| io::Error::new(error.kind(), format!("{shown}: {error}")))?;
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
    pub(super) fn line(&self, line: TraceLine) {
        match self.lines.try_send(line) {
            Ok(()) => {}
            // After a failed write nobody listens any more, which was said in the log.
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counters.note(|figures| figures.trace_lines_dropped += 1);
            }
        }
    }
}

/// Writes lines as they come, and flushes whenever none waits.
fn write(queue: &Receiver<TraceLine>, mut file: impl Write) -> io::Result<()> {
    while let Ok(first) = queue.recv() {
        let mut next = Some(first);
        while let Some(line) = next {
            serde_json::to_writer(&mut file, &line)?;
            file.write_all(b"\n")?;
            next = queue.try_recv().ok();
        }
        file.flush()?;
    }
    Ok(())
}
