//! The loop that kills and starts nodes, hears what is seen, and judges at the end.

use super::{
    CrashError, Shared, eyes,
    eyes::Sighting,
    load::{self, Load, Purse, Sent},
    plan::{Round, Victim},
    report::{self, Summary, Transfers},
    store,
    trail::Trail,
    trip::Trip,
    watch::{Chain, Moment, Promise, Seen, Watch},
};
use crate::live::{
    fleet::{Exit, Fleet, GRACE},
    myself::Myself,
    net::Net,
    tail::tail,
};
use consensus::catalogue::Depths;
use ledger::{TransactionId, query::TransactionStatus};
use nix::sys::signal::Signal;
use node::config::TRACE_FILE;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use wallet_cli::{client::Client, keystore::Keystore};

mod fates;

/// How many sightings may wait. Who sees waits beyond that.
const QUEUE: usize = 1_024;

/// How often the loop looks for those who ended by themselves.
const BEAT: Duration = Duration::from_millis(50);

/// How long all nodes together may take to answer at first.
const STARTUP: Duration = Duration::from_secs(30);

/// How long everybody is left alone after the last round, so that the last transfers of all are
/// made while all are there.
const CALM: Duration = Duration::from_secs(1);

/// How long it may take at the end until everybody gets on, besides some blocks' time.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many blocks everybody must add at the end.
const GROWTH: u64 = 3;

/// How often a node that cannot start is started again: somebody may have taken its port meanwhile.
const ATTEMPTS: u32 = 3;

/// What a node exits with that cannot run as it is told.
const CANNOT_RUN: i32 = 2;

/// Nobody wants to wait any longer.
struct Interrupted;

/// Whether something was waited for to its end.
type Waited = Result<(), Interrupted>;

/// A net on trial.
struct Trial<'a> {
    net: &'a Net,
    shared: &'a Shared,
    depths: Option<Depths>,
    fleet: Fleet,
    clients: Vec<Client>,
    watch: Watch,
    trails: Vec<Trail>,
    inbox: Receiver<Sighting>,
    /// Who has answered since the beginning.
    answered: BTreeSet<u32>,
    /// How often in a row each could not start.
    attempts: Vec<u32>,
    began: Instant,
    round: u32,
    kills: u64,
    restarts: u64,
    /// Who is to die at a failpoint, and has not.
    doomed: BTreeMap<u32, Trip>,
    /// How many died at each point.
    tripped: BTreeMap<&'static str, u64>,
    /// How many never came to theirs.
    untripped: u64,
}

/// Kills and starts the nodes of a net in so many rounds, and judges.
///
/// # Errors
///
/// What keeps it from a verdict. No process is left in any case.
pub(super) fn hold(
    net: &Net,
    shared: &Arc<Shared>,
    seed: u64,
    rounds: &[Round],
    tell: &dyn Fn(&str),
) -> Result<Summary, CrashError> {
    let depths = net.depths();
    let myself = Myself::find()?;
    let (report, inbox) = sync_channel(QUEUE);
    let url = |id| net.url(id).parse().expect("our own addresses are addresses");
    let trace = |id| Trail::new(net.place.node(id).join(TRACE_FILE));
    let mut trial = Trial {
        net,
        shared,
        depths,
        fleet: Fleet::of(net, &myself),
        clients: net.ids().map(|id| Client::new(vec![url(id)])).collect(),
        watch: Watch::new(net.len(), depths),
        trails: net.ids().map(trace).collect(),
        inbox,
        answered: BTreeSet::new(),
        attempts: vec![0; net.record.nodes.len()],
        began: Instant::now(),
        round: 0,
        kills: 0,
        restarts: 0,
        doomed: BTreeMap::new(),
        tripped: BTreeMap::new(),
        untripped: 0,
    };
    for id in net.ids() {
        trial.start(id)?;
    }
    let eyes = eyes::open(&trial.clients, shared, &report)?;
    let outcome = trial.live(seed, rounds, shared, report, tell);
    // However it went, everybody is told to end, and nobody is left.
    shared.stop();
    trial.drain();
    for eye in eyes {
        eye.join().expect("looking does not panic");
    }
    let (sent, interrupted) = outcome?;
    let databases = if interrupted { 0 } else { trial.close(&sent)? };
    trial.fleet.stop_all(GRACE);
    Ok(trial.summary(seed, &sent, databases, interrupted))
}

