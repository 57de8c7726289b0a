use super::*;
use consensus::Timer;
use ledger::Slot;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn protocol(round: u64) -> Alarm {
    Alarm::Protocol(Timer(Slot { round, ..Slot::default() }))
}

#[test]
fn alarms_ring_in_the_order_of_their_times() {
    let mut alarms = Alarms::default();
    alarms.set(protocol(1), ms(30));
    alarms.set(Alarm::Gossip, ms(10));
    alarms.set(Alarm::Wants, ms(20));
    assert_eq!(alarms.next(), Some(ms(10)));
    assert_eq!(alarms.due(ms(9)), None);
    assert_eq!(alarms.due(ms(25)), Some(Alarm::Gossip));
    assert_eq!(alarms.due(ms(25)), Some(Alarm::Wants));
    assert_eq!(alarms.due(ms(25)), None);
    assert_eq!(alarms.due(ms(30)), Some(protocol(1)));
    assert_eq!(alarms.next(), None);
}

#[test]
fn an_alarm_set_again_replaces_itself() {
    let mut alarms = Alarms::default();
    alarms.set(Alarm::Gossip, ms(10));
    alarms.set(Alarm::Gossip, ms(50));
    assert_eq!(alarms.due(ms(49)), None);
    assert_eq!(alarms.due(ms(50)), Some(Alarm::Gossip));
    assert_eq!(alarms.due(ms(1_000)), None, "it rings once");
}

#[test]
fn an_alarm_set_earlier_rings_earlier_and_only_once() {
    let mut alarms = Alarms::default();
    alarms.set(Alarm::Gossip, ms(50));
    alarms.set(Alarm::Gossip, ms(10));
    assert_eq!(alarms.due(ms(10)), Some(Alarm::Gossip));
    assert_eq!(alarms.next(), None);
}

#[test]
fn what_is_replaced_does_not_pile_up() {
    let mut alarms = Alarms::default();
    for at in 0..10_000 {
        alarms.set(protocol(7), ms(at));
    }
    assert_eq!(alarms.order.len(), 1);
    assert_eq!(alarms.at.len(), 1);
}

#[test]
fn alarms_for_one_moment_all_ring() {
    let mut alarms = Alarms::default();
    (0..5).for_each(|round| alarms.set(protocol(round), ms(1)));
    let rung: Vec<_> = std::iter::from_fn(|| alarms.due(ms(1))).collect();
    assert_eq!(rung, (0..5).map(protocol).collect::<Vec<_>>());
}
