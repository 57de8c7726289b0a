use super::*;
use std::sync::mpsc::{Receiver, sync_channel};

fn teller(program: &str) -> (Teller, Receiver<Event>) {
    let (events, inbox) = sync_channel(16);
    let teller = Teller {
        program: program.into(),
        typed: "testnet".to_owned(),
        place: Place::new("/tmp/my net"),
        replicas: 4,
        patience: Duration::from_millis(100),
        events,
        stop: Arc::default(),
        step: 0,
    };
    (teller, inbox)
}

fn told(inbox: &Receiver<Event>) -> Vec<(Kind, String)> {
    let line = |event| match event {
        Event::Told(Line { kind, text, .. }) => (kind, text),
        _ => panic!("only lines are told here"),
    };
    inbox.try_iter().map(line).collect()
}

#[test]
fn a_command_is_shown_as_one_would_type_it_with_what_it_prints() {
    let (teller, inbox) = teller("echo");
    teller.testnet(&["kill", "3"]).unwrap();
    assert_eq!(
        told(&inbox),
        [
            (Kind::Command, "testnet kill 3 --dir '/tmp/my net'".to_owned()),
            (Kind::Output, "kill 3 --dir /tmp/my net\n".to_owned()),
        ]
    );
    teller.wallet(&["balance", "alice"]).unwrap();
    let command = "testnet wallet balance alice --dir '/tmp/my net/wallet'";
    assert_eq!(told(&inbox)[0].1, command);
}

#[test]
fn a_command_that_says_no_ends_the_demo() {
    let (teller, inbox) = teller("false");
    let error = teller.testnet(&["status"]).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("`testnet status") && message.contains("exit 1"), "{message}");
    assert_eq!(told(&inbox).len(), 2, "its output was shown before");
}

#[test]
fn a_command_is_broken_off_when_the_net_ends() {
    let (teller, _inbox) = teller("sleep");
    teller.stop.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    let ended = teller.finish(Command::new("sleep").arg("30")).unwrap();
    assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn nothing_is_told_when_nobody_listens() {
    let (mut teller, inbox) = teller("echo");
    drop(inbox);
    assert!(matches!(teller.step("Who has what"), Err(DemoError::Ended)));
}

#[test]
fn the_transaction_is_found_in_what_the_wallet_prints() {
    let name = "3f8a00c1".repeat(8);
    let output = format!("Final at height 7.\n  transaction  {name}\n  to  byz1qqqq\n");
    assert_eq!(story::transaction_in(&output).unwrap(), name);
    assert!(story::transaction_in("Final at height 7.").is_err());
}

#[test]
fn a_small_net_is_refused_with_the_remedy() {
    assert!(check(4).is_ok());
    let message = check(3).unwrap_err().to_string();
    assert!(message.contains("there are 3") && message.contains("leave --replicas out"));
}
