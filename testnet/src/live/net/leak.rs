//! What a person asks of the inactivity leak of a chain, and what its genesis then says.

use super::NetError;
use crate::span;
use clap::{Args, ValueEnum};
use consensus::catalogue::{self, Epochs};
use ledger::{
    Genesis, Leak,
    genesis::MAX_QUOTIENT,
    leak::{Mode, WHOLE},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, time::Duration};

#[cfg(test)]
mod tests;

/// The setting that gives a chain a leak; the others begin with it and an underscore.
const LEAK: &str = "ledger.leak";
const QUOTIENT: &str = "ledger.leak_quotient";
const TOLERATES: &str = "ledger.leak_tolerates_permille";
const UNBOUNDED: &str = "ledger.leak_unbounded";
const GRACE_ROUNDS: &str = "ledger.leak_grace_rounds";

/// How long a height may stand still before absence counts.
const GRACE: Duration = Duration::from_millis(7500);

/// What `--leak-unbounded` asks for.
const NO_FLOOR: &str = "(no floor)";

/// The flags. What was left open is as usual on a new chain, and what it is on one that exists.
#[derive(Clone, PartialEq, Eq, Debug, Default, Args)]
#[command(next_help_heading = "Inactivity leak: the votes of the absent count less and less")]
pub struct LeakWish {
    /// Where absence counts: in blocks, which cannot help a chain that has halted; in rounds of
    /// recovery while it is halted, too; or nowhere [default: on-chain, where votes decide by stake]
    #[arg(long = "leak", value_name = "WHERE")]
    pub kind: Option<Kind>,
    /// Q: after about 1.18·√Q misses in a row half of a bond counts [default: 256]
    #[arg(long = "leak-quotient", value_name = "Q", value_parser = clap::value_parser!(u64).range(1..=MAX_QUOTIENT))]
    pub quotient: Option<u64>,
    /// Recovery: how long nobody can decide before absence counts [default: 7500ms]
    #[arg(long = "leak-grace", value_name = "TIME", value_parser = time)]
    pub grace: Option<Duration>,
    /// Recovery: how long the first round lasts, at the end of which the absent lose weight
    /// [default: 1500ms]
    #[arg(long = "leak-epoch", value_name = "TIME", value_parser = time)]
    pub epoch: Option<Duration>,
    /// β: the share of all bonds that may lie without two chains coming of it, below a third; no
    /// weight falls below (1+β)/2(1−β) of its bond [default: 0.1]
    #[arg(long = "leak-tolerates", value_name = "SHARE", value_parser = permille)]
    pub tolerates: Option<u64>,
    /// UNSAFE: let weights fall to nothing. Both sides of a long partition then decide
    #[arg(long = "leak-unbounded")]
    pub unbounded: bool,
}

/// Where absence counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Kind {
    /// In decided blocks, which say who precommitted.
    OnChain,
    /// In the rounds of a height that nobody can decide.
    Recovery,
    /// Nowhere: every bond counts in full for good.
    None,
}

impl Kind {
    fn of(leak: Option<Leak>) -> Kind {
        match leak.map(|leak| leak.mode) {
            Some(Mode::OnChain) => Kind::OnChain,
            Some(Mode::Recovery) => Kind::Recovery,
            None => Kind::None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::OnChain => "on-chain",
            Kind::Recovery => "recovery",
            Kind::None => "none",
        })
    }
}

impl LeakWish {
    /// Writes into a new genesis what was asked for, and what is usual for the rest.
    ///
    /// # Errors
    /// [`NetError::NoLeak`] where the module has none, [`NetError::Leak`] for flags that contradict one
    /// another.
    pub(super) fn found(
        &self,
        set: &BTreeMap<String, u64>,
        genesis: &mut Genesis,
    ) -> Result<(), NetError> {
        let Some(epochs) = catalogue::epochs(genesis).map_err(NetError::Consensus)? else {
            let asked =
                set.keys().find(|key| key.starts_with(LEAK)).map(|key| format!("--set {key}"));
            let flag = self.first_flag().map(str::to_owned).or(asked);
            return flag.map_or(Ok(()), |flag| Err(refuse(flag, genesis)));
        };
        if self.kind.is_some() && set.contains_key(LEAK) {
            return Err(NetError::Leak(format!("--leak and --set {LEAK} say the same; give one")));
        }
        let kind = self.kind.unwrap_or(match set.get(LEAK) {
            Some(_) => Kind::of(genesis.leak()),
            None => Kind::OnChain,
        });
        self.check(kind)?;
        if kind == Kind::None {
            return Ok(());
        }
        let mode = if kind == Kind::OnChain { 1 } else { 2 };
        genesis.settings.entry(LEAK.to_owned()).or_insert(mode);
        for (key, value) in self.settings(kind, epochs)? {
            if set.contains_key(key) {
                return Err(NetError::Leak(format!(
                    "a flag and --set {key} say the same; give one"
                )));
            }
            genesis.settings.insert(key.to_owned(), value);
        }
        Ok(())
    }

