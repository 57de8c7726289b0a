use super::*;
use crate::mined::Mined;
use consensus::catalogue::Depths;
use tempfile::TempDir;

const DEPTHS: Depths = Depths { confirmations: 3, irreversible: 10 };

fn read(chain: &Mined) -> HeaderChain {
    let mut headers = HeaderChain::new(&chain.genesis, DEPTHS);
    headers.extend(&chain.headers(1).headers, u64::MAX).expect("all of it is true");
    headers
}

fn open(dir: &TempDir, chain: &Mined) -> Payments {
    let (payments, damage) =
        Payments::load(dir.path(), chain.genesis.chain_id()).expect("the disk is good");
    assert!(damage.is_none(), "{damage:?}");
    payments
}

fn id(number: u64) -> TransactionId {
    format!("{number:064x}").parse().expect("64 digits")
}

fn payment(number: u64, height: u64, headers: &HeaderChain) -> Payment {
    Payment::of(id(number), headers.spot(height).expect("it is there"), headers, number)
}

#[test]
fn a_payment_stands_until_as_much_work_says_otherwise() {
    let mut chain = Mined::new("payments");
    chain.grow(5);
    let payment = payment(1, 3, &read(&chain));
    assert_eq!(payment.standing(&read(&chain)), Standing::Stands);
    assert_eq!(payment.standing(&read(&chain.up_to(3))), Standing::Stands);
    // A wallet that lost its headers, or nodes that lag, tell nothing.
    assert_eq!(payment.standing(&read(&chain.up_to(2))), Standing::Unseen);
    let mut rival = chain.up_to(2);
    rival.reorganise(2, 2);
    assert_eq!(payment.standing(&read(&rival)), Standing::Unseen);
    rival.reorganise(2, 4);
    assert_eq!(payment.standing(&read(&rival)), Standing::Reverted);
}

#[test]
fn payments_are_remembered_once_each_and_the_newest_block_counts() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut chain = Mined::new("payments");
    chain.grow(5);
    let headers = read(&chain);
    let mut payments = open(&dir, &chain);
    payments.remember(&[payment(1, 2, &headers), payment(2, 2, &headers)]).expect("a disk");
    payments.remember(&[payment(1, 3, &headers)]).expect("a disk");
    let list = |payments: &Payments| payments.each().map(|each| (each.tx, each.height)).collect();
    let expected = vec![(id(2), 2), (id(1), 3)];
    let found: Vec<_> = list(&payments);
    assert_eq!(found, expected);
    let found: Vec<_> = list(&open(&dir, &chain));
    assert_eq!(found, expected);
    let other: Vec<_> = list(&open(&dir, &Mined::new("another")));
    assert_eq!(other, []);
    // Two wallets at once lose nothing of each other's.
    let (mut one, mut two) = (open(&dir, &chain), open(&dir, &chain));
    one.remember(&[payment(3, 1, &headers)]).expect("a disk");
    two.remember(&[payment(4, 1, &headers)]).expect("a disk");
    assert_eq!(open(&dir, &chain).each().count(), 4);
}

#[test]
fn so_many_are_remembered_and_the_oldest_is_forgotten() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut chain = Mined::new("payments");
    chain.grow(1);
    let headers = read(&chain);
    let all: Vec<_> =
        (0..MAX_PAYMENTS as u64 + 2).map(|number| payment(number, 1, &headers)).collect();
    open(&dir, &chain).remember(&all).expect("a disk");
    let kept = open(&dir, &chain);
    assert_eq!(kept.each().count(), MAX_PAYMENTS);
    assert_eq!(kept.each().next().map(|each| each.tx), Some(id(2)));
    let len = fs::metadata(kept.path()).expect("it is there").len();
    assert!(len < LONGEST_FILE / 4, "{len} bytes leave room");
}

#[test]
fn a_file_that_cannot_be_understood_is_set_aside() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut chain = Mined::new("payments");
    chain.grow(1);
    let headers = read(&chain);
    open(&dir, &chain).remember(&[payment(1, 1, &headers)]).expect("a disk");
    let path = open(&dir, &chain).path().to_owned();
    let text = fs::read_to_string(&path).expect("it is there");
    for (from, to) in [("\"version\":1", "\"version\":2"), ("{", "["), ("\"tx\"", "\"id\"")] {
        fs::write(&path, text.replace(from, to)).expect("it is ours");
        let (mut payments, damage) =
            Payments::load(dir.path(), chain.genesis.chain_id()).expect("the disk is good");
        assert_eq!((payments.each().count(), damage.is_some()), (0, true), "{from}");
        assert!(path.with_extension("damaged").exists());
        payments.remember(&[payment(2, 1, &headers)]).expect("a disk");
        assert_eq!(open(&dir, &chain).each().count(), 1);
    }
}

#[test]
fn what_became_of_a_payment_is_said_in_a_sentence() {
    let told = |status, now_height, confirmations| {
        let (tx, block) = (id(1), BlockHash(crypto::Hash::ZERO));
        let reverted =
            Reverted { tx, height: 12, block, confirmed_at: 0, status, now_height, confirmations };
        reverted.to_string()
    };
    let start = format!("WARNING: payment {}, confirmed at height 12, was REVERTED", id(1));
    for (text, end) in [
        (
            told(Some(TransactionStatus::Confirmed), Some(14), 3),
            "height 14, and is confirmed there.",
        ),
        (told(Some(TransactionStatus::Pending), Some(14), 1), "height 14: 1 confirmation."),
        (told(Some(TransactionStatus::Pending), None, 0), "it waits to be mined again."),
        (told(Some(TransactionStatus::Unknown), None, 0), "What it paid for is not paid."),
        (told(None, None, 0), "No node tells what became of it."),
    ] {
        assert!(text.starts_with(&start) && text.ends_with(end), "{text}");
        assert!(!text.contains("  "), "{text}");
    }
}
