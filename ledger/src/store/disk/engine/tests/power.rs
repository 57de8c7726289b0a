//! A disk that loses power.

use super::super::*;
use crate::store::disk::{DiskError, Sizes, medium::Medium, record::SECTOR};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// A file: what a power cut leaves for certain, and what the process sees.
#[derive(Clone, Debug, Default)]
pub(in crate::store::disk) struct File {
    durable: Vec<u8>,
    visible: Vec<u8>,
}

impl File {
    /// One of which `durable` is synced and `visible` written.
    pub(in crate::store::disk) fn between(durable: &[u8], visible: &[u8]) -> File {
        File { durable: durable.to_vec(), visible: visible.to_vec() }
    }

    /// Its bytes after a power cut.
    pub(in crate::store::disk) fn left(&self) -> &[u8] {
        &self.durable
    }

    /// Keeps of each sector what it was or what it was to be.
    pub(in crate::store::disk) fn lose_power(&mut self, random: &mut impl FnMut() -> u64) {
        let keep_most = random() % 3;
        let mut keeps = || match keep_most {
            0 => random().is_multiple_of(2),
            1 => random().is_multiple_of(8),
            _ => !random().is_multiple_of(8),
        };
        let len = if keeps() { self.visible.len() } else { self.durable.len() };
        let mut left = self.durable.clone();
        left.resize(len, 0);
        for (was, new) in left.chunks_mut(SECTOR).zip(self.visible.chunks(SECTOR)) {
            if *was != new[..was.len().min(new.len())] && keeps() {
                let len = was.len().min(new.len());
                was[..len].copy_from_slice(&new[..len]);
            }
        }
        *self = File { durable: left.clone(), visible: left };
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(in crate::store::disk) fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// What is left when a life ends: by default as after a kill.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) log: [File; 2],
    pub(super) db: File,
    /// sled's other files.
    rest: Vec<(PathBuf, Vec<u8>)>,
    /// How many batches were promised to survive.
    promised: u64,
    /// How many were written.
    written: u64,
}

impl Cut {
    pub(super) fn fresh() -> Cut {
        let log = [File::default(), File::default()];
        Cut { log, db: File::default(), rest: Vec::new(), promised: 0, written: 0 }
    }

    pub(super) fn lose_power(&mut self, seed: u64) {
        let mut random = random(seed);
        self.log.iter_mut().chain([&mut self.db]).for_each(|file| file.lose_power(&mut random));
    }
}

/// The disk of one life. Its log is in memory; sled's files are real, and what was synced of `db`
/// is remembered.
#[derive(Clone, Debug)]
pub(super) struct Power(Arc<Mutex<Disk>>);

#[derive(Debug)]
struct Disk {
    dir: TempDir,
    log: [File; 2],
    db: Vec<u8>,
    /// How many syncs are left before the cut.
    syncs: usize,
    cut: Option<Cut>,
    promised: u64,
    written: u64,
}

impl Power {
    /// Begins a life with what is left of another. At its sync number `cut_at`, just before it does
    /// anything, what would be left then is put aside.
    pub(super) fn on(left: Cut, cut_at: usize) -> Power {
        let dir = TempDir::new().unwrap();
        let Cut { log, db, rest, promised, written } = left;
        if !db.visible.is_empty() {
            fs::write(dir.path().join("db"), &db.visible).unwrap();
        }
        for (path, bytes) in rest {
            fs::write(dir.path().join(path), bytes).unwrap();
        }
        let (db, syncs) = (db.durable, cut_at);
        Power(Arc::new(Mutex::new(Disk { dir, log, db, syncs, cut: None, promised, written })))
    }

    pub(super) fn open(&self, sizes: &Sizes) -> Result<Engine, DiskError> {
        let path = self.disk().dir.path().to_owned();
        let (shelf, complete) = Shelf::open(&path, sizes, |_| Ok(self.medium(2)))?;
        let media = [self.medium(0), self.medium(1)];
        if complete.is_none() {
            assert!(Log::is_fresh(&media).unwrap(), "nothing is written before sled has its mark");
        }
        Engine::open(shelf, complete, media, sizes.segment)
            .map_err(|fault| DiskError::fault(&path, fault))
    }

    /// Only sled, new.
    pub(super) fn shelf(&self, sizes: &Sizes) -> Shelf {
        let path = self.disk().dir.path().to_owned();
        let opened = Shelf::open(&path, sizes, |_| Ok(self.medium(2)));
        opened.expect("a new directory").0
    }

    fn medium(&self, which: usize) -> Box<dyn Medium> {
        Box::new(Wire { power: self.clone(), which })
    }

    /// How many batches must survive, and how many may.
    pub(super) fn limits(&self) -> (u64, u64) {
        let disk = self.disk();
        (disk.promised, disk.written)
    }

    /// So many are left, and from now on promised.
    pub(super) fn survived(&self, number: u64) {
        let mut disk = self.disk();
        (disk.promised, disk.written) = (number, number);
    }

    pub(super) fn writing(&self) {
        self.disk().written += 1;
    }

    pub(super) fn synced(&self) {
        let mut disk = self.disk();
        disk.promised = disk.written;
    }

    /// What was put aside, or what is left now.
    pub(super) fn cut(&self) -> Cut {
        let mut disk = self.disk();
        let cut = disk.cut.take();
        cut.unwrap_or_else(|| disk.left())
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap()
    }
}

impl Disk {
    fn left(&self) -> Cut {
        let mut rest = Vec::new();
        for entry in fs::read_dir(self.dir.path()).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() && entry.file_name() != "db" {
                rest.push((entry.file_name().into(), fs::read(entry.path()).unwrap()));
            }
        }
        let db = File { durable: self.db.clone(), visible: self.db_now() };
        let (promised, written) = (self.promised, self.written);
        Cut { log: self.log.clone(), db, rest, promised, written }
    }

    fn db_now(&self) -> Vec<u8> {
        fs::read(self.dir.path().join("db")).unwrap()
    }
}

/// One of the files: 0 and 1 are the log, 2 is `db`.
#[derive(Debug)]
struct Wire {
    power: Power,
    which: usize,
}

impl Medium for Wire {
    fn read(&self) -> io::Result<Vec<u8>> {
        Ok(self.power.disk().log[self.which].visible.clone())
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let file = &mut self.power.disk().log[self.which].visible;
        let end = at as usize + bytes.len();
        file.resize(file.len().max(end), 0);
        file[at as usize..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.power.disk();
        match disk.syncs.checked_sub(1) {
            Some(less) => disk.syncs = less,
            None if disk.cut.is_none() => disk.cut = Some(disk.left()),
            None => {}
        }
        match self.which {
            2 => disk.db = disk.db_now(),
            log => disk.log[log].durable = disk.log[log].visible.clone(),
        }
        Ok(())
    }
}
