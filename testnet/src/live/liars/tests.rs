use super::*;

fn liars(text: &[&str]) -> Liars {
    Liars::of(text.iter().map(|text| parse(text).unwrap()).collect()).unwrap()
}

#[test]
fn a_liar_is_a_node_and_a_lie() {
    assert_eq!(parse("3=equivocate"), Ok((3, "equivocate".to_owned())));
    for wrong in ["", "3", "3=", "x=silent", "-1=silent", "=silent"] {
        let error = parse(wrong).unwrap_err();
        assert!(error.contains("write NODE=LIE, such as 3=equivocate"), "{error}");
    }
    assert_eq!(liars(&["3=equivocate", "1=silent"]).to_string(), "1=silent, 3=equivocate");
}

#[test]
fn whoever_cannot_lie_so_is_told_why() {
    let twice = Liars::of(vec![(3, "silent".into()), (3, "delay".into())]);
    assert_eq!(twice, Err(BadLiars::Twice(3)));
    assert_eq!(liars(&["3=silent"]).check("tendermint", 4), Ok(()));
    let nobody = liars(&["4=silent"]).check("tendermint", 4);
    assert_eq!(nobody, Err(BadLiars::Unknown { id: 4, nodes: 4 }));
    let unknown = liars(&["3=selfish"]).check("tendermint", 4).unwrap_err().to_string();
    assert!(unknown.contains("no lie called \"selfish\"") && unknown.contains("equivocate"));
    assert_eq!(liars(&["3=selfish"]).check("pow", 4), Ok(()));
}

#[test]
fn the_split_follows_from_the_chain() {
    let chain = |byte| ChainId(crypto::Hash::from_bytes([byte; 32]));
    assert_eq!(plot(chain(1), 7, [5, 6]), plot(chain(1), 7, [5, 6]));
    let drawn: BTreeSet<_> = (0..20)
        .map(|byte| plot(chain(byte), 7, [6]).faces(Side::Left, (0..7).map(ReplicaId)))
        .collect();
    assert!(drawn.len() > 1, "chance decides");
}

/// Everybody meets everybody else, but for twins: nobody honest meets both, and together the two
/// meet all.
#[test]
fn twins_meet_one_part_each_and_nobody_meets_both() {
    let chain = ChainId(crypto::Hash::from_bytes([7; 32]));
    for all in [vec![3], vec![2, 3], vec![0, 5, 6]] {
        let nodes = 7;
        let plot = plot(chain, nodes, all.clone());
        let twins = |id: u32| all.contains(&id) && id != 5;
        let actors = (0..nodes).flat_map(|id| {
            let second = twins(id).then_some(Actor { id, second: true });
            [Some(Actor { id, second: false }), second].into_iter().flatten()
        });
        let actors: Vec<_> = actors.collect();
        for one in &actors {
            for other in actors.iter().filter(|other| other.id != one.id) {
                let there = meets(&plot, twins, *one, other.id) == Some(*other);
                let back = meets(&plot, twins, *other, one.id) == Some(*one);
                assert_eq!(there, back, "{one:?} and {other:?} of {all:?}");
            }
            if !twins(one.id) {
                let met = (0..nodes).filter(|id| *id != one.id);
                assert!(met.clone().all(|id| meets(&plot, twins, *one, id).is_some()), "{one:?}");
            }
        }
    }
}
