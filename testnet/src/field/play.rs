//! The loop that makes everything happen when it is due.
//!
//! Time zero is when every node answers. One thread decides; watchers and desks only report to it.

use super::{
    FieldError, Manner,
    load::{Load, Sent},
    meter::{self, Counted, Means, Word},
    sky::Sky,
};
use crate::live::{
    fleet::{Fleet, GRACE},
    metrics::Reader,
    myself::Myself,
    net::Net,
    pulse::{Heart, News},
    sight::Sight,
    tail::tail,
};
use consensus::catalogue::Depths;
use ledger::{ReplicaId, query::StatusAnswer};
use node::control::ControlError;
use simulator::{
    Scenario,
    scenario::{Agreement, Confirmed, Plan},
    schedule::{Fault, Step},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use wallet_cli::{client::Client, keystore::Keystore};

mod acts;

/// How many reports may wait.
const QUEUE: usize = 1_024;

/// The longest the loop waits before it looks around.
const BEAT: Duration = Duration::from_millis(20);

/// How often it looks whether all is over, and after transfers that wait.
const LOOK: Duration = Duration::from_secs(1);

/// How long all nodes together may take to answer at first.
const STARTUP: Duration = Duration::from_secs(60);

/// A run that is over. Every node has stopped.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// When it began, by this machine's clock: microseconds since 1970.
    pub zero: i64,
    /// How long it took.
    pub ended: Duration,
    /// Who was up in the end.
    pub up: BTreeSet<ReplicaId>,
    /// The transfers.
    pub sent: Vec<Sent>,
    /// What the nodes counted.
    pub means: Means,
    /// When each life of each node was ordered to begin.
    pub starts: BTreeMap<ReplicaId, Vec<Duration>>,
    /// Who was killed when.
    pub deaths: Vec<(Duration, ReplicaId)>,
    /// What else happened when.
    pub faults: Vec<(Duration, Fault)>,
}

/// A run.
pub(super) struct Play<'a> {
    net: &'a Net,
    scenario: &'a Scenario,
    manner: Manner<'a>,
    fleet: Fleet,
    clients: Vec<Client>,
    sky: Sky,
    depths: Option<Depths>,
    heart: Option<Heart>,
    split: bool,
    is_told_of_calm: bool,
    steps: VecDeque<Step>,
    began: Instant,
    /// Whose process stands still.
    paused: BTreeSet<ReplicaId>,
    /// Who has to be told what befalls it, since when, and as of which change.
    untold: BTreeMap<ReplicaId, (Instant, u64)>,
    /// How many changes there were.
    changes: u64,
    shared: Arc<Net>,
    /// Who should answer.
    awake: Vec<Arc<AtomicBool>>,
    sights: Vec<Option<StatusAnswer>>,
    counted: Vec<Counted>,
    starts: BTreeMap<ReplicaId, Vec<Duration>>,
    deaths: Vec<(Duration, ReplicaId)>,
    faults: Vec<(Duration, Fault)>,
    /// Those who are being told at this moment, as of which change.
    telling: BTreeMap<ReplicaId, (u64, JoinHandle<Result<(), ControlError>>)>,
    inbox: Receiver<(ReplicaId, Word)>,
}

