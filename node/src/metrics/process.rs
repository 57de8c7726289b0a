//! What the system says of this process.

use std::fs;

/// Ticks of the clock by which `/proc` counts processor time: fixed by Linux for all programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// What `/proc/self` says; nothing where there is none.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Process {
    /// Memory in use, in bytes.
    pub(crate) resident_bytes: Option<u64>,
    /// Processor time used so far, in seconds.
    pub(crate) cpu_seconds: Option<f64>,
}

impl Process {
    /// As it is now.
    pub(crate) fn now() -> Process {
        let read = |file: &str| fs::read_to_string(format!("/proc/self/{file}")).ok();
        Process {
            resident_bytes: read("status").as_deref().and_then(resident_bytes),
            cpu_seconds: read("stat").as_deref().and_then(cpu_seconds),
        }
    }
}

/// From a line such as `VmRSS:     1234 kB`.
pub(super) fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kibibytes.checked_mul(1_024)
}

/// The sum of user and system time, fields 14 and 15. The second field is the program's name in
/// brackets, which may hold anything, so fields are counted from its end.
pub(super) fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user.checked_add(system)? as f64 / TICKS_PER_SECOND)
}
