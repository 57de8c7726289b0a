//! What one transaction costs one node, from gossip to commit, without network and disk.
//!
//! `cargo bench -p replica`. Each figure is for one node and a block of 1,000 transfers, so that
//! milliseconds read as microseconds a transaction.

mod world;

use consensus::catalogue::{self, Module, NAMES, Visitor};
use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;
use world::{Spent, World};

/// Transfers in a block.
const BLOCK: usize = 1_000;

/// A part of the work.
type Part = fn(&Spent) -> Duration;

const PARTS: [(&str, Part); 6] = [
    ("gossip", |spent| spent.gossip),
    ("pool", |spent| spent.pool),
    ("encode", |spent| spent.encode),
    ("open", |spent| spent.open),
    ("height", |spent| spent.height),
    ("total", Spent::total),
];

/// How many there are. Each figure is that of all of them, divided.
const REPLICAS: u32 = 4;

/// How many transactions wait in their pools that cannot be ordered.
const WAITING: [usize; 2] = [0, 10_000];

struct Bench<'a>(&'a mut Criterion);

impl Visitor for Bench<'_> {
    type Output = ();

    fn visit<P: Module>(self) {
        for waiting in WAITING {
            let mut world = World::<P>::new(REPLICAS, (BLOCK + waiting) as u32);
            world.wait_for_ever(BLOCK..BLOCK + waiting);
            let mut group = self.0.benchmark_group(format!("{waiting} wait"));
            group.sample_size(10).warm_up_time(Duration::from_millis(1));
            for (name, part) in PARTS {
                group.bench_function(name, |bencher| {
                    bencher.iter_custom(|heights| {
                        world.spent = Spent::default();
                        (0..heights).for_each(|_| height(&mut world));
                        part(&world.spent) / REPLICAS
                    });
                });
            }
        }
    }
}

fn height<P: Module>(world: &mut World<P>) {
    let transfers = world.transfers(BLOCK);
    world.gossip(&transfers);
    world.grow();
    assert_eq!(world.newest(), BLOCK, "a height orders all that waits");
}

fn replicas(criterion: &mut Criterion) {
    catalogue::dispatch(NAMES[0], Bench(criterion)).expect("the catalogue lists it");
}

criterion_group!(benches, replicas);
criterion_main!(benches);
