//! How long to wait, and how much to put into a block.

use super::Tendermint;
use crate::catalogue::{BadSettings, Module};
use ledger::{Genesis, Leak};
use std::time::Duration;

/// What a chain may set. All replicas of a chain share it, because it comes from the genesis;
/// nothing but speed would suffer if they did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long an idle chain pauses before an empty block; zero for no pause.
    pub block_time: Duration,
    /// The paper's initTimeoutPropose.
    pub propose: Duration,
    /// The paper's initTimeoutPrevote.
    pub prevote: Duration,
    /// The paper's initTimeoutPrecommit.
    pub precommit: Duration,
    /// What every timeout grows by from one round to the next.
    pub delta: Duration,
    /// How far a proposer's clock may be ahead of ours.
    pub clock_skew: Duration,
    /// The most transactions in one block.
    pub max_transactions: usize,
    /// The rules of an inactivity leak, if the chain has one.
    pub leak: Option<Leak>,
    /// D3: how long the first recovery round lasts; a third of it is D1, two thirds D2.
    pub leak_epoch: Duration,
    /// dD: what D1 grows by from one round to the next; D2 by twice, D3 by three times as much.
    pub leak_growth: Duration,
}

impl Default for Config {
    /// For a local network whose messages take up to about 100 ms.
    ///
    /// A proposal is the longest message (256 KiB), it is executed before anyone votes on it, and
    /// replicas enter a height up to one message delay apart, so it gets 500 ms. The other two
    /// timeouts only wait for stragglers after a quorum has spoken: 250 ms. Where the network is
    /// slower than that, 250 ms more in every round get there in a few rounds; a height that
    /// decides in its first round never pays for it, because each height starts anew.
    fn default() -> Config {
        Config {
            block_time: Duration::from_secs(1),
            propose: Duration::from_millis(500),
            prevote: Duration::from_millis(250),
            precommit: Duration::from_millis(250),
            delta: Duration::from_millis(250),
            clock_skew: Duration::from_secs(1),
            // About 200 bytes each, so that they fit in a block (ledger::block::MAX_BLOCK_BYTES).
            max_transactions: 1000,
            leak: None,
            // So that whoever watches sees weights fade, and a chain of five that lost two goes on within a
            // minute (LEAK §4, "study default").
            leak_epoch: Duration::from_millis(1500),
            leak_growth: Duration::from_millis(20),
        }
    }
}

impl Config {
    /// Every setting there is, as a genesis spells it. Each must be positive: without growth, for
    /// one, timeouts that are too short stay too short, and nothing is ever decided.
    const SETTINGS: [&str; 8] = [
        "tendermint.propose_ms",
        "tendermint.prevote_ms",
        "tendermint.precommit_ms",
        "tendermint.delta_ms",
        "tendermint.clock_skew_ms",
        "tendermint.max_transactions",
        "tendermint.leak_epoch_ms",
        "tendermint.leak_growth_ms",
    ];

    /// The defaults, changed by what the genesis sets.
    pub fn from_genesis(genesis: &Genesis) -> Result<Config, BadSettings> {
        let (block_time, leak) = (genesis.block_time(), genesis.leak());
        let mut config = Config { block_time, leak, ..Config::default() };
        for (key, &value) in &genesis.settings {
            if key.strip_prefix(Tendermint::NAME).is_none_or(|rest| !rest.starts_with('.')) {
                continue;
            }
            let time = Duration::from_millis(value);
            match key.as_str() {
                "tendermint.propose_ms" => config.propose = time,
                "tendermint.prevote_ms" => config.prevote = time,
                "tendermint.precommit_ms" => config.precommit = time,
                "tendermint.delta_ms" => config.delta = time,
                "tendermint.clock_skew_ms" => config.clock_skew = time,
                "tendermint.leak_epoch_ms" => config.leak_epoch = time,
                "tendermint.leak_growth_ms" => config.leak_growth = time,
                "tendermint.max_transactions" => {
                    config.max_transactions = usize::try_from(value).unwrap_or(usize::MAX);
                }
                _ => {
                    let known = Config::SETTINGS.join(", ");
                    return Err(BadSettings::Unknown { key: key.clone(), known });
                }
            }
            if value == 0 {
                return Err(BadSettings::Zero { key: key.clone() });
            }
        }
        Ok(config)
    }

    /// Dk(r) = k·(D3/3 + r·dD): when a recovery round gives up on its proposal (k = 1), its polka (2) and
    /// itself (3), from when enough are alive in it.
    pub(super) fn give_up(&self, nth: u32, round: u64) -> Duration {
        let rounds = u32::try_from(round).unwrap_or(u32::MAX);
        let first = self.leak_epoch.saturating_mul(nth) / 3;
        first.saturating_add(self.leak_growth.saturating_mul(rounds).saturating_mul(nth))
    }

    /// timeoutX(r) = initTimeoutX + r·timeoutDelta.
    pub(super) fn grown(&self, first: Duration, round: u64) -> Duration {
        let rounds = u32::try_from(round).unwrap_or(u32::MAX);
        first.saturating_add(self.delta.saturating_mul(rounds))
    }
}