    /// Whether the flags make sense together.
    fn check(&self, kind: Kind) -> Result<(), NetError> {
        let fault = match kind {
            Kind::None => self.second_flag().map(|(flag, _)| {
                format!("{flag} changes a leak, and there is to be none; leave one of both out")
            }),
            Kind::OnChain => {
                let flag = match (self.grace, self.epoch) {
                    (None, None) => None,
                    (Some(_), _) => Some("--leak-grace"),
                    (None, Some(_)) => Some("--leak-epoch"),
                };
                flag.map(|flag| {
                    format!(
                        "{flag} is about rounds of recovery; add --leak recovery, or leave it out"
                    )
                })
            }
            Kind::Recovery => None,
        };
        fault.map_or(Ok(()), |fault| Err(NetError::Leak(fault)))
    }

    fn settings(&self, kind: Kind, usual: Epochs) -> Result<Vec<(&'static str, u64)>, NetError> {
        let whole = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let paced = kind == Kind::Recovery && (self.grace.is_some() || self.epoch.is_some());
        let epochs = Epochs { first: self.epoch.unwrap_or(usual.first), ..usual };
        let rounds = paced.then(|| epochs.grace_rounds(self.grace.unwrap_or(GRACE)));
        let grace_rounds = rounds
            .transpose()
            .map_err(|what| NetError::Leak(format!("--leak-grace, --leak-epoch: {what}")))?;
        let all = [
            (QUOTIENT, self.quotient),
            (TOLERATES, self.tolerates),
            (UNBOUNDED, self.unbounded.then_some(1)),
            (GRACE_ROUNDS, grace_rounds),
            (usual.setting, self.epoch.map(whole)),
        ];
        Ok(all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }

    /// Checks the wish against the chain that is there.
    ///
    /// # Errors
    /// Whatever `differs` makes of a flag, what was asked and what there is; [`NetError::Leak`] for a grace of
    /// too many rounds.
    pub(super) fn agree(
        &self,
        genesis: &Genesis,
        differs: impl Fn(&'static str, String, String) -> Result<(), NetError>,
    ) -> Result<(), NetError> {
        let leak = genesis.leak();
        let is = Kind::of(leak);
        if let Some(kind) = self.kind {
            differs("--leak", kind.to_string(), is.to_string())?;
        }
        let Some(Told { leak, epochs, .. }) = Told::of(genesis) else {
            return self.second_flag().map_or(Ok(()), |(flag, asked)| {
                differs(flag, asked, "no inactivity leak".to_owned())
            });
        };
        self.check(is)?;
        let settings = self.settings(is, epochs)?;
        let wanted =
            |key: &str| settings.iter().find(|(asked, _)| *asked == key).map(|(_, value)| *value);
        if let Some(quotient) = wanted(QUOTIENT) {
            differs("--leak-quotient", quotient.to_string(), leak.quotient.to_string())?;
        }
        if let Some(permille) = wanted(TOLERATES) {
            differs("--leak-tolerates", share(permille), share(leak.tolerates_permille))?;
        }
        if let Some(milliseconds) = wanted(epochs.setting) {
            let asked = span::format(Duration::from_millis(milliseconds));
            differs("--leak-epoch", asked, span::format(epochs.first))?;
        }
        if let (Some(grace), Some(rounds)) = (self.grace, wanted(GRACE_ROUNDS)) {
            let asked = format!("{} ({rounds} rounds)", span::format(grace));
            let is = match rounds == leak.grace_rounds {
                true => asked.clone(),
                false => format!("{} rounds", leak.grace_rounds),
            };
            differs("--leak-grace", asked, is)?;
        }
        match self.unbounded && leak.bounded {
            true => differs("--leak-unbounded", NO_FLOOR.to_owned(), "a floor".to_owned()),
            false => Ok(()),
        }
    }

    /// The first flag that wants a leak.
    fn first_flag(&self) -> Option<&'static str> {
        match self.kind {
            Some(Kind::OnChain | Kind::Recovery) => Some("--leak"),
            Some(Kind::None) | None => self.second_flag().map(|(flag, _)| flag),
        }
    }

    /// The first flag that changes a leak, and its value.
    fn second_flag(&self) -> Option<(&'static str, String)> {
        let flags = [
            ("--leak-quotient", self.quotient.map(|quotient| quotient.to_string())),
            ("--leak-grace", self.grace.map(span::format)),
            ("--leak-epoch", self.epoch.map(span::format)),
            ("--leak-tolerates", self.tolerates.map(share)),
            ("--leak-unbounded", self.unbounded.then(|| NO_FLOOR.to_owned())),
        ];
        flags.into_iter().find_map(|(flag, value)| Some((flag, value?)))
    }
}

/// Of a chain whose module has no leak.
fn refuse(flag: String, genesis: &Genesis) -> NetError {
    let has = |name: &&&str| {
        let other = Genesis { consensus: (**name).to_string(), ..genesis.clone() };
        catalogue::epochs(&other).is_ok_and(|epochs| epochs.is_some())
    };
    let others: Vec<_> = catalogue::NAMES.iter().filter(has).copied().collect();
    let (consensus, others) = (genesis.consensus.clone(), others.join(" or "));
    NetError::NoLeak { flag, consensus, others }
}

/// What whoever starts a chain should know of its leak.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Told {
    /// Its rules.
    #[serde(flatten)]
    pub leak: Leak,
    /// How many of the founders may lie without two chains coming of it, as far as weights that fade
    /// are the cause.
    pub tolerated_nodes: u64,
    /// How many founders there are.
    #[serde(skip)]
    founders: u64,
    /// Where there is no floor: the longest partition, in milliseconds, of which surely no two chains
    /// come while nobody lies or crashes. None where no partition is too long.
    pub safe_partition_ms: Option<u64>,
    #[serde(skip)]
    epochs: Epochs,
}

