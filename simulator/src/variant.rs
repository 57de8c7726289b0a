//! A module as it is, or with one rule weakened: `tendermint`, `tendermint:T3`.

use consensus::{
    byzantine::mutants::{self, About, UnknownMutant},
    catalogue::{self, Module, UnknownModule},
};
use ledger::Genesis;
use std::{fmt, str::FromStr};

/// What a scenario tries: a module, or a mutant of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Variant {
    /// The module's name.
    pub module: &'static str,
    /// Which of its rules is weak; none for the module itself.
    pub mutant: Option<About>,
}

impl Variant {
    /// A module as it is.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn sound(module: &str) -> Result<Variant, UnknownModule> {
        let known = catalogue::NAMES.iter().find(|name| **name == module);
        let module = known.ok_or_else(|| UnknownModule { name: module.to_owned() })?;
        Ok(Variant { module, mutant: None })
    }

    /// The mutant called `id`.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn mutant(id: &str) -> Result<Variant, UnknownMutant> {
        mutants::find(id).map(|(module, about)| Variant { module, mutant: Some(about) })
    }

    /// One participant.
    ///
    /// # Panics
    /// If the genesis' settings are bad: they were checked before.
    pub fn make<P: Module>(self, genesis: &Genesis) -> P {
        let protocol =
            P::new(genesis).unwrap_or_else(|error| panic!("these settings were good: {error}"));
        match self.mutant {
            None => protocol,
            Some(about) => protocol.weaken(about.flaw()),
        }
    }
}

impl FromStr for Variant {
    type Err = UnknownVariant;

    fn from_str(name: &str) -> Result<Variant, UnknownVariant> {
        let Some((module, id)) = name.split_once(':') else { return Ok(Variant::sound(name)?) };
        let sound = Variant::sound(module)?;
        let found = Variant::mutant(id)?;
        match found.module == sound.module {
            true => Ok(found),
            false => Err(UnknownVariant::OfAnother(id.to_owned(), found.module)),
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.mutant {
            None => f.write_str(self.module),
            Some(about) => write!(f, "{}:{}", self.module, about.id),
        }
    }
}

/// There is no such thing to try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownVariant {
    /// There is no such module.
    #[error(transparent)]
    Module(#[from] UnknownModule),
    /// No module has such a mutant.
    #[error(transparent)]
    Mutant(#[from] UnknownMutant),
    /// Another module has.
    #[error("{0} is a mutant of {1}")]
    OfAnother(String, &'static str),
}
