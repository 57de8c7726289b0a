//! The only place that knows all modules by name.
//!
//! Everything above this crate is generic over [`Protocol`]; a name from a genesis, a scenario or
//! a command line becomes a type here, once, through a [`Visitor`]. To add a module: a folder
//! beside this file, and its name in the list below.

use crate::{
    nakamoto::Nakamoto,
    pbft::Pbft,
    protocol::{Protocol, Trusted, Unproven},
    quorum::Quorum,
    tendermint::Tendermint,
    theory::Theory,
    work::Work,
};
use ledger::{Committee, Genesis, Header, Proof, genesis::MAX_GRACE};
use serde::{Deserialize, Serialize};
use std::time::Duration;

mod support;
#[cfg(test)]
mod tests;

pub use support::{Support, Weights, support};

/// The setting that lets stake move.
const STAKING: &str = "ledger.unbonding_blocks";

/// The setting that lets the weight of the absent fade.
const LEAK: &str = "ledger.leak";

/// Writes [`NAMES`] and [`dispatch`] from one list.
macro_rules! modules {
    ($($module:ident),+ $(,)?) => {
        /// Every module there is.
        pub const NAMES: &[&str] = &[$($module::NAME),+];

        /// Finds the module called `name` and shows it to `visitor`.
        ///
        /// # Errors
        /// [`UnknownModule`], which lists what there is.
        pub fn dispatch<V: Visitor>(name: &str, visitor: V) -> Result<V::Output, UnknownModule> {
            match name {
                $($module::NAME => Ok(visitor.visit::<$module>()),)+
                _ => Err(UnknownModule { name: name.to_owned() }),
            }
        }
    };
}

modules!(Tendermint, Nakamoto, Pbft);

/// A protocol that a genesis can ask for.
pub trait Module: Protocol + Send + Sized + 'static {
    /// What a genesis calls it.
    const NAME: &'static str;

    /// One participant, before its first life: it hears a `Start` next.
    ///
    /// Reads the settings whose keys begin with the module's name and a dot, and ignores those of
    /// other modules, so that one genesis can serve a comparison.
    fn new(genesis: &Genesis) -> Result<Self, BadSettings>;

    /// What the genesis of a new chain should set, where whoever makes it has no other wish.
    fn customs() -> &'static [(&'static str, u64)] {
        &[]
    }

    /// What the genesis of a new chain should set besides, so that blocks come at its block time while
    /// all miners together try `hash_rate` hashes in a second. Nothing where blocks take no work.
    ///
    /// Nobody checks a chain by this: whoever makes a genesis may set anything.
    fn calibrate(_genesis: &Genesis, _hash_rate: f64) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// How deep a block must lie to be counted on; none where a block is final as soon as it is
    /// decided.
    fn depths(_genesis: &Genesis) -> Result<Option<Depths>, BadSettings> {
        Ok(None)
    }

    /// How many of the newest final blocks may still lack a proof. Zero where a block is decided by
    /// what proves it.
    fn unproven(_genesis: &Genesis) -> Result<u64, BadSettings> {
        Ok(0)
    }

    /// How long the rounds last in which a height recovers that nobody can decide; none where the weight of
    /// the absent does not fade.
    fn epochs(_genesis: &Genesis) -> Option<Epochs> {
        None
    }

    /// The committee under the weights that a proof brings itself; none where those of the chain count.
    /// The proof is believed.
    fn by_table(_genesis: &Genesis, _committee: &Committee, _proof: &Proof) -> Option<Committee> {
        None
    }

    /// Checks every rule that headers alone can show, and adds up the work in them. `before` are the
    /// headers right before them, oldest first, which are believed: as many as
    /// [`Genesis::median_blocks`], or all there are.
    ///
    /// # Errors
    /// [`Unproven`], and [`Unproven::Weightless`] where blocks carry no work.
    fn weigh(
        _genesis: &Genesis,
        _before: &[Header],
        _headers: &[Header],
    ) -> Result<Work, Unproven> {
        Err(Unproven::Weightless)
    }

    /// What its papers calculate, for whoever measures it.
    fn theory() -> Option<Theory> {
        None
    }

    /// What it can be weakened to: one rule each.
    #[cfg(any(test, feature = "byzantine"))]
    fn mutants() -> &'static [crate::byzantine::mutants::About] {
        &[]
    }

    /// How an explorer sets its scene.
    #[cfg(any(test, feature = "byzantine"))]
    fn stage() -> crate::byzantine::script::Stage {
        crate::byzantine::script::Stage::default()
    }

    /// Whether it counts by the quorum that [`Flaw::with_quorum`](crate::Flaw::with_quorum) asks for.
    #[cfg(any(test, feature = "byzantine"))]
    fn heeds_quorum() -> bool {
        false
    }

    /// The same participant with one rule weakened.
    #[cfg(any(test, feature = "byzantine"))]
    #[must_use]
    fn weaken(self, _flaw: crate::Flaw) -> Self {
        self
    }
}

