//! Files that are there whole or not at all, and for their owner only.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How often a lock is tried, and how long between two tries: two seconds in all. Nobody holds one
/// longer than it takes to read or write a file.
const TRIES: usize = 100;
const BETWEEN: Duration = Duration::from_millis(20);

/// Makes sure that `dir` exists and that only its owner can look into it.
pub(crate) fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    if fs::metadata(dir)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(dir, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Puts a new file, mode 0600, at `path` durably. An existing one is left as it is, even if it
/// appears meanwhile: `AlreadyExists`.
pub(crate) fn create_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let dir = path.parent().expect("a private file lies in a directory");
    let draft = Draft::write(dir, content)?;
    // A rename would silently replace what is there; a link refuses to.
    fs::hard_link(&draft.path, path)?;
    drop(draft);
    // The name is durable only once the directory is.
    File::open(dir)?.sync_all()
}

/// Puts a file, mode 0600, at `path` durably and in one step: whoever looks sees the old one or the
/// new one, also after a crash.
pub(crate) fn replace_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let dir = path.parent().expect("a private file lies in a directory");
    let draft = Draft::write(dir, content)?;
    fs::rename(&draft.path, path)?;
    File::open(dir)?.sync_all()
}

/// Reads a file of at most `limit` bytes; a longer one is `InvalidData`.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let message = format!("the file is longer than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(bytes)
}

/// Waits a little until no other wallet has the file locked. The lock ends with the handle.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => return Ok(()),
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "another wallet has it locked"))
}

/// A file under a name of its own, removed when dropped, whatever happened in between.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn write(dir: &Path, content: &[u8]) -> io::Result<Draft> {
        let mut tag = [0; 8];
        getrandom::fill(&mut tag).map_err(io::Error::other)?;
        let path = dir.join(format!(".draft-{}", hex::encode(tag)));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let draft = Draft { path };
        file.write_all(content)?;
        file.sync_all()?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It holds no more than its owner may read anyway, so failing to remove it is no breach.
        let _ = fs::remove_file(&self.path);
    }
}
