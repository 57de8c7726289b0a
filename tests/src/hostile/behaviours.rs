//! All that a hostile peer can do, a page each.
//!
//! To add one: a file here with its `ABOUT`, and its place in [`ALL`]. Whatever goes on without end suits;
//! who runs it stops it when the time is up.

use super::{HostileError, Kit};
use futures::future::BoxFuture;

mod asks;
mod bad_blocks;
mod connections;
mod drip;
mod flood;
mod garbage;
mod heights;
mod low_fee;
mod malformed;
mod oversized;
mod replay;
mod stall;
mod substreams;
mod unasked;
mod unfunded;
mod wrong_chain;

/// One way of doing harm.
#[derive(Debug)]
pub struct Behaviour {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Does it, until it is dropped.
    pub run: fn(Kit) -> BoxFuture<'static, Result<(), HostileError>>,
}

/// Every one, in the order of their names.
pub const ALL: &[&Behaviour] = &[
    &asks::ABOUT,
    &bad_blocks::ABOUT,
    &connections::ABOUT,
    &drip::ABOUT,
    &flood::ABOUT,
    &garbage::ABOUT,
    &heights::ABOUT,
    &low_fee::ABOUT,
    &malformed::ABOUT,
    &oversized::ABOUT,
    &replay::ABOUT,
    &stall::ABOUT,
    &substreams::ABOUT,
    &unasked::ABOUT,
    &unfunded::ABOUT,
    &wrong_chain::ABOUT,
];

/// The behaviour of a name.
pub fn find(name: &str) -> Option<&'static Behaviour> {
    ALL.iter().copied().find(|behaviour| behaviour.name == name)
}
