use super::*;
use crypto::SecretKey;
use ledger::{Action, Amount, ChainId, Payload};

fn us(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

fn transfers(count: u64) -> Vec<VerifiedTransaction> {
    let key = SecretKey::from_seed([7; 32]);
    let sign = |nonce| {
        let action = Action::Transfer { to: key.public().address(), amount: Amount(1) };
        let (chain, sender, fee) = (ChainId::default(), key.public(), Amount(1));
        let payload = Payload { chain, sender, nonce, fee, action };
        payload.sign(&key).verify(chain).expect("a good transaction")
    };
    (0..count).map(sign).collect()
}

fn sizes(batches: &[Vec<VerifiedTransaction>]) -> Vec<usize> {
    batches.iter().map(Vec::len).collect()
}

#[test]
fn the_first_leaves_at_once() {
    let mut batches = Batches::default();
    assert_eq!(sizes(&batches.add(transfers(1), us(0))), [1]);
    assert_eq!(batches.next(), None);
}

#[test]
fn what_follows_within_the_lead_waits_it_out_together() {
    let mut batches = Batches::default();
    batches.add(transfers(1), us(10_000));
    assert!(batches.add(transfers(2), us(10_500)).is_empty());
    assert!(batches.add(transfers(3), us(11_900)).is_empty());
    assert_eq!(batches.next(), Some(us(12_000)));
    assert_eq!(batches.due(us(11_999)), None);
    assert_eq!(batches.due(us(12_000)).map(|batch| batch.len()), Some(5));
    assert_eq!(batches.due(us(20_000)), None);
}

#[test]
fn after_a_pause_one_leaves_at_once_again() {
    let mut batches = Batches::default();
    batches.add(transfers(1), us(0));
    assert_eq!(sizes(&batches.add(transfers(1), us(2_000))), [1]);
    assert_eq!(sizes(&batches.add(transfers(1), us(4_000))), [1]);
}

#[test]
fn a_full_batch_does_not_wait() {
    let mut batches = Batches::default();
    batches.add(transfers(1), us(0));
    let leaving = batches.add(transfers(700), us(1));
    let each = transfers(1)[0].bytes();
    let most = MAX_COUNT.min(MAX_BYTES / each);
    assert_eq!(sizes(&leaving), vec![most; 700 / most]);
    assert_eq!(batches.due(us(2_001)).map(|batch| batch.len()), Some(700 % most));
}

#[test]
fn no_batch_is_too_long_to_gossip_and_none_is_lost() {
    let mut batches = Batches::default();
    let all = transfers(2_000);
    let mut out = Vec::new();
    for (at, chunk) in (0u64..).zip(all.chunks(37)) {
        out.extend(batches.add(chunk.to_vec(), us(at * 300)));
    }
    out.extend(batches.due(us(1_000_000)));
    for batch in &out {
        assert!(batch.len() <= MAX_COUNT);
        let encoded = replica::packet::encode_transactions(batch).len();
        assert!(encoded <= crate::network::MAX_GOSSIP, "{encoded} bytes");
    }
    let ids = |list: &[VerifiedTransaction]| list.iter().map(|one| one.id()).collect::<Vec<_>>();
    assert_eq!(ids(&out.concat()), ids(&all), "each once, in order");
}