/// How deep a block must lie beneath the adopted head, where nothing is ever certain. The block
/// itself counts, so the head has a depth of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Depths {
    /// What a merchant waits for. A block this deep that is undone is the module's failure.
    pub confirmations: u64,
    /// What the ledger commits, never to undo it.
    pub irreversible: u64,
}

/// The rounds of a recovery: see [`ledger::leak`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Epochs {
    /// The setting that says how long the first one lasts, in milliseconds.
    pub setting: &'static str,
    /// How long that is.
    pub first: Duration,
    /// How much longer each is than the one before.
    pub growth: Duration,
}

impl Epochs {
    /// How many rounds it takes to wait for `grace`, if each lasts as long as the first one. At least one.
    ///
    /// # Errors
    /// What is wrong, in words: they are more than a genesis may set.
    pub fn grace_rounds(&self, grace: Duration) -> Result<u64, String> {
        let rounds = grace.as_millis().div_ceil(self.first.as_millis().max(1)).max(1);
        let rounds = u64::try_from(rounds).ok().filter(|rounds| *rounds <= MAX_GRACE);
        rounds.ok_or_else(|| {
            let [grace, epoch] = [grace, self.first].map(|time| time.as_millis());
            format!(
                "a grace of {grace} ms is more than {MAX_GRACE} rounds of {epoch} ms: shorten the grace, or make \
                 the epoch longer"
            )
        })
    }

    /// How long so many rounds last, from the first one on.
    pub fn lasting(&self, rounds: u64) -> Duration {
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        let steps = u64::from(rounds) * u64::from(rounds.saturating_sub(1)) / 2;
        let growth = self.growth.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX));
        self.first.saturating_mul(rounds).saturating_add(growth)
    }
}

/// Something to do with a module whose name is only known at run time.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Called with the module that was named.
    fn visit<P: Module>(self) -> Self::Output;
}

/// [`Protocol::verify`] of the module that the genesis names: with [`depths`] and [`weigh`] all that
/// a wallet needs of this crate.
pub fn verify(headers: &[Header], proof: &Proof, trusted: Trusted<'_>) -> Result<(), NotFinal> {
    struct Verify<'a>(&'a [Header], &'a Proof, Trusted<'a>);

    impl Visitor for Verify<'_> {
        type Output = Result<(), Unproven>;

        fn visit<P: Module>(self) -> Self::Output {
            P::verify(self.0, self.1, self.2)
        }
    }

    Ok(dispatch(&trusted.genesis.consensus, Verify(headers, proof, trusted))??)
}

/// [`Module::weigh`] of the module that the genesis names.
pub fn weigh(genesis: &Genesis, before: &[Header], headers: &[Header]) -> Result<Work, NotFinal> {
    struct Weigh<'a>(&'a Genesis, &'a [Header], &'a [Header]);

    impl Visitor for Weigh<'_> {
        type Output = Result<Work, Unproven>;

        fn visit<P: Module>(self) -> Self::Output {
            P::weigh(self.0, self.1, self.2)
        }
    }

    Ok(dispatch(&genesis.consensus, Weigh(genesis, before, headers))??)
}

/// [`Module::depths`] of the module that the genesis names.
pub fn depths(genesis: &Genesis) -> Result<Option<Depths>, BadModule> {
    struct Ask<'a>(&'a Genesis);

    impl Visitor for Ask<'_> {
        type Output = Result<Option<Depths>, BadSettings>;

        fn visit<P: Module>(self) -> Self::Output {
            P::depths(self.0)
        }
    }

    Ok(dispatch(&genesis.consensus, Ask(genesis))??)
}

/// [`Module::unproven`] of the module that the genesis names.
pub fn unproven(genesis: &Genesis) -> Result<u64, BadModule> {
    struct Ask<'a>(&'a Genesis);

    impl Visitor for Ask<'_> {
        type Output = Result<u64, BadSettings>;

        fn visit<P: Module>(self) -> Self::Output {
            P::unproven(self.0)
        }
    }

    Ok(dispatch(&genesis.consensus, Ask(genesis))??)
}

/// [`Protocol::quorum`] of the module called `name`.
pub fn quorum(name: &str, committee: &Committee) -> Result<Quorum, UnknownModule> {
    struct Ask<'a>(&'a Committee);

    impl Visitor for Ask<'_> {
        type Output = Quorum;

        fn visit<P: Module>(self) -> Self::Output {
            P::quorum(self.0)
        }
    }

    dispatch(name, Ask(committee))
}

/// Whether the module that the genesis names can run with its settings.
pub fn check(genesis: &Genesis) -> Result<(), BadModule> {
    struct Check<'a>(&'a Genesis);

    impl Visitor for Check<'_> {
        type Output = Result<(), BadSettings>;

        fn visit<P: Module>(self) -> Self::Output {
            P::new(self.0).map(drop)
        }
    }

    Ok(dispatch(&genesis.consensus, Check(genesis))??)
}

