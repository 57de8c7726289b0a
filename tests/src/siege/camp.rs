//! The net that is attacked, and the load it carries meanwhile.

use super::{
    Order, Phase, SiegeError,
    eyes::{self, Figures},
    hold::Hold,
};
use crate::hostile::tally::Report;
use crypto::SecretKey;
use serde::Serialize;
use std::{
    fmt, fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use testnet::{
    bench::{
        accounts::{self, Purse},
        book::{self, Book},
        figures::Schedule,
        follow::follow,
        lane::{Lane, Pace},
        system,
    },
    live::{
        fleet::{Fleet, GRACE},
        home::Home,
        myself::Myself,
        net::{Net, Wish},
    },
};
use wallet_cli::client::Client;

/// Accounts that send in one phase.
const ACCOUNTS: usize = 64;
/// Accounts that an attacker has to pay with.
const ITS_ACCOUNTS: usize = 8;
/// Lanes for each node that runs.
const LANES: u32 = 2;
/// Transfers under way while it is found out how many can be.
const IN_FLIGHT: usize = 4_096;
/// How long that takes.
const CALIBRATION: Duration = Duration::from_secs(15);
/// How long what was submitted in a phase may take to become final after it.
const DRAIN: Duration = Duration::from_secs(20);
/// How long nodes may take to find one another.
const READY: Duration = Duration::from_secs(60);
/// How long an attacker may take to end.
const FAREWELL: Duration = Duration::from_secs(10);
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Who attacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Somebody with a validator's key.
    Member,
    /// Somebody nobody knows.
    Stranger,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Member => "member",
            Role::Stranger => "stranger",
        })
    }
}

/// A net that runs.
pub struct Camp {
    home: Home,
    net: Net,
    fleet: Fleet,
    role: Role,
    /// Those that run.
    ids: Vec<u32>,
    clients: Vec<Client>,
    /// What has not been spent yet.
    keys: Vec<SecretKey>,
    /// Where the attacker's keys are.
    accounts: PathBuf,
}

impl Camp {
    /// Founds a net with money for so many attacks, and starts its nodes.
    ///
    /// # Errors
    ///
    /// [`SiegeError`].
    pub fn pitch(role: Role, order: &Order, attacks: usize) -> Result<Camp, SiegeError> {
        let home = Home::open(None)?;
        // The calibration, and a quiet phase more than there are attacks.
        let keys = accounts::generate((ACCOUNTS * (2 * attacks + 2)) as u32);
        let its_keys = accounts::generate(ITS_ACCOUNTS as u32);
        let funded = [accounts::funded(&keys), accounts::funded(&its_keys)].concat();
        let wish = Wish {
            consensus: Some(order.consensus.clone()),
            replicas: Some(order.replicas),
            ..Wish::default()
        };
        let net = Net::found_with(home.place().clone(), &wish, &funded)?;
        let file = home.place().dir().join("attacker.keys");
        let lines: String = its_keys.iter().map(|key| hex::encode(*key.seed()) + "\n").collect();
        fs::write(&file, lines)?;
        let mut fleet = Fleet::of(&net, &Myself::find()?);
        let absent = (role == Role::Member).then(|| net.len() - 1);
        let ids: Vec<u32> = net.ids().filter(|id| Some(*id) != absent).collect();
        for id in &ids {
            fleet.start(*id)?;
        }
        let client = |id: &u32| {
            let url = net.url(*id).parse().expect("our own addresses are addresses");
            Client::new(vec![url])
        };
        let clients = ids.iter().map(client).collect();
        let mut camp = Camp { home, net, fleet, role, ids, clients, keys, accounts: file };
        camp.await_ready()?;
        Ok(camp)
    }

