//! The replica's own promises, with a puppet for a protocol.

use super::{peers::WANT_PERIOD, submissions::PUBLISH_PERIOD, *};
use crate::{
    TransactionCache,
    event::Answer,
    packet::{Ask, Chained, Opened},
    testing::{Puppet, Word, address, believed, chain, genesis, hand, keys, say, transfer},
};
use consensus::{Effect, To};
use ledger::{Block, Draft, Seal, store::MemoryStore};
use std::collections::BTreeSet;

mod asking;
mod bulk;
mod carriers;
mod catching_up;
mod staking;
mod weak;
mod wiped;

struct Rig {
    replica: Replica<Puppet>,
    puppet: Puppet,
    store: Arc<MemoryStore>,
    now: Duration,
}

impl Rig {
    fn new() -> Rig {
        Rig::on(Arc::default())
    }

    fn on(store: Arc<MemoryStore>) -> Rig {
        Rig::with(store, Options { first_life: true, ..Options::default() })
    }

    fn with(store: Arc<MemoryStore>, options: Options) -> Rig {
        Rig::of((genesis(), hand(0), keys()), store, options)
    }

    /// One life of whoever has this hand, on the chain with this genesis.
    fn of(
        (genesis, hand, keys): (Genesis, Hand, Keys),
        store: Arc<MemoryStore>,
        options: Options,
    ) -> Rig {
        let puppet = Puppet::default();
        let setup = Setup {
            me: hand.me(),
            genesis,
            protocol: puppet.clone(),
            hand,
            keys,
            store: Arc::clone(&store) as Arc<dyn Store>,
            seed: [1; 32],
            options,
        };
        let replica = Replica::open(setup).expect("a fresh store opens");
        Rig { replica, puppet, store, now: Duration::ZERO }
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, wall: Duration::from_secs(1) + self.now }
    }

    /// Begins the life, up to the point where what it wrote is durable.
    fn start(&mut self) -> Vec<Action<Word>> {
        let actions = self.replica.start(self.moment()).unwrap();
        self.settle(actions)
    }

    fn handle(&mut self, event: Event<Word>) -> Vec<Action<Word>> {
        self.replica.handle(event, self.moment()).unwrap()
    }

    /// Gives the puppet a step.
    fn nudge(&mut self) -> Vec<Action<Word>> {
        self.handle(Event::Rang(Alarm::Protocol(consensus::Timer::default())))
    }

    /// Handles everything up to the point where all is durable.
    fn settle(&mut self, actions: Vec<Action<Word>>) -> Vec<Action<Word>> {
        let mut all = Vec::new();
        let mut todo = VecDeque::from(actions);
        while let Some(action) = todo.pop_front() {
            if let Action::Sync(ticket) = action {
                self.store.sync().unwrap();
                todo.extend(self.handle(Event::Synced(ticket)));
            }
            all.push(action);
        }
        all
    }

    fn from(&mut self, who: u32, opened: Opened<Word>) -> Vec<Action<Word>> {
        let actions = self.handle(Event::Received { from: ReplicaId(who), seq: 1, opened });
        self.settle(actions)
    }

    /// Accepts and commits an empty block on the root, as the protocol's word.
    fn commit(&mut self, proof: Option<ledger::Proof>) -> Vec<Action<Word>> {
        self.puppet.pull(move |turn| {
            let block = assemble(turn, Vec::new());
            let hash = turn.app.accept(&block).unwrap();
            turn.act(Effect::Commit { block: hash, proof });
        });
        let actions = self.nudge();
        self.settle(actions)
    }
}

fn assemble(turn: &Turn<'_, Word>, transactions: Vec<ledger::Transaction>) -> Arc<Block> {
    let parent = turn.app.root();
    let (time, proposer, duties) = (2_000, ReplicaId(0), Vec::new());
    let draft = Draft { parent, transactions, time, proposer, duties, seal: Seal::default() };
    turn.app.assemble(draft).unwrap()
}

fn word(text: u64) -> Word {
    Word { height: 1, round: 0, text }
}

