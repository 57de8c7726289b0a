use super::*;
use std::sync::Mutex;

fn groups(text: &str) -> Option<Groups> {
    Some(text.parse().unwrap())
}

/// What everybody who has to be told is told, if `deaf` do not listen.
fn told(cuts: &mut Cuts, deaf: &[u32]) -> Vec<(u32, Request)> {
    let told = Mutex::new(Vec::new());
    cuts.tell(|id, request| match deaf.contains(&id) {
        true => Err(ControlError::Occupied { path: "control.sock".into() }),
        false => {
            told.lock().unwrap().push((id, request.clone()));
            Ok(())
        }
    });
    let mut told = told.into_inner().unwrap();
    told.sort_by_key(|(id, _)| *id);
    told
}

fn cut(ids: &[u32]) -> Request {
    Request::Cut(ids.iter().copied().collect())
}

#[test]
fn everybody_is_told_once() {
    let mut cuts = Cuts::default();
    assert!(told(&mut cuts, &[]).is_empty());
    cuts.set(groups("0/1,2"), 0..4);
    let expected = [(0, cut(&[1, 2])), (1, cut(&[0])), (2, cut(&[0])), (3, Request::Heal)];
    assert_eq!(told(&mut cuts, &[]), expected);
    assert!(told(&mut cuts, &[]).is_empty());
    cuts.set(None, 0..4);
    let healed = [0, 1, 2, 3].map(|id| (id, Request::Heal));
    assert_eq!(told(&mut cuts, &[]), healed);
    assert!(cuts.groups().is_none());
}

#[test]
fn who_does_not_listen_yet_is_told_later() {
    let mut cuts = Cuts::default();
    cuts.set(groups("0/1"), 0..2);
    assert_eq!(told(&mut cuts, &[1]), [(0, cut(&[1]))]);
    let untold: Vec<_> = cuts.untold().map(|(id, why)| (id, why.is_some())).collect();
    assert_eq!(untold, [(1, true)]);
    assert_eq!(told(&mut cuts, &[]), [(1, cut(&[0]))]);
    assert_eq!(cuts.untold().count(), 0);
}

#[test]
fn who_is_started_again_is_told_again_and_the_dead_are_not() {
    let mut cuts = Cuts::default();
    cuts.started(0);
    assert!(told(&mut cuts, &[]).is_empty(), "nobody is cut off");
    cuts.set(groups("0/1"), [0]);
    told(&mut cuts, &[]);
    cuts.started(1);
    assert_eq!(told(&mut cuts, &[]), [(1, cut(&[0]))]);
    cuts.started(1);
    cuts.ended(1);
    assert!(told(&mut cuts, &[]).is_empty());
}
