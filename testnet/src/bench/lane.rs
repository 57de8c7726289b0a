//! One of those who submit: it signs transfers and hands them to one node, in batches.
//!
//! There are a few lanes for each node. In an open loop a transfer is made when it is due, whatever the
//! network does; when the node is slow to answer, the next batch is the larger and its transfers
//! the later, which their latency tells because it is counted from when they were due. Otherwise a
//! lane keeps a window full: so many of its transfers are under way at any time, and no more.

use super::{
    accounts::{Purse, Transfer},
    book::{Book, Page, Phase, Trouble},
    figures::Schedule,
};
use serde::Deserialize;
use serde_json::json;
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use wallet_cli::client::{Client, ClientError};

#[cfg(test)]
mod tests;

/// Transfers in one call: as many as a node takes.
const MAX_BATCH: usize = 256;

/// How long at least lies between two batches that are not full: each costs the node a call.
const LEAD: Duration = Duration::from_millis(5);

/// How long what was refused rests before it is handed over again.
const REST: Duration = Duration::from_millis(20);

/// How long a node may give no answer before the measurement is given up.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// What the JSON-RPC error code of a node that has too much to do is.
const BUSY: i64 = -32_002;

/// When a lane makes transfers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// When they are due, until this long after the beginning.
    Open(Schedule, Duration),
    /// Whenever fewer than this many of its own are under way.
    Window(usize),
}

/// One who submits.
pub struct Lane {
    /// Its number.
    pub number: u32,
    /// Its node's number.
    pub node: u32,
    /// Its node.
    pub client: Client,
    /// Its accounts.
    pub purse: Purse,
    /// When it makes transfers.
    pub pace: Pace,
    /// Where it notes what it does.
    pub book: Arc<Book>,
    /// When all lanes began.
    pub begun: Instant,
}

impl Lane {
    /// Submits until the load is over and nothing that was refused is left.
    pub fn run(mut self) {
        // What is to be handed over again: never more than one batch.
        let mut again: Vec<Transfer> = Vec::new();
        let mut made = 0;
        let mut left = self.begun.checked_sub(LEAD).unwrap_or(self.begun);
        let mut answered = Instant::now();
        loop {
            if !again.is_empty() {
                thread::sleep(REST);
            }
            let page = self.book.page();
            let (phase, trouble) = (page.phase, page.trouble.is_some());
            drop(page);
            if trouble || phase == Phase::Over || (phase == Phase::Drain && again.is_empty()) {
                return;
            }
            // Nonces have an order, and so what was refused goes first, by itself.
            let batch = match again.is_empty() {
                true => self.make(&mut made, left),
                false => std::mem::take(&mut again),
            };
            if !batch.is_empty() {
                left = Instant::now();
                again = self.hand_over(batch, &mut answered);
            }
        }
    }

    /// Makes what is to be made next and notes it; nothing if the load ended first.
    fn make(&mut self, made: &mut u64, left: Instant) -> Vec<Transfer> {
        let dues = match self.pace {
            Pace::Open(schedule, length) => self.await_due(schedule, length, *made, left),
            Pace::Window(most) => self.await_room(most),
        };
        *made += dues.len() as u64;
        let batch: Vec<_> = dues.into_iter().map(|due| (due, self.purse.sign())).collect();
        let mut page = self.book.page();
        for (due, transfer) in &batch {
            page.submit(transfer.id, self.number, *due);
        }
        drop(page);
        batch.into_iter().map(|(_, transfer)| transfer).collect()
    }

    /// Waits until something is due and a batch may leave: when each of the batch was due.
    fn await_due(
        &self,
        schedule: Schedule,
        length: Duration,
        made: u64,
        left: Instant,
    ) -> Vec<Instant> {
        let last = length.saturating_sub(Duration::from_nanos(1));
        loop {
            let now = Instant::now();
            let elapsed = now.saturating_duration_since(self.begun).min(last);
            let due = schedule.count(self.number, elapsed).saturating_sub(made);
            if due >= MAX_BATCH as u64 || (due > 0 && now >= left + LEAD) {
                let numbers = (made..made + due).take(MAX_BATCH);
                let due = |number| self.begun + schedule.due(self.number, number);
                return numbers.map(due).collect();
            }
            let next = self.begun + schedule.due(self.number, made);
            let until = next.max(left + LEAD);
            if self.book.wait_until(Phase::Load, until, |_| false).phase != Phase::Load {
                return Vec::new();
            }
            if now >= self.begun + length && due == 0 {
                // All is made; soon the phase changes.
                thread::sleep(LEAD);
            }
        }
    }

