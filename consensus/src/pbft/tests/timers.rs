//! How long backups bear with a primary.

use super::{
    super::{Config, Message, message::phase},
    rig::*,
};
use crate::protocol;
use std::time::Duration;

fn timeout() -> Duration {
    Config::default().timeout
}

#[test]
fn t1_the_timer_starts_anew_when_something_that_waited_is_executed() {
    let mut rig = Rig::started(1);
    rig.now = ms(400);
    rig.want(payment(0));
    assert_eq!(rig.timer(phase::PATIENCE), Some(timeout() - ms(400)), "it runs since the start");
    rig.now = ms(900);
    rig.decide(0, &full(1, 0, 0, vec![payment(0)]));
    assert_eq!(rig.timer(phase::PATIENCE), Some(timeout()));
}

#[test]
fn t1_an_idle_chain_has_its_pause_on_top() {
    let rig = Rig::started_with(1, Config::default());
    let pause = Config::default().block_time;
    assert_eq!(rig.timer(phase::PATIENCE), Some(pause + timeout()));
    assert_eq!(rig.timer(phase::IDLE), None, "only a primary has something to do then");
    let primary = Rig::started_with(0, Config::default());
    assert_eq!(primary.timer(phase::IDLE), Some(pause));
}

#[test]
fn t2_a_request_ends_the_pause_for_whoever_knows_it() {
    let mut backup = Rig::started_with(1, Config::default());
    backup.now = ms(300);
    backup.want(payment(0));
    assert_eq!(backup.timer(phase::PATIENCE), Some(timeout()));
    backup.now = ms(600);
    backup.want(payment(1));
    assert_eq!(backup.timer(phase::PATIENCE), Some(timeout() - ms(300)), "once a pause");
    let mut primary = Rig::started_with(0, Config::default());
    primary.sent();
    primary.want(payment(0));
    assert_eq!(primary.sent().len(), 1, "and the primary numbers it");
}

#[test]
fn t3_an_empty_batch_while_a_request_waits_is_no_progress() {
    let mut rig = Rig::started(1);
    rig.want(payment(0));
    rig.now = ms(1_000);
    rig.decide(0, &batch(1, 0, 0));
    assert_eq!(rig.timer(phase::PATIENCE), Some(timeout() - ms(1_000)));
    rig.decide(0, &full(2, 0, 1, vec![payment(0)]));
    assert_eq!(rig.timer(phase::PATIENCE), Some(timeout()));
}

#[test]
fn t3_timeouts_double_from_view_to_view_and_are_short_again_once_something_is_executed() {
    let mut rig = Rig::started(3);
    for view in 1..=4_u64 {
        rig.ring(phase::PATIENCE);
        assert_eq!(rig.timer(phase::PATIENCE), None, "it waits for a quorum to give up, too");
        let change = Message::ViewChange(change(view, Vec::new()));
        rig.hear_all(&[0, 1], &change);
        assert_eq!(rig.timer(phase::PATIENCE), Some(timeout() * 2_u32.pow(view as u32)), "{view}");
    }
    let changes = [0, 1, 2].map(|id| (id, change(5, Vec::new())));
    rig.hear(1, new_view(5, &changes));
    assert_eq!(rig.view(), 5);
    assert_eq!(rig.timer(phase::PATIENCE), Some(timeout() * 32));
    rig.decide(5, &batch(1, 1, 0));
    assert_eq!(rig.timer(phase::PATIENCE), Some(timeout()));
}

#[test]
fn a_timer_that_was_set_again_since_rings_in_vain() {
    let mut rig = Rig::started(1);
    let stale = rig.timers.clone();
    rig.now = ms(2_000);
    rig.decide(0, &batch(1, 0, 0));
    rig.sent();
    rig.timers = stale;
    rig.ring(phase::PATIENCE);
    assert_eq!(rig.sent(), []);
}

#[test]
fn what_is_missing_is_asked_for_again_and_again() {
    let mut rig = Rig::started(1);
    rig.hear_all(&[0, 2, 3], &commit(0, 1, Some(batch(1, 0, 0).hash())));
    let is_fetch = |sent: &&Message| protocol::Message::kind(*sent) == "fetch";
    let asked = |rig: &mut Rig| rig.sent().iter().filter(is_fetch).count();
    assert_eq!(asked(&mut rig), 1);
    rig.hear(2, prepare(0, 1, None));
    assert_eq!(asked(&mut rig), 0, "one answer is on its way");
    rig.ring(phase::FETCH);
    assert_eq!(asked(&mut rig), 1);
}
