//! Disks that lie: what was durable is not, or is not what it was.

use super::*;
use crate::disk::Disk;
use ledger::store::{Batch, Store};

/// Alters what a disk holds while its replica is down.
fn rewrite(disk: &Disk, prefix: &[u8], change: impl Fn(Vec<u8>) -> Option<Vec<u8>>) {
    let mut batch = Batch::default();
    for (key, value) in disk.scan(prefix).expect("disks here never fail") {
        match change(value) {
            Some(value) => batch.put(key, value),
            None => batch.delete(key),
        }
    }
    disk.write(&batch).and_then(|()| disk.sync()).expect("disks here never fail");
}

/// Crashes everybody in turn, again and again, and makes their disks forget what the signer wrote
/// (`ro`) and the protocol's records (`rr`), if that is wished for.
fn restless(seed: u64, forgetful: bool) -> World<Tendermint> {
    let mut setup = four(seed);
    // Whoever comes back proposes at once, and not after the pause of an idle chain.
    setup.block_time = Duration::from_millis(1);
    let mut world = world(setup);
    world.run_for(Duration::from_millis(1_100));
    for round in 0..40 {
        let id = ALL[round % 4];
        world.crash(id);
        if forgetful {
            rewrite(world.disk(id), b"ro", |_| None);
            rewrite(world.disk(id), b"rr", |_| None);
        }
        world.restart(id);
        world.run_for(Duration::from_millis(170));
    }
    world
}

/// The signer's record is the last defence: without it a replica that comes back speaks again, and
/// says something else.
#[test]
fn a_signer_that_forgets_is_caught_with_both_envelopes() {
    let mut caught = 0;
    for seed in 0..5 {
        let verdict = checker::judge(&restless(seed, false), Promises::default());
        assert!(verdict.holds(), "seed {seed}: {verdict}");
        let verdict = checker::judge(&restless(seed, true), Promises::default());
        println!("seed {seed}: {verdict}");
        for violation in &verdict.violations {
            let Violation::Equivocation { signer, first, second, .. } = violation else { continue };
            assert_ne!(first.value, second.value);
            let carriers = [first.origin.carrier, second.origin.carrier];
            if carriers == [*signer; 2] {
                assert!(first.origin.life < second.origin.life, "a crash lies between");
                caught += 1;
            }
        }
    }
    assert!(caught > 0, "nobody spoke twice in forty crashes of five worlds");
}

/// Every account on one disk gets more money than it had: the first byte of an account's encoding
/// belongs to its balance.
#[test]
fn a_ledger_that_mints_is_found() {
    let mut world = world(four(7));
    world.submit(ALL[0], Transfer { from: 0, to: 1, amount: 5, fee: 1 });
    reach(&mut world, &ALL, 3, seconds(30));
    world.crash(ALL[2]);
    rewrite(world.disk(ALL[2]), b"a", |mut account| {
        *account.first_mut().expect("an account is not nothing") ^= 1;
        Some(account)
    });
    world.restart(ALL[2]);
    let verdict = checker::judge(&world, Promises::default());
    let (expected, found) = find(&verdict, |violation| match violation {
        Violation::WrongAccount { replica: ReplicaId(2), expected, found, .. } => {
            Some((*expected, *found))
        }
        _ => None,
    });
    assert_eq!(expected.1, found.1, "only the balance differs");
    assert_ne!(expected.0, found.0);
    let innocent = |violation: &Violation| {
        matches!(violation, Violation::WrongAccount { replica: ReplicaId(2), .. })
    };
    assert!(verdict.violations.iter().all(innocent), "{verdict}");
}

/// A disk from an old copy: what was reported since is forgotten, and the replica goes through it
/// again.
#[test]
fn a_disk_from_an_old_copy_is_found() {
    let mut world = world(four(8));
    reach(&mut world, &ALL, 3, seconds(30));
    world.crash(ALL[1]);
    let copy = world.disk(ALL[1]).scan(b"").expect("disks here never fail");
    let held = world.height(ALL[1]);
    world.restart(ALL[1]);
    reach(&mut world, &ALL, held + 3, seconds(30));
    world.crash(ALL[1]);
    rewrite(world.disk(ALL[1]), b"", |_| None);
    let mut batch = Batch::default();
    copy.into_iter().for_each(|(key, value)| batch.put(key, value));
    let disk = world.disk(ALL[1]);
    disk.write(&batch).and_then(|()| disk.sync()).expect("disks here never fail");
    world.restart(ALL[1]);
    world.run_for(seconds(5));
    let verdict = checker::judge(&world, Promises::default());
    let (reported, held_now) = find(&verdict, |violation| match violation {
        Violation::Forgotten { replica: ReplicaId(1), reported, held, .. } => {
            Some((*reported, *held))
        }
        _ => None,
    });
    assert!(reported >= held + 3 && held_now >= held && held_now < reported);
    let faulty = Promises { faulty: [ALL[1]].into(), ..Promises::default() };
    let verdict = checker::judge(&world, faulty);
    assert!(verdict.holds(), "a replica known to lose its disk makes no promises: {verdict}");
}
