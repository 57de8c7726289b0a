//! R11: the block we search a nonce for.

use super::{Instance, Message, note, phase};
use crate::{
    protocol::{Effect, Timer, To, Turn},
    work::Target,
};
use ledger::{Block, BlockHash, Draft, Header, Seal, Slot};
use std::{collections::BTreeSet, sync::Arc};

/// What is being searched.
#[derive(Debug, Default)]
pub(super) struct Mining {
    /// Without a nonce. A find may come for the one before the last, too.
    blocks: [Option<Arc<Block>>; 2],
}

impl Mining {
    fn replace(&mut self, block: Arc<Block>) {
        self.blocks.rotate_right(1);
        self.blocks[0] = Some(block);
    }

    /// The block whose header was sealed.
    fn block_of(&self, header: &Header) -> Option<&Arc<Block>> {
        let nonce = header.seal.nonce;
        self.blocks.iter().flatten().find(|block| {
            let seal = Seal { nonce, ..block.header.seal };
            Header { seal, ..block.header.clone() } == *header
        })
    }
}

impl Instance {
    /// Searches a new block on the head, with what waits in the pool.
    pub(super) fn mine(&mut self, turn: &mut Turn<'_, Message>) {
        let parent = self.tree.head();
        let Some(bits) = self.required(parent, turn) else { return };
        let nothing = BTreeSet::new();
        let draft = Draft {
            parent,
            transactions: turn.app.pending(parent, &nothing, self.config.max_transactions),
            time: wall(turn),
            proposer: turn.me,
            duties: Vec::new(),
            seal: Seal { bits, nonce: 0 },
        };
        match turn.app.assemble(draft) {
            Ok(block) => self.search(block, turn),
            Err(why) => note(turn, "unbuilt", format!("on {}: {why}", parent.short())),
        }
        let timer = Timer(Slot { phase: phase::REFRESH, ..Slot::default() });
        turn.act(Effect::SetTimer { timer, after: self.config.refresh });
    }

    /// Brings the block being searched up to date: its time, and what waits in the pool.
    pub(super) fn refresh(&mut self, turn: &mut Turn<'_, Message>) {
        let head = self.tree.head();
        let idle = turn.app.pending(head, &BTreeSet::new(), 1).is_empty();
        match &self.mining.blocks[0] {
            // Without transactions only the time is new, and it takes no execution to change it.
            Some(block) if idle && block.transactions.is_empty() && block.header.parent == head => {
                let time = wall(turn).max(block.header.time);
                let block =
                    Block { header: Header { time, ..block.header.clone() }, ..(**block).clone() };
                self.search(Arc::new(block), turn);
                let timer = Timer(Slot { phase: phase::REFRESH, ..Slot::default() });
                turn.act(Effect::SetTimer { timer, after: self.config.refresh });
            }
            _ => self.mine(turn),
        }
    }

    fn search(&mut self, block: Arc<Block>, turn: &mut Turn<'_, Message>) {
        let header = Box::new(block.header.clone());
        let target = Target::from_bits(header.seal.bits).expect("what is required is a target");
        self.mining.replace(block);
        turn.act(Effect::Mine { header, target: target.to_le_bytes() });
    }

    /// A nonce was found. The block goes out, and comes back to us like everybody else's.
    pub(super) fn found(&mut self, header: Header, turn: &mut Turn<'_, Message>) {
        let hash = header.hash();
        let head = self.tree.head();
        match self.mining.block_of(&header) {
            Some(block) if header.parent == head => {
                let block = Block { header, ..(**block).clone() };
                turn.send(To::All, Message::Block(Arc::new(block)));
            }
            // Whoever found another one first was heard in the meantime.
            _ => late(hash, head, turn),
        }
    }
}

fn late(hash: BlockHash, head: BlockHash, turn: &mut Turn<'_, Message>) {
    note(turn, "late", format!("{} does not stand on {}", hash.short(), head.short()));
}

fn wall(turn: &Turn<'_, Message>) -> u64 {
    u64::try_from(turn.wall.as_millis()).unwrap_or(u64::MAX)
}
