//! The weather: what befalls messages between the network and whoever listens to it.
//!
//! ```text
//!  network ──> [take in] ── fair and nothing waits ──────────────> whoever listens
//!                  └──> what is to wait, by its time ──> [hand on] ──^
//! ```
//!
//! A task takes in what the network brings and decides its fate; a thread hands on what is due, since
//! a runtime's timers are good to a millisecond only and some links are to be faster than that. Under
//! fair conditions everything passes at once and in order, and the thread sleeps.
//!
//! What waits is bounded: a frame keeps its place in its sender's budget and a gossiped message its
//! ticket, of one sender no more than [`MAX_WAITING`] wait, and nothing is taken in while whoever
//! listens does not keep up. That a link came up or went down is told at once.

mod fate;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use tokio::sync::mpsc::{self, Receiver, Sender};

use self::fate::Fates;
use super::{
    MAX_EVENTS, Network,
    counters::Tallies,
    events::{Delivery, Events, NetworkEvent},
    roster::Roster,
};
use crate::conditions::Conditions;

/// Messages of one sender that may wait. One more is lost, as in a router whose buffer is full. A sender's
/// budget for what was received has room for more small ones.
pub(super) const MAX_WAITING: usize = 8_192;

/// Where the weather is told what to be like. Keeps no network alive.
#[derive(Clone, Debug)]
pub(crate) struct Weather(Arc<Sky>);

/// What the task, the thread and the handle share.
#[derive(Debug)]
struct Sky {
    state: Mutex<State>,
    changed: Condvar,
    roster: Arc<Roster>,
    tallies: Arc<Tallies>,
}

#[derive(Debug)]
struct State {
    fates: Fates,
    /// When the conditions were told.
    told: Instant,
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// How many of each sender wait.
    of_each: BTreeMap<u32, usize>,
    /// How many have waited so far.
    number: u64,
    /// Whether the thread is handing one on that waited.
    handing: bool,
    closed: bool,
}

/// A message that waits.
#[derive(Debug)]
struct Waiting {
    due: Instant,
    /// Of those that are due at the same time the earlier goes first.
    number: u64,
    from: u32,
    delivery: Delivery,
}

impl Network {
    /// Puts weather between this network and whoever listens to its events. `me` is our own seat.
    ///
    /// # Errors
    /// The system gave no thread.
    pub(crate) fn weather(
        &self,
        events: Events,
        me: u32,
        conditions: Conditions,
    ) -> io::Result<(Weather, Events)> {
        let state = State {
            fates: Fates::new(me, conditions),
            told: Instant::now(),
            waiting: BinaryHeap::new(),
            of_each: BTreeMap::new(),
            number: 0,
            handing: false,
            closed: false,
        };
        let sky = Arc::new(Sky {
            state: Mutex::new(state),
            changed: Condvar::new(),
            roster: Arc::clone(&self.roster),
            tallies: Arc::clone(&self.tallies),
        });
        let (sender, receiver) = mpsc::channel(MAX_EVENTS);
        let closing = Closing(Arc::clone(&sky));
        let (above, to) = (Arc::clone(&sky), sender.clone());
        thread::Builder::new().name("weather".into()).spawn(move || hand_on(&above, &to))?;
        tokio::spawn(take_in(closing, events.into_channel(), sender));
        Ok((Weather(sky), Events::new(receiver)))
    }
}

impl Weather {
    /// Other conditions from now on, in place of the old. What is under way keeps its time.
    pub(crate) fn tell(&self, conditions: Conditions) {
        let mut state = self.0.lock();
        state.fates.tell(conditions);
        state.told = Instant::now();
    }
}

/// Ends the thread however the task ends, even if its runtime goes away.
struct Closing(Arc<Sky>);

impl Drop for Closing {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        // What is under way is lost, as it is when a host goes down.
        state.waiting.clear();
        self.0.changed.notify_one();
    }
}

/// Reads on only while there is room for what passes at once: so whoever listens makes the network
/// wait as it would without us.
async fn take_in(closing: Closing, mut from: Receiver<Delivery>, to: Sender<Delivery>) {
    while let Ok(place) = to.reserve().await {
        let delivery = tokio::select! {
            delivery = from.recv() => delivery,
            () = to.closed() => None,
        };
        let Some(delivery) = delivery else { return };
        if let Some(delivery) = closing.0.meet(delivery) {
            place.send(delivery);
        }
    }
}

/// Hands on whatever is due, until the end.
fn hand_on(sky: &Sky, to: &Sender<Delivery>) {
    while let Some(delivery) = sky.next() {
        if to.blocking_send(delivery).is_err() {
            // Nobody listens any more, which ends the task, too.
            return;
        }
    }
}

impl Sky {
    /// Decides the fate of what has come: returns what passes at once.
    fn meet(&self, delivery: Delivery) -> Option<Delivery> {
        let Some(from) = self.sender(delivery.event()) else { return Some(delivery) };
        let now = Instant::now();
        let mut state = self.lock();
        let told = now.saturating_duration_since(state.told);
        let [first, second] = state.fates.next(from, told);
        let Some(first) = first else {
            self.tallies.weather_lost.increment();
            return None;
        };
        let copy = second.and_then(|after| Some((after, delivery.copy()?)));
        if copy.is_none() && first.is_zero() && state.waiting.is_empty() && !state.handing {
            return Some(delivery);
        }
        if let Some((after, copy)) = copy
            && self.keep(&mut state, now + after, from, copy)
        {
            self.tallies.weather_doubled.increment();
        }
        self.keep(&mut state, now + first, from, delivery);
        None
    }

    /// Whose message it is: a frame is its sender's, gossip its signer's, or if we do not know that one,
    /// the neighbour's who passed it on.
    fn sender(&self, event: &NetworkEvent) -> Option<u32> {
        match event {
            NetworkEvent::Frame { from, .. } => Some(*from),
            NetworkEvent::Gossip { from: Some(signer), .. } => Some(*signer),
            NetworkEvent::Gossip { from: None, ticket, .. } => {
                let neighbour = ticket.source().and_then(|source| self.roster.identified(source));
                neighbour.map(|peer| peer.seat())
            }
            NetworkEvent::Connected(_) | NetworkEvent::Disconnected(_) => None,
        }
    }

    /// Lets a message wait; false if too many of its sender's do.
    fn keep(&self, state: &mut State, due: Instant, from: u32, delivery: Delivery) -> bool {
        let of_sender = state.of_each.entry(from).or_default();
        if *of_sender >= MAX_WAITING {
            self.tallies.weather_lost.increment();
            return false;
        }
        *of_sender += 1;
        self.tallies.weather_waiting.increment();
        let number = state.number;
        state.number += 1;
        let is_first = state.waiting.peek().is_none_or(|Reverse(first)| due < first.due);
        state.waiting.push(Reverse(Waiting { due, number, from, delivery }));
        if is_first {
            self.changed.notify_one();
        }
        true
    }

    /// Waits until a message is due; none at the end.
    fn next(&self) -> Option<Delivery> {
        let mut state = self.lock();
        state.handing = false;
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            let first = state.waiting.peek();
            let left = first.map(|Reverse(first)| first.due.saturating_duration_since(now));
            state = match left {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => break,
                Some(left) => {
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let Reverse(Waiting { from, delivery, .. }) = state.waiting.pop()?;
        if let Some(of_sender) = state.of_each.get_mut(&from) {
            *of_sender -= 1;
            if *of_sender == 0 {
                state.of_each.remove(&from);
            }
        }
        state.handing = true;
        Some(delivery.arrived())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change leaves it whole but for a count, of which less is asked than of a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}
