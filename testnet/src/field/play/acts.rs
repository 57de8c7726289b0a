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
    control::Request,
};
use simulator::schedule::Fault;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
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
            self.apply(&step.fault, now, step.time)?;
            if !matches!(step.fault, Fault::Crash(_) | Fault::Restart(_)) {
                self.faults.push((now, step.fault));
            }
        }
        self.tell_all(now)
    }

    fn apply(&mut self, fault: &Fault, now: Duration, due: Duration) -> Result<(), FieldError> {
        if self.sky.apply(fault) {
            self.everybody_must_know();
            return Ok(());
        }
        match fault {
            Fault::Crash(id) => self.kill(*id),
            Fault::Restart(id) => self.start(*id, now, due),
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
    fn start(&mut self, id: ReplicaId, now: Duration, due: Duration) -> Result<(), FieldError> {
        if self.fleet.pid(id.0).is_some() {
            return Ok(());
        }
        self.prepare(id, now)?;
        self.fleet.start(id.0)?;
        self.starts.entry(id).or_default().push(due);
        self.set_awake(id, true);
        self.untold.insert(id, (Instant::now(), self.changes));
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

    pub(super) fn everybody_must_know(&mut self) {
        let running = self.everybody().filter(|id| self.fleet.pid(id.0).is_some());
        self.changes += 1;
        for id in running.collect::<Vec<_>>() {
            let (_, news) = self.untold.entry(id).or_insert((Instant::now(), 0));
            *news = self.changes;
        }
    }

    /// Tells all who have not been told, each on a thread of its own: one that is slow to listen, as who has
    /// just been started is, must not keep the others, or us.
    fn tell_all(&mut self, now: Duration) -> Result<(), FieldError> {
        let done = self.telling.extract_if(.., |_, (_, telling)| telling.is_finished());
        for (id, (told, telling)) in done.collect::<Vec<_>>() {
            let outcome = telling.join().expect("telling does not panic");
            let Some((since, news)) = self.untold.get(&id).copied() else { continue };
            match outcome {
                // Something may have changed meanwhile, of which it has to be told again.
                Ok(()) if news == told => drop(self.untold.remove(&id)),
                Err(error) if since.elapsed() >= PATIENCE => return Err(error.into()),
                _ => {}
            }
        }
        let due = self.untold.iter().map(|(id, (_, news))| (*id, *news));
        let due = due.filter(|(id, _)| !self.paused.contains(id) && !self.telling.contains_key(id));
        for (id, news) in due.collect::<Vec<_>>() {
            let told = Request::Conditions(Box::new(self.sky.conditions(id, now)));
            let cut = self.sky.cut_off(id);
            let cut = if cut.is_empty() { Request::Heal } else { Request::Cut(cut) };
            let (net, dirs) = (Arc::clone(&self.shared), dirs(self.net, id));
            let tell = move || {
                dirs.iter().try_for_each(|dir| node::control::ask(dir, &told).map(drop))?;
                cuts::ask(&net, id.0, &cut)
            };
            let name = format!("tell {id}");
            self.telling.insert(id, (news, thread::Builder::new().name(name).spawn(tell)?));
        }
        Ok(())
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
