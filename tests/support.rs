//! Stories across crates; this file holds what they share.
