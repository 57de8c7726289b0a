use super::*;
use consensus::{Timer, tendermint::Tendermint};

fn host() -> Host<Tendermint> {
    Host::new(ReplicaId(0), Place(0), 1.0, &Setup::new("tendermint", 4, 1))
}

#[test]
fn an_alarm_set_again_replaces_itself_and_no_other() {
    let mut host = host();
    let protocol = Alarm::Protocol(Timer::default());
    let early = host.set(Alarm::Gossip);
    let other = host.set(protocol);
    let late = host.set(Alarm::Gossip);
    assert!(!host.rings(Alarm::Gossip, early), "it was replaced");
    assert!(host.rings(protocol, other));
    assert!(host.rings(Alarm::Gossip, late));
}

#[test]
fn an_alarm_rings_once() {
    let mut host = host();
    let number = host.set(Alarm::Gossip);
    assert!(host.rings(Alarm::Gossip, number));
    assert!(!host.rings(Alarm::Gossip, number));
}

#[test]
fn each_life_has_its_own_clock_and_all_share_the_calendar() {
    let setup = Setup::new("tendermint", 4, 1);
    let (mut host, genesis) = (host(), setup.genesis());
    host.born = Duration::from_secs(5);
    let moment = host.moment(Duration::from_secs(7), &genesis);
    assert_eq!(moment.now, Duration::from_secs(2));
    assert_eq!(moment.wall, Duration::from_millis(genesis.time) + Duration::from_secs(7));
}
