//! What is in a net's directory: a genesis, keys, configurations, a wallet.
//!
//! The genesis says who votes and by which rules; `testnet.json` adds only what the genesis does
//! not know, which is where the nodes listen and what the funded accounts are called here.

use super::{
    home::Place,
    liars::{self, Actor, BadLiars, Liars},
    ports::{self, Ports},
};
use crate::span;
use consensus::catalogue::{self, Depths};
use crypto::{Address, PublicKey, SecretKey};
use ledger::{
    Amount, ChainId, Genesis,
    genesis::{BadGenesis, Funded, Validator},
};
use node::{
    config::{KeyError, Mining},
    network::Transport,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;
use wallet_cli::keystore::{Keystore, KeystoreError};

mod files;
mod founding;
mod joining;
pub mod leak;

#[cfg(test)]
mod tests;

pub use founding::DEFAULT_SHARE;
pub use leak::LeakWish;

/// The most nodes of one net: each is a process on this machine.
pub const MOST_REPLICAS: u32 = 16;

/// Who gets money at the beginning.
const ACCOUNTS: [&str; 4] = ["alice", "bob", "carol", "dave"];
const BALANCE: Amount = Amount(1_000_000);

/// What a person asked for. What was left open is the default on a new net, and what it is on one
/// that exists.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Wish {
    /// The module, by its name in the catalogue.
    pub consensus: Option<String>,
    /// How many nodes.
    pub replicas: Option<u32>,
    /// How long an idle chain waits between blocks; the mean time between two, where blocks take
    /// work.
    pub block_time: Option<Duration>,
    /// What the genesis should set, by the names that the module and the ledger give it.
    pub settings: BTreeMap<String, u64>,
    /// How much of a core each node's miner uses, above 0 and at most 1. It is no part of the
    /// genesis, and may change when a net is gone on with.
    pub miner_share: Option<f64>,
    /// What carries the bytes between nodes. It may change when a net is gone on with.
    pub transport: Option<Transport>,
    /// Whether the nodes of a new net write traces.
    pub trace: bool,
    /// Who is to lie, and how. It stays so when the net is gone on with.
    pub byzantine: Liars,
    /// How the votes of the absent are to fade.
    pub leak: LeakWish,
    /// Who has what, where a scenario says it: the genesis then sets nothing that neither the wish nor the
    /// module's customs say. On a new net only.
    pub cast: Option<Cast>,
}

/// Who has what on the chain of a scenario.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cast {
    /// What each founder has at stake, by its id; those past the end have one.
    pub stakes: Vec<u64>,
    /// How many nodes there are besides that are no validators in the beginning, and may become some: each
    /// has an account with as much money as the others.
    pub candidates: u32,
}

/// A chain with a node for each validator, ready to be started.
#[derive(Clone, Debug)]
pub struct Net {
    /// Where everything lies.
    pub place: Place,
    /// Where the chain begins.
    pub genesis: Genesis,
    /// What the genesis does not know.
    pub record: Record,
}

/// What `testnet.json` holds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Where each node listens, by its id.
    pub nodes: Vec<Ports>,
    /// The keys of those nodes that came after the founding, whose ids follow the founders'.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<PublicKey>,
    /// The funded accounts, whose keys are in the wallet.
    pub accounts: Vec<NamedAccount>,
    /// Whether the nodes write traces.
    #[serde(default)]
    pub trace: bool,
    /// What carries the bytes between nodes.
    #[serde(default, skip_serializing_if = "Transport::is_default")]
    pub transport: Transport,
    /// How each node mines; none where blocks take no work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miner: Option<Mining>,
    /// Who lies, and how.
    #[serde(default, skip_serializing_if = "Liars::is_empty")]
    pub byzantine: Liars,
    /// Where the second ones of twins listen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub twins: BTreeMap<u32, Ports>,
}

/// A funded account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NamedAccount {
    /// What the wallet calls it.
    pub name: String,
    /// What the chain calls it.
    pub address: Address,
}