impl Trial<'_> {
    /// The rounds, and the calm after them. True if it was broken off.
    fn live(
        &mut self,
        seed: u64,
        rounds: &[Round],
        shared: &Arc<Shared>,
        report: SyncSender<Sighting>,
        tell: &dyn Fn(&str),
    ) -> Result<(Sent, bool), CrashError> {
        if self.await_answers()?.is_err() {
            return Ok((Sent::default(), true));
        }
        let purses = self.purses()?;
        let load = Load::start(purses, seed, &self.clients, shared, report)?;
        let many = u32::try_from(rounds.len()).unwrap_or(u32::MAX);
        for round in rounds {
            let number = self.round + 1;
            let done = self.round(round)?;
            self.read_trails()?;
            let (heights, is_final) = (self.watch.head_heights(), self.watch.final_transfers());
            tell(&report::line(number, many, round, &heights, is_final));
            if done.is_err() || !self.watch.violations().is_empty() {
                break;
            }
        }
        let interrupted = self.calm(&load)?.is_err();
        shared.stop();
        self.drain();
        let sent = load.join().expect("paying does not panic");
        Ok((sent, interrupted))
    }

    fn await_answers(&mut self) -> Result<Waited, CrashError> {
        let deadline = Instant::now() + STARTUP;
        loop {
            let Some(id) = self.net.ids().find(|id| !self.answered.contains(id)) else {
                return Ok(Ok(()));
            };
            if Instant::now() >= deadline || !self.watch.violations().is_empty() {
                let (log, seconds) = (self.net.place.log(id), STARTUP.as_secs());
                return Err(CrashError::Late { id, seconds, tail: tail(&log), log });
            }
            if self.until(Instant::now() + BEAT)?.is_err() {
                return Ok(Err(Interrupted));
            }
        }
    }

    /// Pause, kill, start again.
    fn round(&mut self, round: &Round) -> Result<Waited, CrashError> {
        self.round += 1;
        if self.until(Instant::now() + round.pause)?.is_err() {
            return Ok(Err(Interrupted));
        }
        for victim in &round.victims {
            self.shared.set_up(victim.id, false);
            // Who ended by itself in this very moment is found at the next look.
            if self.fleet.pid(victim.id).is_some() {
                self.fleet.kill(victim.id)?;
                self.kills += 1;
            }
        }
        let killed = Instant::now();
        let (mut victims, doomed): (Vec<Victim>, Vec<_>) =
            round.victims.iter().copied().partition(|victim| victim.trip.is_none());
        for victim in &doomed {
            self.doom(victim)?;
        }
        victims.sort_by_key(|victim| victim.dead);
        for victim in victims {
            if self.until(killed + victim.dead)?.is_err() {
                return Ok(Err(Interrupted));
            }
            if self.fleet.pid(victim.id).is_none() {
                self.start(victim.id)?;
                self.restarts += 1;
            }
        }
        self.await_fates(&doomed)
    }

    /// All are there: everybody gets on, and every transfer is settled.
    fn calm(&mut self, load: &JoinHandle<Sent>) -> Result<Waited, CrashError> {
        if self.until(Instant::now() + CALM)?.is_err() {
            return Ok(Err(Interrupted));
        }
        self.shared.finish();
        let patience = self.patience();
        let deadline = Instant::now() + patience;
        let head = self.watch.head_heights().into_iter().max().unwrap_or(0) + GROWTH;
        let settled = self.wait(deadline, |trial| {
            load.is_finished() && trial.watch.head_heights().iter().all(|height| *height >= head)
        })?;
        let committed = self.watch.final_height();
        let caught_up = self.wait(deadline, |trial| {
            trial.watch.heights().iter().all(|height| *height >= committed)
        })?;
        if settled.is_err() || caught_up.is_err() {
            return Ok(Err(Interrupted));
        }
        let each = self.watch.head_heights().into_iter().zip(self.watch.heights());
        for (id, (adopted, height)) in (0..).zip(each.collect::<Vec<_>>()) {
            if adopted < head || height < committed {
                let what = format!(
                    "within {} s of the last round it came to height {adopted}, {height} of it \
                     final; {head} and {committed} were expected",
                    patience.as_secs(),
                );
                self.watch.breaks(Promise::Progress, self.moment(), id, what);
            }
        }
        Ok(Ok(()))
    }

    /// Waits until something is so, until `deadline`, and no longer than all are there: who has
    /// ended by itself does not come back.
    fn wait(
        &mut self,
        deadline: Instant,
        holds: impl Fn(&Trial<'_>) -> bool,
    ) -> Result<Waited, CrashError> {
        while !holds(self) && Instant::now() < deadline && self.is_everybody_there() {
            if self.until(Instant::now() + BEAT)?.is_err() {
                return Ok(Err(Interrupted));
            }
        }
        Ok(Ok(()))
    }

    fn is_everybody_there(&self) -> bool {
        self.net.ids().all(|id| self.fleet.pid(id).is_some())
    }

    /// Everybody's whole chain, the last transfers, the databases: how many of these held.
    fn close(&mut self, sent: &Sent) -> Result<u32, CrashError> {
        if sent.unsettled > 0 {
            let what = format!("{} transfers are not settled", sent.unsettled);
            self.watch.breaks(Promise::Progress, self.moment(), 0, what);
        }
        let deadline = Instant::now() + self.patience();
        let mut chains = Vec::new();
        for id in self.net.ids() {
            for transfer in &sent.last {
                self.await_settled(id, *transfer, deadline);
            }
            match eyes::chain(&self.clients[id as usize]) {
                Ok(chain) => {
                    self.watch.close(self.moment(), id, &chain);
                    chains.push(chain);
                }
                Err(error) => {
                    self.watch.breaks(Promise::Health, self.moment(), id, error.to_string());
                    chains.push(Chain::default());
                }
            }
        }
        for id in self.net.ids() {
            self.shared.set_up(id, false);
            if self.fleet.pid(id).is_some()
                && let Some(what) = store::stop(&mut self.fleet, id)?
            {
                self.watch.breaks(Promise::Health, self.moment(), id, what);
            }
        }
        let mut held = 0;
        for (id, chain) in (0..).zip(&chains) {
            let (dir, client) = (self.net.place.node(id), &self.clients[id as usize]);
            match store::inspect(&mut self.fleet, id, &dir, client, chain)? {
                None => held += 1,
                Some((promise, what)) => self.watch.breaks(promise, self.moment(), id, what),
            }
        }
        self.read_trails()?;
        Ok(held)
    }

    /// A transfer that is settled somewhere has to be settled everywhere.
    fn await_settled(&mut self, id: u32, transfer: TransactionId, deadline: Instant) {
        loop {
            let answer = self.clients[id as usize].transaction(transfer);
            let standing = answer.ok().map(|answer| load::standing(&answer));
            if let Some(standing) = standing {
                self.watch.note(self.moment(), id, &Seen::Transfer(transfer, standing));
                if matches!(
                    standing.status,
                    TransactionStatus::Final | TransactionStatus::Confirmed
                ) {
                    return;
                }
            }
            if Instant::now() >= deadline || self.shared.is_interrupted() {
                let how = standing.map_or("no answer".to_owned(), |standing| {
                    format!("{:?}", standing.status).to_lowercase()
                });
                let what = format!("transfer {}, one of the last, is {how}", transfer.short());
                return self.watch.breaks(Promise::Progress, self.moment(), id, what);
            }
            thread::sleep(BEAT);
        }
    }

    /// Hears what is seen until `deadline`, and notices who ended by itself.
    fn until(&mut self, deadline: Instant) -> Result<Waited, CrashError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left.min(BEAT)) {
                Ok(sighting) => self.hear(sighting),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            for (id, exit) in self.fleet.reap() {
                self.bury(id, exit)?;
            }
            if self.shared.is_interrupted() {
                return Ok(Err(Interrupted));
            }
            if left.is_zero() {
                return Ok(Ok(()));
            }
        }
    }

    fn hear(&mut self, (id, seen): Sighting) {
        if let Seen::Look(_) = &seen {
            self.answered.insert(id);
            self.attempts[id as usize] = 0;
        }
        self.watch.note(self.moment(), id, &seen);
    }

    /// Somebody ended by itself. A port that was taken in the meantime is nobody's fault.
    fn bury(&mut self, id: u32, exit: Exit) -> Result<(), CrashError> {
        self.shared.set_up(id, false);
        let fate = self.doomed.remove(&id);
        if let Some(trip) = fate
            && exit.signal == Some(Signal::SIGKILL as i32)
        {
            *self.tripped.entry(trip.point.name()).or_default() += 1;
            return Ok(());
        }
        let attempts = &mut self.attempts[id as usize];
        *attempts += 1;
        if exit.code == Some(CANNOT_RUN) && *attempts < ATTEMPTS {
            return self.start(id);
        }
        let log = self.net.place.log(id);
        let how = format!("{exit}; the end of {}:\n{}", log.display(), tail(&log));
        self.watch.note(self.moment(), id, &Seen::Died(how));
        Ok(())
    }

    fn start(&mut self, id: u32) -> Result<(), CrashError> {
        self.fleet.start(id)?;
        self.shared.set_up(id, true);
        Ok(())
    }

    /// Hears everything that is still told until everybody who tells has ended.
    fn drain(&mut self) {
        while let Ok(sighting) = self.inbox.recv() {
            self.hear(sighting);
        }
    }

    fn read_trails(&mut self) -> Result<(), CrashError> {
        for (id, trail) in (0..).zip(&mut self.trails) {
            let found = trail.accusations().map_err(|source| {
                let path = self.net.place.node(id).join(TRACE_FILE);
                CrashError::Trace { path, source }
            })?;
            let when = Moment { round: self.round, at: self.began.elapsed() };
            for accusation in found {
                self.watch.note(when, id, &Seen::Accused(accusation));
            }
        }
        Ok(())
    }

    fn purses(&self) -> Result<Vec<Purse>, CrashError> {
        let keystore = Keystore::open(self.net.place.wallet());
        let chain = self.net.chain_id();
        let purse = |name: &str| {
            let name = name.parse().expect("our own names are names");
            Ok(Purse::new(keystore.unlock(&name, "")?, chain))
        };
        self.net.record.accounts.iter().map(|account| purse(&account.name)).collect()
    }

    /// Some blocks' time, and as many as a block needs to be counted on.
    fn patience(&self) -> Duration {
        let depth = self.depths.map_or(0, |depths| depths.confirmations);
        let blocks = u32::try_from(4 * (GROWTH + depth)).unwrap_or(u32::MAX);
        PATIENCE.saturating_add(self.net.genesis.block_time().saturating_mul(blocks))
    }

    fn moment(&self) -> Moment {
        Moment { round: self.round, at: self.began.elapsed() }
    }

    fn summary(&self, seed: u64, sent: &Sent, databases: u32, interrupted: bool) -> Summary {
        let violations = self.watch.violations().to_vec();
        Summary {
            holds: violations.is_empty(),
            consensus: self.net.genesis.consensus.clone(),
            replicas: self.net.len(),
            seed,
            rounds: self.round,
            interrupted,
            kills: self.kills,
            restarts: self.restarts,
            failpoints: self.tripped.clone(),
            untripped: self.untripped,
            transfers: Transfers {
                sent: sent.transfers,
                settled: self.watch.settled_transfers(),
                is_final: self.watch.final_transfers(),
            },
            heights: self.watch.heights(),
            head_heights: self.watch.head_heights(),
            undone: self.watch.undone(),
            databases,
            violations,
            unlisted: self.watch.unlisted(),
            seconds: self.began.elapsed().as_secs_f64(),
            dir: None,
            confirms: self.depths.is_some(),
        }
    }
}
