use proptest::prelude::*;
use rs_merkle::MerkleProof;

use super::*;

/// The leaves of Certificate Transparency's reference tree.
fn reference_leaves() -> Vec<Vec<u8>> {
    let leaves = "/00/10/2021/3031/40414243/5051525354555657/606162636465666768696a6b6c6d6e6f";
    leaves.split('/').map(|x| hex::decode(x).unwrap()).collect()
}

/// Leaves that all differ, `count` of them.
fn numbered(count: usize) -> Vec<[u8; 8]> {
    (0..count as u64).map(u64::to_le_bytes).collect()
}

/// The root exactly as RFC 6962 §2.1 defines it, by halving.
fn by_definition<L: AsRef<[u8]>>(leaves: &[L]) -> [u8; 32] {
    match leaves {
        [] => sha256(&[]).to_bytes(),
        [leaf] => leaf_hash(leaf.as_ref()),
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            node_hash(&by_definition(left), &by_definition(right))
        }
    }
}

/// A proof as `rs_merkle` would verify it.
fn theirs(hashes: impl IntoIterator<Item = Hash>) -> MerkleProof<Rfc6962> {
    MerkleProof::new(hashes.into_iter().map(Hash::to_bytes).collect())
}

#[test]
fn certificate_transparency_reference_roots() {
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves = reference_leaves();
    for (size, expected) in (1..).zip(roots) {
        assert_eq!(root(&leaves[..size]).to_string(), expected);
    }
}

#[test]
fn the_root_of_nothing_is_the_hash_of_nothing() {
    let nothing: [&[u8]; 0] = [];
    assert_eq!(root(&nothing), sha256(b""));
    assert_eq!(prove(&nothing, 0), None);
}

#[test]
fn roots_follow_the_definition() {
    for count in 0..=130 {
        let leaves = numbered(count);
        assert_eq!(root(&leaves).to_bytes(), by_definition(&leaves), "{count}");
    }
}

#[test]
fn every_leaf_of_every_size_has_a_path_that_only_fits_itself() {
    for count in 1..=64 {
        let leaves = numbered(count);
        let root = root(&leaves);
        assert_eq!(prove(&leaves, count), None);
        for index in 0..count {
            let path = prove(&leaves, index).unwrap();
            assert_eq!(path.verify(&leaves[index], root), Ok(()));
            assert_eq!(path.verify(b"other", root), Err(PathError::WrongRoot));
            assert_eq!(path.verify(&leaves[index], Hash::ZERO), Err(PathError::WrongRoot));
            refuses_other_indices(&path, &leaves[index], root);
            refuses_other_lengths(&path, &leaves[index], root);
        }
    }
}

fn refuses_other_indices(path: &Path, leaf: &[u8], root: Hash) {
    for index in (0..path.count + 2).filter(|index| *index != path.index) {
        let moved = Path { index, ..path.clone() };
        assert!(moved.verify(leaf, root).is_err(), "{path:?} as {index}");
    }
}

fn refuses_other_lengths(path: &Path, leaf: &[u8], root: Hash) {
    let expected = path.siblings.len();
    let mut extended = path.clone();
    extended.siblings.push(Hash::ZERO);
    assert_eq!(
        extended.verify(leaf, root),
        Err(PathError::WrongLength { expected, found: expected + 1 })
    );
    for found in 0..expected {
        let mut truncated = path.clone();
        truncated.siblings.truncate(found);
        assert_eq!(truncated.verify(leaf, root), Err(PathError::WrongLength { expected, found }));
    }
}

#[test]
fn the_root_does_not_prove_the_count() {
    // Leaf 2 of 3 rises alone to the second level, where it stands as leaf 1 of 2 would. RFC 6962
    // signs the count beside the root for this reason. The leaf is in the tree either way.
    let leaves = reference_leaves();
    let root = root(&leaves[..3]);
    let honest = prove(&leaves[..3], 2).unwrap();
    let claimed = Path { index: 1, count: 2, ..honest.clone() };
    assert_eq!(honest.verify(&leaves[2], root), Ok(()));
    assert_eq!(claimed.verify(&leaves[2], root), Ok(()));
}

