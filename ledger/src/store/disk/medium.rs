//! A file as the log sees it.

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
