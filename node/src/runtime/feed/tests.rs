use super::*;
use ledger::ReplicaId;
use replica::trace::What;
use tokio::sync::broadcast::error::TryRecvError;

fn line(seq: u64) -> TraceLine {
    let what = What::Started { height: seq };
    TraceLine { replica: ReplicaId(0), seq, at: seq, cause: None, what }
}

#[test]
fn a_listener_hears_what_comes_after_it() {
    let feed = Feed::new();
    feed.tell(&line(1));
    let mut listener = feed.listen();
    feed.tell(&line(2));
    assert_eq!(*listener.try_recv().expect("told"), line(2));
    assert_eq!(listener.try_recv(), Err(TryRecvError::Empty));
    drop(listener);
    assert_eq!(feed.listeners(), 0);
}

#[test]
fn a_slow_listener_is_told_how_many_it_lost() {
    let feed = Feed::new();
    let mut slow = feed.listen();
    let last = BUFFER as u64 + 7;
    (1..=last).for_each(|seq| feed.tell(&line(seq)));
    assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(7)));
    assert_eq!(slow.try_recv().expect("kept").seq, 8);
}
