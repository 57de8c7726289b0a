//! What is weak in a replica. Nothing, but in a world that wants to see what these rules are for.

/// The weak rule of a replica. Without the feature `mutants`, which only the simulator turns on, there
/// is no such thing, and asking costs nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Weak {
    #[cfg(any(test, feature = "mutants"))]
    rule: Option<Rule>,
}

/// A rule that a replica may lack.
#[cfg(any(test, feature = "mutants"))]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// The signer signs one message in a slot: without it a second and different one, too. It
    /// remembers the first, and a third is refused as ever.
    SignOnce,
    /// The inbox hands on each message once: without it, each time it comes.
    HearOnce,
}

#[cfg(any(test, feature = "mutants"))]
impl Weak {
    /// A replica that lacks `rule`.
    pub fn lacking(rule: Rule) -> Weak {
        Weak { rule: Some(rule) }
    }
}

impl Weak {
    /// Whether a second message in a slot is signed.
    pub(crate) fn signs_twice(self) -> bool {
        #[cfg(any(test, feature = "mutants"))]
        return self.rule == Some(Rule::SignOnce);
        #[cfg(not(any(test, feature = "mutants")))]
        false
    }

    /// Whether what was heard is handed on again.
    pub(crate) fn hears_twice(self) -> bool {
        #[cfg(any(test, feature = "mutants"))]
        return self.rule == Some(Rule::HearOnce);
        #[cfg(not(any(test, feature = "mutants")))]
        false
    }
}