    /// Waits until there is room in the window: as often now as there is room.
    fn await_room(&self, most: usize) -> Vec<Instant> {
        // A call for each transfer that becomes final would be dear.
        let worth_it = most.div_ceil(4).min(MAX_BATCH / 4);
        let until = Instant::now() + REST;
        let room = |page: &Page| most.saturating_sub(page.in_flight(self.number));
        let page = self.book.wait_until(Phase::Load, until, |page| room(page) >= worth_it);
        let count = if page.phase == Phase::Load { room(&page).min(MAX_BATCH) } else { 0 };
        drop(page);
        vec![Instant::now(); count]
    }

    /// Hands a batch over, and gives back what is to be handed over again.
    fn hand_over(&self, batch: Vec<Transfer>, answered: &mut Instant) -> Vec<Transfer> {
        let digits: Vec<&str> = batch.iter().map(|transfer| transfer.digits.as_str()).collect();
        let params = json!({ "transactions": digits });
        let count = batch.len() as u64;
        match self.client.call::<Receipts>("submit_batch", params) {
            Ok(Receipts { results }) if results.len() == batch.len() => {
                *answered = Instant::now();
                self.sort_out(batch, &results)
            }
            Ok(Receipts { results }) => {
                let message = format!("{count} transfers were answered by {}", results.len());
                self.book.fail(Trouble::Refused { reason: "misfit".to_owned(), message });
                Vec::new()
            }
            Err(ClientError::Refused(refusal)) if refusal.code == BUSY => {
                *answered = Instant::now();
                self.book.page().refuse("busy", count);
                batch
            }
            Err(ClientError::Refused(refusal)) => {
                let reason = refusal.reason.clone().unwrap_or_default();
                self.book.fail(Trouble::Refused { reason, message: refusal.to_string() });
                Vec::new()
            }
            Err(error @ ClientError::NoAnswer(_)) => {
                self.book.page().refuse("no_answer", count);
                if answered.elapsed() >= PATIENCE {
                    let (node, reason) = (self.node, error.to_string());
                    self.book.fail(Trouble::Silent { node, patience: PATIENCE, reason });
                }
                batch
            }
        }
    }

    fn sort_out(&self, batch: Vec<Transfer>, results: &[Receipt]) -> Vec<Transfer> {
        let mut again = Vec::new();
        let mut page = self.book.page();
        let mut trouble = None;
        for (transfer, receipt) in batch.into_iter().zip(results) {
            match judge(receipt) {
                Verdict::Taken => page.accepted += 1,
                Verdict::Later(reason) => {
                    page.refuse(reason, 1);
                    again.push(transfer);
                }
                Verdict::Never { reason, message } => {
                    trouble.get_or_insert(Trouble::Refused { reason, message });
                }
            }
        }
        drop(page);
        if let Some(trouble) = trouble {
            self.book.fail(trouble);
        }
        again
    }
}

/// What a node says to a batch.
#[derive(Deserialize)]
struct Receipts {
    results: Vec<Receipt>,
}

/// What it says to one transfer. The name it gives it is ours already.
#[derive(Deserialize)]
struct Receipt {
    #[serde(default)]
    error: Option<Error>,
}

#[derive(Deserialize)]
struct Error {
    message: String,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize, Default)]
struct Data {
    #[serde(default)]
    reason: String,
}

/// What that means.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Verdict<'a> {
    /// The node has it.
    Taken,
    /// There was no room; there will be.
    Later(&'a str),
    /// It should have been taken.
    Never { reason: String, message: String },
}

fn judge(receipt: &Receipt) -> Verdict<'_> {
    let Some(Error { message, data: Data { reason } }) = &receipt.error else {
        return Verdict::Taken;
    };
    match reason.as_str() {
        // The node has it already, or has it in a block even: an answer of its own was lost.
        // Nobody else signs with these keys.
        "known" | "nonce" => Verdict::Taken,
        "pool_full" | "nonce_gap" | "busy" => Verdict::Later(reason),
        _ => Verdict::Never { reason: reason.clone(), message: message.clone() },
    }
}
