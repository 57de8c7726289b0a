//! What people are told of Tendermint's mutants.

use crate::byzantine::mutants::{About, Beneath, Breaks};

/// One rule each. The letters of the schedules in `scenarios/mutants` are the same.
pub(in super::super) const MUTANTS: &[About] = &[
    About {
        id: "T1",
        line: "takes half of the stake for a quorum",
        rule: "A quorum is more than two thirds of the stake. Any two then share more than a third, \
               so somebody honest, who does not vote for two values. Two halves share nobody.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
    About {
        id: "T2",
        line: "takes 2f+1 validators for a quorum, however many there are",
        rule: "A quorum is more than two thirds of the stake. That is 2f+1 of n = 3f+1 validators; \
               with five or six, of which one may be faulty, two groups of three need share nobody \
               honest.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
    About {
        id: "T3",
        line: "prevotes whatever is valid, locked or not",
        rule: "L23 and L29: who is locked on a value prevotes no other without a later polka for it. \
               A value may be decided that only one replica knows of; the locks of the others keep \
               it from being outvoted.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
    About {
        id: "T4",
        line: "lets a polka of any earlier round open its lock",
        rule: "L29: the polka that a proposal appeals to must not be older than the lock. An older \
               one says nothing about what was decided since.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
    About {
        id: "T5",
        line: "moves its lock back for a polka of an old round that comes late",
        rule: "L36: only a polka of the current round locks. The lock of a later round may guard a \
               decision, and a straggling vote must not take it away.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
    About {
        id: "T6",
        line: "prevotes every proposal of a round, if the proposer makes two",
        rule: "L22 and L28: a replica prevotes once in a round, so that a round has one polka at \
               most. With two polkas in one round some lock one value and some the other, and each \
               opens the other's lock.",
        breaks: Breaks::Agreement,
        beneath: Beneath::SignsTwice,
    },
    About {
        id: "T7",
        line: "takes the signature on a prevote for one on a precommit",
        rule: "What is signed says of what kind it is. A prevote binds to nothing; passed off as a \
               precommit, it decides a value on which nobody is locked.",
        breaks: Breaks::Agreement,
        beneath: Beneath::ConfusesKinds,
    },
    About {
        id: "T8",
        line: "counts a vote as often as it hears it",
        rule: "A quorum is of validators, each counted once. Who may repeat itself is a quorum by \
               itself.",
        breaks: Breaks::Agreement,
        beneath: Beneath::HearsTwice,
    },
    About {
        id: "T9",
        line: "forgets its lock and what it signed in a crash",
        rule: "What a vote promises is on disk before the vote leaves. Who comes back with nothing \
               votes against its own lock, and is Byzantine without knowing it.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Forgets,
    },
    About {
        id: "T10",
        line: "drops the prevotes of earlier rounds, and offers no polka",
        rule: "L28 needs the prevotes of earlier rounds: they open the locks of others. Without them \
               a replica that is locked alone can convince nobody, and votes for nobody else.",
        breaks: Breaks::Progress,
        beneath: Beneath::Nothing,
    },
    About {
        id: "T11",
        line: "skips to whatever round a single voice speaks in",
        rule: "L55: more than a third of the stake must be in a later round before it is skipped to, \
               so that somebody honest is. A liar alone could name a round whose timeouts take days.",
        breaks: Breaks::Progress,
        beneath: Beneath::Nothing,
    },
    About {
        id: "K3",
        line: "is bound by no lock where a leak has changed the weights since",
        rule: "Locks know of no tables. A leak says who is absent, and nothing of what they have decided: \
               a value may be, by a quorum of the old weights that only one replica saw, and the locks \
               of the others are all that keeps them from deciding another under the new ones.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
];