impl Wish {
    /// Checks what can be checked before anything is touched.
    ///
    /// # Errors
    ///
    /// [`NetError::Consensus`] for a name the catalogue does not know.
    pub fn check(&self) -> Result<(), NetError> {
        match self.consensus.as_deref() {
            Some(name) if !catalogue::NAMES.contains(&name) => {
                Err(NetError::Consensus(catalogue::UnknownModule { name: name.to_owned() }))
            }
            _ => Ok(()),
        }
    }

    /// Checks all that can be checked before a new chain is begun.
    ///
    /// # Errors
    ///
    /// As [`Wish::check`], and what module and ledger say of the settings.
    pub fn check_new(&self) -> Result<(), NetError> {
        founding::check(self)
    }
}

impl Net {
    /// Founds a chain in an empty place: fresh keys, a genesis of this moment, funded accounts.
    ///
    /// # Errors
    ///
    /// As [`Wish::check_new`], and whatever the disk says.
    pub fn found(place: Place, wish: &Wish) -> Result<Net, NetError> {
        Net::found_with(place, wish, &[])
    }

    /// The same, with further accounts that have money, whose keys are the caller's business.
    ///
    /// # Errors
    ///
    /// As [`Net::found`].
    pub fn found_with(place: Place, wish: &Wish, further: &[Funded]) -> Result<Net, NetError> {
        founding::check(wish)?;
        let founders = founding::replicas(wish);
        let validators = (0..founders)
            .map(|id| {
                let key = files::validator(&place.node(id))?;
                Ok(Validator { key, stake: founding::stake(wish, id) })
            })
            .collect::<Result<Vec<_>, NetError>>()?;
        let candidates = wish.cast.as_ref().map_or(0, |cast| cast.candidates);
        let mut further = further.to_vec();
        for id in founders..founders + candidates {
            let address = files::validator(&place.node(id))?.address();
            further.push(Funded { address, balance: BALANCE });
        }
        let mut nodes = ports::choose(validators.len() * 2).map_err(NetError::Ports)?;
        let seconds = nodes.split_off(validators.len());
        let accounts = found_accounts(&place)?;
        let funded = accounts
            .iter()
            .map(|account| Funded { address: account.address, balance: BALANCE })
            .chain(further.iter().cloned());
        let mut genesis = founding::draft(wish, validators, funded.collect())?;
        let miner = founding::mining(wish, &genesis)?;
        if let Some(mining) = miner {
            founding::calibrate(wish, &mut genesis, mining);
        }
        for path in [place.genesis(), place.wallet().join("genesis.json")] {
            files::write(&path, &(genesis.to_json() + "\n"))?;
        }
        let byzantine = wish.byzantine.clone();
        let is_twins = |id: &u32| byzantine.is_twins(&genesis.consensus, *id);
        let twins = (0..).zip(seconds).filter(|(id, _)| is_twins(id)).collect();
        let (joined, trace) = (Vec::new(), wish.trace);
        let transport = wish.transport.unwrap_or_default();
        let record = Record { nodes, joined, accounts, trace, transport, miner, byzantine, twins };
        let mut net = Net { place, genesis, record };
        for id in net.record.twins.keys() {
            files::copy_key(&net.place.node(*id), &net.place.twin(*id))?;
        }
        net.write_addresses()?;
        for _ in 0..candidates {
            net.join()?;
        }
        Ok(net)
    }

    /// Goes on with the chain that was founded in a place.
    ///
    /// # Errors
    ///
    /// [`NetError::Differs`] if the wish contradicts the chain, [`NetError::Damaged`] if the
    /// files do not belong together, and whatever the disk says.
    pub fn resume(place: Place, wish: &Wish) -> Result<Net, NetError> {
        wish.check()?;
        let genesis = Genesis::parse(&read(&place.genesis())?)?;
        catalogue::check(&genesis)?;
        let record: Record = serde_json::from_str(&read(&place.record())?).map_err(|error| {
            NetError::Damaged { path: place.record(), reason: error.to_string() }
        })?;
        let mut net = Net { place, genesis, record };
        let (nodes, joined) = (net.record.nodes.len(), net.record.joined.len());
        let founders = net.genesis.validators.len();
        if nodes != founders + joined {
            return Err(NetError::Damaged {
                path: net.place.record(),
                reason: format!(
                    "it lists {nodes} nodes, of which {joined} joined later, and the genesis \
                     {founders} validators"
                ),
            });
        }
        net.agree(wish)?;
        net.record.byzantine.check(&net.genesis.consensus, net.founders())?;
        let mut changed = net.refresh_ports().map_err(NetError::Ports)?;
        if wish.miner_share.is_some() {
            net.record.miner = founding::mining(wish, &net.genesis)?;
            changed = true;
        }
        if let Some(transport) = wish.transport {
            changed |= transport != net.record.transport;
            net.record.transport = transport;
        }
        if changed {
            net.write_addresses()?;
        }
        Ok(net)
    }

