//! Every way to lose power.

use super::*;
use crate::store::{
    Store,
    disk::Sizes,
    tests::{KEYS, agrees, apply},
};
use power::{Cut, Power};
use proptest::prelude::*;
use std::collections::BTreeMap;

pub(in crate::store::disk) mod power;
mod threads;

/// So small that segments are used again and again.
const SMALL: Sizes = Sizes { segment: 8 << 10, step: 2 << 10, sled_segment: 512 << 10 };

/// The key under which each batch writes its number.
const NUMBER: &[u8] = b"#";

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Store for Engine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Engine::get(self, key)
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        Engine::scan(self, prefix)
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        Engine::write(self, batch)
    }

    fn sync(&self) -> Result<(), StoreError> {
        Engine::sync(self)
    }
}

/// What happens in a life.
#[derive(Clone, Debug)]
enum Op {
    /// Changes to keys, with the length of the value.
    Write(Vec<(u8, Option<usize>)>),
    Sync,
    Checkpoint,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let len = prop_oneof![6 => 0..40usize, 6 => 400..1_500usize, 1 => 6_000..14_000usize];
    let change = (0..KEYS.len() as u8, prop::option::weighted(0.7, len));
    let op = prop_oneof![
        6 => prop::collection::vec(change, 0..4).prop_map(Op::Write),
        5 => Just(Op::Sync),
        1 => Just(Op::Checkpoint),
    ];
    prop::collection::vec(op, 0..40)
}

/// How a life ends: at which sync, whether with the power, and what the disk keeps then.
fn end() -> impl Strategy<Value = (usize, bool, u64)> {
    (prop_oneof![1 => 0..8usize, 2 => 0..60usize], prop::bool::weighted(0.7), any::<u64>())
}

impl Engine {
    fn would_wait(&self, batch: &Batch) -> bool {
        let cost = record::size(record::batch_len(batch)) as u64;
        let state = self.state();
        state.frozen.is_some() && state.used + cost > self.capacity && state.used != SECTOR as u64
    }

    /// Until the thread that makes checkpoints has nothing to do.
    pub(in crate::store::disk) fn await_rest(&self) {
        let mut state = self.state();
        while state.frozen.is_some() {
            assert_eq!(state.failure, None);
            state = self.changed.wait(state).unwrap();
        }
    }

    fn checkpoint_if_frozen(&self) {
        if self.state().frozen.is_some() {
            let frozen = self.await_frozen().expect("there is one");
            self.checkpoint(&frozen).expect("a disk that works");
        }
    }
}

/// Removes everything, and has sled do so, too: nothing may be left that no key leads to.
fn clear(engine: &Engine) {
    let mut batch = Batch::default();
    engine.scan(b"").unwrap().into_iter().for_each(|(key, _)| batch.delete(key));
    engine.checkpoint_if_frozen();
    engine.write(&batch).unwrap();
    engine.checkpoint_if_frozen();
    engine.state().freeze();
    engine.checkpoint_if_frozen();
    assert_eq!(engine.shelf.entries(), 0);
}

fn numbered(changes: &[(u8, Option<usize>)], number: u64) -> Batch {
    let mut batch = crate::store::tests::batch(changes, number as u8);
    batch.put(NUMBER.to_vec(), number.to_be_bytes().to_vec());
    batch
}

/// Lives on a disk until it is cut, and returns what is left of it. `history` becomes what was
/// written.
fn live(left: Cut, history: &mut Vec<Batch>, ops: &[Op], cut_at: usize) -> Cut {
    let power = Power::on(left, cut_at);
    let engine = power.open(&SMALL).expect("a crash is no damage");
    let number = engine
        .get(NUMBER)
        .unwrap()
        .map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().expect("a number of ours")));
    let (promised, written) = power.limits();
    assert!((promised..=written).contains(&number), "{promised} <= {number} <= {written}");
    history.truncate(number as usize);
    power.survived(number);
    let mut model = BTreeMap::new();
    history.iter().for_each(|batch| apply(&mut model, batch));
    agrees(&engine, &model);
    for op in ops {
        match op {
            Op::Write(changes) => {
                let batch = numbered(changes, history.len() as u64 + 1);
                if engine.would_wait(&batch) {
                    engine.checkpoint_if_frozen();
                }
                power.writing();
                engine.write(&batch).unwrap();
                apply(&mut model, &batch);
                history.push(batch);
            }
            Op::Sync => {
                engine.sync().unwrap();
                power.synced();
            }
            Op::Checkpoint => engine.checkpoint_if_frozen(),
        }
        agrees(&engine, &model);
    }
    power.cut()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Also when the power fails in a checkpoint, or while an earlier failure is recovered from:
    /// a life may be cut at its first sync.
    #[test]
    fn what_was_synced_survives_every_crash_and_the_rest_only_whole_and_in_order(
        lives in prop::collection::vec((ops(), end()), 1..6),
        rest in ops(),
    ) {
        let mut history = Vec::new();
        let mut left = Cut::fresh();
        for (ops, (cut_at, power_fails, seed)) in &lives {
            left = live(left, &mut history, ops, *cut_at);
            if *power_fails {
                left.lose_power(*seed);
            }
        }
        let left = live(left, &mut history, &rest, usize::MAX);
        clear(&Power::on(left, usize::MAX).open(&SMALL).unwrap());
    }
}

/// A process writes a record and dies before that is durable. The next one sees it, and may act on
/// it at once.
#[test]
fn what_a_killed_process_left_is_durable_before_the_next_one_sees_it() {
    let ops =
        [Op::Write(vec![(0, Some(1_400))]), Op::Sync, Op::Write(vec![(1, Some(3_000))]), Op::Sync];
    let mut seen = Vec::new();
    for (cut_at, seed) in (0..12).flat_map(|cut_at| (0..8).map(move |seed| (cut_at, seed))) {
        let mut history = Vec::new();
        let left = live(Cut::fresh(), &mut history, &ops, cut_at);
        let mut left = live(left, &mut history, &[], usize::MAX);
        seen.push(history.len());
        left.lose_power(seed);
        live(left, &mut history, &[], usize::MAX);
    }
    assert!([0, 1, 2].iter().all(|number| seen.contains(number)), "{seen:?}");
}
