//! What each mutant of PBFT does instead: the weak rules, whole and in plain sight.
//!
//! Each function stands in for one rule of the chapter, and is asked only where a world wanted that
//! mutant. All that the true rule looks at is handed to it, so whoever repairs a mutant changes its
//! function and nothing else.

mod remarks;

#[cfg(any(test, feature = "byzantine"))]
use crate::byzantine::mutants::{About, Beneath, Breaks};

use super::{Prepared, Size, Value, log::Entry, proof::Judge, view::Latest};
use ledger::Committee;

pub(super) use remarks::{name, remark};

pub(super) const P1: &str = "P1";
pub(super) const P2: &str = "P2";
pub(super) const P3: &str = "P3";
pub(super) const P4: &str = "P4";
pub(super) const P5: &str = "P5";
pub(super) const P6: &str = "P6";

/// Every one of them, for people.
#[cfg(any(test, feature = "byzantine"))]
pub(super) const MUTANTS: &[About] = &[
    About {
        id: P1,
        line: "executes a number as soon as it is prepared, without a quorum of COMMITs",
        rule: "N5 waits for q COMMITs: then a quorum is prepared, and each later view hears of it \
               from one of them. What one replica alone has prepared a later view may never hear of.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
    About {
        id: P2,
        line: "f+1 VIEW-CHANGEs are enough for a NEW-VIEW",
        rule: "V4 takes q VIEW-CHANGEs: any q share somebody honest with the q that prepared what \
               was executed. f+1 need not.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
    About {
        id: P3,
        line: "believes the certificates in a VIEW-CHANGE without checking them",
        rule: "V5 counts a certificate only as far as its signatures reach: without that a liar \
               claims whatever it likes, of a view later than any true one.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
    About {
        id: P4,
        line: "of several certificates for a number the one of the lowest view counts",
        rule: "V5 keeps the value of the latest view: what was executed is what every later view \
               began with, and an older certificate was overtaken.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
    About {
        id: P5,
        line: "a new view leaves numbers without a certificate open",
        rule: "V5 gives a null request to each number below the last that nobody shows a certificate \
               for. Numbers are executed in order, and nobody may propose below where a view began.",
        breaks: Breaks::Progress,
        beneath: Beneath::Nothing,
    },
    About {
        id: P6,
        line: "forgets batches and certificates at its own checkpoint",
        rule: "C3 forgets what a stable checkpoint covers: then q signatures prove it to everybody. \
               One's own word proves nothing, and the next view begins as if the number were free.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
];

/// P1: what the number is executed with, if it may be executed now.
///
/// The paper (§4.2): a replica executes what is *committed-local*: it holds COMMITs for it of a
/// quorum of replicas, of which its own may be one.
pub(super) fn p1_decision(entry: &Entry, size: Size) -> Option<Value> {
    entry.prepared(size.quorum() - 1)?;
    entry.value
}

/// P2: how many VIEW-CHANGEs a NEW-VIEW takes, for its primary and for those who hear it.
///
/// The paper (§4.4): as many as make sure that they include one of an honest replica among any
/// quorum that may have prepared something.
pub(super) fn p2_enough(size: Size) -> usize {
    size.weak()
}

/// P3: whether a certificate in a VIEW-CHANGE for view `asked` is believed.
///
/// The paper (§4.4): it is of an earlier view than the one asked for, and its PREPAREs are signed by
/// backups of that view who, with its primary, are a quorum. `judge` says whether a signature is
/// its sender's; [`super::proof::check_prepared`] counts them.
pub(super) fn p3_believes(
    certificate: &Prepared,
    asked: u64,
    committee: &Committee,
    judge: Judge<'_>,
) -> bool {
    let _ = (certificate, asked, committee, judge);
    true
}

/// P4: whether a certificate of view `found` takes the place of one of view `held` for the same
/// number.
///
/// The paper (§4.4): a new view keeps, for each number, the value of the certificate with the
/// highest view.
pub(super) fn p4_replaces(held: u64, found: u64) -> bool {
    found < held
}

/// P5: what a new view begins with, by rising number. `latest` has the certificate that counts for
/// each number that has one, `low` is the stable checkpoint, `last` the last number with one.
///
/// The paper (§4.4): the new primary makes a PRE-PREPARE for *every* number between the two, and where
/// there is no certificate it is one for the null request, which is agreed upon like any other and
/// executes nothing.
pub(super) fn p5_proposals(low: u64, last: u64, latest: &Latest) -> Vec<(u64, Value)> {
    let later = latest.iter().filter(|(sequence, _)| (low + 1..=last).contains(*sequence));
    later.map(|(sequence, (_, value))| (*sequence, *value)).collect()
}

/// P6: up to which number batches and certificates are forgotten by one that has just said its own
/// CHECKPOINT for number `own`. `stable` is the last that a quorum proves.
///
/// The paper (§4.3): a replica discards them for a number when it holds a proof, which is a quorum's
/// CHECKPOINTs, that it is covered.
pub(super) fn p6_forgotten(own: u64, stable: u64) -> u64 {
    own.max(stable)
}
