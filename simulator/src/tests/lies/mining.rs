//! Lies about proof-of-work, with less than half of the hashing.

use super::*;
use consensus::nakamoto::Nakamoto;

const LIAR: ReplicaId = ReplicaId(3);

/// Short beside a minute, long beside the latency.
const INTERVAL: Duration = Duration::from_millis(200);

/// Four miners, of whom one lies with `share` of the hashing, at a difficulty that stays.
fn setup(lie: &str, share: f64, seed: u64) -> Setup {
    let mut setup = liars(Nakamoto::NAME, 4, 1, lie, seed);
    setup.block_time = INTERVAL;
    setup.network.latency = Duration::from_micros(200).into();
    setup.sync_delay = Duration::ZERO.into();
    // A block of the first difficulty takes 256 hashes.
    let rate = 256.0 / INTERVAL.as_secs_f64();
    setup.hash_rates = (0..3).map(|id| (ReplicaId(id), rate * (1.0 - share) / 3.0)).collect();
    setup.hash_rates.insert(LIAR, rate * share);
    let settings = [("pow.half_life_ms", 1 << 50), ("pow.refresh_ms", 1_000), ("pow.relay", 0)];
    setup.settings.extend(settings.map(|(key, value)| (key.to_owned(), value)));
    setup
}

fn miners(setup: Setup) -> World<Nakamoto> {
    World::new(setup, |genesis| Module::new(genesis).expect("the settings are good"))
}

/// Nobody honest lost what is final, and all of them got on.
fn assert_survived(world: &World<Nakamoto>, gain: u64) {
    let since = seconds(10);
    let within = world.now() - since;
    let progress = vec![Progress { since, within, goal: Goal::Gain(gain) }];
    let promises = Promises { progress, may_revert: true, ..Promises::default() };
    let verdict = checker::judge(world, promises);
    assert!(verdict.holds(), "{verdict}\n{world:?}");
}

/// The liar's share of the main chain.
fn revenue(world: &World<Nakamoto>) -> f64 {
    let mining = world.mining();
    mining.shares.get(&LIAR).map_or(0.0, |share| share.main as f64 / mining.main as f64)
}

/// SCIENCE S2: SM1's share of the chain where it loses every race, since the others see their own
/// block first.
fn sm1(alpha: f64) -> f64 {
    let (others, gamma) = (1.0 - alpha, 0.0);
    (alpha * others * others * (4.0 * alpha + gamma * (1.0 - 2.0 * alpha)) - alpha.powi(3))
        / (1.0 - alpha * (1.0 + (2.0 - alpha) * alpha))
}

#[test]
fn the_selfish_are_paid_as_computed() {
    for alpha in [0.25, 0.4] {
        let (mut main, mut theirs) = (0.0, 0.0);
        for seed in 0..2 {
            let mut setup = setup("selfish", alpha, seed);
            setup.tracing = Tracing::Off;
            let mut world = miners(setup);
            world.run_for(INTERVAL * 3_000);
            assert_survived(&world, 1_200);
            let count = world.mining().main as f64;
            (main, theirs) = (main + count, theirs + count * revenue(&world));
        }
        let (share, expected) = (theirs / main, sm1(alpha));
        println!("with {alpha} of the hashes {share:.4} of the chain, by theory {expected:.4}");
        // Four standard deviations: at 200 000 finds one is at most 0.0041.
        let tolerance = 4.0 * 0.0041 * libm::sqrt(200_000.0 / 6_000.0);
        assert!((share - expected).abs() < tolerance, "{share} is not {expected} +- {tolerance}");
        assert_eq!(share > alpha, expected > alpha, "it pays where theory says so");
    }
}

#[test]
fn the_selfish_hide_race_and_override() {
    let mut world = miners(setup("selfish", 0.4, 7));
    live(&mut world, seconds(60));
    for remark in
        ["hides a block", "shows 1 for a race", "shows 2 and overrides", "shows 1 of more"]
    {
        assert!(times(&world, remark) > 2, "{remark}: {:?}", told(&world));
    }
    assert!(world.mining().stale() > 0.1, "{}", world.mining());
}

/// SCIENCE S1, strict: the attacker must get ahead, and has nothing mined in advance.
fn double_spend(share: f64, confirmations: u64) -> f64 {
    let (ours, others) = (share, 1.0 - share);
    let (mut fails, mut ways) = (0.0, 1.0);
    for found in 0..=confirmations {
        let behind = (confirmations + 1 - found) as i32;
        let chance = ways * others.powi(confirmations as i32) * ours.powi(found as i32);
        fails += chance * (1.0 - (ours / others).powi(behind));
        ways *= (confirmations + found) as f64 / (found + 1) as f64;
    }
    1.0 - fails
}

