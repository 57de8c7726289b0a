//! How far a rumour gets, and how fast.
//!
//! Whoever hears a rumour first tells some others once ("infect and die"): this is how what is meant
//! for many spreads in a world whose topology is [`Topology::Random`]. Or it goes by rounds, in which
//! everybody who knows tells somebody (push), or everybody calls somebody and both know afterwards
//! what one of them knew before (push and pull), until all know.
//!
//! No module is measured here. Infect-and-die goes through the simulator's overlay and queue; nothing in
//! the simulator goes by rounds, so those are a loop of the lab's own.

mod chain;
mod rounds;
mod rumours;

use super::{BadValue, Experiment, Finding, Lab, Parameter, Range, Value, Values};

#[cfg(test)]
mod tests;

/// The lab.
pub(super) const LAB: Lab = Lab {
    name: "gossip",
    about: "how far a rumour gets if everybody tells some others, and how fast; no module takes part",
    papers: &[
        "Demers and others, \"Epidemic algorithms for replicated database maintenance\", PODC 1987, section 1.4",
        "Frieze, Grimmett, \"The shortest-path problem for graphs with random arc-lengths\", Discrete Applied Mathematics 10, 1985: log2 n + ln n rounds",
        "Karp, Schindelhauer, Shenker, Vöcking, \"Randomized rumor spreading\", FOCS 2000: push and pull",
        "Eugster, Guerraoui, Kermarrec, Massoulié, \"Epidemic information dissemination in distributed systems\", Computer 37(5), 2004: e^(-e^(-c))",
    ],
    parameters: &[
        Parameter {
            name: "nodes",
            about: "how many there are, the first who knows included: n",
            range: Range::Whole(2, 10_000),
            usual: Value::Whole(1_000),
        },
        Parameter {
            name: "fanout",
            about: "how many others each tells, or calls in a round: k",
            range: Range::Whole(1, 20),
            usual: Value::Whole(4),
        },
        Parameter {
            name: "mode",
            about: "who tells whom, and until when: the first by the simulator's overlay, the others in a \
                    loop of the lab's own",
            range: Range::Word(&["infect-and-die", "push", "push-pull"]),
            usual: Value::Word("infect-and-die"),
        },
        Parameter {
            name: "success",
            about: "the share of messages that arrive: a",
            range: Range::Real { from: 0.1, with_from: true, to: 1.0, with_to: true },
            usual: Value::Real(1.0),
        },
    ],
    over: "fanout",
    trials: "rumours",
    usual: 1_000,
    prepare,
};

/// How many rumours make a job.
const IN_A_JOB: u64 = 50;

/// The most that the exact chain of rounds is computed for: n²k.
const MOST_STEPS: u64 = 40_000_000;

/// What was chosen.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    nodes: u32,
    fanout: u32,
    success: f64,
}

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    let (nodes, fanout) = (values.whole("nodes"), values.whole("fanout"));
    let bad = |reason: String| BadValue { name: "fanout", value: fanout.to_string(), reason };
    if fanout >= nodes {
        return Err(bad(format!("each of {nodes} nodes has {} others to tell", nodes - 1)));
    }
    let crowd =
        Crowd { nodes: nodes as u32, fanout: fanout as u32, success: values.real("success") };
    let pulls = match values.word("mode") {
        "infect-and-die" => return Ok(Box::new(rumours::InfectAndDie(crowd))),
        mode => mode == "push-pull",
    };
    match nodes * nodes * fanout <= MOST_STEPS {
        true => Ok(Box::new(rounds::Rounds { crowd, pulls })),
        false if nodes * nodes > MOST_STEPS => Err(BadValue {
            name: "nodes",
            value: nodes.to_string(),
            reason: format!(
                "the exact chain takes nodes² × fanout steps, and at most {MOST_STEPS} are taken; \
                 with --fanout {fanout} it is at most {}",
                (MOST_STEPS / fanout).isqrt()
            ),
        }),
        false => Err(bad(format!(
            "the exact chain takes nodes² × fanout steps, and at most {MOST_STEPS} are taken; with \
             {nodes} nodes it is at most {}",
            MOST_STEPS / (nodes * nodes)
        ))),
    }
}

/// Another formula, for comparison: no experiment follows it exactly.
fn shown(name: &'static str, about: &'static str, theory: f64) -> Finding {
    Finding { name, about, theory: Some(theory), measured: None, tolerance: 0.0 }
}