fn sends(actions: &[Action<Word>]) -> Vec<(Class, &Packet<Word>, &[ReplicaId])> {
    let send = |action| match action {
        &Action::Send { ref to, ref envelope, class } => Some((class, &envelope.packet, &to[..])),
        _ => None,
    };
    actions.iter().filter_map(send).collect()
}

fn refusals(actions: &[Action<Word>]) -> Vec<String> {
    let refused = |action: &Action<Word>| match action {
        Action::Trace(line) => match &line.what {
            What::Refused { reason, .. } => Some(reason.clone()),
            _ => None,
        },
        _ => None,
    };
    actions.iter().filter_map(refused).collect()
}

/// Each event returns a list of them, and what is longer than a kilobyte is slow to allocate.
#[test]
fn an_action_is_small() {
    assert!(size_of::<Action<Word>>() <= 96, "{} bytes", size_of::<Action<Word>>());
    assert!(size_of::<Event<Word>>() <= 112, "{} bytes", size_of::<Event<Word>>());
}

#[test]
fn nothing_leaves_before_what_it_rests_on_is_durable() {
    let mut rig = Rig::new();
    rig.start();
    rig.puppet.act(Effect::Send { to: To::All, message: word(1) });
    let actions = rig.nudge();
    assert!(sends(&actions).is_empty(), "the vote waits for its record");
    let later = rig.handle(Event::Asked { id: 7, query: Query::Status });
    assert!(later.is_empty(), "what comes later queues behind it: {later:?}");
    rig.store.sync().unwrap();
    // The first batch was that of the start.
    let released = rig.handle(Event::Synced(Ticket(2)));
    assert_eq!(sends(&released).len(), 1);
    assert!(matches!(released.last(), Some(Action::Answer { id: 7, .. })));
}

#[test]
fn our_own_message_is_heard_back() {
    let mut rig = Rig::new();
    rig.start();
    rig.puppet.act(Effect::Send { to: To::All, message: word(1) });
    rig.nudge();
    let own = |input: &Input<Word>| matches!(input, Input::Heard(m) if m.sender() == ReplicaId(0));
    assert_eq!(rig.puppet.count(own), 1);
}

#[test]
fn the_signer_signs_one_message_per_slot_also_after_a_crash() {
    let mut rig = Rig::new();
    rig.start();
    rig.puppet.act(Effect::Send { to: To::All, message: word(1) });
    let actions = rig.nudge();
    rig.settle(actions);
    rig.store.crash();
    let mut rig = Rig::on(rig.store);
    let first = rig.start();
    let first = rig.settle(first);
    assert_eq!(sends(&first)[0].0, Class::Resend, "what was signed is sent again");
    rig.puppet.act(Effect::Send { to: To::All, message: word(2) });
    let actions = rig.nudge();
    assert_eq!(refusals(&actions), ["slot_taken"]);
    rig.puppet.act(Effect::Send { to: To::All, message: word(1) });
    let actions = rig.nudge();
    assert_eq!(sends(&actions)[0].0, Class::Resend, "the same words are no second message");
}

#[test]
fn a_vote_that_never_became_durable_never_left() {
    let mut rig = Rig::new();
    rig.start();
    rig.puppet.act(Effect::Send { to: To::All, message: word(1) });
    assert!(sends(&rig.nudge()).is_empty());
    rig.store.crash();
    let mut rig = Rig::on(rig.store);
    rig.start();
    rig.puppet.act(Effect::Send { to: To::All, message: word(2) });
    let actions = rig.nudge();
    assert!(refusals(&actions).is_empty(), "nobody saw the first, so the slot is free");
}

#[test]
fn dead_slots_are_refused_even_after_their_records_are_gone() {
    let mut rig = Rig::new();
    rig.start();
    rig.puppet.act(Effect::Send { to: To::All, message: word(1) });
    rig.nudge();
    rig.puppet.act(Effect::Horizon { height: 1, round: 0 });
    let actions = rig.nudge();
    rig.settle(actions);
    let mut rig = Rig::on(rig.store);
    assert!(sends(&rig.start()).is_empty());
    rig.puppet.act(Effect::Send { to: To::All, message: word(2) });
    assert_eq!(refusals(&rig.nudge()), ["slot_dead"]);
}