#[test]
fn confirmed_blocks_are_undone_as_often_as_computed() {
    assert!((double_spend(0.3, 5) - 0.111_749_7).abs() < 1e-6, "{}", double_spend(0.3, 5));
    let (mut undone, mut tries) = (0, 0);
    for seed in 0..4 {
        let mut setup = setup("double-spend", 0.3, seed);
        setup.settings.insert("pow.confirmations".into(), 2);
        let mut world = miners(setup);
        world.run_for(INTERVAL * 1_500);
        assert_survived(&world, 600);
        let wins = times(&world, "undoes");
        (undone, tries) = (undone + wins, tries + wins + times(&world, "gives up"));
        // Whoever was promised that confirmed blocks stay is told that they did not.
        let verdict = checker::judge(&world, Promises::default());
        let reverted = |each: &crate::Violation| matches!(each, crate::Violation::Reverted(_));
        assert!(wins > 0 && !verdict.holds() && verdict.violations.iter().all(reverted));
        assert!(world.record().reversions().iter().any(|each| each.replica != LIAR));
    }
    let (share, expected) = (undone as f64 / tries as f64, double_spend(0.3, 2));
    let tolerance = 4.0 * libm::sqrt(expected * (1.0 - expected) / tries as f64);
    println!("{undone} of {tries} attacks: {share:.3}, by theory {expected:.3} +- {tolerance:.3}");
    assert!((share - expected).abs() < tolerance);
}

#[test]
fn blocks_that_are_kept_back_waste_work_and_harm_nobody() {
    for seed in 0..3 {
        let mut world = miners(setup("withhold-blocks", 0.3, seed));
        live(&mut world, seconds(60));
        assert_survived(&world, 100);
        assert!(times(&world, "keeps a block") > 40 && times(&world, "shows") > 20);
        assert!(revenue(&world) < 0.3, "it pays for that itself: {}", revenue(&world));
    }
}

#[test]
fn dates_at_the_bounds_do_not_change_the_schedule() {
    for seed in 0..3 {
        let mut setup = setup("timestamps", 0.3, seed);
        setup.settings.remove("pow.half_life_ms");
        let mut world = miners(setup);
        live(&mut world, seconds(200));
        assert_survived(&world, 700);
        let (early, late) = (times(&world, "dates a block"), ahead(&world));
        assert!(late > 50 && early - late > 50, "{late} of {early} are ahead");
        let interval = world.mining().interval / INTERVAL.as_secs_f64();
        println!("seed {seed}: {interval:.3} intervals, {late} of {early} late");
        assert!((interval - 1.0).abs() < 0.15, "{interval}");
        assert!((revenue(&world) - 0.3).abs() < 0.08, "{}", revenue(&world));
    }
}

fn ahead(world: &World<Nakamoto>) -> usize {
    let told = told(world);
    told.iter().filter(|(detail, _)| detail.ends_with("ahead of its clock")).map(|(_, n)| n).sum()
}

/// CVE-2012-2459: a body that is not its header's says nothing about the header.
#[test]
fn a_doubled_tail_does_not_shut_out_the_true_block() {
    for seed in 0..3 {
        let mut world = miners(setup("mutated-tail", 0.3, seed));
        live(&mut world, seconds(100));
        assert_survived(&world, 300);
        let told = times(&world, "doubles the last");
        let refused = remarks(&world, "refused", "its body is not the one its header names");
        println!("seed {seed}: told {told} times, refused {refused} times");
        assert!(told > 10 && refused > 10, "told {told} times, refused {refused} times");
        assert!((revenue(&world) - 0.3).abs() < 0.1, "its blocks count: {}", revenue(&world));
        let address = world.setup().account(0).public().address();
        let ledger = world.ledger(ALL[0]).expect("it is up");
        assert!(ledger.account(ledger.head(), address).unwrap_or_default().nonce > 15);
    }
}

/// PROTOCOLS N1: of many cheap blocks none but the mutant makes anything.
#[test]
fn a_longer_branch_of_cheap_blocks_is_not_heavier() {
    let mut setup = setup("cheap-branch", 0.15, 3);
    setup.settings.extend(
        [("pow.half_life_ms", 800), ("pow.clock_skew_ms", 8_000), ("pow.confirmations", 4)]
            .map(|(key, value)| (key.to_owned(), value)),
    );
    let mut world = miners(setup.clone());
    live(&mut world, seconds(60));
    assert_survived(&world, 150);
    assert!(times(&world, "shows") > 2, "{:?}", told(&world));
    assert_eq!(world.record().reversions().len(), 0);

    let (_, about) = byzantine::mutants::find("N1").expect("it is a mutant");
    setup.mutant = Some(about);
    let mut world = World::<Nakamoto>::new(setup, move |genesis| {
        Nakamoto::new(genesis).expect("the settings are good").weaken(about.flaw())
    });
    live(&mut world, seconds(60));
    let reverted = world.record().reversions();
    assert!(reverted.iter().any(|each| each.replica != LIAR), "{reverted:?}");
    assert!(remarks(&world, byzantine::mutants::LABEL, "N1: adopts") > 0);
}
