use super::*;
use crate::{headers::tests::DEPTHS, mined::Mined};
use std::fs;
use tempfile::TempDir;

/// Where so many headers are kept.
fn kept(blocks: u64) -> (TempDir, Mined) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut chain = Mined::new("kept");
    chain.grow(blocks);
    save(&dir, &chain, &mut fresh(&chain));
    (dir, chain)
}

/// Takes in what is new, and keeps it.
fn save(dir: &TempDir, chain: &Mined, headers: &mut HeaderChain) {
    while headers.height() < chain.ledger.head_height() {
        let page = chain.headers(headers.height() + 1);
        headers.extend(&page.headers, u64::MAX).expect("all of it is true");
    }
    file(dir, chain).save(headers).expect("the disk is good");
}

fn fresh(chain: &Mined) -> HeaderChain {
    HeaderChain::new(&chain.genesis, DEPTHS)
}

fn file(dir: &TempDir, chain: &Mined) -> HeaderFile {
    HeaderFile::new(dir.path(), &chain.genesis)
}

fn load(dir: &TempDir, chain: &Mined) -> (HeaderChain, Option<Damage>) {
    let mut headers = fresh(chain);
    let damage = file(dir, chain).load(&mut headers, &mut |_, _| {}).expect("the disk is good");
    (headers, damage)
}

/// Changes the file, and says how far a wallet takes it, and what is wrong with it. After that the
/// rest is fetched and kept again.
fn damaged(change: impl FnOnce(&mut Vec<u8>)) -> (u64, Option<Damage>) {
    let (dir, chain) = kept(600);
    let path = file(&dir, &chain).path().to_owned();
    let honest = fs::read(&path).expect("it is there");
    let mut bytes = honest.clone();
    change(&mut bytes);
    fs::write(&path, bytes).expect("it is ours");
    let (mut headers, damage) = load(&dir, &chain);
    let height = headers.height();
    save(&dir, &chain, &mut headers);
    assert!(fs::read(&path).expect("it is there") == honest, "it is as it was");
    (height, damage)
}

#[test]
fn what_was_kept_is_there_the_next_time() {
    let (dir, mut chain) = kept(600);
    let (mut headers, damage) = load(&dir, &chain);
    assert_eq!((headers.height(), damage), (600, None));
    assert_eq!(headers.tip().hash, chain.ledger.head());
    chain.grow(2);
    save(&dir, &chain, &mut headers);
    assert_eq!(load(&dir, &chain).0.height(), 602);
    let mut heard = Vec::new();
    file(&dir, &chain).load(&mut fresh(&chain), &mut |read, all| heard.push((read, all))).unwrap();
    assert_eq!(heard, [(512, 602), (602, 602)]);
}

#[test]
fn nothing_is_kept_where_nothing_was() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let chain = Mined::new("kept");
    assert_eq!(load(&dir, &chain).0.height(), 0);
    file(&dir, &chain).save(&mut fresh(&chain)).expect("there is nothing to save");
    assert!(!dir.path().join("headers").exists());
}

#[test]
fn a_branch_that_was_left_is_cut_off() {
    let (dir, mut chain) = kept(9);
    let (mut headers, _) = load(&dir, &chain);
    chain.reorganise(5, 5);
    let base = headers.before(5).expect("they are kept");
    let mut branch = crate::headers::Branch::new(&headers, base);
    branch.extend(&chain.genesis, &chain.headers(6).headers, u64::MAX).expect("it is honest");
    headers.switch(branch);
    file(&dir, &chain).save(&mut headers).expect("the disk is good");
    let (again, damage) = load(&dir, &chain);
    assert_eq!((again.tip(), damage), (headers.tip(), None));
}

#[test]
fn a_file_cut_short_is_read_as_far_as_it_goes() {
    assert_eq!(damaged(|bytes| bytes.truncate(bytes.len() - 1)), (599, Some(Damage::Torn(600))));
    assert_eq!(damaged(|bytes| bytes.truncate(8)), (0, None), "it has no headers");
    assert_eq!(damaged(|bytes| bytes.truncate(4)), (0, Some(Damage::Foreign)));
    assert_eq!(damaged(|bytes| bytes.extend([7; 100])), (600, Some(Damage::Torn(601))));
}

#[test]
fn a_changed_byte_is_found_out_wherever_it_is() {
    assert_eq!(damaged(|bytes| bytes[0] ^= 1), (0, Some(Damage::Foreign)));
    let record = (fs_len() - 8) / 600;
    for header in [1, 300, 512, 513, 600] {
        for byte in [0, record / 2, record - 1] {
            let (height, damage) = damaged(|bytes| bytes[8 + (header - 1) * record + byte] ^= 1);
            // Whole pages before it hold.
            assert_eq!(height, if header <= 512 { 0 } else { 512 }, "byte {byte} of {header}");
            assert!(matches!(damage, Some(Damage::Rule(_))), "{damage:?}");
        }
    }
}

fn fs_len() -> usize {
    let (dir, chain) = kept(600);
    fs::metadata(file(&dir, &chain).path()).expect("it is there").len() as usize
}

#[test]
fn headers_without_work_are_not_believed_from_a_file_either() {
    let (dir, chain) = kept(5);
    let mut forged = crate::mined::unsealed(chain.header(5));
    forged.state = crypto::Hash::ZERO;
    let forged = codec::encode(&crate::mined::unsealed(forged));
    let path = file(&dir, &chain).path().to_owned();
    let mut bytes = fs::read(&path).expect("it is there");
    let end = bytes.len() - forged.len();
    bytes[end..].copy_from_slice(&forged);
    fs::write(&path, bytes).expect("it is ours");
    let (headers, damage) = load(&dir, &chain);
    assert_eq!(headers.height(), 0);
    assert!(damage.expect("a lie").to_string().contains("too little work"));
}

#[test]
fn two_wallets_share_the_file_and_neither_spoils_it() {
    let (dir, mut chain) = kept(5);
    let (mut one, mut two) = (load(&dir, &chain).0, load(&dir, &chain).0);
    chain.grow(3);
    let new = chain.headers(6).headers;
    one.extend(&new, u64::MAX).expect("all of it is true");
    two.extend(&new[..1], u64::MAX).expect("all of it is true");
    file(&dir, &chain).save(&mut one).expect("the disk is good");
    file(&dir, &chain).save(&mut two).expect("the disk is good");
    assert_eq!((load(&dir, &chain).0.height(), load(&dir, &chain).1), (6, None));
    // The one writes another branch; what the other then adds to the old one has no place there.
    chain.reorganise(4, 6);
    let mut rival = fresh(&chain);
    fs::remove_file(file(&dir, &chain).path()).expect("it is there");
    save(&dir, &chain, &mut rival);
    two.extend(&new[1..], u64::MAX).expect("all of it is true");
    file(&dir, &chain).save(&mut two).expect("the disk is good");
    let (kept, damage) = load(&dir, &chain);
    assert_eq!((kept.tip(), damage), (rival.tip(), None));
}

#[test]
fn another_chain_has_another_file_and_it_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let (dir, chain) = kept(5);
    let other = Mined::new("another");
    assert_eq!(load(&dir, &other).0.height(), 0);
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(file(&dir, &chain).path()), 0o600);
    assert_eq!(mode(&dir.path().join("headers")), 0o700);
}
