use super::*;

/// Writes letters; a capital removes its letter.
fn write(disk: &Disk, letters: &str, value: u8) {
    let mut batch = Batch::default();
    for letter in letters.bytes() {
        match letter.is_ascii_lowercase() {
            true => batch.put(vec![letter], vec![value]),
            false => batch.delete(vec![letter.to_ascii_lowercase()]),
        }
    }
    disk.write(&batch).unwrap();
}

/// Everything on the disk, as letters and values.
fn read(disk: &Disk) -> String {
    let pairs = disk.scan(b"").unwrap().into_iter();
    pairs.map(|(key, value)| format!("{}{}", char::from(key[0]), value[0])).collect()
}

#[test]
fn a_crash_loses_what_was_not_synced() {
    let disk = Disk::default();
    write(&disk, "ab", 1);
    disk.sync().unwrap();
    write(&disk, "Abc", 2);
    write(&disk, "acB", 3);
    assert_eq!(read(&disk), "a3c3", "writes are visible at once");
    disk.crash();
    assert_eq!(read(&disk), "a1b1");
    disk.crash();
    assert_eq!(read(&disk), "a1b1", "nothing is lost twice");
}

#[test]
fn a_sync_covers_what_was_written_before_it_began() {
    let disk = Disk::default();
    write(&disk, "a", 1);
    let mark = disk.mark();
    write(&disk, "ab", 2);
    disk.settle(mark);
    assert_eq!(read(&disk), "a2b2");
    disk.crash();
    assert_eq!(read(&disk), "a1");
}

#[test]
fn within_a_batch_the_last_change_counts_and_the_first_is_undone() {
    let disk = Disk::default();
    write(&disk, "aAa", 1);
    assert_eq!(read(&disk), "a1");
    disk.crash();
    assert_eq!(read(&disk), "");
}

#[test]
fn syncs_may_end_after_later_ones() {
    let disk = Disk::default();
    write(&disk, "a", 1);
    let first = disk.mark();
    write(&disk, "b", 1);
    disk.settle(disk.mark());
    disk.settle(first);
    disk.crash();
    assert_eq!(read(&disk), "a1b1");
}

#[test]
fn a_scan_finds_a_prefix_in_the_order_of_keys() {
    let disk = Disk::default();
    let mut batch = Batch::default();
    for key in ["xa", "y", "x", "w", "xb"] {
        batch.put(key.into(), Vec::new());
    }
    disk.write(&batch).unwrap();
    let keys: Vec<_> = disk.scan(b"x").unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [b"x".to_vec(), b"xa".to_vec(), b"xb".to_vec()]);
    assert_eq!(disk.get(b"y").unwrap(), Some(Vec::new()));
    assert_eq!(disk.get(b"z").unwrap(), None);
}