#[test]
fn an_inner_node_does_not_pass_for_a_leaf() {
    let leaves = reference_leaves();
    let honest = prove(&leaves[..2], 0).unwrap();
    let [left, right] = [0, 1].map(|index| leaf_hash(&leaves[index]));
    let single = Path { index: 0, count: 1, siblings: Vec::new() };
    assert_eq!(honest.siblings, [Hash::from(right)]);
    assert_eq!(
        single.verify(&[left, right].concat(), root(&leaves[..2])),
        Err(PathError::WrongRoot)
    );
}

#[test]
fn forgery_a_multiproof_with_a_doubled_index() {
    // With index 1 named twice, rs_merkle asks for leaf 0 twice. The forger gives it the true
    // leaves 0 and 1 there, they push the forged ones aside, and the rest of the path is honest.
    let leaves = reference_leaves();
    let root = root(&leaves);
    let honest = prove(&leaves, 0).unwrap();
    let hashes: Vec<Hash> =
        [leaf_hash(&leaves[0]).into()].into_iter().chain(honest.siblings).collect();
    let forged = [leaf_hash(b"forged"), leaf_hash(b"also forged")];
    assert!(theirs(hashes.clone()).verify(root.to_bytes(), &[1, 1], &forged, 8));

    let mut path = Path { index: 1, count: 8, siblings: hashes };
    assert_eq!(path.verify(b"forged", root), Err(PathError::WrongLength { expected: 3, found: 4 }));
    path.siblings.remove(1);
    assert_eq!(path.verify(&leaves[1], root), Ok(()));
    assert_eq!(path.verify(b"forged", root), Err(PathError::WrongRoot));
}

#[test]
fn forgery_an_index_outside_the_tree() {
    let leaves = &reference_leaves()[..3];
    let root = root(leaves);
    let honest = prove(leaves, 0).unwrap();
    let leaf = leaf_hash(&leaves[0]);
    for index in [4, 8, 12] {
        let accepted =
            theirs(honest.siblings.clone()).verify(root.to_bytes(), &[index], &[leaf], 3);
        assert!(accepted);

        let index = index as u64;
        let moved = Path { index, ..honest.clone() };
        assert_eq!(
            moved.verify(&leaves[0], root),
            Err(PathError::IndexOutOfRange { index, count: 3 })
        );
    }
}

proptest! {
    #[test]
    fn a_changed_path_proves_nothing(
        leaves in prop::collection::vec(any::<Vec<u8>>(), 2..70),
        index: prop::sample::Index,
        sibling: prop::sample::Index,
        bit in 0..256_usize,
    ) {
        let index = index.index(leaves.len());
        let root = root(&leaves);
        let mut path = prove(&leaves, index).unwrap();
        prop_assert_eq!(path.verify(&leaves[index], root), Ok(()));

        let sibling = sibling.index(path.siblings.len());
        let mut bytes = path.siblings[sibling].to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        path.siblings[sibling] = bytes.into();
        prop_assert_eq!(path.verify(&leaves[index], root), Err(PathError::WrongRoot));
    }

    #[test]
    fn another_count_never_proves_another_leaf(
        count in 1..65_usize,
        index: prop::sample::Index,
        claimed: u64,
        near in 0..70_u64,
    ) {
        let leaves = numbered(count);
        let root = root(&leaves);
        let path = prove(&leaves, index.index(count)).unwrap();
        for count in [claimed, near] {
            let path = Path { count, ..path.clone() };
            prop_assert!(path.verify(b"not in the tree", root).is_err());
        }
    }

    #[test]
    fn arbitrary_paths_never_panic(
        index: u64,
        count: u64,
        siblings in prop::collection::vec(any::<[u8; 32]>(), 0..70),
        leaf: Vec<u8>,
    ) {
        let siblings = siblings.into_iter().map(Hash::from).collect();
        let path = Path { index, count, siblings };
        prop_assert!(path.verify(&leaf, Hash::ZERO).is_err());
    }
}