    /// The chain's name.
    pub fn chain_id(&self) -> ChainId {
        self.genesis.chain_id()
    }

    /// The nodes' numbers.
    pub fn ids(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.len()
    }

    /// How many nodes there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.record.nodes.len()).expect("a committee is small")
    }

    /// Never true: a genesis has a validator.
    pub fn is_empty(&self) -> bool {
        self.record.nodes.is_empty()
    }

    /// The second processes of those that have one.
    pub fn seconds(&self) -> impl Iterator<Item = u32> {
        self.record.twins.keys().copied()
    }

    /// Whom a process has to do with: which node, and which process of it.
    pub fn met_by(&self, actor: Actor) -> Vec<Actor> {
        let plot =
            liars::plot(self.chain_id(), self.founders(), self.record.byzantine.0.keys().copied());
        let twins = |id: u32| self.record.twins.contains_key(&id);
        let others = self.ids().filter(|id| *id != actor.id);
        others.filter_map(|id| liars::meets(&plot, twins, actor, id)).collect()
    }

    /// Where a process listens.
    fn ports(&self, actor: Actor) -> Ports {
        match actor.second {
            true => self.record.twins[&actor.id],
            false => self.record.nodes[actor.id as usize],
        }
    }

    /// Replaces the ports that somebody else has taken meanwhile.
    fn refresh_ports(&mut self) -> io::Result<bool> {
        let Record { nodes, twins, .. } = &mut self.record;
        let mut all: Vec<_> = nodes.iter().chain(twins.values()).copied().collect();
        let changed = ports::refresh(&mut all)?;
        let places = nodes.iter_mut().chain(twins.values_mut());
        places.zip(all).for_each(|(place, ports)| *place = ports);
        Ok(changed)
    }

    /// Where a node answers wallets.
    pub fn url(&self, id: u32) -> String {
        format!("http://{}", self.record.nodes[id as usize].rpc)
    }

    /// How deep a block must lie to be counted on; none where a block is final at once.
    pub fn depths(&self) -> Option<Depths> {
        catalogue::depths(&self.genesis).expect("the genesis was checked")
    }

    /// Checks the wish against the chain that is there.
    fn agree(&self, wish: &Wish) -> Result<(), NetError> {
        let differs = |flag, wanted: String, is: String| match wanted == is {
            true => Ok(()),
            false => Err(NetError::Differs { dir: self.place.dir().to_owned(), flag, wanted, is }),
        };
        if let Some(consensus) = &wish.consensus {
            differs("--consensus", consensus.clone(), self.genesis.consensus.clone())?;
        }
        if let Some(replicas) = wish.replicas {
            differs("--replicas", replicas.to_string(), self.founders().to_string())?;
        }
        if let Some(block_time) = wish.block_time {
            let is = span::format(self.genesis.block_time());
            differs("--block-time", span::format(block_time), is)?;
        }
        for (key, value) in &wish.settings {
            let is =
                self.genesis.settings.get(key).map_or("its default".to_owned(), u64::to_string);
            differs("--set", format!("{key}={value}"), format!("{key}={is}"))?;
        }
        wish.leak.agree(&self.genesis, differs)?;
        if !wish.byzantine.is_empty() {
            let is = match &self.record.byzantine {
                nobody if nobody.is_empty() => "no liar".to_owned(),
                liars => liars.to_string(),
            };
            differs("--byzantine", wish.byzantine.to_string(), is)?;
        }
        Ok(())
    }

    /// Writes everything that depends on the ports. The record comes last: a directory that has
    /// one is complete.
    fn write_addresses(&self) -> Result<(), NetError> {
        for id in self.ids() {
            files::configure(self, Actor { id, second: false })?;
        }
        for id in self.seconds() {
            files::configure(self, Actor { id, second: true })?;
        }
        let urls: String = self.ids().map(|id| self.url(id) + "\n").collect();
        files::write(&self.place.wallet().join("node.url"), &urls)?;
        let record = serde_json::to_string_pretty(&self.record).expect("a record is plain data");
        files::write(&self.place.record(), &(record + "\n"))
    }
}

