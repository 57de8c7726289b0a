//! Messages that came without their block's transactions, and those that are asked for whole.

use super::*;
use crate::{
    packet::compact::Carrier,
    testing::{self, Cargo},
};
use consensus::{Trusted, Unproven};
use ledger::{Header, Proof};

/// Follows what is said and says nothing.
struct Mute;

impl Protocol for Mute {
    type Message = Cargo;

    fn step(&mut self, _input: Input<Cargo>, _turn: &mut Turn<'_, Cargo>) {}

    fn verify(_: &[Header], _: &Proof, _: Trusted<'_>) -> Result<(), Unproven> {
        Err(Unproven::NoHeaders)
    }
}

fn mute() -> Replica<Mute> {
    let setup = Setup {
        me: ReplicaId(0),
        genesis: genesis(),
        protocol: Mute,
        hand: hand(0),
        keys: keys(),
        store: Arc::<MemoryStore>::default(),
        seed: [1; 32],
        options: Options::default(),
    };
    let mut replica = Replica::open(setup).expect("a fresh store opens");
    replica.start(Moment::default()).unwrap();
    replica
}

/// What `who` signed at `height`; at zero it has no slot.
fn cargo(who: u32, height: u64) -> Signed<Cargo> {
    let transactions = vec![transfer(who, height, 1).transaction().clone()];
    say(&hand(who), Cargo { height, block: testing::block(height, transactions) })
}

fn carrier(signed: &Signed<Cargo>) -> Carrier {
    let block = signed.message().block.hash();
    Carrier { sender: signed.sender(), slot: signed.slot(), block }
}

/// What the replica sends when `who` hands it this.
fn told(replica: &mut Replica<Mute>, who: u32, opened: Opened<Cargo>) -> Vec<Packet<Cargo>> {
    let event = Event::Received { from: ReplicaId(who), seq: 1, opened };
    let mut actions = replica.handle(event, Moment::default()).unwrap();
    let ticket = |action: &Action<_>| match action {
        Action::Sync(ticket) => Some(*ticket),
        _ => None,
    };
    if let Some(ticket) = actions.iter().find_map(ticket) {
        actions.extend(replica.handle(Event::Synced(ticket), Moment::default()).unwrap());
    }
    let sent = actions.into_iter().filter_map(|action| match action {
        Action::Send { to, envelope, .. } => {
            assert_eq!(to, [ReplicaId(who)], "nobody else is concerned");
            Some(envelope.packet.clone())
        }
        _ => None,
    });
    sent.collect()
}

#[test]
fn what_came_incomplete_is_asked_for_of_whoever_sent_it() {
    let mut replica = mute();
    for height in [0, 1, 4] {
        let lacking = carrier(&cargo(1, height));
        // Replica 2 passes on what replica 1 signed.
        let sent = told(&mut replica, 2, Opened::Incomplete(lacking));
        let asked = matches!(&sent[..], [Packet::Ask(Ask::Whole(asked))] if *asked == lacking);
        assert!(asked, "{sent:?}");
    }
}

#[test]
fn what_is_held_or_would_not_be_listened_to_is_not_asked_for() {
    let mut replica = mute();
    for height in [0, 1] {
        let signed = cargo(1, height);
        told(&mut replica, 1, Opened::Message(signed.clone()));
        assert!(told(&mut replica, 2, Opened::Incomplete(carrier(&signed))).is_empty());
    }
    let far = carrier(&cargo(1, 5));
    assert!(told(&mut replica, 2, Opened::Incomplete(far)).is_empty(), "too far ahead");
    replica.inbox.raise(2, 0);
    let dead = carrier(&cargo(2, 2));
    assert!(told(&mut replica, 2, Opened::Incomplete(dead)).is_empty(), "decided");
}

#[test]
fn whoever_asks_for_the_whole_gets_exactly_that_message() {
    let mut replica = mute();
    let mut other = cargo(1, 1).message().clone();
    Arc::make_mut(&mut other.block).header.time += 1;
    // Two of one slot, another's, and one without a slot.
    let held = [cargo(1, 1), say(&hand(1), other), cargo(2, 1), cargo(1, 0)];
    for signed in &held {
        told(&mut replica, 1, Opened::Message(signed.clone()));
    }
    for signed in &held {
        let sent = told(&mut replica, 3, Opened::Ask(Ask::Whole(carrier(signed))));
        let whole = matches!(&sent[..], [Packet::Message(sent)] if sent == signed);
        assert!(whole, "{sent:?}");
    }
    for unknown in [cargo(3, 1), cargo(1, 2), cargo(2, 0)] {
        assert!(told(&mut replica, 3, Opened::Ask(Ask::Whole(carrier(&unknown)))).is_empty());
    }
}
