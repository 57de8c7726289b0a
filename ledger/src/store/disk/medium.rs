//! A file as the log sees it.

use super::record::SECTOR;
use crate::store::tripwire::{Point, Tripwire};
use std::{fmt::Debug, fs::File, io, os::unix::fs::FileExt};

/// The longest file that is read, in bytes: far more than any segment grows to.
const MAX_BYTES: u64 = 1 << 30;

/// Bytes that outlive the process once they are synced.
///
/// Between two syncs a power cut keeps whatever sectors of 512 bytes it likes, each as it was or as
/// it was to be. The tests do exactly that.
pub(super) trait Medium: Debug + Send + Sync {
    /// All of it.
    fn read(&self) -> io::Result<Vec<u8>>;

    /// Writes at an offset, beyond the end if need be.
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes durable what was written, and the length if it grew.
    fn sync_data(&self) -> io::Result<()>;
}

impl Medium for File {
    fn read(&self) -> io::Result<Vec<u8>> {
        let len = self.metadata()?.len();
        if len > MAX_BYTES {
            let reason = format!("{len} bytes are more than any log has");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        let mut bytes = vec![0; len as usize];
        self.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }
}

/// A file of the log that tells how far each write has come.
#[derive(Debug)]
pub(super) struct Tripped {
    medium: Box<dyn Medium>,
    tripwire: Tripwire,
}

impl Tripped {
    /// The file itself, if there is nobody to tell.
    pub(super) fn around(medium: Box<dyn Medium>, tripwire: &Tripwire) -> Box<dyn Medium> {
        match tripwire.is_set() {
            true => Box::new(Tripped { medium, tripwire: tripwire.clone() }),
            false => medium,
        }
    }
}

impl Medium for Tripped {
    fn read(&self) -> io::Result<Vec<u8>> {
        self.medium.read()
    }

    /// What takes several sectors is written in two halves, since a crash may leave the first of them alone.
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.tripwire.pass(Point::RecordUnwritten);
        let half = bytes.len() / 2 / SECTOR * SECTOR;
        if half > 0 {
            self.medium.write_at(at, &bytes[..half])?;
            self.tripwire.pass(Point::RecordTorn);
        }
        self.medium.write_at(at + half as u64, &bytes[half..])?;
        self.tripwire.pass(Point::RecordWritten);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.medium.sync_data()?;
        self.tripwire.pass(Point::RecordSynced);
        Ok(())
    }
}
