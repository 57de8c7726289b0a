//! What is told, in order.

use super::{DemoError, NodeView, Teller};
use crate::live::{screen::Kind, sight};
use std::thread;

/// How far the chain has to come to be seen going on. What is known of a node may be a block behind
/// or two, and what was under way when another died proves nothing.
const GROWTH: u64 = 3;

/// The whole session.
pub(super) fn tell(teller: &mut Teller) -> Result<(), DemoError> {
    let victim = teller.replicas - 1;
    balances(teller)?;
    let first = transfer(teller)?;
    kill(teller, victim)?;
    let second = transfer_without(teller, victim)?;
    restart(teller, victim)?;
    summary(teller, &first, &second)
}

fn balances(teller: &mut Teller) -> Result<(), DemoError> {
    teller.step("Who has what")?;
    let typed = teller.typed.clone();
    teller.say(
        Kind::Text,
        &format!(
            "These are real commands on the net that has just come up. `testnet` stands for\n\
             `{typed}`, and you can run each of them from another terminal.\n\n\
             Four accounts have money from the beginning. A balance comes with a proof that the\n\
             wallet checks against the genesis, so no node has to be believed."
        ),
    )?;
    teller.wallet(&["balance", "alice"])?;
    teller.wallet(&["balance", "bob"])?;
    Ok(())
}

/// Sends and verifies a transfer, and gives its name.
fn transfer(teller: &mut Teller) -> Result<String, DemoError> {
    teller.step("A transfer, and its proof")?;
    teller.say(
        Kind::Text,
        "Alice signs a transfer and hands it to one node. The nodes tell each other, one of them\n\
         proposes a block, and when more than two thirds have signed it, it is final for good.",
    )?;
    let sent =
        teller.wallet(&["send", "--from", "alice", "--to", "bob", "--amount", "5", "--wait"])?;
    let transaction = transaction_in(&sent)?;
    teller
        .say(Kind::Text, "Anybody can check that again, at any time, trusting only the genesis:")?;
    teller.wallet(&["verify", &transaction])?;
    teller.wallet(&["balance", "bob"])?;
    Ok(transaction)
}

fn kill(teller: &mut Teller, victim: u32) -> Result<(), DemoError> {
    teller.step("A node dies")?;
    let survivors = teller.replicas - 1;
    status(teller)?;
    teller.say(
        Kind::Text,
        &format!(
            "Node {victim} is killed without warning: no goodbye, nothing saved at the last moment.\n\
             The other {survivors} still have more than two thirds of the votes."
        ),
    )?;
    teller.testnet(&["kill", &victim.to_string()])?;
    let goal = highest(&teller.nodes()?) + GROWTH;
    teller.wait(&format!("height {goal} without node {victim}"), |nodes| {
        nodes.iter().filter(|node| node.id != victim).all(|node| height(node) >= goal)
    })?;
    teller.say(Kind::Text, "A little later, the others have gone on:")?;
    status(teller)
}

fn transfer_without(teller: &mut Teller, victim: u32) -> Result<String, DemoError> {
    teller.step("Business as usual")?;
    teller.say(
        Kind::Text,
        &format!("While node {victim} is down, Bob pays Carol, and it becomes final all the same:"),
    )?;
    let sent =
        teller.wallet(&["send", "--from", "bob", "--to", "carol", "--amount", "2", "--wait"])?;
    transaction_in(&sent)
}

fn restart(teller: &mut Teller, victim: u32) -> Result<(), DemoError> {
    teller.step("It comes back")?;
    teller.say(
        Kind::Text,
        &format!(
            "Node {victim} starts from its own disk, asks the others for what it has missed, and\n\
             checks the proof of every block before it takes it."
        ),
    )?;
    teller.testnet(&["start", &victim.to_string()])?;
    // High enough to have been decided after its return, so that it not only catches up but goes
    // along with the others.
    let goal = highest(&teller.nodes()?) + GROWTH;
    teller.wait(&format!("height {goal} of node {victim}"), |nodes| {
        let its = nodes.iter().find(|node| node.id == victim).map_or(0, height);
        its >= goal && its == highest(nodes)
    })?;
    teller.say(Kind::Text, "It has caught up, and goes along with the others:")?;
    status(teller)
}

fn summary(teller: &mut Teller, first: &str, second: &str) -> Result<(), DemoError> {
    let (one, other) = (first.get(..8).unwrap_or(first), second.get(..8).unwrap_or(second));
    let faults = (teller.replicas - 1) / 3;
    let next = match faults {
        1 => "Kill two nodes".to_owned(),
        _ => format!("Kill {} nodes", faults + 1),
    };
    teller.say(
        Kind::Done,
        &format!(
            "That was it: two transfers are final and proven ({one}… and {other}…), one of them\n\
             while a node was dead, and the dead node came back to the same chain.\n\n\
             What to try next, from another terminal:\n\
             - {next}: the chain stands still, and nothing wrong becomes final.\n\
             - Start them again: it goes on where it stopped.\n\
             - Watch: `testnet status`, and each node's log in its directory.\n\
             - Keep a chain: `testnet up --dir my-net`, and again after Ctrl-C."
        ),
    )
}

/// Shows everybody. What a testnet knows of its nodes is a moment old, and a reader who has just
/// seen height 7 would wonder at a status of height 6, so that moment is waited for.
fn status(teller: &Teller) -> Result<(), DemoError> {
    thread::sleep(2 * sight::EVERY);
    teller.testnet(&["status"])?;
    Ok(())
}

/// The name of the transaction that `wallet send` has printed: the only word of 64 hexadecimal
/// digits.
pub(super) fn transaction_in(output: &str) -> Result<String, DemoError> {
    let is_name = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let name = output.split(|c: char| !c.is_ascii_alphanumeric()).find(is_name);
    let missing = || DemoError::Answer("`wallet send` names no transaction".to_owned());
    name.map(str::to_owned).ok_or_else(missing)
}

/// Zero for a node that is down or silent.
fn height(node: &NodeView) -> u64 {
    node.sight.as_ref().map_or(0, |sight| sight.height)
}

fn highest(nodes: &[NodeView]) -> u64 {
    nodes.iter().map(height).max().unwrap_or_default()
}
