//! What a scenario is like that says nothing else.

use std::{ops::Range, time::Duration};

pub(super) const SEEDS: Range<u64> = 0..10;
pub(super) const UNTIL: Duration = Duration::from_secs(600);
pub(super) const REPLICAS: u32 = 4;
pub(super) const BLOCK_TIME: Duration = Duration::from_secs(1);
