use super::*;

#[tokio::test]
async fn of_one_peers_changes_the_last_two_are_kept() {
    let (sender, receiver) = mpsc::channel(8);
    let mut events = Events::new(receiver);
    let mut changes = Changes::default();
    changes.note(1, true);
    for _ in 0..100 {
        changes.note(1, false);
        changes.note(1, true);
        changes.note(2, true);
        changes.note(2, false);
    }
    while changes.any() {
        let place = changes.place(&sender).await.unwrap();
        changes.tell(place);
    }
    let mut told = Vec::new();
    while let Some(event) = events.try_recv() {
        told.push(match event {
            NetworkEvent::Connected(seat) => (seat, true),
            NetworkEvent::Disconnected(seat) => (seat, false),
            other => panic!("unexpected {other:?}"),
        });
    }
    told.sort_by_key(|&(seat, _)| seat);
    assert_eq!(told, [(1, true), (2, true), (2, false)]);
}