/// [`Module::calibrate`] of the module that the genesis names.
pub fn calibrate(
    genesis: &Genesis,
    hash_rate: f64,
) -> Result<Vec<(&'static str, u64)>, UnknownModule> {
    struct Calibrate<'a>(&'a Genesis, f64);

    impl Visitor for Calibrate<'_> {
        type Output = Vec<(&'static str, u64)>;

        fn visit<P: Module>(self) -> Self::Output {
            P::calibrate(self.0, self.1)
        }
    }

    dispatch(&genesis.consensus, Calibrate(genesis, hash_rate))
}

/// [`Module::customs`] of the module called `name`.
pub fn customs(name: &str) -> Result<&'static [(&'static str, u64)], UnknownModule> {
    struct Ask;

    impl Visitor for Ask {
        type Output = &'static [(&'static str, u64)];

        fn visit<P: Module>(self) -> Self::Output {
            P::customs()
        }
    }

    dispatch(name, Ask)
}

/// [`Module::epochs`] of the module that the genesis names.
pub fn epochs(genesis: &Genesis) -> Result<Option<Epochs>, UnknownModule> {
    struct Ask<'a>(&'a Genesis);

    impl Visitor for Ask<'_> {
        type Output = Option<Epochs>;

        fn visit<P: Module>(self) -> Self::Output {
            P::epochs(self.0)
        }
    }

    dispatch(&genesis.consensus, Ask(genesis))
}

/// [`Module::theory`] of the module called `name`.
pub fn theory(name: &str) -> Result<Option<Theory>, UnknownModule> {
    struct Ask;

    impl Visitor for Ask {
        type Output = Option<Theory>;

        fn visit<P: Module>(self) -> Self::Output {
            P::theory()
        }
    }

    dispatch(name, Ask)
}

/// [`Message::kinds`](crate::Message::kinds) of the module called `name`.
pub fn kinds(name: &str) -> Result<&'static [&'static str], UnknownModule> {
    struct Ask;

    impl Visitor for Ask {
        type Output = &'static [&'static str];

        fn visit<P: Module>(self) -> Self::Output {
            <P::Message as crate::Message>::kinds()
        }
    }

    dispatch(name, Ask)
}

/// No module has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no consensus module called {name:?}; there are: {}", NAMES.join(", "))]
pub struct UnknownModule {
    /// What was asked for.
    pub name: String,
}

/// Why a block is not shown to be final.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFinal {
    /// Nobody here can read the proof.
    #[error(transparent)]
    UnknownModule(#[from] UnknownModule),
    /// The proof does not hold.
    #[error(transparent)]
    Unproven(#[from] Unproven),
}

/// Why a genesis' module cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadModule {
    /// There is none of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownModule),
    /// It cannot run so.
    #[error(transparent)]
    Settings(#[from] BadSettings),
}

/// Why a module cannot run with a genesis' settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// It begins with the module's name, and the module has no such setting.
    #[error("the genesis sets {key:?}, which is no setting; there are: {known}")]
    Unknown {
        /// As it stands in the genesis.
        key: String,
        /// All that the module knows, with commas between.
        known: String,
    },
    /// A setting that must be positive is zero.
    #[error("the genesis sets {key:?} to zero; it must be at least 1")]
    Zero {
        /// As it stands in the genesis.
        key: String,
    },
    /// A setting that is out of bounds.
    #[error("the genesis sets {key:?} to {value}; it must be {bounds}")]
    Bounds {
        /// As it stands in the genesis.
        key: String,
        /// What it says.
        value: u64,
        /// What it may say.
        bounds: &'static str,
    },
    /// Rules of stake for a module whose members are those of the genesis for good.
    #[error(
        "the genesis sets {STAKING:?}, and the members of {module:?} never change: leave all rules of \
         stake out, or choose a module whose committees follow stake"
    )]
    Staking {
        /// What the module is called.
        module: &'static str,
    },
    /// An inactivity leak for a module whose members all count the same for good.
    #[error(
        "the genesis sets {LEAK:?}, and in {module:?} nobody's weight ever fades: leave all rules of a leak \
         out, or choose a module that counts by stake"
    )]
    Leak {
        /// What the module is called.
        module: &'static str,
    },
    /// A setting of recovery rounds, where there are none.
    #[error(
        "the genesis sets {key:?}, and there are no recovery rounds: set {LEAK:?} to 2, too, or leave it out"
    )]
    NoRecovery {
        /// As it stands in the genesis.
        key: String,
    },
    /// Settings that do not fit each other, or the number of validators.
    #[error("{0}")]
    Unfit(String),
}

/// For modules that have no use for stake that moves, nor for weights that do.
///
/// # Errors
/// [`BadSettings::Leak`] or [`BadSettings::Staking`] where the genesis lets them.
pub(crate) fn fixed_members(genesis: &Genesis, module: &'static str) -> Result<(), BadSettings> {
    if genesis.leak().is_some() {
        return Err(BadSettings::Leak { module });
    }
    if genesis.staking().is_some() {
        return Err(BadSettings::Staking { module });
    }
    Ok(())
}
