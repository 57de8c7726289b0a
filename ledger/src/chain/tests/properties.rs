//! What holds whatever anybody asks for.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap as Map;

/// Somebody's wish, sensible or not: sender, how far the nonce is off, recipient, amount, fee.
type Wish = (u8, u64, u8, u64, u64);

const OWNERS: std::ops::Range<u8> = 0..8;

fn wish() -> impl Strategy<Value = Wish> {
    let amount = prop_oneof![4 => 0..400u64, 1 => any::<u64>(), 1 => Just(u64::MAX)];
    let off = prop_oneof![6 => Just(0u64), 1 => 1..3u64];
    (OWNERS, off, OWNERS, amount.clone(), amount)
}

fn everything(world: &World, at: BlockHash) -> u128 {
    OWNERS.map(|owner| u128::from(world.balance(at, owner))).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Supply is conserved, also where the proposer, the sender and the recipient are one; what a
    /// block leaves out would have made it invalid; and a plain map of balances agrees throughout.
    #[test]
    fn nothing_but_valid_transfers_moves_money_and_all_of_it_stays(
        wishes in prop::collection::vec(prop::collection::vec(wish(), 0..6), 1..5),
        balances in prop::collection::vec(prop_oneof![0..1_000u64, Just(u64::MAX / 8)], 8),
    ) {
        let funded: Vec<_> = OWNERS.zip(balances).collect();
        let mut world = World::new(&funded);
        let mut model: Map<u8, (u64, u64)> =
            funded.iter().map(|(owner, balance)| (*owner, (*balance, 0))).collect();
        let mut tip = world.ledger.root();
        for (height, wishes) in wishes.into_iter().enumerate() {
            let proposer = height as u8 % 4;
            let mut wished = Vec::new();
            let mut included = Vec::new();
            for (from, off, to, amount, fee) in wishes {
                let (balance, nonce) = model[&from];
                let transfer = world.pay(from, nonce + off, to, amount, fee);
                wished.push(transfer.clone());
                let needed = u128::from(amount) + u128::from(fee);
                if off == 0 && needed <= u128::from(balance) {
                    model.insert(from, (balance - amount - fee, nonce + 1));
                    model.get_mut(&to).unwrap().0 += amount;
                    model.get_mut(&proposer).unwrap().0 += fee;
                    included.push(transfer);
                } else {
                    let mut bad = Block::clone(&world.assemble(tip, proposer.into(), wished.clone()));
                    bad.transactions.push(transfer);
                    bad.header.transactions = crate::block::transaction_root(&bad.transactions);
                    let rejected = world.accept(&Arc::new(bad));
                    let refused = matches!(
                        rejected,
                        Err(Rejected::Invalid(Invalid::Execution { index, .. })) if index == included.len()
                    );
                    prop_assert!(refused, "{rejected:?}");
                }
            }
            let block = world.assemble(tip, proposer.into(), wished);
            prop_assert_eq!(&block.transactions, &included);
            tip = world.accept(&block).unwrap();
            prop_assert_eq!(everything(&world, tip), u128::from(world.ledger.supply().0));
            if height % 2 == 1 {
                world.commit(tip).unwrap();
                world.write();
            }
            for (owner, (balance, nonce)) in &model {
                let account = world.ledger.account(tip, address(*owner)).unwrap();
                prop_assert_eq!((account.balance.0, account.nonce), (*balance, *nonce));
            }
        }
    }

    /// Bytes that are not exactly an encoding decode to nothing, so nothing has two names.
    #[test]
    fn mutated_bytes_never_decode_to_what_encodes_differently(
        at in any::<prop::sample::Index>(),
        flip in 1..=255u8,
        cut in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new(&[(10, 500)]);
        let transfer = world.pay(10, 0, 11, 1, 1);
        let block = world.assemble(world.ledger.root(), 0, vec![transfer.clone()]);
        let mutations = |bytes: Vec<u8>| {
            let mut flipped = bytes.clone();
            flipped[at.index(bytes.len())] ^= flip;
            let shorter = bytes[..cut.index(bytes.len())].to_vec();
            let longer = [&bytes[..], &[flip]].concat();
            [flipped, shorter, longer]
        };
        for bytes in mutations(codec::encode(&transfer)) {
            if let Ok(value) = Transaction::decode(&bytes) {
                prop_assert_ne!(value.id(), transfer.id());
                prop_assert_eq!(codec::encode(&value), bytes);
                prop_assert!(value.verify(world.genesis.chain_id()).is_err());
            }
        }
        for bytes in mutations(codec::encode(&*block)) {
            if let Ok(value) = Block::decode(&bytes) {
                prop_assert_eq!(codec::encode(&value), bytes);
                prop_assert!(value.hash() != block.hash() || !value.body_matches());
                prop_assert!(value != *block);
                let _ = world.ledger.accept(&Arc::new(value), &mut world.batch);
            }
        }
        for bytes in mutations(codec::encode(&block.header)) {
            if let Ok(value) = codec::decode::<Header>(&bytes, 4096) {
                prop_assert_ne!(value.hash(), block.hash());
                prop_assert_eq!(codec::encode(&value), bytes);
            }
        }
    }

    /// Whatever happens to the tree, a restart finds what was synced: one root, all its
    /// descendants, and the same balances.
    #[test]
    fn a_restart_finds_the_same_tree(
        steps in prop::collection::vec((any::<prop::sample::Index>(), 0..4u32, 0..5u8), 1..24),
    ) {
        let mut world = World::new(&[(10, 1_000)]);
        let mut tips = vec![world.ledger.root()];
        for (at, proposer, what) in steps {
            let tip = tips[at.index(tips.len())];
            let Some(account) = world.ledger.account(tip, address(10)) else { continue };
            if what == 0 {
                world.commit(tip).unwrap();
                tips.retain(|tip| world.ledger.header(*tip).is_some());
            } else {
                let transfer = world.pay(10, account.nonce, 11, u64::from(what), 1);
                tips.push(world.grow(tip, proposer, vec![transfer]));
            }
            world.write();
        }
        let before: Vec<_> = tips.iter().map(|tip| world.balance(*tip, 10)).collect();
        let (root, undecided) = (world.ledger.root(), world.ledger.undecided.len());
        world.sync();
        world.crash();
        prop_assert_eq!(world.ledger.root(), root);
        prop_assert_eq!(world.ledger.undecided.len(), undecided);
        let after: Vec<_> = tips.iter().map(|tip| world.balance(*tip, 10)).collect();
        prop_assert_eq!(before, after);
    }
}
