//! Which rule of a protocol is weak. None, but in a world that wants to see what the rule is for.

/// The weak rule of a protocol, by the name of the mutant. Without the feature `byzantine` there is no
/// such thing, and asking costs nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flaw {
    #[cfg(any(test, feature = "byzantine"))]
    id: Option<&'static str>,
}

/// The word under which a protocol remarks that a weak rule let something pass.
#[cfg(any(test, feature = "byzantine"))]
pub const LABEL: &str = "flaw";

#[cfg(any(test, feature = "byzantine"))]
impl Flaw {
    /// That of the mutant called `id`.
    pub(crate) fn of(id: &'static str) -> Flaw {
        Flaw { id: Some(id) }
    }
}

impl Flaw {
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
