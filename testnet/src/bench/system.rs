//! What Linux says of processes and disks, and what nodes say of their network.

use crate::live::metrics::Page;
use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

#[cfg(test)]
mod tests;

/// Ticks of the clock by which `/proc` counts processor time: fixed by Linux for all programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// The bytes of a block as `stat` counts them: fixed by POSIX practice, whatever the disk's are.
const STAT_BLOCK: u64 = 512;

/// How deep a node's directory is looked into.
const DEEPEST: u32 = 8;

/// Processor time a process has used so far, in seconds; `None` if it is gone.
pub fn cpu_seconds(process: &str) -> Option<f64> {
    of_stat(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// Processor time that all processes together have used since the machine began, in seconds; with
/// what a host took away from a virtual machine.
pub fn all_cpu_seconds() -> Option<f64> {
    of_whole_stat(&fs::read_to_string("/proc/stat").ok()?)
}

/// Memory that a process has in use, in bytes; `None` if it is gone.
pub fn resident_bytes(process: u32) -> Option<u64> {
    of_status(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

/// What a directory takes on its disk, in bytes, as `du` counts. Files that come and go meanwhile
/// are no error.
///
/// # Errors
///
/// Whatever the disk says.
pub fn disk_bytes(directory: &Path) -> io::Result<u64> {
    sum(directory, DEEPEST)
}

fn sum(path: &Path, depth: u32) -> io::Result<u64> {
    let here = match fs::symlink_metadata(path) {
        Ok(here) => here,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let own = here.blocks() * STAT_BLOCK;
    if !here.is_dir() || depth == 0 {
        return Ok(own);
    }
    fs::read_dir(path)?.try_fold(own, |all, entry| Ok(all + sum(&entry?.path(), depth - 1)?))
}

/// User and system time, fields 14 and 15. The second field is the program's name in brackets,
/// which may hold anything, so fields are counted from its end.
fn of_stat(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    ticks(after_name.split_whitespace().skip(11).take(2), 2)
}

/// The line `cpu user nice system idle iowait irq softirq steal …`, without idle and iowait.
fn of_whole_stat(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<&str> = line.split_whitespace().take(8).collect();
    let busy = fields.iter().enumerate().filter(|(place, _)| !matches!(place, 3 | 4));
    ticks(busy.map(|(_, field)| *field), 6)
}

fn ticks<'a>(fields: impl Iterator<Item = &'a str>, wanted: usize) -> Option<f64> {
    let numbers: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
    (numbers.len() == wanted).then(|| numbers.iter().sum::<u64>() as f64 / TICKS_PER_SECOND)
}

/// From a line such as `VmRSS:     1234 kB`.
fn of_status(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kibibytes.checked_mul(1_024)
}

/// The bytes a node has sent to its peers so far, from its metrics: every counter of our own
/// network whose name speaks of bytes sent, and what gossipsub sent of transactions, copies and
/// forwarding included. What encryption and multiplexing add is not in it, nor gossipsub's own
/// talk.
pub fn sent_bytes(page: &Page) -> u64 {
    let is_ours =
        |name: &str| name.starts_with("byzantium_network_") && name.contains("bytes_sent");
    page.sum(|name| is_ours(name) || name == "gossipsub_topic_msg_sent_bytes_total") as u64
}
