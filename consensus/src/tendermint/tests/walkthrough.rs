//! A height in words: what `walkthrough.txt` says must be what happens. Its remarks begin with `#`.

use super::{cluster::Cluster, rig::*};
use crate::{protocol::Effect, protocol::Message as _, tendermint::Message};
use ledger::BlockHash;
use std::fmt::Write;

/// Blocks by letters in the order in which they appear, so that no hash is in the text.
#[derive(Default)]
struct Letters(Vec<BlockHash>);

impl Letters {
    fn of(&mut self, hash: BlockHash) -> String {
        let index = self.0.iter().position(|&known| known == hash).unwrap_or_else(|| {
            self.0.push(hash);
            self.0.len() - 1
        });
        format!("block {}", char::from(b'A' + u8::try_from(index).unwrap()))
    }

    fn tell(&mut self, effect: &Effect<Message>) -> Option<String> {
        Some(match effect {
            Effect::Send { message, .. } => {
                let value = message.value().map_or("nil".to_owned(), |hash| self.of(hash));
                let kind = message.kind();
                let again = match message {
                    Message::Proposal { valid_round: Some(round), .. } => {
                        format!(" with the polka of round {round}")
                    }
                    _ => String::new(),
                };
                format!("{kind} {}/{} {value}{again}", message.height(), message.round())
            }
            Effect::Commit { block, .. } => format!("commits {}", self.of(*block)),
            Effect::Note { label: label @ ("round" | "timeout" | "skip"), detail } => {
                format!("({label} {detail})")
            }
            Effect::Note { label: "lock", .. } => "(locks)".to_owned(),
            _ => return None,
        })
    }
}

#[test]
fn the_proposer_of_the_first_round_is_down() {
    let mut cluster = Cluster::new(&[1; 4], brisk(), 0);
    cluster.liar = Some(1);
    cluster.start();
    while cluster.rigs[0].commits.is_empty() {
        assert!(cluster.tick());
    }
    let mut letters = Letters::default();
    let mut text = String::new();
    for (time, who, effect) in &cluster.diary {
        if let Some(told) = letters.tell(effect) {
            writeln!(text, "{:>5} ms  {who}  {told}", time.as_millis()).unwrap();
        }
    }
    let golden: String = include_str!("walkthrough.txt")
        .split_inclusive('\n')
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(text, golden, "the walkthrough is now:\n{text}");
}
