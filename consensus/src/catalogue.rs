//! The only place that knows all modules by name.
//!
//! Everything above this crate is generic over [`Protocol`]; a name from a genesis, a scenario or
//! a command line becomes a type here, once, through a [`Visitor`]. To add a module: list it in
//! [`NAMES`] and give it an arm in [`dispatch`].

use crate::{
    protocol::{Protocol, Unproven},
    tendermint::Tendermint,
};
use ledger::{Committee, Genesis, Header, Keys, Proof};

#[cfg(test)]
mod tests;

/// Every module there is.
pub const NAMES: &[&str] = &[Tendermint::NAME];

/// A protocol that a genesis can ask for.
pub trait Module: Protocol + Send + Sized + 'static {
    /// What a genesis calls it.
    const NAME: &'static str;

    /// One participant, before its first life: it hears a `Start` next.
    ///
    /// Reads the settings whose keys begin with the module's name and a dot, and ignores those of
    /// other modules, so that one genesis can serve a comparison.
    fn new(genesis: &Genesis) -> Result<Self, BadSettings>;
}

/// Something to do with a module whose name is only known at run time.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Called with the module that was named.
    fn visit<P: Module>(self) -> Self::Output;
}

/// Finds the module called `name` and shows it to `visitor`.
pub fn dispatch<V: Visitor>(name: &str, visitor: V) -> Result<V::Output, UnknownModule> {
    match name {
        Tendermint::NAME => Ok(visitor.visit::<Tendermint>()),
        _ => Err(UnknownModule { name: name.to_owned() }),
    }
}

/// [`Protocol::verify`] of the module called `name`: all that a wallet needs of this crate.
pub fn verify(
    name: &str,
    headers: &[Header],
    proof: &Proof,
    committee: &Committee,
    keys: &Keys,
) -> Result<(), NotFinal> {
    struct Verify<'a>(&'a [Header], &'a Proof, &'a Committee, &'a Keys);

    impl Visitor for Verify<'_> {
        type Output = Result<(), Unproven>;

        fn visit<P: Module>(self) -> Self::Output {
            P::verify(self.0, self.1, self.2, self.3)
        }
    }

    Ok(dispatch(name, Verify(headers, proof, committee, keys))??)
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
}
