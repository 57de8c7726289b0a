//! Members come and go: agreement holds, and whoever knows only the genesis can follow.

use consensus::tendermint::Tendermint;
use ledger::query::AccountAnswer;
use simulator::{Fault, Goal, Progress, Promises, checker, soak};
use std::time::Duration;
use tests::tendermint;
use wallet_cli::{committees::Committees, verify};

/// Real signatures, losses, partitions, crashes, a liar, and a load of transfers.
#[test]
fn after_a_hundred_changes_of_the_committee_a_wallet_still_verifies_from_the_genesis() {
    let seed = 6;
    let mut options =
        soak::Options::churning(<Tendermint as consensus::catalogue::Module>::NAME, 7);
    options.setup.wire = true;
    // One seat is taken by replicas that crash in turn.
    options.faulty = 1;
    options.chaos = Duration::from_secs(300);
    let mut world = options.world(seed, tendermint);
    let wishes = soak::run(&mut world, &options);
    let mut promises = Promises::default();
    let (since, within, goal) = (options.chaos, options.calm, Goal::Gain(options.gain));
    promises.progress.push(Progress { since, within, goal });
    let verdict = checker::judge(&world, promises);
    assert!(verdict.holds(), "seed {seed}: {verdict}");
    let steps = world.setup().schedule.steps();
    let crashes = steps.iter().filter(|step| matches!(step.fault, Fault::Crash(_))).count();

    let ledger = world.furthest().expect("everybody is up");
    let (height, changes) = (ledger.height(), ledger.changes().len());
    println!(
        "seed {seed}: {} wishes, {changes} changes, {height} blocks, {crashes} crashes",
        wishes.len()
    );
    assert!(changes >= 100 && crashes >= 20, "{changes} changes and {crashes} crashes are few");

    let genesis = world.genesis();
    let mut committees = Committees::of(genesis).expect("a chain began with it");
    loop {
        let page = ledger.changes_after(committees.newest().from().saturating_sub(1), 16);
        if page.is_empty() {
            break;
        }
        committees.extend(page).expect("an honest node hides nothing");
    }
    assert_eq!(committees.changes(), changes);
    for number in 0..world.setup().accounts {
        let address = world.setup().account(number).public().address();
        let (account, proof) = ledger.account_with_proof(address).expect("memory does not fail");
        let (next_nonce, finality) = (account.nonce, ledger.finality(height));
        let answer = AccountAnswer { address, account, next_nonce, height, proof, finality };
        let verified = verify::verify_account(&committees, address, &answer);
        assert_eq!(verified.expect("it is so").account(), &account);
        // The founders alone do not vouch for this any more.
        let founders = Committees::of(genesis).expect("a chain began with it");
        assert!(verify::verify_account(&founders, address, &answer).is_err());
    }
}
