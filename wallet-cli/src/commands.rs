//! What each command does, from its arguments to its report.

mod accounts;
mod bond;
mod chain;
mod compare;
mod completions;
mod history;
mod light;
mod page;
mod reports;
mod send;
mod stake;
#[cfg(test)]
mod tests;

use crate::{
    cli::{Command, Options, Wallet},
    client::{Client, NodeUrl},
    committees::{CommitteeFile, Committees, can_change},
    environment::Environment,
    error::Error,
    keystore::Keystore,
    name::looks_like_an_address,
    nodes::View,
    report::{Exit, Output},
    secrets::{Prompt, Secrets},
};
use consensus::catalogue::{self, BadModule, Depths};
use crypto::Address;
use ledger::{Genesis, TransactionId, genesis::BadGenesis};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Does what the command line says, and reports it to `output`.
pub fn run(
    wallet: Wallet,
    environment: &Environment,
    prompt: &mut dyn Prompt,
    output: Output,
) -> Exit {
    let Wallet { command, options } = wallet;
    let mut session = Session { options, environment, prompt, output, kept_changes: 0 };
    let done = match command {
        Command::New { name, passphrase } => accounts::new(&mut session, &name, &passphrase),
        Command::Import { name, phrase_file, passphrase } => {
            accounts::import(&mut session, &name, phrase_file.as_deref(), &passphrase)
        }
        Command::List => accounts::list(&mut session),
        Command::Address { name } => accounts::address(&mut session, &name),
        Command::Balance { account } => chain::balance(&mut session, &account),
        Command::Send(transfer) => send::send(&mut session, &transfer),
        Command::Stake { account } => stake::stake(&mut session, account.as_deref()),
        Command::Bond(bonding) => bond::bond(&mut session, &bonding),
        Command::Unbond(unbonding) => bond::unbond(&mut session, &unbonding),
        Command::Status { transaction } => chain::status(&mut session, &transaction),
        Command::Verify { transaction } => chain::verify(&mut session, &transaction),
        Command::History { account, limit } => history::history(&mut session, &account, limit),
        Command::Completions { shell } => completions::completions(&mut session, shell),
    };
    done.unwrap_or_else(|error| {
        session.output.error(error.code(), &error.to_string(), error.details());
        error.exit()
    })
}

/// One command's surroundings.
struct Session<'a> {
    options: Options,
    environment: &'a Environment,
    prompt: &'a mut dyn Prompt,
    output: Output,
    /// How many changes of the committee are on disk.
    kept_changes: usize,
}

