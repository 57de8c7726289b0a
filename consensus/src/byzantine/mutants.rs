//! Mutants: protocols of which one rule is weakened, to show what that rule is for.
//!
//! A protocol asks its [`Flaw`] wherever one of its rules may be weak. Outside worlds that want mutants
//! there is none, and without the feature `byzantine` none can be made: the answer is a constant. A mutant is
//! no module: a genesis names the module alone, so no chain can ask for one, and no node can run one.
//!
//! What is weak may lie beneath the protocol, in what its replica or its world does for it: [`Beneath`].
//! Whenever a weak rule lets something pass that the sound one would not have, the protocol remarks so
//! under [`LABEL`].

use crate::catalogue::{self, Module, NAMES, UnknownModule, Visitor};
use crate::flaw::Flaw;
use serde::Serialize;

pub use crate::flaw::LABEL;

/// What people are told of a mutant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct About {
    /// What it is called: a letter and a number, as `T3`.
    pub id: &'static str,
    /// What it does otherwise, in a line.
    pub line: &'static str,
    /// The rule that it weakens, and what that rule is for, in a sentence or two.
    pub rule: &'static str,
    /// What comes of it.
    pub breaks: Breaks,
    /// What is weak beneath the protocol.
    #[serde(skip)]
    pub beneath: Beneath,
}

/// The promise that a mutant breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaks {
    /// Two honest replicas hold different blocks final, or one takes back what it counted on.
    Agreement,
    /// Somebody honest never gets on, though the world is calm.
    Progress,
}

/// What is weak in that which carries a protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Beneath {
    /// Nothing.
    #[default]
    Nothing,
    /// A replica signs a second message in a slot.
    SignsTwice,
    /// A replica hands its protocol what it has heard before.
    HearsTwice,
    /// A crash takes what was signed, and what the protocol had persisted.
    Forgets,
    /// A signature over one kind of message passes as one over another.
    ConfusesKinds,
}

/// All mutants of the module called `module`.
///
/// # Errors
/// If there is no such module.
pub fn of(module: &str) -> Result<&'static [About], UnknownModule> {
    struct List;

    impl Visitor for List {
        type Output = &'static [About];

        fn visit<P: Module>(self) -> Self::Output {
            P::mutants()
        }
    }

    catalogue::dispatch(module, List)
}

/// Every mutant with the module it belongs to, in the order of modules.
pub fn all() -> impl Iterator<Item = (&'static str, About)> {
    let of = |module: &'static str| {
        of(module).expect("the catalogue names it").iter().map(move |about| (module, *about))
    };
    NAMES.iter().copied().flat_map(of)
}

/// The mutant called `id`, whatever the case, and the module it belongs to.
///
/// # Errors
/// If there is none: the error lists those there are.
pub fn find(id: &str) -> Result<(&'static str, About), UnknownMutant> {
    all().find(|(_, about)| about.id.eq_ignore_ascii_case(id)).ok_or_else(|| UnknownMutant {
        id: id.to_owned(),
        known: all().map(|(_, about)| about.id).collect(),
    })
}

impl About {
    /// What the protocol is told.
    pub fn flaw(&self) -> Flaw {
        Flaw::of(self.id)
    }
}

/// No mutant has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no mutant called {id:?}; there are: {}", known.join(", "))]
pub struct UnknownMutant {
    /// What was asked for.
    pub id: String,
    /// What there is.
    pub known: Vec<&'static str>,
}