#[test]
fn records_come_back_at_start_and_a_fresh_one_drops_the_earlier() {
    let mut rig = Rig::new();
    rig.start();
    for (record, fresh) in [("old", false), ("new", true), ("newer", false)] {
        rig.puppet.act(Effect::Persist { record: record.into(), fresh });
        let actions = rig.nudge();
        rig.settle(actions);
    }
    let mut rig = Rig::on(rig.store);
    rig.start();
    let told = rig.puppet.told.borrow();
    let Input::Start { records, .. } = &told[0] else { panic!("a life begins with Start") };
    assert_eq!(records, &[b"new".to_vec(), b"newer".to_vec()]);
}

#[test]
fn deferred_messages_are_heard_again_after_a_horizon() {
    let mut rig = Rig::new();
    rig.start();
    let early = say(&hand(1), Word { height: 2, round: 0, text: 1 });
    let again = early.clone();
    rig.puppet.act(Effect::Defer(again));
    rig.from(1, Opened::Message(early));
    rig.puppet.act(Effect::Horizon { height: 1, round: 0 });
    rig.nudge();
    assert_eq!(rig.puppet.count(|input| matches!(input, Input::Heard(_))), 2);
}

#[test]
fn waiting_is_told_once_for_each_head() {
    let mut rig = Rig::new();
    rig.start();
    let waiting = |input: &Input<Word>| matches!(input, Input::Waiting);
    rig.handle(Event::Gossiped(vec![transfer(1, 1, 5)]));
    assert_eq!(rig.puppet.count(waiting), 0, "a nonce gap is nothing to order");
    rig.handle(Event::Gossiped(vec![transfer(1, 0, 5), transfer(2, 0, 5)]));
    rig.handle(Event::Gossiped(vec![transfer(2, 1, 5)]));
    assert_eq!(rig.puppet.count(waiting), 1);
    rig.commit(Some(believed()));
    assert_eq!(rig.puppet.count(waiting), 2, "there is a new head, and they still wait");
}

#[test]
fn a_committed_transfer_leaves_the_pool_and_is_answered_with_its_proof() {
    let mut rig = Rig::new();
    rig.start();
    let transaction = transfer(1, 0, 5);
    let id = transaction.id();
    // The submission itself makes transactions wait, which gives the puppet its step.
    rig.puppet.pull(|turn| {
        let waiting = turn.app.pending(turn.app.root(), &BTreeSet::new(), 10);
        assert_eq!(waiting.len(), 1);
        let block = assemble(turn, waiting);
        let block = turn.app.accept(&block).unwrap();
        turn.act(Effect::Commit { block, proof: Some(believed()) });
    });
    let actions = rig.handle(Event::Asked { id: 1, query: Query::Submit(transaction) });
    let actions = rig.settle(actions);
    assert!(actions.iter().any(|action| matches!(action, Action::Publish(_))));
    assert!(actions.iter().any(|action| matches!(action, Action::Committed { height: 1, .. })));
    assert!(rig.replica.pool.is_empty());
    let actions = rig.handle(Event::Asked { id: 2, query: Query::Transaction(id) });
    let Some(Action::Answer { answer: Answer::Transaction(answer), .. }) = actions.last() else {
        panic!("no answer in {actions:?}");
    };
    assert_eq!((answer.height, answer.index), (Some(1), Some(0)));
    let finality = answer.finality.as_ref().expect("it is final");
    let path = answer.path.as_ref().expect("it is included");
    assert!(path.verify(id.0.as_bytes(), finality.headers[0].transactions).is_ok());
    assert_eq!(rig.replica.ledger.supply(), ledger::Amount(4_000));
}

#[test]
fn what_was_said_is_shown_and_blocks_come_with_their_proof() {
    let mut rig = Rig::new();
    rig.start();
    for text in [1, 2] {
        let signed = say(&hand(1), word(text));
        rig.from(1, Opened::Message(signed));
    }
    let actions = rig.handle(Event::Asked { id: 1, query: Query::Consensus });
    let Some(Action::Answer { answer: Answer::Consensus(answer), .. }) = actions.last() else {
        panic!("no answer in {actions:?}");
    };
    assert_eq!((answer.height, answer.slots.len()), (1, 1));
    assert_eq!((answer.slots[0].kind.as_str(), answer.slots[0].voices.len()), ("word", 2));
    for proof in [None, Some(believed()), None] {
        rig.commit(proof);
    }
    let actions = rig.handle(Event::Asked { id: 2, query: Query::Blocks(0) });
    let Some(Action::Answer { answer: Answer::Blocks(answer), .. }) = actions.last() else {
        panic!("no answer in {actions:?}");
    };
    assert_eq!(answer.blocks.len(), 2, "nothing proves the third");
    assert_eq!(answer.finality.as_ref().expect("the second is proven").headers.len(), 1);
}

