//! One more node, while the net runs.

use super::{Event, Session, UpError};
use crate::live::{
    control::{Answer, Reason},
    net::NetError,
    screen::Report,
    sight::{self, Memory},
};
use std::sync::mpsc::TrySendError;

impl Session {
    /// Makes a node and starts it. What it needs to take part is the business of whoever asked.
    pub(super) fn join(&mut self) -> Answer {
        match self.add_node() {
            Ok((id, pid)) => {
                self.cuts.started(id);
                self.screen.confirm(&Report::Joined { id, pid });
                Answer::Joined { id, pid }
            }
            Err(UpError::Fleet(error)) => Answer::refuse(&error),
            Err(error) => {
                let reason = match error {
                    UpError::Net(NetError::Twins(_) | NetError::Many(_)) => Reason::State,
                    _ => Reason::Failure,
                };
                Answer::Refused { reason, message: error.to_string() }
            }
        }
    }

    fn add_node(&mut self) -> Result<(u32, u32), UpError> {
        let id = self.net.join()?;
        self.fleet.add(self.net.place.log(id));
        self.memories.push(Memory::default());
        self.watch_node(id)?;
        Ok((id, self.fleet.start(id)?))
    }

    /// Has a node asked how it is, again and again.
    pub(super) fn watch_node(&self, id: u32) -> Result<(), UpError> {
        let seen = self.events.clone();
        sight::watch(&self.net.url(id), move |sight| {
            !matches!(seen.try_send(Event::Seen(id, sight)), Err(TrySendError::Disconnected(_)))
        })
        .map_err(UpError::System)
    }
}
