//! The partition a running net is in, and who has not been told of it yet.
//!
//! A node learns whom to cut off over its control socket, and forgets it when it ends. So a node that
//! was started again is told again, as soon as it listens; until then the others have cut it off from
//! their side. Only two nodes of different groups that start at the same moment may meet before they
//! are told.

use super::{liars::Actor, net::Net, partition::Groups};
use node::control::{ControlError, Request};
use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

#[cfg(test)]
mod tests;

/// Who is cut off from whom.
#[derive(Debug, Default)]
pub struct Cuts {
    groups: Option<Groups>,
    /// Whose process may not know it yet, and why it was not told.
    untold: BTreeMap<u32, Option<ControlError>>,
}

impl Cuts {
    /// The partition, if there is one.
    pub fn groups(&self) -> Option<&Groups> {
        self.groups.as_ref()
    }

    /// From now on it is this partition, or none; these processes have to be told.
    pub fn set(&mut self, groups: Option<Groups>, running: impl IntoIterator<Item = u32>) {
        self.groups = groups;
        self.untold = running.into_iter().map(|id| (id, None)).collect();
    }

    /// A node's process was started: it reaches everybody.
    pub fn started(&mut self, id: u32) {
        if self.groups.is_some() {
            self.untold.insert(id, None);
        }
    }

    /// A node's process has ended, and what it knew with it.
    pub fn ended(&mut self, id: u32) {
        self.untold.remove(&id);
    }

    /// Who has not been told, and why, as far as that was tried.
    pub fn untold(&self) -> impl Iterator<Item = (u32, Option<&ControlError>)> {
        self.untold.iter().map(|(id, why)| (*id, why.as_ref()))
    }

    /// Tells everybody who has not been told, by `ask`: all at the same time, since each may take seconds.
    pub fn tell(&mut self, ask: impl Fn(u32, &Request) -> Result<(), ControlError> + Sync) {
        let (groups, ask) = (self.groups.as_ref(), &ask);
        thread::scope(|scope| {
            for (&id, why) in &mut self.untold {
                let cut = groups.map_or(BTreeSet::new(), |groups| groups.cut_off_from(id));
                let request = if cut.is_empty() { Request::Heal } else { Request::Cut(cut) };
                scope.spawn(move || *why = ask(id, &request).err());
            }
        });
        self.untold.retain(|_, why| why.is_some());
    }
}

/// Tells a node's process, or both of twins, whom to cut off.
///
/// # Errors
///
/// [`ControlError`], if one of them was not told.
pub fn ask(net: &Net, id: u32, request: &Request) -> Result<(), ControlError> {
    let first = (Actor { id, second: false }, net.place.node(id));
    let second = (Actor { id, second: true }, net.place.twin(id));
    let is_twins = net.record.twins.contains_key(&id);
    for (actor, dir) in [Some(first), is_twins.then_some(second)].into_iter().flatten() {
        let request = match request {
            // Twins do not know everybody, and nobody can be told to cut off strangers.
            Request::Cut(ids) => {
                let met = net.met_by(actor).into_iter().map(|peer| peer.id);
                let mut cut: BTreeSet<_> = met.filter(|id| ids.contains(id)).collect();
                // Whoever joined is a stranger to those who ran before, until it has a seat. It knows
                // them, and cuts them off from its side.
                if cut.iter().any(|id| *id >= net.founders()) {
                    let known = node::control::ask(&dir, &Request::Status)?.peers;
                    cut.retain(|id| known.contains(id));
                }
                Request::Cut(cut)
            }
            other => other.clone(),
        };
        node::control::ask(&dir, &request)?;
    }
    Ok(())
}
