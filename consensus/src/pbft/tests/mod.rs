//! PBFT's rules one by one, then whole replicas on a table, then what liars and crashes can do.

mod attacks;
mod book;
mod checkpoints;
mod cluster;
mod life;
mod mutants;
mod new_views;
mod proof;
mod puppet;
mod rig;
mod rules;
mod timers;
mod views;
