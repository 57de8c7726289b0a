//! The chapter's rules, one by one, on a real ledger.

mod attacks;
mod depth;
mod headers;
mod life;
mod mining;
mod mutants;
mod rig;
mod rules;
