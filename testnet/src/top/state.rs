//! What the screen is drawn from, and how it changes. No clock, no terminal and no network: whoever
//! has these tells what came, and when, counted from the start.

use super::figures::{Figures, Samples};
use crate::live::{
    control::{Answer, NetView, Request},
    sight::NodeView,
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

mod news;

#[cfg(test)]
pub(super) mod tests;

/// How many events are kept: the highest terminal shows fewer.
const EVENTS: usize = 100;

/// How many seconds of history are kept: the widest terminal shows fewer.
const HISTORY: usize = 300;

/// How often the history gets a bar.
const BAR: Duration = Duration::from_secs(1);

/// After which time what a node or the net has said is the past.
const STALE: Duration = Duration::from_secs(4);

/// Something that was learnt.
#[derive(Debug)]
pub enum News {
    /// How the net is.
    View(Box<NetView>),
    /// The net cannot be asked, and why.
    Gone(String),
    /// A node's figures.
    Figures(u32, Box<Figures>),
    /// What came of an order.
    Done(Box<Result<Answer, String>>),
}

/// What the keys mean at present.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// They choose a node, and do something to it.
    #[default]
    Watching,
    /// Any key ends the help.
    Help,
    /// They write the groups of a partition.
    Groups {
        /// So far.
        text: String,
        /// What is wrong with it, once somebody has tried.
        error: Option<String>,
    },
}

/// How a line is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Plain,
    /// Not as it should be.
    Bad,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Since the start.
    pub at: Duration,
    /// How it is meant.
    pub tone: Tone,
    /// In words.
    pub text: String,
}

/// All that is shown.
#[derive(Debug, Default)]
pub struct State {
    /// How the net was when it last said so.
    pub view: Option<NetView>,
    /// Why it cannot be asked, if that was tried last.
    pub gone: Option<String>,
    viewed: Duration,
    samples: BTreeMap<u32, Samples>,
    sampled: BTreeMap<u32, Duration>,
    /// The node that keys do something to.
    pub chosen: u32,
    /// When a digit was last typed, for numbers of two.
    pub(super) typed: Option<Duration>,
    /// What the keys mean.
    pub mode: Mode,
    /// The newest first.
    pub events: VecDeque<Event>,
    /// What is said about the last key.
    pub message: Option<(Tone, String)>,
    /// What is being done.
    pub busy: Option<Request>,
    /// Milliseconds from one final block to the next, a second each, the oldest first: while none comes,
    /// how long none has.
    pub block_times: VecDeque<u64>,
    /// Transactions made final a second, likewise.
    pub transactions: VecDeque<u64>,
    /// The highest final block, and when it was first seen.
    highest: (u64, Duration),
    bar: Duration,
}

impl State {
    /// Takes in what was learnt.
    pub fn take(&mut self, news: News, now: Duration) {
        match news {
            News::View(view) => self.see(*view, now),
            News::Gone(why) => {
                if self.gone.is_none() {
                    self.tell(now, Tone::Bad, why.clone());
                }
                self.gone = Some(why);
            }
            News::Figures(id, figures) => {
                self.samples.entry(id).or_default().add(now, *figures);
                self.sampled.insert(id, now);
            }
            News::Done(result) => self.done(*result),
        }
    }

    /// Everybody, by id.
    pub fn nodes(&self) -> &[NodeView] {
        self.view.as_ref().map_or(&[], |view| view.nodes.as_slice())
    }

    /// The node that keys do something to.
    pub fn node(&self) -> Option<&NodeView> {
        self.nodes().get(self.chosen as usize)
    }

    /// What a node did lately, if it has said so lately.
    pub fn samples(&self, id: u32, now: Duration) -> Option<&Samples> {
        let sampled = self.sampled.get(&id)?;
        self.samples.get(&id).filter(|_| now.saturating_sub(*sampled) < STALE)
    }

    /// For how long the net has not said how it is, if that is too long.
    pub fn silent(&self, now: Duration) -> Option<Duration> {
        let silent = now.saturating_sub(self.viewed);
        (self.view.is_some() && silent >= STALE).then_some(silent)
    }

