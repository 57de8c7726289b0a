//! What can be changed of a running node's threads: its calendar, its disk and its miner.

use super::{clock::Calendar, disk::Drag, miner::Share};
use crate::{conditions::Conditions, config::Mining};

/// The levers, all of which are where the settings want them until somebody pulls one.
#[derive(Clone, Debug)]
pub(crate) struct Levers {
    /// What the wall clock shows.
    pub(super) calendar: Calendar,
    /// How much longer syncs take.
    pub(super) drag: Drag,
    /// How much of a core each mining thread uses.
    pub(super) share: Share,
    /// The same in the settings.
    configured: f64,
}

impl Levers {
    /// For a node with these settings.
    pub(crate) fn new(mining: Mining) -> Levers {
        let configured = mining.share;
        let share = Share::new(configured);
        Levers { calendar: Calendar::default(), drag: Drag::default(), share, configured }
    }

    /// Sets all of them as these conditions say.
    pub(crate) fn tell(&self, conditions: &Conditions) {
        self.calendar.tell(conditions.clock);
        self.drag.tell(conditions.sync.clone(), conditions.seed);
        self.share.set(conditions.miner_share.unwrap_or(self.configured));
    }
}
