//! Lies about blocks: an honest protocol that is shown a bent ledger. `censor` hides some
//! transactions from it, `invalid-block` has it build blocks that do not execute, and a lie that
//! knows its protocol may date them.

use super::{Lie, Seat, note};
use crate::protocol::{Application, Input, Protocol, Turn};
use crypto::{Hash, PublicKey};
use ledger::{
    Block, BlockHash, Committee, Draft, Header, Rejected, Transaction, TransactionId,
    stake::Rotation,
};
use std::{cell::Cell, collections::BTreeSet, sync::Arc};

/// Orders everybody's transactions but those of one sender: the first that ever waited.
#[derive(Debug, Default)]
pub struct Censor {
    victim: Option<PublicKey>,
}

/// Builds blocks whose header names a state that their transactions do not lead to.
#[derive(Debug, Default)]
pub struct InvalidBlock;

impl<P: Protocol> Lie<P> for Censor {
    fn step(
        &mut self,
        honest: &mut P,
        input: Input<P::Message>,
        _: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) {
        let victim = self.victim;
        let view = step_before(honest, input, Bend::Hide(victim), turn);
        self.victim = view.victim;
        for count in view.hidden {
            note(turn, format!("leaves out {count} transactions"));
        }
    }
}

impl<P: Protocol> Lie<P> for InvalidBlock {
    fn step(
        &mut self,
        honest: &mut P,
        input: Input<P::Message>,
        _: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) {
        let view = step_before(honest, input, Bend::Spoil, turn);
        for _ in 0..view.spoilt {
            note(turn, "builds a block that names a wrong state".into());
        }
    }
}

/// Lets the protocol take a step before a ledger that dates the blocks it builds: `time`, or the
/// earliest allowed where that is not later.
pub(crate) fn step_dated<P: Protocol>(
    honest: &mut P,
    input: Input<P::Message>,
    time: u64,
    turn: &mut Turn<'_, P::Message>,
) {
    step_before(honest, input, Bend::Date(time), turn);
}

/// What was done to a protocol's view during a step.
struct View {
    victim: Option<PublicKey>,
    /// How many transactions were left out of each block that was built.
    hidden: Vec<usize>,
    spoilt: u32,
}

/// Lets the protocol take a step before a bent ledger. Its effects are its own.
fn step_before<P: Protocol>(
    honest: &mut P,
    input: Input<P::Message>,
    bend: Bend,
    turn: &mut Turn<'_, P::Message>,
) -> View {
    let victim = if let Bend::Hide(victim) = bend { victim } else { None };
    let keys = turn.keys();
    let mut app = Bent {
        app: &mut *turn.app,
        bend,
        victim: Cell::new(victim),
        hiding: Cell::new(0),
        hidden: Cell::default(),
        spoilt: Cell::new(0),
    };
    let mut inner = Turn::new(turn.now, turn.wall, turn.me, &mut *turn.rng, &mut app, keys);
    honest.step(input, &mut inner);
    let effects = inner.into_effects();
    let view =
        View { victim: app.victim.get(), hidden: app.hidden.take(), spoilt: app.spoilt.get() };
    effects.into_iter().for_each(|effect| turn.act(effect));
    view
}

#[derive(Clone, Copy)]
enum Bend {
    Hide(Option<PublicKey>),
    Spoil,
    Date(u64),
}

/// The ledger as a liar shows it to its protocol.
struct Bent<'a> {
    app: &'a mut dyn Application,
    bend: Bend,
    victim: Cell<Option<PublicKey>>,
    /// How many were hidden when it was last asked what waits.
    hiding: Cell<usize>,
    hidden: Cell<Vec<usize>>,
    spoilt: Cell<u32>,
}

impl Application for Bent<'_> {
    fn root(&self) -> BlockHash {
        self.app.root()
    }

    fn block(&self, hash: BlockHash) -> Option<Arc<Block>> {
        self.app.block(hash)
    }

    fn committee(&self, parent: BlockHash) -> Option<Arc<Committee>> {
        self.app.committee(parent)
    }

    fn proposers(&self, parent: BlockHash) -> Option<Rotation> {
        self.app.proposers(parent)
    }

    fn pending(
        &self,
        parent: BlockHash,
        taken: &BTreeSet<TransactionId>,
        limit: usize,
    ) -> Vec<Transaction> {
        let mut waiting = self.app.pending(parent, taken, limit);
        if let Bend::Hide(_) = self.bend {
            let all = waiting.len();
            if let Some(first) = waiting.first().filter(|_| self.victim.get().is_none()) {
                self.victim.set(Some(first.payload.sender));
            }
            waiting.retain(|each| Some(each.payload.sender) != self.victim.get());
            self.hiding.set(all - waiting.len());
        }
        waiting
    }

    fn assemble(&self, mut draft: Draft) -> Result<Arc<Block>, Rejected> {
        if let Bend::Date(time) = self.bend {
            draft.time = time;
        }
        let block = self.app.assemble(draft)?;
        match self.bend {
            Bend::Date(_) => Ok(block),
            Bend::Hide(_) => {
                let count = self.hiding.replace(0);
                if count > 0 {
                    let mut hidden = self.hidden.take();
                    hidden.push(count);
                    self.hidden.set(hidden);
                }
                Ok(block)
            }
            Bend::Spoil => {
                self.spoilt.set(self.spoilt.get() + 1);
                let state = crypto::hash::sha256(block.header.state.as_bytes());
                Ok(Arc::new(respell(&block, state)))
            }
        }
    }

    fn accept(&mut self, block: &Arc<Block>) -> Result<BlockHash, Rejected> {
        self.app.accept(block)
    }
}

fn respell(block: &Block, state: Hash) -> Block {
    Block { header: Header { state, ..block.header.clone() }, ..block.clone() }
}
