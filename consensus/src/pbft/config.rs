//! How long to wait, how much to put into a batch, how often to make a checkpoint.

use super::{Pbft, Size};
use crate::catalogue::{BadSettings, Module};
use ledger::{Genesis, block::MAX_BLOCK_BYTES};
use std::time::Duration;

/// What a chain may set. All replicas of a chain share it, because it comes from the genesis, and for
/// the checkpoints they must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long an idle chain pauses before an empty batch; zero for no pause.
    pub block_time: Duration,
    /// The paper's T: how long a request may wait before its primary is given up. It doubles from
    /// view to view until something is executed.
    pub timeout: Duration,
    /// K: after how many sequence numbers there is a checkpoint.
    pub checkpoint: u64,
    /// How far a primary's clock may be ahead of ours.
    pub clock_skew: Duration,
    /// The most transactions in one batch.
    pub max_transactions: usize,
}

impl Default for Config {
    /// For a local network whose messages take up to about 100 ms.
    ///
    /// Three of them and a checkpoint every number fit many times into the timeout. It is as long as
    /// it is because a request may be known to everybody but the primary: whoever took it in tells
    /// the public again after two seconds, and a primary that was merely not told is no liar.
    fn default() -> Config {
        Config {
            block_time: Duration::from_secs(1),
            timeout: Duration::from_millis(2500),
            checkpoint: 1,
            clock_skew: Duration::from_secs(1),
            // About 200 bytes each, so that they fit in a block (ledger::block::MAX_BLOCK_BYTES).
            max_transactions: 1000,
        }
    }
}

impl Config {
    /// Every setting there is, as a genesis spells it. Each must be positive.
    const SETTINGS: [&str; 4] =
        ["pbft.timeout_ms", "pbft.checkpoint", "pbft.clock_skew_ms", "pbft.max_transactions"];

    /// A longer window costs memory, and what lies in it is sent again after a crash.
    const MAX_CHECKPOINT: u64 = 32;

    /// What fits into an envelope, which has room for a few blocks, with some to spare.
    const MAX_NEW_VIEW_BYTES: usize = 4 * MAX_BLOCK_BYTES - 1024;

    /// The defaults, changed by what the genesis sets.
    pub fn from_genesis(genesis: &Genesis) -> Result<Config, BadSettings> {
        let mut config = Config { block_time: genesis.block_time(), ..Config::default() };
        for (key, &value) in &genesis.settings {
            if key.strip_prefix(Pbft::NAME).is_none_or(|rest| !rest.starts_with('.')) {
                continue;
            }
            let time = Duration::from_millis(value);
            match key.as_str() {
                "pbft.timeout_ms" => config.timeout = time,
                "pbft.checkpoint" => config.checkpoint = value,
                "pbft.clock_skew_ms" => config.clock_skew = time,
                "pbft.max_transactions" => {
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
        if config.checkpoint > Config::MAX_CHECKPOINT {
            return Err(BadSettings::Bounds {
                key: "pbft.checkpoint".into(),
                value: config.checkpoint,
                bounds: "at most 32",
            });
        }
        let (n, bytes) =
            (genesis.validators.len(), config.new_view_bytes(genesis.validators.len()));
        if bytes > Config::MAX_NEW_VIEW_BYTES {
            return Err(BadSettings::Unfit(format!(
                "with {n} validators and pbft.checkpoint = {} a NEW-VIEW may take {bytes} bytes, and \
                 {} can travel; name fewer validators, or make checkpoints more often",
                config.checkpoint,
                Config::MAX_NEW_VIEW_BYTES
            )));
        }
        Ok(config)
    }

    /// The longest NEW-VIEW among `n` validators, in bytes, rounded up: of a quorum, each a stable
    /// checkpoint and a certificate for each number between the watermarks.
    fn new_view_bytes(&self, n: usize) -> usize {
        const SIGNATURE: usize = 4 + 64;
        const REST: usize = 64;
        let quorum = Size { n }.quorum();
        let certificate = quorum * SIGNATURE + REST;
        let window = usize::try_from(self.window()).unwrap_or(usize::MAX);
        quorum * (certificate + window * certificate + SIGNATURE + REST) + window * REST
    }

    /// L: how far numbers may run ahead of the last stable checkpoint. The paper's 2K, and at least
    /// four: while a checkpoint travels, the number after it is being decided and the next one
    /// proposed, and somebody is one step behind.
    pub fn window(&self) -> u64 {
        (2 * self.checkpoint).max(4)
    }

    /// T·2^failures.
    pub(super) fn patience(&self, failures: u64) -> Duration {
        let doublings = u32::try_from(failures).unwrap_or(u32::MAX).min(20);
        self.timeout.saturating_mul(1 << doublings)
    }
}
