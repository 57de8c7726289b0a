//! What the world does to processes, and what it tells them.

use super::Play;
use crate::{
    field::FieldError,
    live::{cuts, net::Net},
};
use ledger::{Action, Amount, Payload, ReplicaId};
use node::{
    conditions,
    config::{DATABASE, KEY_FILE, key},
    control::{ControlError, Request},
};
use simulator::schedule::Fault;
use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long a node may take until it can be told something.
const PATIENCE: Duration = Duration::from_secs(30);

/// At how many nodes a wish for stake is told.
const SUBMITTED_AT: usize = 3;

impl Play<'_> {
    /// Makes happen what is due, and tells everybody who has to know.
    pub(super) fn act(&mut self, now: Duration) -> Result<(), FieldError> {
        let calm = self.sky.stabilises(Duration::ZERO);
        if calm.is_some_and(|calm| now >= calm && !self.is_told_of_calm) {
            self.is_told_of_calm = true;
            self.everybody_must_know();
            (self.manner.tell)("the network stabilises");
        }
        while let Some(step) = self.steps.front().filter(|step| step.time <= now).cloned() {
            self.steps.pop_front();
            (self.manner.tell)(&format!("{}: {}", simulator::span::show(step.time), step.fault));
            self.apply(&step.fault, now)?;
            if !matches!(step.fault, Fault::Crash(_) | Fault::Restart(_)) {
                self.faults.push((now, step.fault));
            }
        }
        self.tell_all(now)
    }

    fn apply(&mut self, fault: &Fault, now: Duration) -> Result<(), FieldError> {
        if self.sky.apply(fault) {
            self.everybody_must_know();
            return Ok(());
        }
        match fault {
            Fault::Crash(id) => self.kill(*id),
            Fault::Restart(id) => self.start(*id, now),
            Fault::Wipe(id) => {
                self.kill(*id)?;
                let dirs = dirs(self.net, *id);
                dirs.iter().try_for_each(|dir| wipe(dir)).map_err(FieldError::System)
            }
            Fault::Pause(id) => self.pause(*id),
            Fault::Resume(id) => self.resume(*id),
            Fault::Bond { replica, amount } => {
                let action = Action::Bond { amount: Amount(*amount), validator: *replica };
                self.ask_for(*replica, action)
            }
            Fault::Unbond { replica, amount } => {
                self.ask_for(*replica, Action::Unbond { amount: Amount(*amount) })
            }
            _ => unreachable!("the sky has taken {fault}"),
        }
    }

    /// The dead stay dead.
    fn kill(&mut self, id: ReplicaId) -> Result<(), FieldError> {
        if self.fleet.pid(id.0).is_none() {
            return Ok(());
        }
        self.set_awake(id, false);
        self.fleet.kill(id.0)?;
        self.deaths.push((self.began.elapsed(), id));
        self.paused.remove(&id);
        self.untold.remove(&id);
        self.counted[id.0 as usize].buried();
        self.sights[id.0 as usize] = None;
        Ok(())
    }

    /// The living go on.
    fn start(&mut self, id: ReplicaId, now: Duration) -> Result<(), FieldError> {
        if self.fleet.pid(id.0).is_some() {
            return Ok(());
        }
        self.prepare(id, now)?;
        self.fleet.start(id.0)?;
        self.set_awake(id, true);
        self.untold.insert(id, Instant::now());
        Ok(())
    }

    fn pause(&mut self, id: ReplicaId) -> Result<(), FieldError> {
        if self.fleet.pid(id.0).is_some() && self.paused.insert(id) {
            self.set_awake(id, false);
            self.fleet.pause(id.0)?;
        }
        Ok(())
    }

    fn resume(&mut self, id: ReplicaId) -> Result<(), FieldError> {
        if self.paused.remove(&id) {
            self.fleet.resume(id.0)?;
            self.set_awake(id, true);
        }
        Ok(())
    }

    /// Writes down what befalls a node from its first moment on.
    pub(super) fn prepare(&self, id: ReplicaId, now: Duration) -> Result<(), FieldError> {
        let told = self.sky.conditions(id, now);
        let text = serde_json::to_string(&told).expect("conditions are plain data");
        for dir in dirs(self.net, id) {
            let path = dir.join(conditions::FILE);
            fs::write(&path, &text)
                .map_err(|error| FieldError::Unreadable { path, reason: error.to_string() })?;
        }
        Ok(())
    }

    fn everybody_must_know(&mut self) {
        let running = self.everybody().filter(|id| self.fleet.pid(id.0).is_some());
        let since = Instant::now();
        for id in running.collect::<Vec<_>>() {
            self.untold.entry(id).or_insert(since);
        }
    }

    /// Tells all who have not been told. Who has just been started does not listen yet.
    fn tell_all(&mut self, now: Duration) -> Result<(), FieldError> {
        let due: Vec<_> =
            self.untold.keys().copied().filter(|id| !self.paused.contains(id)).collect();
        for id in due {
            match self.tell(id, now) {
                Ok(()) => drop(self.untold.remove(&id)),
                Err(error) if self.untold[&id].elapsed() >= PATIENCE => return Err(error.into()),
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn tell(&self, id: ReplicaId, now: Duration) -> Result<(), ControlError> {
        let told = Request::Conditions(Box::new(self.sky.conditions(id, now)));
        for dir in dirs(self.net, id) {
            node::control::ask(&dir, &told)?;
        }
        let cut = self.sky.cut_off(id);
        let request = if cut.is_empty() { Request::Heal } else { Request::Cut(cut) };
        cuts::ask(self.net, id.0, &request)
    }

    /// Signs what a node's account wants and hands it to the node and to two more. On a thread of its own:
    /// nodes may take long to answer.
    fn ask_for(&self, id: ReplicaId, action: Action) -> Result<(), FieldError> {
        let path = self.net.place.node(id.0).join(KEY_FILE);
        let key = key::load(&path).map_err(|error| FieldError::Unreadable {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        let chain = self.net.chain_id();
        let nodes = self.net.len();
        let all = (0..nodes).map(|next| ReplicaId((id.0 + next) % nodes));
        let up = all.filter(|id| self.serves(*id) && !self.paused.contains(id));
        let clients: Vec<_> = up.map(|id| self.clients[id.0 as usize].clone()).collect();
        thread::Builder::new().name("stake".to_owned()).spawn(move || {
            let sender = key.public();
            let answers = clients.iter().filter_map(|client| client.account(sender.address()).ok());
            let Some(answer) = answers.max_by_key(|answer| answer.height) else { return };
            let spent = match &action {
                Action::Bond { amount, .. } => *amount,
                _ => Amount::ZERO,
            };
            let fee = Amount(u64::from(answer.account.balance > spent));
            let nonce = answer.next_nonce;
            let signed = Payload { chain, sender, nonce, fee, action }.sign(&key);
            for client in clients.iter().take(SUBMITTED_AT) {
                // One of them is enough, and all know it soon.
                let _ = client.submit(&signed);
            }
        })?;
        Ok(())
    }
}

/// The directories of a node's processes.
fn dirs(net: &Net, id: ReplicaId) -> Vec<PathBuf> {
    let second = net.record.twins.contains_key(&id.0).then(|| net.place.twin(id.0));
    [net.place.node(id.0)].into_iter().chain(second).collect()
}

/// Removes the database of a node that is not running.
fn wipe(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir.join(DATABASE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
