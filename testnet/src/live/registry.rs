//! How a command finds the running net when nobody says where it is.
//!
//! Each running testnet leaves a note `<tmp>/byzantium-testnets-<user>/<pid>` that holds its
//! directory. A note is a hint only: it counts if somebody listens at the net's socket, and a
//! killed testnet's note is cleared away by whoever comes across it.

use super::home::Place;
use nix::unistd::Uid;
use std::{
    env,
    ffi::OsStr,
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    },
    path::{Path, PathBuf},
    process,
};

#[cfg(test)]
mod tests;

/// A directory of this user's notes, which no one else can write to.
#[derive(Clone, Debug)]
pub struct Registry(PathBuf);

/// A running testnet's note, removed with the value.
#[derive(Debug)]
pub struct Note(PathBuf);

impl Registry {
    /// This user's registry in the temporary directory, made if it is not there.
    ///
    /// # Errors
    ///
    /// If the directory is somebody else's, and whatever the disk says.
    pub fn of_user() -> io::Result<Registry> {
        Registry::at(env::temp_dir().join(format!("byzantium-testnets-{}", Uid::current())))
    }

    /// The registry at `dir`, made if it is not there.
    ///
    /// # Errors
    ///
    /// As [`Registry::of_user`].
    pub fn at(dir: PathBuf) -> io::Result<Registry> {
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        // The temporary directory is everybody's: who made this one first decides what is in it.
        let metadata = fs::symlink_metadata(&dir)?;
        if !metadata.is_dir() || metadata.uid() != Uid::current().as_raw() {
            let message = format!("{} belongs to somebody else", dir.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        fs::set_permissions(&dir, Permissions::from_mode(0o700))?;
        Ok(Registry(dir))
    }

    /// The directory, which also serves as a short path for sockets.
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// Notes that this process runs the net at `place`.
    ///
    /// # Errors
    ///
    /// Whatever the disk says.
    pub fn note(&self, place: &Place) -> io::Result<Note> {
        let path = self.0.join(process::id().to_string());
        fs::write(&path, place.dir().as_os_str().as_bytes())?;
        Ok(Note(path))
    }

    /// The places of all nets that `lives` says are running. Notes of others are removed.
    ///
    /// # Errors
    ///
    /// Whatever the disk says.
    pub fn running(&self, lives: impl Fn(&Place) -> bool) -> io::Result<Vec<Place>> {
        let mut places = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let is_note =
                path.file_name().is_some_and(|name| name.as_bytes().iter().all(u8::is_ascii_digit));
            // A note can vanish while we look: its testnet has just ended.
            let Some(dir) = is_note.then(|| fs::read(&path).ok()).flatten() else { continue };
            let place = Place::new(OsStr::from_bytes(&dir));
            match lives(&place) {
                true => places.push(place),
                false => drop(Note(path)),
            }
        }
        places.sort_by(|one, other| one.dir().cmp(other.dir()));
        places.dedup();
        Ok(places)
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // If it stays, the next command finds nobody there and removes it.
        let _ = fs::remove_file(&self.0);
    }
}
