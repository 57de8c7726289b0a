//! Stories across crates, and peers that mean harm.
//!
//! The stories themselves are the integration tests of this package; [`survive`] and its neighbours are
//! what they share. [`hostile`] is a peer that speaks libp2p by itself and does what no node of ours would:
//! the program `hostile-peer`. [`siege`] founds a net, loads it, sends such peers against it and measures
//! what is left of it: the program of that name.

pub mod hostile;
pub mod siege;
mod stories;

pub use stories::{survive, survive_a_silent_third, tendermint};
