//! Whole replicas with a flaw, in whole worlds: the checker must find out.
//!
//! A checker that cannot fail is worth nothing. Each story here breaks one thing that the others
//! rest upon; records doctored by hand are in `checker/tests`.

use super::*;
use crate::{
    Goal, Progress, Promises, Transfer, Verdict, Violation,
    checker::{self, Checker, Sight},
};
use consensus::{Protocol, Turn};

mod disks;
mod honest;
mod leak;
mod protocols;

/// The first violation of a verdict that `wanted` takes, told to whoever reads the test's output.
fn find<T>(verdict: &Verdict, wanted: impl Fn(&Violation) -> Option<T>) -> T {
    println!("{verdict}");
    let found = verdict.violations.iter().find_map(wanted);
    found.unwrap_or_else(|| panic!("the checker did not find it: {verdict}"))
}
