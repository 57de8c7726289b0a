//! Where a running node is told its conditions.

use super::Conditions;
use crate::{network::Weather, runtime::Levers};

/// All that obeys conditions.
#[derive(Clone, Debug)]
pub(crate) struct World {
    weather: Weather,
    levers: Levers,
}

impl World {
    /// Of these parts, which obey the conditions they began with until others are told.
    pub(crate) fn new(weather: Weather, levers: Levers) -> World {
        World { weather, levers }
    }

    /// These conditions hold from now on, in place of the old.
    pub(crate) fn tell(&self, conditions: Conditions) {
        self.levers.tell(&conditions);
        self.weather.tell(conditions);
    }
}