/// Plays one seed of a scenario with a net that was founded for it, and stops every node.
///
/// # Errors
/// [`FieldError`]; no process is left in any case.
pub fn play(
    net: &Net,
    scenario: &Scenario,
    module: &str,
    seed: u64,
    manner: Manner<'_>,
) -> Result<Played, FieldError> {
    let url = |id| net.url(id).parse().expect("our own addresses are addresses");
    let clients: Vec<_> = net.ids().map(|id| Client::new(vec![url(id)])).collect();
    let (tell, inbox) = sync_channel(QUEUE);
    let awake: Vec<_> = net.ids().map(|_| Arc::new(AtomicBool::new(false))).collect();
    let depths = net.depths();
    let mut play = Play {
        net,
        scenario,
        manner,
        fleet: Fleet::of(net, &Myself::find()?),
        clients: clients.clone(),
        sky: Sky::new(scenario, seed, depths.is_some()),
        depths,
        heart: Heart::of(&net.genesis, depths),
        split: false,
        is_told_of_calm: false,
        steps: scenario.schedule(seed).steps().iter().cloned().collect(),
        began: Instant::now(),
        paused: BTreeSet::new(),
        untold: BTreeMap::new(),
        changes: 0,
        shared: Arc::new(net.clone()),
        awake: awake.clone(),
        sights: net.ids().map(|_| None).collect(),
        counted: net.ids().map(|_| Counted::default()).collect(),
        starts: BTreeMap::new(),
        deaths: Vec::new(),
        telling: BTreeMap::new(),
        faults: Vec::new(),
        inbox,
    };
    let stop = Stop(Arc::new(AtomicBool::new(false)));
    let mut watchers = Vec::new();
    for (id, client) in net.ids().map(ReplicaId).zip(clients) {
        let flags = (Arc::clone(&awake[id.0 as usize]), Arc::clone(&stop.0));
        watchers.push(meter::watch(id, client, flags, tell.clone())?);
    }
    drop(tell);
    let played = play.begin().and_then(|zero| play.perform(module, seed, zero));
    drop(stop);
    play.fleet.stop_all(GRACE);
    play.dismiss(watchers);
    played
}

