//! Each rule has a test named after it; the rest are stories.

mod attacks;
mod attendance;
mod cluster;
mod life;
mod model;
mod mutants;
mod proof;
mod puppet;
mod recovery;
mod rig;
mod rotation;
mod rules;
mod timeouts;
mod values;
mod walkthrough;
