//! Whatever happens to the files of a closed store: it is found out, or nothing is missing.

use super::*;

/// More than two segments, so that sled has some of it and the log the rest.
fn fill(store: &DiskStore) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut model = BTreeMap::new();
    for number in 0..300u64 {
        let mut batch = put(&(number % 100).to_be_bytes(), &[number as u8; 300]);
        batch.put(b"number".to_vec(), number.to_be_bytes().to_vec());
        store.write(&batch).unwrap();
        store.sync().unwrap();
        apply(&mut model, &batch);
    }
    model
}

/// A closed store, and what it holds.
fn closed() -> (TempDir, BTreeMap<Vec<u8>, Vec<u8>>) {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    let model = fill(&store);
    store.engine.await_rest();
    drop(store);
    drop(open(&directory));
    (directory, model)
}

/// Opens what was damaged, and says whether it was refused.
fn is_refused(directory: &TempDir, model: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
    match reopen(&directory.path().join("state"), &SMALL) {
        Ok(store) => {
            assert!(store.scan(b"").unwrap().into_iter().eq(model.clone()));
            false
        }
        Err(DiskError::Damaged { .. }) => true,
        Err(other) => panic!("{other}"),
    }
}

/// A copy of a store's directory.
fn copy(directory: &TempDir) -> TempDir {
    let left = TempDir::new().unwrap();
    let (from, to) = (directory.path().join("state"), left.path().join("state"));
    fs::create_dir(&to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    left
}

#[test]
fn a_file_that_is_gone_empty_or_short_is_refused() {
    let (directory, model) = closed();
    for name in ["db", "log.0", "log.1"] {
        let lose: [fn(&Path); 3] = [
            |path| fs::remove_file(path).unwrap(),
            |path| fs::write(path, b"").unwrap(),
            |path| {
                let file = File::options().write(true).open(path).unwrap();
                file.set_len(20_000).unwrap();
            },
        ];
        for lose in lose {
            let left = copy(&directory);
            lose(&left.path().join("state").join(name));
            assert!(is_refused(&left, &model), "{name}");
        }
    }
    let left = copy(&directory);
    fs::remove_file(left.path().join("state/log.0")).unwrap();
    fs::remove_file(left.path().join("state/log.1")).unwrap();
    assert!(is_refused(&left, &model));
    let left = copy(&directory);
    fs::remove_file(left.path().join("state/db")).unwrap();
    fs::remove_file(left.path().join("state/conf")).unwrap();
    let snapshots = fs::read_dir(left.path().join("state")).unwrap().map(Result::unwrap);
    for snapshot in snapshots.filter(|e| e.file_name().to_string_lossy().starts_with("snap")) {
        fs::remove_file(snapshot.path()).unwrap();
    }
    assert!(is_refused(&left, &model), "all of sled is gone, the log is there");
}

#[test]
fn a_file_as_it_was_before_is_refused() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    drop((fill(&store), store));
    let before = copy(&directory);
    let store = open(&directory);
    let model = fill(&store);
    store.engine.await_rest();
    drop(store);
    for name in ["log.0", "log.1"] {
        let left = copy(&directory);
        fs::copy(before.path().join("state").join(name), left.path().join("state").join(name))
            .unwrap();
        assert!(is_refused(&left, &model), "{name}");
    }
    let left = copy(&before);
    for name in ["log.0", "log.1"] {
        let name = Path::new("state").join(name);
        fs::copy(directory.path().join(&name), left.path().join(&name)).unwrap();
    }
    assert!(is_refused(&left, &model), "all of sled");
}

/// sled by itself opens most of these, with some or all entries missing.
#[test]
fn a_file_that_was_overwritten_anywhere_is_refused_or_not_needed_there() {
    let (directory, model) = closed();
    let mut refused = BTreeMap::new();
    for name in ["db", "log.0", "log.1"] {
        let whole = fs::read(directory.path().join("state").join(name)).unwrap();
        for (part, with) in (0..8).flat_map(|part| [(part, 0x55), (part, 0)]) {
            let left = copy(&directory);
            let mut bytes = whole.clone();
            let at = part * bytes.len() / 8;
            let end = bytes.len().min(at + 3_000);
            bytes[at..end].fill(with);
            fs::write(left.path().join("state").join(name), bytes).unwrap();
            *refused.entry(name).or_insert(0) += usize::from(is_refused(&left, &model));
        }
    }
    for (name, refused) in refused {
        assert!(refused > 0, "{name} is needed somewhere");
    }
}
