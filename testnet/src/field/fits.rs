//! Which scenarios real nodes can carry out, and what keeps the others from it.

use crate::live::net::MOST_REPLICAS;
use ledger::ReplicaId;
use simulator::{Scenario, Topology, Variant, adversary::SCRIPT};
use std::fmt;

#[cfg(test)]
mod tests;

/// Something that exists in the simulator only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// A protocol with one weak rule.
    Mutant(String),
    /// Neighbours that pass things on.
    Topology,
    /// An adversary that chooses message by message.
    Adversary,
    /// A time before which nobody is told what it missed.
    CatchUp,
    /// Chosen faces of liars.
    Faces,
    /// A liar that goes by a script.
    Script(ReplicaId),
    /// More processes than one machine is asked to run.
    Many(u32),
    /// Candidates beside a liar that is two processes.
    TwinsAndCandidates(ReplicaId),
    /// A liar that loses its disk: its lie is all that is known of it.
    FaultyLiar(ReplicaId),
    /// A liar that is no founder.
    LyingCandidate(ReplicaId),
}

/// All that keeps a module from running a scenario with real nodes; nothing if it can.
pub fn unfit(scenario: &Scenario, module: &str) -> Vec<Unfit> {
    let mut reasons = Vec::new();
    if module.parse::<Variant>().is_ok_and(|variant| variant.mutant.is_some()) {
        reasons.push(Unfit::Mutant(module.to_owned()));
    }
    if scenario.topology != Topology::Mesh {
        reasons.push(Unfit::Topology);
    }
    if !scenario.adversary.is_empty() {
        reasons.push(Unfit::Adversary);
    }
    if scenario.catch_up.is_some() {
        reasons.push(Unfit::CatchUp);
    }
    if scenario.faces.is_some() {
        reasons.push(Unfit::Faces);
    }
    if scenario.replicas > MOST_REPLICAS {
        reasons.push(Unfit::Many(scenario.replicas));
    }
    let founders = scenario.replicas.saturating_sub(scenario.candidates);
    for (id, lie) in &scenario.byzantine {
        if id.0 >= founders {
            reasons.push(Unfit::LyingCandidate(*id));
        }
        if lie == SCRIPT {
            reasons.push(Unfit::Script(*id));
            continue;
        }
        let found = consensus::byzantine::find(module, lie);
        if found.is_ok_and(|about| about.twins) && scenario.candidates > 0 {
            reasons.push(Unfit::TwinsAndCandidates(*id));
        }
    }
    let liars = scenario.wiped().filter(|id| scenario.byzantine.contains_key(id));
    reasons.extend(liars.map(Unfit::FaultyLiar));
    reasons
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Mutant(name) => {
                write!(f, "{name} is a mutant, and no node can be made to run one")
            }
            Unfit::Topology => write!(
                f,
                "`topology`: real nodes are all connected to each other, and tell each other \
                 directly"
            ),
            Unfit::Adversary => write!(
                f,
                "`adversary`: to choose message by message takes a network that can read them, and \
                 theirs is encrypted"
            ),
            Unfit::CatchUp => {
                write!(f, "`catch_up`: nobody can keep real nodes from telling what others missed")
            }
            Unfit::Faces => {
                write!(f, "`faces`: real liars draw their faces from the chain's name")
            }
            Unfit::Script(id) => write!(f, "replica {id} lies by a script, and a process cannot"),
            Unfit::Many(replicas) => {
                write!(f, "{replicas} replicas: at most {MOST_REPLICAS} run on one machine")
            }
            Unfit::TwinsAndCandidates(id) => {
                write!(f, "replica {id} is two processes, to which no newcomer could be introduced")
            }
            Unfit::LyingCandidate(id) => {
                write!(
                    f,
                    "replica {id} lies and is no founder: who lies is known when a net begins"
                )
            }
            Unfit::FaultyLiar(id) => write!(f, "replica {id} lies, and is to lose its disk, too"),
        }
    }
}