#[test]
fn a_refused_submission_says_why_and_is_not_published() {
    let mut rig = Rig::new();
    rig.start();
    let query = Query::Submit(transfer(1, 0, 5_000));
    let actions = rig.handle(Event::Asked { id: 1, query });
    assert!(!actions.iter().any(|action| matches!(action, Action::Publish(_))));
    let Some(Action::Answer { answer: Answer::Submitted(Err(refusal)), .. }) = actions.last()
    else {
        panic!("no answer in {actions:?}");
    };
    assert_eq!(refusal.reason(), "balance");
    let unknown = rig.handle(Event::Asked { id: 2, query: Query::Account(address(9)) });
    assert!(matches!(
        unknown.last(),
        Some(Action::Answer { answer: Answer::Account(answer), .. }) if answer.account.nonce == 0
    ));
}

#[test]
fn a_submitted_transaction_is_published_again_while_it_waits_and_others_are_not() {
    let mut rig = Rig::new();
    rig.start();
    rig.handle(Event::Gossiped(vec![transfer(2, 0, 5)]));
    let transaction = transfer(1, 0, 5);
    rig.handle(Event::Asked { id: 1, query: Query::Submit(transaction.clone()) });
    let mut published = |after| {
        rig.now += after;
        let actions = rig.handle(Event::Rang(Alarm::Gossip));
        let publish = |action| match action {
            Action::Publish(transactions) => Some(transactions),
            _ => None,
        };
        actions.into_iter().filter_map(publish).flatten().collect::<Vec<_>>()
    };
    assert_eq!(published(PUBLISH_PERIOD - gossip::PERIOD), []);
    assert_eq!(published(gossip::PERIOD), [transaction]);
    assert_eq!(published(gossip::PERIOD), []);
}

#[test]
fn transactions_of_an_abandoned_branch_wait_again_and_are_published() {
    let mut rig = Rig::new();
    rig.start();
    let transaction = transfer(1, 0, 5);
    rig.handle(Event::Gossiped(vec![transaction.clone()]));
    // Two rivals at the same height.
    for (transactions, waiting) in [(vec![transaction.transaction().clone()], 0), (vec![], 1)] {
        rig.puppet.pull(|turn| {
            let block = assemble(turn, transactions);
            let head = turn.app.accept(&block).unwrap();
            turn.act(Effect::Adopt { head });
        });
        let actions = rig.nudge();
        rig.settle(actions);
        assert_eq!(rig.replica.pool.len(), waiting);
    }
    rig.now += PUBLISH_PERIOD;
    let actions = rig.handle(Event::Rang(Alarm::Gossip));
    let published = |action: &Action<Word>| matches!(action, Action::Publish(all) if *all == [transaction.clone()]);
    assert!(actions.iter().any(published), "{actions:?}");
}

#[test]
fn envelopes_survive_the_wire_and_forgeries_do_not() {
    let signed = say(&hand(1), word(1));
    let packet = Packet::Message(signed.clone());
    let bytes = Envelope { seq: 9, packet }.encode();
    let (seq, opened) =
        crate::packet::open::<Word>(&bytes, &keys(), &TransactionCache::default()).unwrap();
    assert_eq!(seq, 9);
    assert!(matches!(opened, Opened::Message(ref s) if *s == signed));
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        // Only the number in front is not signed: transport and trace use it, nothing else does.
        if let Ok((_, Opened::Message(other))) =
            crate::packet::open::<Word>(&bytes, &keys(), &TransactionCache::default())
        {
            assert_eq!(other, signed, "byte {at} changed the message and went unnoticed");
        }
    }
    assert_eq!(chain(), keys().chain());
}