impl Told {
    /// Of a chain; none if it has no leak.
    pub fn of(genesis: &Genesis) -> Option<Told> {
        let leak = genesis.leak()?;
        let epochs = catalogue::epochs(genesis).ok().flatten()?;
        let founders = genesis.validators.len() as u64;
        let endangers = !leak.bounded && leak.mode == Mode::Recovery;
        // Before the first miss counts there are the rounds of grace, and a table says nothing of the
        // round that it is of.
        let rounds = leak.grace_rounds.saturating_add(leak.safe_misses());
        let safe_partition_ms = endangers
            .then(|| u64::try_from(epochs.lasting(rounds).as_millis()).unwrap_or(u64::MAX));
        let tolerated_nodes = founders * leak.tolerates_permille / 1000;
        Some(Told { leak, tolerated_nodes, founders, safe_partition_ms, epochs })
    }
}

impl fmt::Display for Told {
    /// Three lines, the first after a word for the whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told { leak, tolerated_nodes, founders, epochs, .. } = *self;
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        let quotient = leak.quotient;
        match leak.mode {
            Mode::OnChain => {
                writeln!(
                    f,
                    "in blocks only: a chain that has halted stays so; quotient {quotient}"
                )?;
            }
            Mode::Recovery => writeln!(
                f,
                "in rounds of {} once nobody can decide for {}; quotient {quotient}",
                seconds(epochs.first),
                seconds(epochs.lasting(leak.grace_rounds)),
            )?,
        }
        let nodes = if founders == 1 { "node" } else { "nodes" };
        let beta = share(leak.tolerates_permille);
        writeln!(f, "              β = {beta} tolerates {tolerated_nodes} of {founders} {nodes}")?;
        match (leak.bounded, self.safe_partition_ms) {
            (true, _) => {
                let floor = f64::from(leak.floor()) * 100.0 / f64::from(WHOLE);
                write!(f, "              no vote falls below {floor:.1} % of its bond")
            }
            (false, None) => {
                write!(f, "              unbounded: who is away until half is left loses its seat")
            }
            (false, Some(milliseconds)) => write!(
                f,
                "              UNSAFE: unbounded. A partition of more than {} may end in two chains",
                seconds(Duration::from_millis(milliseconds)),
            ),
        }
    }
}

/// Thousandths as people type them: `.1`.
fn share(permille: u64) -> String {
    let digits = format!("{permille:03}");
    match digits.trim_end_matches('0') {
        "" => "0".to_owned(),
        digits => format!(".{digits}"),
    }
}

/// Reads a share below a third, such as `0.1`, in thousandths.
fn permille(text: &str) -> Result<u64, String> {
    let form = || format!("{text:?} is no such share; write a number from 0 to 0.333, such as 0.1");
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "" | "0") || !is_number(digits) || (digits.is_empty() && text != "0") {
        return Err(form());
    }
    let digits = digits.trim_end_matches('0');
    if digits.len() > 3 {
        return Err(format!("{text} is finer than thousandths; write at most three digits"));
    }
    let permille = format!("{digits:0<3}").parse().map_err(|_| form())?;
    match permille {
        0..=333 => Ok(permille),
        _ => Err(format!("{text} is not below a third; no weights are sound for so many liars")),
    }
}

/// Reads a time that rounds can have.
fn time(text: &str) -> Result<Duration, String> {
    const SHORTEST: Duration = Duration::from_millis(30);
    const LONGEST: Duration = Duration::from_secs(3600);
    let time = span::parse(text).map_err(|error| error.to_string())?;
    match (SHORTEST..=LONGEST).contains(&time) {
        true => Ok(time),
        false => Err(format!("{text} is not between {} and 1h", span::format(SHORTEST))),
    }
}
