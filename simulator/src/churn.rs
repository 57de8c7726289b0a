//! Replicas that come and go while everything goes wrong, liars among them.
//!
//! Somebody asks for a change, at random, as soon as it is allowed: in every committee that can come of all
//! that was asked for and is not settled yet, those who lie weigh less than a third. Whether and when a wish
//! is granted depends on the run, so it is not made up beforehand.

use crate::{World, delay::below, schedule::Fault, schedule::Step};
use consensus::Protocol;
use ledger::{Amount, Ledger, Register, ReplicaId};
use rand_chacha::{ChaCha8Rng, rand_core::Rng};

/// What a whole stake is.
pub(crate) const STAKE: u64 = 10;

/// Who asked for what.
#[derive(Debug, Default)]
pub(crate) struct Churn {
    /// What was asked for and may still be granted.
    open: Vec<Wish>,
    /// All that was asked for, and when.
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug)]
struct Wish {
    replica: ReplicaId,
    /// It is settled once this nonce is used, by it or by something else.
    nonce: u64,
    /// What the stake grows by, or shrinks by.
    change: i64,
}

impl Churn {
    /// All that was asked for.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Lets somebody ask for a change, if one that is picked at random may.
    pub(crate) fn go_on<P: Protocol>(&mut self, world: &mut World<P>, chance: &mut ChaCha8Rng) {
        let mut pick = |bound: u64| below(chance.next_u64(), bound);
        let replica = ReplicaId(pick(world.setup().replicas.into()) as u32);
        let (part, more) = (1 + pick(STAKE / 2), pick(2) == 0);
        let Some(ledger) = world.furthest() else { return };
        self.open.retain(|wish| nonce(world, ledger, wish.replica) <= wish.nonce);
        let register = ledger.register(ledger.root()).expect("the root has one");
        let known = register.validator(replica);
        let stake = known.map_or(0, |validator| validator.stake.0);
        let is_next = known.is_some() || register.next_number() == replica;
        let change = match stake {
            0 if is_next => STAKE as i64,
            stake if stake > STAKE && more => -(part as i64),
            stake if more => -(stake as i64),
            _ if is_next => part as i64,
            _ => return,
        };
        let wish = Wish { replica, nonce: nonce(world, ledger, replica), change };
        if self.open.iter().any(|other| other.replica == replica)
            || !self.is_safe(world, &register, wish)
        {
            return;
        }
        self.open.push(wish);
        let amount = change.unsigned_abs();
        let fault = match change > 0 {
            true => Fault::Bond { replica, amount },
            false => Fault::Unbond { replica, amount },
        };
        self.steps.push(Step { time: world.now(), fault });
        match change > 0 {
            true => world.bond(replica, Amount(amount)),
            false => world.unbond(replica, Amount(amount)),
        }
    }

    /// Whether liars stay below a third in all that may come: their own wishes are granted when that makes
    /// them more, the wishes of the others when that makes those less.
    fn is_safe<P: Protocol>(&self, world: &World<P>, register: &Register, wish: Wish) -> bool {
        let (mut lying, mut honest) = (0i64, 0i64);
        for (id, validator) in register.validators() {
            let lies = world.setup().byzantine.contains_key(&id);
            // What votes now, and what will.
            let (low, high) =
                (validator.stake.min(validator.weight), validator.stake.max(validator.weight));
            match lies {
                true => lying += high.0 as i64,
                false => honest += low.0 as i64,
            }
        }
        for wish in self.open.iter().chain([&wish]) {
            match world.setup().byzantine.contains_key(&wish.replica) {
                true => lying += wish.change.max(0),
                false => honest += wish.change.min(0),
            }
        }
        honest > 0 && 3 * lying < lying + honest
    }
}

fn nonce<P: Protocol>(world: &World<P>, ledger: &Ledger, id: ReplicaId) -> u64 {
    let owner = world.setup().validator(id).public().address();
    ledger.account(ledger.root(), owner).unwrap_or_default().nonce
}