/// Makes the wallet: accounts whose keys are no secret, so that nobody has to type a passphrase.
fn found_accounts(place: &Place) -> Result<Vec<NamedAccount>, NetError> {
    let keystore = Keystore::open(place.wallet());
    let found = |name: &str| {
        let key = SecretKey::generate();
        keystore.create_dev(&name.parse().expect("our own names are names"), &key)?;
        Ok(NamedAccount { name: name.to_owned(), address: key.public().address() })
    };
    ACCOUNTS.into_iter().map(found).collect()
}

fn read(path: &Path) -> Result<String, NetError> {
    fs::read_to_string(path).map_err(|source| NetError::Disk { path: path.to_owned(), source })
}

/// Why there is no net.
#[derive(Debug, Error)]
pub enum NetError {
    /// No module is called so.
    #[error("{0}; choose one with --consensus NAME")]
    Consensus(catalogue::UnknownModule),
    /// The flag and the chain say different things.
    #[error(
        "{flag} {wanted} contradicts the chain in {}, which has {is}; leave the flag out to go on \
         with that chain, or give another --dir for a new one", dir.display()
    )]
    Differs {
        /// Where the chain is.
        dir: PathBuf,
        /// The flag that was given.
        flag: &'static str,
        /// Its value.
        wanted: String,
        /// What the chain has.
        is: String,
    },
    /// A file is not what the testnet wrote.
    #[error("{} is damaged: {reason}; restore it, or give another --dir for a new chain", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The module cannot run so.
    #[error("{0}; --set KEY=VALUE and --block-time change what a new chain's genesis says")]
    Module(#[from] catalogue::BadModule),
    /// A setting that nobody would read.
    #[error(
        "--set {key}: the settings of this chain begin with \"{consensus}.\" or \"ledger.\"; \
         correct it, or choose another module with --consensus"
    )]
    ForeignSetting {
        /// As it was given.
        key: String,
        /// The module.
        consensus: String,
    },
    /// Twins know one part of the others each, and nobody has said which part a newcomer is in.
    #[error("node {0} is two processes that share the others between them, so nobody can join")]
    Twins(u32),
    /// Each node is a process.
    #[error("there are {0} nodes, and there can be no more than {MOST_REPLICAS} on one machine")]
    Many(u32),
    /// The wallet has something else under the node's name.
    #[error("the wallet has an account {0:?} with another key than the node's; move it away first")]
    OtherAccount(String),
    /// Nobody can lie so.
    #[error("--byzantine: {0}")]
    Liars(#[from] BadLiars),
    /// Nobody's votes fade there.
    #[error(
        "{flag}: {consensus} has no inactivity leak: nobody's say in its blocks fades, however long it is \
         away; leave the flag out, or choose --consensus {others}"
    )]
    NoLeak {
        /// What asks for one.
        flag: String,
        /// The module.
        consensus: String,
        /// Those that have one.
        others: String,
    },
    /// Flags of a leak that contradict one another.
    #[error("{0}")]
    Leak(String),
    /// There is nothing to mine.
    #[error(
        "--miner-share is for chains whose blocks take work, and those of {consensus} take none; leave it out"
    )]
    NoMiner {
        /// The module.
        consensus: String,
    },
    /// No chain can begin so.
    #[error(transparent)]
    Genesis(#[from] BadGenesis),
    /// A validator's key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The wallet refused an account.
    #[error(transparent)]
    Wallet(#[from] KeystoreError),
    /// No ports.
    #[error("no free ports on 127.0.0.1: {0}; stop some programs and try again")]
    Ports(io::Error),
    /// The disk refused.
    #[error("{}: {source}; check that the directory is yours and has room", path.display())]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