    /// Lets time go by: the history gets its bars.
    pub fn tick(&mut self, now: Duration) {
        if self.view.is_none() {
            self.bar = now;
            return;
        }
        while now.saturating_sub(self.bar) >= BAR {
            self.bar += BAR;
            self.draw_bar(now);
            // After a sleep, as of a closed lid, old bars would all be the same.
            if now.saturating_sub(self.bar) >= BAR * 10 {
                self.bar = now;
            }
        }
    }

    fn draw_bar(&mut self, now: Duration) {
        let furthest = self.furthest();
        let newest = furthest.and_then(|id| self.samples(id, now)).and_then(Samples::newest);
        let transactions = newest.map_or(0.0, |rates| rates.transactions);
        let waiting = now.saturating_sub(self.highest.1);
        // With a pause of a second between blocks, there is a second now and then in which none comes.
        let last = Duration::from_millis(self.block_times.back().copied().unwrap_or(0));
        let block_time = newest.and_then(|rates| rates.height).unwrap_or(waiting.max(last));
        let block_time = block_time.max(if waiting > last * 2 { waiting } else { Duration::ZERO });
        let block_time = u64::try_from(block_time.as_millis()).unwrap_or(u64::MAX);
        for (bars, bar) in
            [(&mut self.block_times, block_time), (&mut self.transactions, transactions as u64)]
        {
            if bars.len() == HISTORY {
                bars.pop_front();
            }
            bars.push_back(bar);
        }
    }

    /// Of the honest that answer, the first of those with the highest final block.
    fn furthest(&self) -> Option<u32> {
        let sights = self.nodes().iter().filter(|node| node.up && node.lie.is_none());
        let heights = sights.filter_map(|node| Some((node.id, node.sight.as_ref()?.height)));
        let further =
            |best: (u32, u64), next: (u32, u64)| if next.1 > best.1 { next } else { best };
        heights.reduce(further).map(|(id, _)| id)
    }

    fn see(&mut self, view: NetView, now: Duration) {
        if self.gone.take().is_some() {
            self.tell(now, Tone::Good, "the net answers again".to_owned());
        }
        if let Some(before) = self.view.replace(view) {
            let after = self.view.take().expect("it was just put there");
            for (tone, text) in news::between(&before, &after) {
                self.tell(now, tone, text);
            }
            for (node, was) in after.nodes.iter().zip(&before.nodes) {
                if node.pid != was.pid || !node.up {
                    self.samples.remove(&node.id);
                }
            }
            self.view = Some(after);
        }
        self.viewed = now;
        let last = self.nodes().len().saturating_sub(1);
        self.chosen = self.chosen.min(u32::try_from(last).unwrap_or(u32::MAX));
        let heights = self.nodes().iter().filter(|node| node.lie.is_none());
        let highest = heights.filter_map(|node| Some(node.sight.as_ref()?.height)).max();
        if highest.is_some_and(|highest| highest > self.highest.0) || self.highest.1.is_zero() {
            self.highest = (highest.unwrap_or(0), now);
        }
    }

    /// An order was carried out, or not. What it changed is seen by looking.
    fn done(&mut self, result: Result<Answer, String>) {
        let order = self.busy.take();
        self.message = match result {
            Ok(Answer::Refused { message, .. }) | Err(message) => Some((Tone::Bad, message)),
            Ok(_) => order.map(|order| (Tone::Good, format!("done: {}", name(&order)))),
        };
    }

    /// Whether an order was taken.
    pub fn ordered(&mut self, taken: bool) {
        if !taken {
            self.busy = None;
            self.message = Some((Tone::Bad, "it was not done: something else is".to_owned()));
        }
    }

    fn tell(&mut self, at: Duration, tone: Tone, text: String) {
        self.events.push_front(Event { at, tone, text });
        self.events.truncate(EVENTS);
    }
}

/// What an order does, for people.
pub fn name(request: &Request) -> String {
    match request {
        Request::Kill { id } => format!("kill node {id}"),
        Request::Stop { id } => format!("stop node {id}"),
        Request::Start { id } => format!("start node {id}"),
        Request::Partition { groups } => format!("partition {groups}"),
        Request::Heal {} => "heal".to_owned(),
        Request::Status {} => "status".to_owned(),
        Request::Join {} => "join".to_owned(),
    }
}
