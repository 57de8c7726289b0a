//! Threads that ask, so that drawing never waits for an answer.

use super::{figures::Figures, state::News};
use crate::live::{
    control::{self, Answer, ControlError, NetView, Request},
    home::Place,
    metrics::Reader,
};
use std::{
    collections::BTreeSet,
    io,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

#[cfg(test)]
mod tests;

/// How often the net is asked how it is.
const LOOK: Duration = Duration::from_millis(500);

/// How often a node is asked for its figures.
const READ: Duration = Duration::from_secs(1);

/// How much news waits to be drawn.
const WAITING: usize = 256;

/// The nodes that are asked at most, however many a net says it has.
const MOST: usize = 64;

/// What asks, and where the answers come out. All of it ends soon after this is dropped.
#[derive(Debug)]
pub struct Eyes {
    /// What was learnt.
    pub news: Receiver<News>,
    sender: SyncSender<News>,
    orders: SyncSender<Request>,
    watched: BTreeSet<u32>,
}

impl Eyes {
    /// Begins to ask the net at `place`.
    ///
    /// # Errors
    ///
    /// Whatever the system says when it has no thread to give.
    pub fn open(place: &Place) -> io::Result<Eyes> {
        let (sender, news) = sync_channel(WAITING);
        let (orders, ordered) = sync_channel::<Request>(1);
        let (looker, at) = (sender.clone(), place.clone());
        spawn("look at the net", move || {
            while looker.send(look(&at)).is_ok() {
                thread::sleep(LOOK);
            }
        })?;
        let (doer, at) = (sender.clone(), place.clone());
        spawn("do as told", move || {
            for request in ordered {
                let result = control::ask(&at, request).map_err(|error| error.to_string());
                // So that what was done is seen at once.
                let seen = look(&at);
                let told = [News::Done(Box::new(result)), seen];
                if told.into_iter().any(|news| doer.send(news).is_err()) {
                    return;
                }
            }
        })?;
        Ok(Eyes { news, sender, orders, watched: BTreeSet::new() })
    }

    /// Has something done. False if something else is being done.
    pub fn order(&self, request: Request) -> bool {
        self.orders.try_send(request).is_ok()
    }

    /// Begins to ask the nodes that nobody asks yet.
    ///
    /// # Errors
    ///
    /// Whatever the system says when it has no thread to give.
    pub fn watch(&mut self, view: &NetView) -> io::Result<()> {
        for node in &view.nodes {
            if self.watched.len() >= MOST || !self.watched.insert(node.id) {
                continue;
            }
            let (id, sender) = (node.id, self.sender.clone());
            let (url, reader) = (node.rpc.clone(), Reader::default());
            spawn("read a node's figures", move || {
                loop {
                    // Silence is not told: whoever listens sees that figures grow old.
                    if let Some(figures) = reader.read(&url).as_ref().and_then(Figures::of)
                        && sender.send(News::Figures(id, Box::new(figures))).is_err()
                    {
                        return;
                    }
                    thread::sleep(READ);
                }
            })?;
        }
        Ok(())
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

fn look(place: &Place) -> News {
    match control::ask(place, Request::Status {}) {
        Ok(Answer::Status(view)) => News::View(Box::new(view)),
        Ok(_) => News::Gone(
            "the net gives an answer that does not fit; is it of another version?".to_owned(),
        ),
        Err(ControlError::NoNet { .. }) => News::Gone("the net has ended; q quits".to_owned()),
        Err(error) => News::Gone(error.to_string()),
    }
}
