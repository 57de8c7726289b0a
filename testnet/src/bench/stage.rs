//! A fresh network to measure: founded, started, watched, and gone at the end.

use super::{BenchError, system};
use crate::live::{
    fleet::{Fleet, GRACE},
    home::Home,
    metrics::Reader,
    myself::Myself,
    net::{Net, Wish},
    tail::tail,
    up::{STARTUP, UpError},
};
use ledger::genesis::Funded;
use std::{
    thread,
    time::{Duration, Instant},
};
use wallet_cli::client::{Client, ClientError};

/// How often nodes that start are asked whether they have.
const LOOK: Duration = Duration::from_millis(50);

/// How long a network that has started is left alone, so that its gossip has found its ways.
const SETTLE: Duration = Duration::from_secs(1);

/// A network of processes of our own.
pub struct Stage {
    /// What it is.
    pub net: Net,
    /// Each node's RPC, by its id.
    pub clients: Vec<Client>,
    fleet: Fleet,
    reader: Reader,
}

impl Stage {
    /// Founds a network in a place where nothing is, with money for `funded`, and starts its nodes.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being founded, or its processes from being started.
    pub fn open(home: &Home, wish: &Wish, funded: &[Funded]) -> Result<Stage, BenchError> {
        let net = Net::found_with(home.place().clone(), wish, funded).map_err(UpError::from)?;
        let myself = Myself::find().map_err(UpError::System)?;
        let mut fleet = Fleet::of(&net, &myself);
        for id in net.ids() {
            fleet.start(id).map_err(UpError::from)?;
        }
        let client = |id| {
            let url = net.url(id).parse().expect("our own addresses are addresses");
            Client::new(vec![url])
        };
        let clients = net.ids().map(client).collect();
        Ok(Stage { net, clients, fleet, reader: Reader::default() })
    }

    /// Waits until every node has found all its peers. False if somebody wants to stop first.
    ///
    /// # Errors
    ///
    /// [`UpError::Died`] and [`UpError::Late`].
    pub fn await_ready(&mut self, stop: impl Fn() -> bool) -> Result<bool, BenchError> {
        let deadline = Instant::now() + STARTUP;
        let peers = self.clients.len() - 1;
        for id in self.net.ids() {
            loop {
                if stop() {
                    return Ok(false);
                }
                self.check_alive()?;
                let status = self.clients[id as usize].status();
                if status.as_ref().is_ok_and(|status| status.peers >= peers) {
                    break;
                }
                if Instant::now() >= deadline {
                    let fault = match status {
                        Ok(_) => "has found too few peers",
                        Err(_) => "does not answer",
                    };
                    let log = self.net.place.log(id);
                    return Err(UpError::Late { id, fault, tail: tail(&log), log }.into());
                }
                thread::sleep(LOOK);
            }
        }
        let settled = Instant::now() + SETTLE;
        while Instant::now() < settled && !stop() {
            thread::sleep(LOOK);
        }
        Ok(!stop())
    }

    /// Looks for the dead: no measurement survives one.
    ///
    /// # Errors
    ///
    /// [`UpError::Died`].
    pub fn check_alive(&mut self) -> Result<(), BenchError> {
        match self.fleet.reap().into_iter().next() {
            None => Ok(()),
            Some((id, exit)) => {
                let log = self.net.place.log(id);
                Err(UpError::Died { id, exit, tail: tail(&log), log }.into())
            }
        }
    }

    /// The height of the newest adopted block, by the node that is followed: where blocks are final at
    /// once, that of the newest final one.
    ///
    /// # Errors
    ///
    /// If it gives no answer.
    pub fn height(&self) -> Result<u64, ClientError> {
        self.clients[0].status().map(|status| status.head_height)
    }

    /// Processor time all nodes have used so far, in seconds.
    pub fn cpu_seconds(&self) -> Option<f64> {
        self.pids().map(|pid| system::cpu_seconds(&pid?.to_string())).sum()
    }

    /// Memory each node has in use, in bytes.
    pub fn resident_bytes(&self) -> Option<Vec<u64>> {
        self.pids().map(|pid| system::resident_bytes(pid?)).collect()
    }

    /// Bytes the directories of all nodes take.
    pub fn disk_bytes(&self) -> Option<u64> {
        let bytes = |id| system::disk_bytes(&self.net.place.node(id)).ok();
        self.net.ids().map(bytes).sum()
    }

    /// Bytes all nodes have sent each other so far.
    pub fn sent_bytes(&self) -> Option<u64> {
        let page = |id| self.reader.read(&self.net.url(id));
        let bytes = |id| page(id).as_ref().map(system::sent_bytes);
        self.net.ids().map(bytes).sum()
    }

    /// Stops all nodes in good order.
    pub fn close(mut self) {
        self.fleet.stop_all(GRACE);
    }

    fn pids(&self) -> impl Iterator<Item = Option<u32>> {
        self.net.ids().map(|id| self.fleet.pid(id))
    }
}
