//! The traces of all nodes as one, as the simulator writes it: for `testnet trace`.
//!
//! Every life of a node tells when it began by this machine's clock, which all nodes here share. The picture
//! begins with the first of them.

use super::{FieldError, play::Played};
use crate::live::net::Net;
use ledger::ReplicaId;
use node::config::TRACE_FILE;
use replica::trace::TraceLine;
use simulator::{
    Scenario,
    record::{Aside, aside::MARK},
};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// A line, and when it was written, in microseconds since 1970.
type Timed = (i64, Vec<u8>);

/// Writes them to a file.
///
/// # Errors
/// [`FieldError::Unreadable`], for whichever file.
pub fn write(
    net: &Net,
    scenario: &Scenario,
    module: &str,
    seed: u64,
    played: &Played,
    path: &Path,
) -> Result<(), FieldError> {
    let bad = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| FieldError::Unreadable { path, reason: error.to_string() }
    };
    let places = places(net);
    let mut lives = Vec::new();
    for (lane, (id, dir)) in (0..).zip(&places) {
        let path = dir.join(TRACE_FILE);
        lives.extend(read(lane, *id, &path).map_err(bad(&path))?);
    }
    let zero = lives.iter().map(|(at, _)| *at).min().unwrap_or(played.zero).min(played.zero);
    let mut lines = Vec::new();
    for (at, found) in lives {
        lines.extend(found.told(at, zero));
    }
    lines.extend(happened(played, zero, &places));
    // What is at the same time keeps its order.
    lines.sort_by_key(|(at, _)| *at);
    let mut file = BufWriter::new(File::create(path).map_err(bad(path))?);
    let liars = scenario.byzantine.iter().map(|(id, lie)| (*id, lie.clone()));
    let head = [
        Aside::Scenario { name: scenario.name.clone(), module: module.to_owned() },
        Aside::Run {
            seed,
            lanes: places.iter().map(|(id, _)| *id).collect(),
            liars: liars.collect(),
        },
    ];
    let head = head.iter().map(json);
    for line in head.chain(lines.into_iter().map(|(_, line)| line)) {
        file.write_all(&line).and_then(|()| file.write_all(b"\n")).map_err(bad(path))?;
    }
    file.flush().map_err(bad(path))
}

/// Who lives in each lane, and in which directory: first everybody, then the second ones of twins.
fn places(net: &Net) -> Vec<(ReplicaId, PathBuf)> {
    let first = net.ids().map(|id| (ReplicaId(id), net.place.node(id)));
    first.chain(net.seconds().map(|id| (ReplicaId(id), net.place.twin(id)))).collect()
}

/// One life in one lane.
struct Life {
    lane: u32,
    /// Whether the lane is that of a second twin.
    second: bool,
    number: u32,
    /// With the microseconds since it began.
    lines: Vec<(u64, Vec<u8>)>,
}

impl Life {
    /// Its lines in the common time, with what the simulator's world would say between them.
    fn told(self, began: i64, zero: i64) -> Vec<Timed> {
        let Life { lane, second, number, lines } = self;
        let woke = Aside::Woke { time: since(began, zero), lane, life: number };
        let mut told = vec![(began, json(&woke))];
        for (at, line) in lines {
            let at = began.saturating_add(i64::try_from(at).unwrap_or(i64::MAX));
            if second {
                told.push((at, json(&Aside::Here { lane })));
            }
            told.push((at, line));
        }
        told
    }
}

/// The lives that a file tells of, with when each began.
fn read(lane: u32, id: ReplicaId, path: &Path) -> io::Result<Vec<(i64, Life)>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let mut lives: Vec<(i64, Life)> = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        if line.starts_with(MARK.as_bytes()) {
            if let Ok(Aside::Life { wall_us }) = serde_json::from_slice(&line) {
                let number = u32::try_from(lives.len() + 1).unwrap_or(u32::MAX);
                let life = Life { lane, second: lane != id.0, number, lines: Vec::new() };
                lives.push((i64::try_from(wall_us).unwrap_or(i64::MAX), life));
            }
        } else if let (Ok(read), Some((_, life))) =
            (serde_json::from_slice::<TraceLine>(&line), lives.last_mut())
        {
            life.lines.push((read.at, line));
        }
    }
    Ok(lives)
}

/// What the world did to them.
fn happened(played: &Played, zero: i64, places: &[(ReplicaId, PathBuf)]) -> Vec<Timed> {
    let at = |time: Duration| {
        played.zero.saturating_add(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
    };
    let mut told = Vec::new();
    for (when, id) in &played.deaths {
        let lanes = (0..).zip(places).filter(|(_, (lives, _))| lives == id);
        told.extend(lanes.map(|(lane, _)| {
            let time = since(at(*when), zero);
            (at(*when), json(&Aside::Crashed { time, lane }))
        }));
    }
    told.extend(played.faults.iter().map(|(when, fault)| {
        let (time, words) = (since(at(*when), zero), fault.to_string());
        (at(*when), json(&Aside::Fault { time, fault: fault.clone(), words }))
    }));
    let end = at(played.ended);
    told.push((end, json(&Aside::Ended { time: since(end, zero) })));
    told
}

fn since(at: i64, zero: i64) -> u64 {
    u64::try_from(at.saturating_sub(zero)).unwrap_or(0)
}

fn json(aside: &Aside) -> Vec<u8> {
    serde_json::to_vec(aside).expect("an aside is plain data")
}
