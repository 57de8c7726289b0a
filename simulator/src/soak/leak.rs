//! What a seed chooses where the weight of the absent fades.

use super::{Options, liar};
use crate::{Setup, World, chaos::outages, delay::below, setup::stream};
use consensus::Protocol;
use crypto::Hash;
use ledger::{Leak, leak::WHOLE};
use rand_chacha::rand_core::Rng;
use std::collections::BTreeSet;

/// Which share of the bonds may lie.
const TOLERATES: &str = "ledger.leak_tolerates_permille";

/// As quick as it gets: three missed rounds of about a second are enough for three of five.
pub(super) fn settings() -> impl Iterator<Item = (String, u64)> {
    let settings = [
        ("ledger.leak", 2),
        ("ledger.leak_quotient", 16),
        ("ledger.leak_grace_rounds", 3),
        ("tendermint.leak_epoch_ms", 900),
        ("tendermint.leak_growth_ms", 10),
    ];
    settings.into_iter().map(|(key, value)| (key.to_owned(), value))
}

/// The setup of one seed: in every other world one lies, and the floor is made for one; in the others nobody
/// does, and the floor is as low as it can be, or for a tenth or a fifth.
pub(super) fn setup(seed: u64, options: &Options) -> Setup {
    let mut chance = stream(seed, "leak", 0);
    let mut pick = |bound| below(chance.next_u64(), bound);
    let mut setup = Setup { seed, ..options.setup.clone() };
    let all = u64::from(setup.replicas);
    let lies = pick(2) == 0 && all > 3;
    let permille = if lies { 1000u64.div_ceil(all) } else { [0, 100, 200][pick(3) as usize] };
    setup.settings.insert(TOLERATES.to_owned(), permille);
    setup.byzantine.extend(lies.then(|| liar(&setup)).flatten());
    let leak = setup.genesis().leak().expect("it was just set");
    let lying = setup.byzantine.len() as u64;
    let most = (0..=all - lying).rev().find(|&away| can_do_without(away, &leak, all, lying));
    // Mostly as many as can be, which is when the others need the leak.
    let away = most.map_or(0, |most| if pick(3) == 0 { pick(most + 1) } else { most });
    let liar = setup.byzantine.keys().next().copied();
    let away = u32::try_from(away).expect("replicas are few");
    setup.schedule = outages(seed, setup.replicas, liar, away, options.chaos);
    setup
}

/// Whether those who are left of `all` can go on even if the liars keep silent: they are more than (1+β)/2 of
/// the bonds, so that their rows count, and twice of what the absent keep and liars have.
fn can_do_without(away: u64, leak: &Leak, all: u64, lying: u64) -> bool {
    let present = all - lying - away;
    let [whole, floor] = [WHOLE, leak.floor()].map(u64::from);
    leak.is_majority(present.into(), all.into())
        && present * whole > 2 * (away * floor + lying * whole)
}

/// How many final blocks tell of a leak.
pub(super) fn recovered<P: Protocol>(world: &World<P>) -> usize {
    let record = world.record();
    let names = world.replicas().flat_map(|id| record.decided(id).values());
    let names: BTreeSet<_> = names.collect();
    let blocks = names.into_iter().filter_map(|name| record.block(*name));
    blocks.filter(|block| block.header.leak != Hash::ZERO).count()
}
