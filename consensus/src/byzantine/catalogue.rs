//! Which lies there are, by module. A lie that fits every protocol is a file beside this one and an
//! entry in [`every`]; one that knows a protocol is told of by [`Protocol::lies`].

use super::{
    Lie, bent, crash::Crash, delay::Delay, drop::Drop, garbage::Garbage, replay::Replay,
    silent::Silent, stale::Stale,
};
use crate::{
    catalogue::{self, Module, UnknownModule, Visitor},
    protocol::Protocol,
};
use serde::Serialize;

/// What people are told of a lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct About {
    /// What it is called in a scenario.
    pub name: &'static str,
    /// What it does.
    pub line: &'static str,
    /// Where it comes from: paper and section.
    pub source: &'static str,
    /// Whether only this module can be lied about so; others fit every module.
    pub knowing: bool,
    /// Whether it takes two whole replicas with one key.
    pub twins: bool,
}

/// Makes a lie for one life.
pub type Make<P> = fn() -> Box<dyn Lie<P>>;

/// A lie that can be told about `P`.
pub struct Entry<P: Protocol> {
    about: About,
    /// None where two honest replicas are all it takes, and the lie is in whom each of them meets.
    make: Option<Make<P>>,
}

impl<P: Protocol> Entry<P> {
    /// A lie that knows its protocol.
    pub fn knowing(
        name: &'static str,
        line: &'static str,
        source: &'static str,
        make: Make<P>,
    ) -> Entry<P> {
        Entry { about: About { name, line, source, knowing: true, twins: false }, make: Some(make) }
    }

    /// One that knows its protocol, told by two machines with one key.
    pub(crate) fn knowing_twins(
        name: &'static str,
        line: &'static str,
        source: &'static str,
        make: Make<P>,
    ) -> Entry<P> {
        Entry { about: About { name, line, source, knowing: true, twins: true }, make: Some(make) }
    }

    /// `invalid-block`, where what is proposed names the state that it leads to.
    pub(crate) fn invalid_block() -> Entry<P> {
        Entry::knowing(
            INVALID_BLOCK.0,
            "builds blocks that name a wrong state",
            INVALID_BLOCK.1,
            || Box::new(bent::InvalidBlock),
        )
    }

    fn plain(
        name: &'static str,
        line: &'static str,
        source: &'static str,
        make: Make<P>,
    ) -> Entry<P> {
        Entry {
            about: About { name, line, source, knowing: false, twins: false },
            make: Some(make),
        }
    }

    /// What people are told of it.
    pub fn about(&self) -> About {
        self.about
    }

    /// The lie, for one life; none if each of two [twins](Entry::is_twins) is honest by itself.
    pub fn lie(&self) -> Option<Box<dyn Lie<P>>> {
        self.make.map(|make| make())
    }

    /// Whether it takes two whole replicas with one key, each of which meets one part of the others:
    /// [`Plot::side`](super::Plot::side).
    pub fn is_twins(&self) -> bool {
        self.about.twins
    }
}

/// What the lie about invalid blocks is called everywhere, and where it is from.
pub(crate) const INVALID_BLOCK: (&str, &str) = (
    "invalid-block",
    "Cachin, Kursawe, Petzold, Shoup, \"Secure and Efficient Asynchronous Broadcast Protocols\", CRYPTO \
     2001, external validity",
);

/// The lies that fit every protocol.
fn every<P: Protocol>() -> Vec<Entry<P>> {
    const FAULTS: &str = "Cristian, \"Understanding Fault-Tolerant Distributed Systems\", CACM 1991, \
                          failure classification";
    vec![
        Entry::plain("silent", "says nothing, and hears all", FAULTS, || Box::new(Silent)),
        Entry::plain(
            "crash",
            "follows the protocol for a while, then takes no step any more",
            FAULTS,
            || Box::<Crash>::default(),
        ),
        Entry::plain("delay", "says everything 0.1 s to 2 s late", FAULTS, || {
            Box::new(Delay::<P::Message>::new())
        }),
        Entry::plain("drop", "says half of it, to random others only", FAULTS, || Box::new(Drop)),
        Entry::plain(
            "replay",
            "repeats old messages, its own and others'",
            "Syverson, \"A Taxonomy of Replay Attacks\", CSFW 1994",
            || Box::new(Replay::<P::Message>::new()),
        ),
        Entry::plain("stale", "acts on what it heard 0.7 s ago", FAULTS, || {
            Box::new(Stale::<P::Message>::new())
        }),
        Entry {
            about: About {
                name: "equivocate",
                line: "two replicas with one key, each shown to one part of the others",
                source: "Bano et al., \"Twins: BFT Systems Made Robust\", OPODIS 2021, section 3",
                knowing: false,
                twins: true,
            },
            make: None,
        },
        Entry::plain(
            "garbage",
            "signs spoilt copies of its messages",
            "Lamport, Shostak, Pease, \"The Byzantine Generals Problem\", TOPLAS 1982, section 1",
            || Box::new(Garbage),
        ),
        Entry::plain(
            "censor",
            "leaves one sender's transactions out of its blocks",
            "Miller et al., \"The Honey Badger of BFT Protocols\", CCS 2016, censorship resilience",
            || Box::<bent::Censor>::default(),
        ),
    ]
}

/// All lies that can be told about `P`.
fn all<P: Protocol>() -> Vec<Entry<P>> {
    every().into_iter().chain(P::lies()).collect()
}

/// The lie called `name` about `P`, if there is one.
pub fn choose<P: Protocol>(name: &str) -> Result<Entry<P>, UnknownLie> {
    let mut all = all::<P>();
    match all.iter().position(|entry| entry.about.name == name) {
        Some(at) => Ok(all.swap_remove(at)),
        None => {
            let known = all.iter().map(|entry| entry.about.name).collect();
            Err(UnknownLie { name: name.to_owned(), known })
        }
    }
}

/// All lies that can be told about the module called `module`.
///
/// # Errors
/// If there is no such module.
pub fn list(module: &str) -> Result<Vec<About>, UnknownModule> {
    struct List;

    impl Visitor for List {
        type Output = Vec<About>;

        fn visit<P: Module>(self) -> Self::Output {
            all::<P>().iter().map(Entry::about).collect()
        }
    }

    catalogue::dispatch(module, List)
}

/// The lie called `name` about the module called `module`.
///
/// # Errors
/// If there is no such module, or it has no such lie: the error lists those there are.
pub fn find(module: &str, name: &str) -> Result<About, NoLie> {
    struct Find<'a>(&'a str);

    impl Visitor for Find<'_> {
        type Output = Result<About, UnknownLie>;

        fn visit<P: Module>(self) -> Self::Output {
            choose::<P>(self.0).map(|entry| entry.about)
        }
    }

    Ok(catalogue::dispatch(module, Find(name))??)
}

/// No lie has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no lie called {name:?}; there are: {}", known.join(", "))]
pub struct UnknownLie {
    /// What was asked for.
    pub name: String,
    /// What there is.
    pub known: Vec<&'static str>,
}

/// Why a lie cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLie {
    /// There is no such module.
    #[error(transparent)]
    Module(#[from] UnknownModule),
    /// It has no such lie.
    #[error(transparent)]
    Lie(#[from] UnknownLie),
}