    fn await_ready(&mut self) -> Result<(), SiegeError> {
        let deadline = Instant::now() + READY;
        let others = self.ids.len() - 1;
        let is_ready = |client: &Client| {
            client.status().is_ok_and(|status| status.peers >= others && status.height > 0)
        };
        while !self.clients.iter().all(is_ready) {
            self.check()?;
            if Instant::now() >= deadline {
                return Err(SiegeError::Node("the nodes have not found one another".to_owned()));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), SiegeError> {
        match self.fleet.reap().into_iter().next() {
            None => Ok(()),
            Some((id, exit)) => Err(SiegeError::Node(format!("node {id} died: {exit}"))),
        }
    }

    /// How many transfers a second it carries, undisturbed.
    ///
    /// # Errors
    ///
    /// [`SiegeError`].
    pub fn calibrate(&mut self) -> Result<u32, SiegeError> {
        let lanes = LANES * self.ids.len() as u32;
        let phase = self.phase(Pace::Window(IN_FLIGHT / lanes as usize), CALIBRATION, None)?;
        match phase.trouble {
            None => Ok(phase.committed_per_s as u32),
            Some(trouble) => Err(SiegeError::Node(trouble)),
        }
    }

    /// A phase in which nobody attacks.
    ///
    /// # Errors
    ///
    /// [`SiegeError`].
    pub fn quiet(&mut self, rate: u32, time: Duration) -> Result<Phase, SiegeError> {
        self.phase(self.pace(rate, time), time, None)
    }

    /// A phase in which somebody does.
    ///
    /// # Errors
    ///
    /// [`SiegeError`].
    pub fn attacked(
        &mut self,
        rate: u32,
        time: Duration,
        behaviour: &str,
        share: f64,
    ) -> Result<Phase, SiegeError> {
        let before = Figures::of(&self.urls());
        let attacker = self.attacker(behaviour, time)?;
        let mut phase =
            self.phase(self.pace(rate, time), time, Some(Attacker::held(attacker, share)))?;
        let Figures { faults, bans, refused } = Figures::of(&self.urls()).since(before);
        (phase.faults, phase.bans, phase.refused) = (faults, bans, refused);
        Ok(phase)
    }

    /// Stops everything.
    pub fn strike(mut self) {
        self.fleet.stop_all(GRACE);
        drop(self.home);
    }

    fn urls(&self) -> Vec<String> {
        self.ids.iter().map(|id| self.net.url(*id)).collect()
    }

    fn pace(&self, rate: u32, time: Duration) -> Pace {
        Pace::Open(Schedule { rate, lanes: LANES * self.ids.len() as u32 }, time)
    }

    fn attacker(&self, behaviour: &str, time: Duration) -> Result<Child, SiegeError> {
        let mut command = Command::new(Myself::find()?.program);
        command.args(["hostile-peer", "--json", "--behaviour", behaviour]);
        command.arg("--chain").arg(self.net.chain_id().to_string());
        command.arg("--for").arg(format!("{}ms", time.as_millis()));
        command.arg("--accounts").arg(&self.accounts);
        for id in &self.ids {
            command.arg("--target").arg(self.net.record.nodes[*id as usize].listen.to_string());
        }
        if self.role == Role::Member {
            let seat = self.net.len() - 1;
            let key = self.net.place.node(seat).join(node::config::KEY_FILE);
            command.arg("--seat").arg(seat.to_string()).arg("--key").arg(key);
        }
        Ok(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
    }

    fn phase(
        &mut self,
        pace: Pace,
        time: Duration,
        attacker: Option<Attacker>,
    ) -> Result<Phase, SiegeError> {
        let lanes = LANES * self.ids.len() as u32;
        let keys = self.keys.split_off(self.keys.len() - ACCOUNTS);
        let purses = accounts::deal(&keys, lanes, self.net.chain_id());
        let book = Arc::new(Book::new(lanes));
        let begun = Instant::now();
        let threads = self.load(&book, purses, pace, begun)?;
        let mut rss_bytes = 0;
        let watched = loop {
            rss_bytes = rss_bytes.max(self.memory());
            if let Err(error) = self.check() {
                break Err(error);
            }
            match time.checked_sub(begun.elapsed()) {
                Some(left) if book.page().trouble.is_none() => thread::sleep(LOOK.min(left)),
                _ => break Ok(()),
            }
        };
        let (committed, seconds) = (book.page().committed(), begun.elapsed().as_secs_f64());
        let report = attacker.and_then(Attacker::end);
        book.enter(book::Phase::Drain);
        let until = Instant::now() + DRAIN;
        drop(book.wait_until(book::Phase::Drain, until, |page| page.waiting() == 0));
        book.enter(book::Phase::Over);
        threads.into_iter().for_each(|thread| drop(thread.join()));
        watched?;
        let trouble = book.page().trouble.as_ref().map(ToString::to_string);
        let committed_per_s = committed as f64 / seconds;
        let agree = eyes::agree(&self.clients);
        Ok(Phase {
            committed_per_s,
            rss_bytes,
            agree,
            trouble,
            attacker: report,
            ..Phase::default()
        })
    }

    fn memory(&self) -> u64 {
        let pids = self.ids.iter().filter_map(|id| self.fleet.pid(*id));
        pids.filter_map(system::resident_bytes).max().unwrap_or(0)
    }

    fn load(
        &self,
        book: &Arc<Book>,
        purses: Vec<Purse>,
        pace: Pace,
        begun: Instant,
    ) -> Result<Vec<thread::JoinHandle<()>>, SiegeError> {
        let client = self.clients[0].clone();
        let status = client.status().map_err(|error| SiegeError::Node(error.to_string()))?;
        let (from, its_book) = (status.head_height + 1, Arc::clone(book));
        let mut threads = vec![thread::spawn(move || follow(&client, 0, from, &its_book))];
        for (number, purse) in (0..).zip(purses) {
            let node = number % self.clients.len() as u32;
            let (client, book) = (self.clients[node as usize].clone(), Arc::clone(book));
            let lane = Lane { number, node, client, purse, pace, book, begun };
            threads.push(thread::spawn(move || lane.run()));
        }
        Ok(threads)
    }
}

/// A process that attacks.
struct Attacker {
    child: Child,
    hold: Hold,
}

impl Attacker {
    fn held(child: Child, share: f64) -> Attacker {
        let hold = Hold::on(&child, share);
        Attacker { child, hold }
    }

    /// Waits for its end: what it says that it did.
    fn end(self) -> Option<Report> {
        let Attacker { mut child, hold } = self;
        drop(hold);
        let deadline = Instant::now() + FAREWELL;
        while matches!(child.try_wait(), Ok(None)) {
            if Instant::now() >= deadline {
                let _ = child.kill();
            }
            thread::sleep(LOOK);
        }
        let output = child.wait_with_output().ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }
}
