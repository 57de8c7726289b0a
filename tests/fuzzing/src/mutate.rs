//! Small changes to real bytes, as a property test draws them.

/// A change: where, what and with what.
pub type Edit = (u16, u8, u8);

/// These changes, one after the other.
pub fn mutate(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for &(place, what, with) in edits {
        let at = if bytes.is_empty() { 0 } else { usize::from(place) % bytes.len() };
        let end = (at + usize::from(with)).min(bytes.len());
        match what % 7 {
            _ if bytes.is_empty() => bytes.push(with),
            0 => bytes[at] ^= 1 << (with % 8),
            1 => bytes[at] = with,
            2 => bytes.insert(at, with),
            3 => drop(bytes.remove(at)),
            4 => bytes.truncate(at),
            5 => {
                let run = bytes[at..end].to_vec();
                bytes.splice(at..at, run);
            }
            _ => drop(bytes.drain(at..end)),
        }
    }
    bytes
}
