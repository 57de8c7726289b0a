//! Which rule of a protocol is weak. None, but in a world that wants to see what the rule is for.

/// The weak rule of a protocol, by the name of the mutant. Without the feature `byzantine` there is no
/// such thing, and asking costs nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flaw {
    #[cfg(any(test, feature = "byzantine"))]
    id: Option<&'static str>,
    /// How many pass for a quorum, whatever their stake, where an experiment asks for so many.
    #[cfg(any(test, feature = "byzantine"))]
    quorum: Option<u32>,
}

/// The word under which a protocol remarks that a weak rule let something pass.
#[cfg(any(test, feature = "byzantine"))]
pub const LABEL: &str = "flaw";

#[cfg(any(test, feature = "byzantine"))]
impl Flaw {
    /// That of the mutant called `id`.
    pub(crate) fn of(id: &'static str) -> Flaw {
        Flaw { id: Some(id), quorum: None }
    }

    /// A quorum of so many replicas, all of whom weigh the same, in place of the sound one: for whoever
    /// measures what a quorum is for. Which modules heed it they say
    /// themselves: [`Module::heeds_quorum`](crate::catalogue::Module::heeds_quorum).
    pub fn with_quorum(replicas: u32) -> Flaw {
        Flaw { id: None, quorum: Some(replicas) }
    }
}

impl Flaw {
    /// How many pass for a quorum. None where the sound rule counts.
    #[inline]
    pub(crate) fn quorum(self) -> Option<u32> {
        #[cfg(any(test, feature = "byzantine"))]
        return self.quorum;
        #[cfg(not(any(test, feature = "byzantine")))]
        None
    }

    /// Whether it is this one.
    #[inline]
    pub(crate) fn is(self, id: &str) -> bool {
        #[cfg(any(test, feature = "byzantine"))]
        return self.id == Some(id);
        #[cfg(not(any(test, feature = "byzantine")))]
        {
            let _ = id;
            false
        }
    }
}
