//! Makes the messages of a liar that goes by a script: proposals of its own blocks or of others', with
//! whatever polka it can put together, and votes for anything, in whoever's name a signature can be
//! passed off.

use super::{Message, Tendermint};
use crate::{
    byzantine::{
        Seat, note,
        script::{self, Line, Word},
    },
    protocol::{Input, Message as _, Turn},
    quorum::{Claimed, Signed},
};
use crypto::Signature;
use ledger::{Block, BlockHash, Draft, ReplicaId, Seal};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What it remembers, of heights that the script speaks of only: the inbox bounds that, since it lets
/// two messages of a slot through.
#[derive(Debug, Default)]
pub(super) struct Puppet {
    /// Its own blocks, by height and number.
    mine: BTreeMap<(u64, u8), Arc<Block>>,
    /// What was first proposed at a height in a round.
    offers: BTreeMap<(u64, u64), Arc<Block>>,
    /// All votes heard, by height and round.
    votes: BTreeMap<(u64, u64), Vec<Signed<Message>>>,
}

impl script::Puppet<Tendermint> for Puppet {
    fn watch(
        &mut self,
        honest: &Tendermint,
        input: &Input<Message>,
        lines: &[Line],
        turn: &mut Turn<'_, Message>,
    ) {
        if let Input::Heard(signed) = input
            && lines.iter().any(|line| line.height == signed.message().height())
        {
            self.remember(signed);
        }
        // Whoever leaves a height cannot build for it any more.
        for line in lines {
            if let Word::Mine(number) = line.value {
                self.build(line.height, number, honest, turn);
            }
        }
    }

    fn utter(
        &mut self,
        line: &Line,
        honest: &Tendermint,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) -> Option<Vec<Signed<Message>>> {
        let at = honest.instance.as_ref()?;
        let due = (line.height, line.when.unwrap_or(line.round));
        if (at.height, at.round) < due {
            return None;
        }
        let (height, round) = (line.height, line.round);
        let block = match line.value {
            Word::Nil => None,
            Word::Mine(number) => {
                self.build(height, number, honest, turn);
                Some(self.mine.get(&(height, number))?)
            }
            Word::Of(round) => Some(self.offers.get(&(height, round))?),
        };
        let value = block.map(|block| block.hash());
        let message = match line.kind.as_str() {
            "proposal" => {
                let polka = line.proof.map(|of| self.polka((height, of), value, seat));
                let (valid_round, polka) = (line.proof, polka.unwrap_or_default());
                let block = Arc::clone(block?);
                return Some(vec![seat.sign(Message::Proposal {
                    height,
                    round,
                    valid_round,
                    polka,
                    tables: None,
                    block,
                })]);
            }
            "prevote" => Message::Prevote { height, round, value, table: None },
            "precommit" => Message::Precommit { height, round, value, table: None },
            _ => return None,
        };
        let theirs = self.votes_of(&line.names, value, (height, round));
        // Whom it names may not have voted yet; once the height is over it never will have.
        if theirs.len() < line.names.len() && at.height == height {
            return None;
        }
        Some(pass_off(message, theirs, seat, turn))
    }
}

impl Puppet {
    fn remember(&mut self, signed: &Signed<Message>) {
        let place = (signed.message().height(), signed.message().round());
        match signed.message() {
            Message::Proposal { block, .. } => {
                self.offers.entry(place).or_insert_with(|| Arc::clone(block));
            }
            Message::Alive { .. } => {}
            Message::Prevote { .. } | Message::Precommit { .. } => {
                self.votes.entry(place).or_default().push(signed.clone());
            }
        }
    }

    /// A block of its own, if the honest protocol is at that height: each number's has another time.
    fn build(&mut self, height: u64, number: u8, honest: &Tendermint, turn: &Turn<'_, Message>) {
        let Some(at) = honest.instance.as_ref().filter(|at| at.height == height) else { return };
        if self.mine.contains_key(&(height, number)) {
            return;
        }
        let wall = u64::try_from(turn.wall.as_millis()).unwrap_or(u64::MAX);
        let limit = at.config.max_transactions;
        let draft = Draft {
            parent: at.parent,
            transactions: turn.app.pending(at.parent, &BTreeSet::new(), limit),
            time: wall.max(at.parent_time.saturating_add(1)).saturating_add(u64::from(number)),
            proposer: turn.me,
            duties: Vec::new(),
            seal: Seal::default(),
        };
        if let Ok(block) = turn.app.assemble(draft) {
            self.mine.insert((height, number), block);
        }
    }

    /// The prevotes for a value that it has heard, and its own, which it need not have said. A polka, if
    /// they are enough.
    fn polka(
        &self,
        (height, round): (u64, u64),
        value: Option<BlockHash>,
        seat: &Seat,
    ) -> Vec<(ReplicaId, Signature)> {
        let prevote = Message::Prevote { height, round, value, table: None };
        let votes = self.votes.get(&(height, round)).into_iter().flatten();
        let theirs = votes.filter(|vote| *vote.message() == prevote).cloned();
        let all = theirs.chain([seat.sign(prevote.clone())]);
        let by_sender: BTreeMap<_, _> =
            all.map(|vote| (vote.sender(), *vote.signature())).collect();
        by_sender.into_iter().collect()
    }

    /// What the named have said for a value in a round, of whichever kind: one vote of each.
    fn votes_of(
        &self,
        names: &[ReplicaId],
        value: Option<BlockHash>,
        place: (u64, u64),
    ) -> Vec<Signed<Message>> {
        let votes = self.votes.get(&place).into_iter().flatten();
        let of_value = votes.filter(|vote| vote.message().value() == value);
        let by_sender: BTreeMap<_, _> = of_value.map(|vote| (vote.sender(), vote)).collect();
        names.iter().filter_map(|name| by_sender.get(name).copied().cloned()).collect()
    }
}

/// Its own message, and others' signatures under the same words. They are worth nothing wherever kinds
/// are signed; then it leaves them out.
fn pass_off(
    message: Message,
    theirs: Vec<Signed<Message>>,
    seat: &Seat,
    turn: &mut Turn<'_, Message>,
) -> Vec<Signed<Message>> {
    let mut all = vec![seat.sign(message.clone())];
    for vote in theirs {
        let (sender, signature) = (vote.sender(), *vote.signature());
        let claimed = Claimed { sender, message: message.clone(), signature };
        match turn.open(&claimed) {
            Some(passed) => all.push(passed),
            None => {
                let (from, to) = (vote.message().kind(), message.kind());
                note(turn, format!("nobody takes the {from} of replica {sender} for a {to}"));
            }
        }
    }
    all
}
