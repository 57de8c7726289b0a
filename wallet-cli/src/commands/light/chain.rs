//! `balance`, `status` and `verify`.

use super::{
    Light,
    ask::Whereabouts,
    listen,
    reports::{BalanceReport, StatusReport, VerifyReport},
};
use crate::{
    commands::{Session, chain::known},
    error::Error,
    report::Exit,
    verify::NotProven,
};
use consensus::catalogue::Depths;
use crypto::Address;
use ledger::{Genesis, TransactionId, query::TransactionStatus};

/// A balance that was proven, as it is and as it may be counted on.
pub(in crate::commands) fn balance(
    session: &mut Session<'_>,
    genesis: &Genesis,
    depths: Depths,
    address: Address,
) -> Result<Exit, Error> {
    let mut light = Light::open(session, genesis, depths, listen()?)?;
    let output = &mut session.output;
    let reverted = light.look_back(output)?;
    let found = light.balance(address, output)?;
    let report = found.map(|found| BalanceReport::of(address, &found, &light.chain));
    light.finish(output, reverted, Ok(report.map(|report| (report, Exit::Holds))))
}

/// What became of a transaction.
pub(in crate::commands) fn status(
    session: &mut Session<'_>,
    genesis: &Genesis,
    depths: Depths,
    id: TransactionId,
) -> Result<Exit, Error> {
    let mut light = Light::open(session, genesis, depths, listen()?)?;
    let output = &mut session.output;
    let reverted = light.look_back(output)?;
    let found = light.locate(id, output)?;
    let done = found.map(|found| {
        let status = found.status(&light.chain);
        if let (TransactionStatus::Confirmed, Some(spot)) = (status, found.spot()) {
            light.remember_confirmed(id, spot, output);
        }
        let undone = reverted.iter().any(|each| each.tx == id);
        let exit = match status {
            TransactionStatus::Confirmed => Exit::Holds,
            _ if undone => Exit::DoesNotHold,
            status => known(status),
        };
        (StatusReport::of(id, &found, &light.chain), exit)
    });
    light.finish(output, reverted, Ok(done))
}

/// A proof that a transaction is on the heaviest chain, and how deep.
pub(in crate::commands) fn verify(
    session: &mut Session<'_>,
    genesis: &Genesis,
    depths: Depths,
    id: TransactionId,
) -> Result<Exit, Error> {
    let mut light = Light::open(session, genesis, depths, listen()?)?;
    let output = &mut session.output;
    let reverted = light.look_back(output)?;
    let done = match light.locate(id, output)? {
        None => Ok(None),
        Some(Whereabouts::Included(included)) => {
            let report = VerifyReport::of(&included, &light.chain);
            let exit = match report.status {
                TransactionStatus::Confirmed => {
                    light.remember_confirmed(id, included.spot(), output);
                    Exit::Holds
                }
                _ => Exit::DoesNotHold,
            };
            Ok(Some((report, exit)))
        }
        Some(found) => {
            let status = found.status(&light.chain);
            let height = match found {
                Whereabouts::Elsewhere(height) => Some(height),
                _ => None,
            };
            let index = light.order().first().copied().unwrap_or_default();
            Err(light.blame(index, NotProven::NotIncluded { id, status, height }))
        }
    };
    light.finish(output, reverted, done)
}
