//! An inactivity leak in a scenario: short for what the genesis sets.

use super::{
    Scenario,
    reader::{Read, Value},
};
use crate::record::Tracing;
use consensus::catalogue::{self, Epochs};
use ledger::genesis::MAX_QUOTIENT;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// How long a height may stand still before absence counts, unless it is said.
const GRACE: Duration = Duration::from_millis(7500);

/// What the genesis calls the two kinds of a leak, and people.
const KINDS: [&str; 2] = ["on-chain", "recovery"];

/// Adds to the settings what `value` says.
pub(super) fn read(value: &Value<'_>, scenario: &mut Scenario) -> Read<()> {
    let mut usual = None;
    for module in &scenario.consensus {
        let genesis = scenario.setup(module, 0, Tracing::Off).genesis();
        usual = catalogue::epochs(&genesis).ok().flatten();
        if usual.is_none() {
            let what = format!("{module} has no inactivity leak: there nobody's vote fades");
            return Err(value.bad(what).hint("`consensus` names the modules to try"));
        }
    }
    let usual = usual.expect("there is a module");
    let mut settings = Vec::new();
    let mut set = |key: &str, value: u64| settings.push((key.to_owned(), value));
    if !value.is_table() {
        set("ledger.leak", kind(value)?);
        return add(settings, value, scenario);
    }
    let mut table = value.table()?;
    let kind = table.need("kind", |value| kind(&value))?;
    set("ledger.leak", kind);
    let mut rounds = |key| {
        let Some(value) = table.take(key) else { return Ok(None) };
        match kind {
            2 => value.span().map(Some),
            _ => Err(value.bad("this is about rounds of recovery").hint("kind = \"recovery\"")),
        }
    };
    let (epoch, grace) = (rounds("epoch")?, rounds("grace")?);
    if epoch.is_some() || grace.is_some() {
        let paced = Epochs { first: epoch.unwrap_or(usual.first), ..usual };
        let rounds = paced.grace_rounds(grace.unwrap_or(GRACE));
        set("ledger.leak_grace_rounds", rounds.map_err(|what| value.bad(what))?);
    }
    if let Some(epoch) = epoch {
        set(usual.setting, whole(epoch));
    }
    let most = i64::try_from(MAX_QUOTIENT).expect("it is small");
    if let Some(quotient) = table.read("quotient", |value| value.whole(1..=most))? {
        set("ledger.leak_quotient", quotient.unsigned_abs());
    }
    if let Some(share) = table.read("tolerates", |value| permille(&value))? {
        set("ledger.leak_tolerates_permille", share);
    }
    if table.read("unbounded", |value| value.yes())?.is_some() {
        set("ledger.leak_unbounded", 1);
    }
    table.finish()?;
    add(settings, value, scenario)
}

fn kind(value: &Value<'_>) -> Read<u64> {
    Ok(value.one_of(&KINDS)? as u64 + 1)
}

/// A share below a third, in thousandths.
fn permille(value: &Value<'_>) -> Read<u64> {
    let millionths = u64::from(value.share()?);
    match (millionths % 1000, millionths / 1000) {
        (0, permille @ 0..=333) => Ok(permille),
        _ => Err(value.bad("this must be less than a third, in thousandths, such as 0.1")),
    }
}

fn whole(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn add(settings: Vec<(String, u64)>, value: &Value<'_>, scenario: &mut Scenario) -> Read<()> {
    for (key, number) in settings {
        if scenario.settings.insert(key.clone(), number).is_some() {
            return Err(value.bad(format!("`settings` says {key:?}, too; say it once")));
        }
    }
    Ok(())
}
