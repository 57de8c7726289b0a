//! What the catalogue asks of Tendermint.

use super::{Config, Tendermint};
use crate::{
    catalogue::{BadSettings, Module},
    theory::Theory,
};
use ledger::Genesis;

impl Module for Tendermint {
    const NAME: &'static str = "tendermint";

    fn new(genesis: &Genesis) -> Result<Tendermint, BadSettings> {
        Ok(Tendermint::new(Config::from_genesis(genesis)?))
    }

    fn theory() -> Option<Theory> {
        Some(super::theory::THEORY)
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn mutants() -> &'static [crate::byzantine::mutants::About] {
        super::mutants::MUTANTS
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn heeds_quorum() -> bool {
        true
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn weaken(self, flaw: crate::Flaw) -> Tendermint {
        Tendermint { flaw, ..self }
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn stage() -> crate::byzantine::script::Stage {
        super::adversary::STAGE
    }
}
