//! What the catalogue asks of Tendermint.

use super::{Commit, Config, Tendermint};
use crate::{
    catalogue::{BadSettings, Epochs, Module},
    theory::Theory,
};
use ledger::{Committee, Genesis, Proof, leak::Mode};

impl Module for Tendermint {
    const NAME: &'static str = "tendermint";

    fn new(genesis: &Genesis) -> Result<Tendermint, BadSettings> {
        let config = Config::from_genesis(genesis)?;
        let recovers = config.leak.is_some_and(|leak| leak.mode == Mode::Recovery);
        let mut keys = genesis.settings.keys();
        match keys.find(|key| !recovers && key.starts_with("tendermint.leak_")) {
            Some(key) => Err(BadSettings::NoRecovery { key: key.clone() }),
            None => Ok(Tendermint::new(config)),
        }
    }

    /// Stake held back for 240 blocks, four minutes of an idle chain, is long enough to be found out in
    /// and short enough to be seen to come back in a session. Real chains take weeks.
    fn customs() -> &'static [(&'static str, u64)] {
        &[("ledger.unbonding_blocks", 240), ("ledger.evidence_blocks", 200)]
    }

    fn epochs(genesis: &Genesis) -> Option<Epochs> {
        let config = Config::from_genesis(genesis).unwrap_or_default();
        let lasts = |round| config.give_up(3, round);
        let growth = lasts(1).saturating_sub(lasts(0));
        Some(Epochs { setting: "tendermint.leak_epoch_ms", first: lasts(0), growth })
    }

    fn by_table(genesis: &Genesis, committee: &Committee, proof: &Proof) -> Option<Committee> {
        let (leak, commit) = (genesis.leak()?, Commit::decode(proof).ok()?);
        let table = Some(commit.table).filter(|table| !table.is_empty())?;
        Some(table.matrix().weigh(committee, &leak))
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
