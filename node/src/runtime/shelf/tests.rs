use super::*;
use ledger::store::MemoryStore;

#[test]
fn what_is_put_on_it_lies_in_the_store_and_is_counted() {
    let (store, counters) = (Arc::new(MemoryStore::default()), Arc::new(Counters::default()));
    let shelf = Shelf::new(store.clone(), Arc::clone(&counters));
    for number in 0..3 {
        let mut batch = Batch::default();
        batch.put(vec![7, number], vec![number]);
        shelf.write(&batch).expect("memory takes everything");
    }
    shelf.sync().expect("memory is durable enough");
    assert_eq!(store.get(&[7, 1]), Ok(Some(vec![1])));
    assert_eq!(shelf.get(&[7, 1]), Ok(Some(vec![1])));
    assert_eq!(shelf.scan(&[7]).map(|pairs| pairs.len()), Ok(3));
    let times = counters.snapshot().times;
    assert_eq!((times.writes.count(), times.syncs.count()), (3, 0), "syncs are the disk's");
}