/// Ends the watchers, however a run ends.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Play<'_> {
    /// Starts everybody and waits until all answer: then it is time zero, which is told by the wall's clock.
    fn begin(&mut self) -> Result<i64, FieldError> {
        for id in self.everybody() {
            self.prepare(id, Duration::ZERO)?;
        }
        for id in self.everybody() {
            self.fleet.start(id.0)?;
            self.starts.entry(id).or_default().push(Duration::ZERO);
            self.set_awake(id, true);
        }
        let deadline = Instant::now() + STARTUP;
        while let Some(id) = self.everybody().find(|id| self.sights[id.0 as usize].is_none()) {
            self.hear(BEAT)?;
            if Instant::now() >= deadline {
                let (log, seconds) = (self.net.place.log(id.0), STARTUP.as_secs());
                return Err(FieldError::Late { id, seconds, tail: tail(&log), log });
            }
        }
        self.began = Instant::now();
        // What counts from the beginning counts from now.
        self.everybody_must_know();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (self.manner.tell)(&format!("{} nodes answer: it begins", self.net.len()));
        Ok(i64::try_from(wall.as_micros()).unwrap_or(i64::MAX))
    }

    /// Until all is over.
    fn perform(&mut self, module: &str, seed: u64, zero: i64) -> Result<Played, FieldError> {
        let keystore = Keystore::open(self.net.place.wallet());
        let unlock = |name: &str| {
            let name = name.parse().expect("our own names are names");
            keystore.unlock(&name, "").map_err(|error| FieldError::Unreadable {
                path: self.net.place.wallet(),
                reason: error.to_string(),
            })
        };
        let accounts = self.net.record.accounts.iter();
        let keys = accounts.map(|account| unlock(&account.name)).collect::<Result<_, _>>()?;
        let plan = Plan::new(self.scenario.transfers_per_second, seed);
        let (chain, time) = (self.net.chain_id(), self.scenario.block_time);
        let mut load = Load::open(plan, chain, time, keys, self.clients.clone())?;
        let mut look = LOOK;
        loop {
            let now = self.began.elapsed();
            if now >= self.scenario.until {
                break;
            }
            self.act(now)?;
            while load.due().is_some_and(|due| due <= now) {
                load.pay(now, |id| self.serves(id));
            }
            if now >= look {
                look = now + LOOK;
                load.look(now, |id| self.serves(id));
                if self.is_over(module, now) {
                    break;
                }
            }
            let due = self.steps.front().map(|step| step.time).into_iter().chain(load.due());
            let wait = due.min().map_or(BEAT, |due| due.saturating_sub(self.began.elapsed()));
            self.hear(wait.min(BEAT))?;
        }
        let ended = self.began.elapsed();
        let up: BTreeSet<_> =
            self.everybody().filter(|id| self.fleet.pid(id.0).is_some()).collect();
        let reader = Reader::default();
        for id in up.iter().filter(|id| !self.paused.contains(id)) {
            if let Some(page) = reader.read(self.clients[id.0 as usize].node().as_str()) {
                self.counted[id.0 as usize].see(page);
            }
        }
        let honest: Vec<_> = self.honest().map(|id| &self.counted[id.0 as usize]).collect();
        let means = Means::of(&self.counted, &honest);
        let (starts, deaths) = (self.starts.clone(), self.deaths.clone());
        let (sent, faults) = (load.sent().to_vec(), self.faults.clone());
        Ok(Played { zero, ended, up, sent, means, starts, deaths, faults })
    }

    /// Whether everything has come that nodes can be seen to come to.
    fn is_over(&self, module: &str, now: Duration) -> bool {
        let expect = self.scenario.expect(module);
        let reached = |wanted: u64| {
            let up = self.honest().filter(|id| self.fleet.pid(id.0).is_some());
            up.map(|id| self.height(id)).all(|height| height >= wanted)
        };
        self.scenario.is_ripe(module, now)
            && expect.height.is_none_or(reached)
            && (expect.agreement != Agreement::Broken || self.split)
            // Which only the judge sees.
            && expect.confirmed != Confirmed::Reverted
    }

    /// What expectations call the height of a node.
    fn height(&self, id: ReplicaId) -> u64 {
        let sight = self.sights[id.0 as usize].as_ref();
        sight.map_or(0, |sight| match self.depths {
            Some(_) => sight.head_height,
            None => sight.height,
        })
    }

    /// Hears what is reported for a while, and notices who ended by itself.
    fn hear(&mut self, wait: Duration) -> Result<(), FieldError> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok((id, word)) => self.take(id, word),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Some((id, exit)) = self.fleet.reap().into_iter().next() {
            let log = self.net.place.log(id);
            let (id, exit) = (ReplicaId(id), exit.to_string());
            return Err(FieldError::Died { id, exit, tail: tail(&log), log });
        }
        match self.manner.stop.load(Ordering::Relaxed) {
            true => Err(FieldError::Interrupted),
            false => Ok(()),
        }
    }

    fn take(&mut self, id: ReplicaId, word: Word) {
        let place = id.0 as usize;
        // What a life said that is over may still have been under way.
        if !self.awake[place].load(Ordering::Relaxed) {
            return;
        }
        match word {
            Word::Figures(page) => self.counted[place].see(page),
            Word::Status(status) => {
                if let Some(heart) = &mut self.heart
                    && !self.scenario.byzantine.contains_key(&id)
                    && let Some(News::Split(split)) =
                        heart.compare(id.0, &Sight::from((*status).clone()))
                {
                    self.split = true;
                    (self.manner.tell)(&split.to_string());
                }
                self.sights[place] = Some(*status);
            }
        }
    }

    /// Waits for the watchers, who may wait for somebody to hear them.
    fn dismiss(&mut self, watchers: Vec<JoinHandle<()>>) {
        while self.inbox.recv().is_ok() {}
        for watcher in watchers {
            // A watcher that panicked was of no use to anybody else either.
            let _ = watcher.join();
        }
    }

    /// Whether wallets go to a node: it has answered in this life, and is honest. One that stands still
    /// does not say so.
    fn serves(&self, id: ReplicaId) -> bool {
        self.sights[id.0 as usize].is_some() && !self.scenario.byzantine.contains_key(&id)
    }

    /// Those of whom something is expected.
    fn honest(&self) -> impl Iterator<Item = ReplicaId> {
        let faulty = self.scenario.faulty();
        self.everybody().filter(move |id| !faulty.contains(id))
    }

    fn everybody(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        self.net.ids().map(ReplicaId)
    }

    fn set_awake(&self, id: ReplicaId, awake: bool) {
        self.awake[id.0 as usize].store(awake, Ordering::Relaxed);
    }
}
