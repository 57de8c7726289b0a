//! How everybody is, and whether blocks become final.

use super::Session;
use crate::live::{
    control::NetView,
    pulse::News,
    screen::Report,
    sight::{NodeView, Sight},
};
use std::time::Instant;

impl Session {
    /// A node says something.
    pub(super) fn hear(&mut self, id: u32, sight: Sight) {
        // Liars say what they like.
        let is_honest = self.net.record.byzantine.lie(id).is_none();
        let heart = self.heart.as_mut().filter(|_| is_honest);
        let news = heart.map_or([None; 2], |heart| {
            [heart.see(&sight, Instant::now()), heart.compare(id, &sight)]
        });
        self.memories[id as usize].see(sight);
        news.into_iter().flatten().for_each(|news| self.announce(news));
    }

    /// Shows how everybody is.
    pub(super) fn look(&mut self, now: Instant) {
        let news = self.heart.as_mut().and_then(|heart| heart.look(now));
        news.into_iter().for_each(|news| self.announce(news));
        let nodes = self.views();
        let finality = self.heart.as_ref().and_then(|heart| heart.pulse(&nodes, now));
        self.screen.tell(&Report::Status { nodes, finality });
    }

    fn announce(&mut self, news: News) {
        self.screen.confirm(&match news {
            News::Halted { height } => Report::Halted { height },
            News::Resumed { height, after_ms } => Report::Resumed { height, after_ms },
            News::Split(split) => Report::Split(split),
        });
    }

    /// The whole net, for whoever asks.
    pub(super) fn view(&self) -> NetView {
        let nodes = self.views();
        let heart = self.heart.as_ref();
        let finality = heart.and_then(|heart| heart.pulse(&nodes, Instant::now()));
        NetView {
            consensus: self.net.genesis.consensus.clone(),
            chain_id: self.net.chain_id().to_string(),
            dir: self.net.place.dir().display().to_string(),
            depths: self.net.depths(),
            partition: self.cuts.groups().cloned(),
            byzantine: self.net.record.byzantine.clone(),
            finality,
            nodes,
        }
    }

    fn views(&self) -> Vec<NodeView> {
        let view = |id: u32| {
            let pid = self.fleet.pid(id);
            NodeView {
                id,
                up: pid.is_some(),
                pid,
                rpc: self.net.url(id),
                exit: self.fleet.exit(id),
                lie: self.net.record.byzantine.lie(id).map(str::to_owned),
                // What a process said that is no more is no news.
                sight: pid.and(self.memories[id as usize].sight().cloned()),
            }
        };
        self.net.ids().map(view).collect()
    }
}
