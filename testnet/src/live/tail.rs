//! The end of a node's log, for when it did not come up.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

#[cfg(test)]
mod tests;

/// How many lines tell what went wrong.
const LINES: usize = 12;

/// How many bytes are looked at: a log may be very long.
const BYTES: i64 = 4 * 1024;

/// The last lines of the file, indented and without what could drive a terminal. A file that
/// cannot be read is told of in their place.
pub fn tail(path: &Path) -> String {
    match read(path) {
        Ok(text) if text.trim().is_empty() => "  (its log is empty)".to_owned(),
        Ok(text) => {
            let lines: Vec<_> = text.lines().collect();
            let from = lines.len().saturating_sub(LINES);
            let clean = |line: &&str| line.chars().filter(|c| !c.is_control()).collect::<String>();
            lines[from..]
                .iter()
                .map(|line| format!("  {}", clean(line)))
                .collect::<Vec<_>>()
                .join("\n")
        }
        Err(error) => format!("  (its log {} cannot be read: {error})", path.display()),
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    // A shorter file is read from its beginning.
    if file.seek(SeekFrom::End(-BYTES)).is_err() {
        file.rewind()?;
    }
    let mut bytes = Vec::new();
    file.take(BYTES.unsigned_abs()).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
