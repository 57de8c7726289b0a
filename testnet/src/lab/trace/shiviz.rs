//! The same as a log for ShiViz (Beschastnikh et al., "Debugging distributed systems", CACM 2016),
//! which draws logs that carry vector clocks.

use super::{
    clock,
    weave::{Weave, describe},
};
use std::io::{self, Write};

#[cfg(test)]
mod tests;

/// The regular expression that the log's lines match, as ShiViz reads it from the first line.
pub const REGEX: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

/// What stands between two traces in one log, as ShiViz reads it from the second line.
pub const DELIMITER: &str = r"^=== (?<trace>.*) ===$";

/// How many components all vector clocks together may have.
pub const MAX_COMPONENTS: usize = 200_000_000;

/// Whether the vector clocks of a trace would fill the memory.
pub fn is_too_big(weave: &Weave) -> bool {
    weave.moments.len().saturating_mul(weave.lanes.len()) > MAX_COMPONENTS
}

/// Writes a log of one or several traces.
///
/// # Errors
/// If `out` takes no more.
pub fn write(weaves: &[(String, Weave)], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{REGEX}")?;
    match weaves.len() > 1 {
        true => writeln!(out, "{DELIMITER}")?,
        false => writeln!(out)?,
    }
    for (name, weave) in weaves {
        if weaves.len() > 1 {
            writeln!(out, "=== {} ===", name.replace(char::is_control, " "))?;
        }
        one(weave, out)?;
    }
    Ok(())
}

fn one(weave: &Weave, out: &mut impl Write) -> io::Result<()> {
    let names: Vec<_> = weave.lanes.iter().map(super::weave::Lane::name).collect();
    for (moment, clock) in weave.moments.iter().zip(clock::vectors(weave)) {
        write!(out, "{} {{", names[moment.lane])?;
        let known = names.iter().zip(&clock).filter(|(_, count)| **count > 0);
        for (at, (name, count)) in known.enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(out, "{comma}\"{name}\": {count}")?;
        }
        let milliseconds = moment.time as f64 / 1000.0;
        writeln!(out, "}}\n{milliseconds:.3} ms: {}", describe(weave, moment))?;
    }
    Ok(())
}