impl Session<'_> {
    fn dir(&self) -> Result<PathBuf, Error> {
        Ok(self.environment.wallet_dir(self.options.dir.as_deref())?)
    }

    fn keystore(&self) -> Result<Keystore, Error> {
        self.dir().map(Keystore::open)
    }

    /// What the wallet trusts: `--genesis`, else `genesis.json` in its directory.
    fn genesis(&self) -> Result<Genesis, Error> {
        let path = match &self.options.genesis {
            Some(path) => path.clone(),
            None => self.dir()?.join("genesis.json"),
        };
        match fs::read_to_string(&path) {
            Ok(text) => Genesis::parse(&text).map_err(|reason| Error::Genesis { path, reason }),
            Err(source) => Err(Error::NoGenesis { path, source }),
        }
    }

    /// Who decides which height, as far as it was followed before: the founders, and what is kept in the
    /// wallet's directory.
    fn committees(&mut self, genesis: &Genesis) -> Result<Committees, Error> {
        let mut committees = Committees::of(genesis).map_err(|reason| {
            let path = PathBuf::from("genesis.json");
            Error::Genesis { path, reason: BadGenesis::Committee(reason) }
        })?;
        if !can_change(genesis) {
            return Ok(committees);
        }
        // Without a directory everything is asked for.
        let Ok(dir) = self.dir() else { return Ok(committees) };
        let file = CommitteeFile::new(&dir, genesis);
        match file.load(&mut committees) {
            Ok(None) => {}
            Ok(Some(damage)) if !self.output.is_json() => self.output.remark(format_args!(
                "The committees kept in {} are asked for anew: {damage}.",
                file.path().display()
            )),
            Ok(Some(_)) => {}
            Err(source) => return Err(Error::File { path: file.path().to_owned(), source }),
        }
        self.kept_changes = committees.changes();
        Ok(committees)
    }

    /// Keeps what was followed, for the next call.
    fn keep(&self, committees: &Committees) -> Result<(), Error> {
        if committees.changes() <= self.kept_changes {
            return Ok(());
        }
        let Ok(dir) = self.dir() else { return Ok(()) };
        let file = CommitteeFile::new(&dir, committees.genesis());
        let saved = file.save(committees, self.kept_changes);
        saved.map_err(|source| Error::File { path: file.path().to_owned(), source })
    }

    /// As [`Session::keep`], of those that any node proved the most.
    fn keep_longest<T>(&self, views: &[View<T>]) -> Result<(), Error> {
        let all = views.iter().map(|view| &view.committees);
        all.max_by_key(|committees| committees.changes()).map_or(Ok(()), |most| self.keep(most))
    }

    /// Whom to ask: `--node`, else `WALLET_NODE`, else `node.url` in the wallet's directory, else
    /// the default.
    fn client(&self) -> Result<Client, Error> {
        let mut nodes = match (self.nodes_in_options()?, &self.environment.node) {
            (options, _) if !options.is_empty() => options,
            (_, Some(variable)) => NodeUrl::list(variable)?,
            (_, None) => self.nodes_in_directory()?,
        };
        if nodes.is_empty() {
            nodes.push(NodeUrl::default_node());
        }
        Ok(Client::new(nodes))
    }

    /// As [`Session::client`], for commands that compare: several `--node` are asked each by itself.
    /// Several nodes in the variable or the file stand in for each other and remain one client.
    fn clients(&self) -> Result<Vec<Client>, Error> {
        let mut named: Vec<NodeUrl> = Vec::new();
        for node in self.nodes_in_options()? {
            // A node agrees with itself, which tells nothing.
            if !named.contains(&node) {
                named.push(node);
            }
        }
        match named.as_slice() {
            [] | [_] => Ok(vec![self.client()?]),
            _ => Ok(named.into_iter().map(|node| Client::new(vec![node])).collect()),
        }
    }

    fn nodes_in_options(&self) -> Result<Vec<NodeUrl>, Error> {
        Ok(self.options.node.iter().map(|url| url.parse()).collect::<Result<_, _>>()?)
    }

    fn nodes_in_directory(&self) -> Result<Vec<NodeUrl>, Error> {
        let Ok(dir) = self.dir() else { return Ok(Vec::new()) };
        let path = dir.join("node.url");
        match fs::read_to_string(&path) {
            Ok(text) => NodeUrl::list(&text).map_err(|reason| Error::NodeFile { path, reason }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(Error::File { path, source }),
        }
    }

    /// An address, or that of an account of this wallet.
    fn resolve(&self, text: &str) -> Result<Address, Error> {
        if looks_like_an_address(text) {
            return Ok(text.parse()?);
        }
        Ok(self.keystore()?.account(&text.parse()?)?.address)
    }

    fn secrets<'s>(&'s mut self, file: &'s Option<PathBuf>) -> Secrets<'s> {
        Secrets {
            file: file.as_deref().map(Path::new),
            environment: self.environment.passphrase.as_ref(),
            prompt: self.prompt,
        }
    }
}

/// How deep a block must lie on the genesis' chain; none where blocks are final as soon as they are
/// decided. A module that nobody here knows can prove nothing, which is told where a proof is read.
fn depths(genesis: &Genesis) -> Result<Option<Depths>, Error> {
    match catalogue::depths(genesis) {
        Ok(depths) => Ok(depths),
        Err(BadModule::Unknown(_)) => Ok(None),
        Err(BadModule::Settings(reason)) => Err(reason.into()),
    }
}

fn transaction_id(text: &str) -> Result<TransactionId, Error> {
    Ok(text.parse()?)
}
