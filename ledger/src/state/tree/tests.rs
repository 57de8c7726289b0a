use super::*;
use crate::{
    Amount, Stake,
    state::BadProof,
    store::{MemoryStore, Store},
};
use proptest::prelude::*;
use std::sync::Arc;

fn owner(number: u8) -> Address {
    Address::from_bytes([number; 20])
}

/// Nothing at all, which is in no tree, for a balance of nothing.
fn account(balance: u64) -> Account {
    Account { balance: Amount(balance), nonce: balance.min(1), bonded: Stake(0) }
}

/// A committed tree, and the blocks that made it.
struct Forest {
    store: Arc<MemoryStore>,
    disk: Ahead,
    height: u64,
}

impl Forest {
    fn new(accounts: &[(u8, u64)]) -> (Forest, Hash) {
        let store = Arc::new(MemoryStore::default());
        let mut forest = Forest { disk: Ahead::new(store.clone()), store, height: 0 };
        let overlay = forest.view(&[]).update(0, changes(accounts), None);
        forest.commit(&[&overlay]);
        (forest, overlay.root())
    }

    fn view<'a>(&'a self, layers: &[&'a Overlay]) -> View<'a> {
        View::new(layers.iter().rev().copied().collect(), &self.disk)
    }

    fn commit(&mut self, overlays: &[&Overlay]) {
        let mut batch = Batch::default();
        commit(overlays, &mut batch);
        self.store.write(&batch).unwrap();
        self.height = overlays.last().unwrap().height;
    }

    fn prove(&self, number: u8) -> (Account, AccountProof) {
        self.view(&[]).prove(self.height, owner(number)).unwrap()
    }
}

fn changes(accounts: &[(u8, u64)]) -> BTreeMap<Address, Account> {
    accounts.iter().map(|(number, balance)| (owner(*number), account(*balance))).collect()
}

#[test]
fn a_proof_shows_what_an_account_holds() {
    let accounts: Vec<_> = (0..40).map(|number| (number, 100 + u64::from(number))).collect();
    let (forest, root) = Forest::new(&accounts);
    assert_eq!(forest.view(&[]).root(0).unwrap(), root);
    for (number, balance) in accounts {
        let (found, proof) = forest.prove(number);
        assert_eq!(found, account(balance));
        assert_eq!(proof.verify(root, owner(number), &found), Ok(()));

        let refused = |root, address, account| -> BadProof {
            proof.verify(root, address, &account).unwrap_err()
        };
        refused(Hash::ZERO, owner(number), found);
        refused(root, owner(number + 1), found);
        refused(root, owner(number), Account::default());
        refused(root, owner(number), account(balance + 1));
        refused(root, owner(number), Account { nonce: 2, ..found });
        refused(root, owner(number), Account { bonded: Stake(1), ..found });
    }
}

#[test]
fn a_proof_shows_that_an_account_was_never_seen() {
    for known in [0, 1, 2, 40] {
        let accounts: Vec<_> = (0..known).map(|number| (number, 1)).collect();
        let (forest, root) = Forest::new(&accounts);
        for number in 100..140 {
            let (found, proof) = forest.prove(number);
            assert_eq!(found, Account::default());
            assert_eq!(proof.verify(root, owner(number), &found), Ok(()));
            assert!(proof.verify(root, owner(number), &account(1)).is_err());
            assert!(proof.verify(Hash::ZERO, owner(number), &found).is_err());
            if known > 0 {
                assert!(proof.verify(root, owner(0), &found).is_err(), "it exists");
            }
        }
    }
}

#[test]
fn a_tree_without_accounts_has_a_root_that_later_accounts_replace() {
    let (mut forest, empty) = Forest::new(&[]);
    let overlay = forest.view(&[]).update(1, changes(&[(1, 5)]), None);
    assert_ne!(overlay.root(), empty);
    forest.commit(&[&overlay]);
    assert_eq!(forest.prove(1).0, account(5));
    assert_eq!(forest.store.scan(b"n").unwrap().len(), 1, "the empty root is gone");
}

#[test]
fn branches_see_their_own_changes_only() {
    let (forest, _) = Forest::new(&[(1, 10), (2, 20)]);
    let left = forest.view(&[]).update(1, changes(&[(1, 11)]), None);
    let right = forest.view(&[]).update(1, changes(&[(1, 12), (3, 30)]), None);
    let above = forest.view(&[&left]).update(2, changes(&[(2, 21)]), None);
    let balance =
        |layers: &[&Overlay], number| forest.view(layers).account(owner(number)).balance.0;
    assert_eq!([1, 2, 3].map(|number| balance(&[], number)), [10, 20, 0]);
    assert_eq!([1, 2, 3].map(|number| balance(&[&left, &above], number)), [11, 21, 0]);
    assert_eq!([1, 2, 3].map(|number| balance(&[&right], number)), [12, 20, 30]);
}

#[test]
fn an_update_costs_a_path_and_not_the_tree() {
    let everyone: Vec<_> = (0..=255).map(|number| (number, 9)).collect();
    let (forest, _) = Forest::new(&everyone);
    let overlay = forest.view(&[]).update(1, changes(&[(77, 1)]), None);
    let written = overlay.nodes.nodes().len();
    assert!(written <= 5, "{written} nodes were written for one account among 256");
}

/// What some blocks change.
fn histories() -> impl Strategy<Value = Vec<Vec<(u8, u64)>>> {
    prop::collection::vec(prop::collection::vec((0..24u8, 0..3u64), 0..8), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// However the blocks are committed, what is left in the store is what one block that knew the
    /// outcome would have written: nothing lost, nothing stale.
    #[test]
    fn the_tree_depends_on_the_accounts_and_not_on_their_history(
        history in histories(),
        together in any::<bool>(),
        registered in any::<bool>(),
    ) {
        let (mut forest, _) = Forest::new(&[]);
        let mut overlays: Vec<Overlay> = Vec::new();
        let mut model = BTreeMap::new();
        let genesis = crate::testing::genesis(&[]);
        let register = Some(Register::founding(&genesis)).filter(|_| registered);
        let registers = [None, register.clone(), None];
        for (block, height) in history.iter().zip(1..) {
            let block = changes(block);
            model.extend(block.clone());
            model.retain(|_, account: &mut Account| *account != Account::default());
            let layers: Vec<_> = overlays.iter().collect();
            let register = registers[height as usize % 3].as_ref();
            let overlay = forest.view(&layers).update(height, block, register);
            if together {
                overlays.push(overlay);
            } else {
                forest.commit(&[&overlay]);
            }
        }
        if together {
            forest.commit(&overlays.iter().collect::<Vec<_>>());
        }

        let fresh = Ahead::new(Arc::new(MemoryStore::default()));
        let direct = View::new(Vec::new(), &fresh).update(0, model.clone(), register.as_ref());
        prop_assert_eq!(forest.view(&[]).root(forest.height).unwrap(), direct.root());
        let places = direct.nodes.nodes().keys().map(node_key).collect::<Vec<_>>();
        let kept = forest.store.scan(b"n").unwrap().into_iter().map(|(key, _)| key);
        let (mut places, mut kept) = (places, kept.collect::<Vec<_>>());
        places.sort();
        kept.sort();
        prop_assert_eq!(kept, places);
        prop_assert_eq!(forest.store.scan(b"a").unwrap().len(), model.len());
        for number in 0..24 {
            let (found, proof) = forest.prove(number);
            prop_assert_eq!(found, model.get(&owner(number)).copied().unwrap_or_default());
            prop_assert_eq!(proof.verify(direct.root(), owner(number), &found), Ok(()));
        }
    }

    /// A stranger's proof is checked or refused, and never a reason to stop; a bent one proves
    /// nothing else than before.
    #[test]
    fn hostile_proofs_do_not_panic_and_prove_nothing(
        at in any::<prop::sample::Index>(),
        flip in 1..=255u8,
        noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (forest, root) = Forest::new(&[(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)]);
        let (found, proof) = forest.prove(3);
        let mut bytes = codec::encode(&proof);
        let place = at.index(bytes.len());
        bytes[place] ^= flip;
        for bytes in [bytes, noise] {
            if let Ok(bent) = codec::decode::<AccountProof>(&bytes, 1 << 16) {
                for claim in [account(31), Account::default()] {
                    prop_assert!(bent.verify(root, owner(3), &claim).is_err());
                }
                prop_assert!(bent.verify(root, owner(3), &found).is_err());
            }
            let text = serde_json::to_string(&hex::encode(&bytes)).unwrap();
            let _ = serde_json::from_str::<AccountProof>(&text);
        }
    }
}

#[test]
fn a_proof_with_endless_siblings_is_refused() {
    let (forest, root) = Forest::new(&[(1, 10)]);
    let (found, proof) = forest.prove(1);
    let mut bytes = codec::encode(&proof);
    // The number of siblings follows the leaf: say 300, all of the kind that has no content.
    let at = bytes.len() - 8;
    bytes[at..].copy_from_slice(&300u64.to_le_bytes());
    bytes.extend([0; 4 * 300]);
    let endless: AccountProof = codec::decode(&bytes, 1 << 16).unwrap();
    assert!(endless.verify(root, owner(1), &found).is_err());
}
