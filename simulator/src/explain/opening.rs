//! Who takes part, what is weak, and who lies.

use super::{
    facts::Facts,
    words::{Grammar, count, list, sentence},
};
use crate::{Scenario, Variant, adversary::SCRIPT};
use consensus::byzantine;
use ledger::ReplicaId;
use std::collections::BTreeMap;

/// The first sentences of every story.
pub(super) fn tell(
    sentences: &mut Vec<String>,
    scenario: &Scenario,
    variant: Variant,
    facts: &Facts,
    grammar: Option<Grammar>,
) {
    let all = facts.replicas.len();
    let module = variant.module;
    let what = match variant.mutant {
        None => format!("run {module}"),
        Some(about) => {
            format!("run {module} with one rule weakened ({}: {})", about.id, about.line)
        }
    };
    let plural = about_replicas(all);
    sentences.push(sentence(&format!("{plural} {what}")));
    let mut parts = Vec::new();
    let mut lies: BTreeMap<&str, Vec<ReplicaId>> = BTreeMap::new();
    for (id, lie) in &scenario.byzantine {
        lies.entry(lie).or_default().push(*id);
    }
    for (lie, ids) in lies {
        let (liars, each) = match ids.len() {
            1 => (format!("replica {} is a liar", ids[0]), "it"),
            _ => (format!("replicas {} are liars", list(&ids)), "each of them"),
        };
        let does = match lie {
            SCRIPT => "says whatever the adversary wants".to_owned(),
            name => byzantine::find(module, name).map_or_else(
                |_| name.to_owned(),
                |lie| {
                    let is = if lie.twins { "is " } else { "" };
                    format!("{is}{}", lie.line.replace("; ", ", and "))
                },
            ),
        };
        parts.push(format!("{liars}: {each} {does}"));
    }
    if parts.is_empty() {
        parts.push("nobody lies".to_owned());
    } else {
        parts.push("the others are honest, and nobody can sign in their names".to_owned());
    }
    let mut text = sentence(&parts.join("; "));
    if grammar.is_some() {
        let needed = facts.quorum.needed;
        let is_even = facts.quorum.total == all as u128;
        let quorum = match is_even {
            true => format!("{} of the {}", count(needed as usize), count(all)),
            false => format!("{needed} of the stake of {}", facts.quorum.total),
        };
        let fades = if facts.fades { " while nobody's weight has faded" } else { "" };
        text += &format!(" A quorum is {quorum}{fades}.");
    }
    sentences.push(text);
}

/// The last one: what the weak rule is for.
pub(super) fn tell_rule(sentences: &mut Vec<String>, variant: Variant) {
    if let Some(about) = variant.mutant {
        sentences.push(sentence(&format!("The rule that was weakened: {}", about.rule)));
    }
}

fn about_replicas(all: usize) -> String {
    match all {
        1 => "one replica, 0,".to_owned(),
        2 => "two replicas, 0 and 1,".to_owned(),
        _ => format!("{} replicas, 0 to {},", count(all), all - 1),
    }
}
