//! How the wallet learns what only a person knows: passphrases and recovery phrases.
//!
//! They come from a file, from the environment or from a prompt, and never from an argument, since
//! every process on the machine can read those.

use crate::{
    keystore::Passphrase,
    name::AccountName,
    phrase::{BadPhrase, Phrase},
};
use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};
use thiserror::Error;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// A passphrase or a phrase is a line; more than this is something else.
const LONGEST_FILE: u64 = 64 * 1024;

/// Somebody who can be asked.
pub trait Prompt {
    /// Asks a question and reads one line without showing it; `None` if nobody is there.
    ///
    /// # Errors
    ///
    /// Whatever the terminal says.
    fn ask(&mut self, question: &str) -> io::Result<Option<Passphrase>>;
}

/// The person at the terminal, if there is one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal;

impl Prompt for Terminal {
    fn ask(&mut self, question: &str) -> io::Result<Option<Passphrase>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        rpassword::prompt_password(question).map(|line| Some(Zeroizing::new(line)))
    }
}

/// Where passphrases come from: the file first, then the environment, then a prompt.
pub struct Secrets<'a> {
    /// `--passphrase-file`.
    pub file: Option<&'a Path>,
    /// `WALLET_PASSPHRASE`.
    pub environment: Option<&'a Passphrase>,
    /// Whom to ask else.
    pub prompt: &'a mut dyn Prompt,
}

impl Secrets<'_> {
    /// The passphrase that opens `name`.
    ///
    /// # Errors
    ///
    /// [`SecretsError`]: the file cannot be read, or nobody is there to be asked.
    pub fn passphrase(&mut self, name: &AccountName) -> Result<Passphrase, SecretsError> {
        match self.prepared()? {
            Some(passphrase) => Ok(passphrase),
            None => self.ask(&format!("Passphrase of {name}: "), MissingFor::Passphrase),
        }
    }

    /// A passphrase for the new account `name`. A person is asked twice, since nobody could open
    /// the account after a typing mistake.
    ///
    /// # Errors
    ///
    /// As [`Secrets::passphrase`], and [`SecretsError::Differ`].
    pub fn new_passphrase(&mut self, name: &AccountName) -> Result<Passphrase, SecretsError> {
        if let Some(passphrase) = self.prepared()? {
            return Ok(passphrase);
        }
        let question = format!("New passphrase for {name}: ");
        let first = self.ask(&question, MissingFor::Passphrase)?;
        let second = self.ask("The same once more: ", MissingFor::Passphrase)?;
        if first != second {
            return Err(SecretsError::Differ);
        }
        Ok(first)
    }

    /// The recovery phrase in `file`, or one that a person types.
    ///
    /// # Errors
    ///
    /// As [`Secrets::passphrase`], and [`SecretsError::Phrase`].
    pub fn phrase(&mut self, file: Option<&Path>) -> Result<Phrase, SecretsError> {
        let text = match file {
            Some(file) => read(file)?,
            None => self.ask("Recovery phrase (it is not shown): ", MissingFor::Phrase)?,
        };
        Ok(Phrase::parse(&text)?)
    }

    fn prepared(&self) -> Result<Option<Passphrase>, SecretsError> {
        match (self.file, self.environment) {
            (Some(file), _) => first_line(file).map(Some),
            (None, environment) => Ok(environment.cloned()),
        }
    }

    fn ask(&mut self, question: &str, missing: MissingFor) -> Result<Passphrase, SecretsError> {
        self.prompt
            .ask(question)
            .map_err(SecretsError::Prompt)?
            .ok_or(SecretsError::Nobody(missing))
    }
}

/// What was needed when nobody was there to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MissingFor {
    /// An account's passphrase.
    #[error(
        "a passphrase is needed and there is no terminal to ask; use --passphrase-file FILE or set WALLET_PASSPHRASE"
    )]
    Passphrase,
    /// A recovery phrase.
    #[error("a recovery phrase is needed and there is no terminal to ask; use --phrase-file FILE")]
    Phrase,
}

/// Why a secret is not known.
#[derive(Debug, Error)]
pub enum SecretsError {
    /// There is no terminal.
    #[error("{0}")]
    Nobody(MissingFor),
    /// The passphrase was typed differently the second time.
    #[error("the two passphrases differ; nothing was stored, try again")]
    Differ,
    /// A file of the person's cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The recovery phrase is none.
    #[error(transparent)]
    Phrase(#[from] BadPhrase),
    /// The terminal failed.
    #[error("the terminal failed: {0}; use --passphrase-file FILE or set WALLET_PASSPHRASE")]
    Prompt(io::Error),
}

/// A file without its last line break, which editors add. Further lines would be a mistake.
fn first_line(path: &Path) -> Result<Passphrase, SecretsError> {
    let text = read(path)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains('\n') {
        return Err(unusable(path, "a passphrase file has one line"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn read(path: &Path) -> Result<Zeroizing<String>, SecretsError> {
    // A buffer of its final size is never moved, so no copy stays behind unwiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_FILE as usize + 1));
    File::open(path)
        .and_then(|file| file.take(LONGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|source| SecretsError::File { path: path.to_owned(), source })?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(unusable(path, "it is too long to be a secret that a person knows"));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(unusable(path, "it is not text in UTF-8")),
    }
}

fn unusable(path: &Path, reason: &str) -> SecretsError {
    let source = io::Error::new(io::ErrorKind::InvalidData, reason);
    SecretsError::File { path: path.to_owned(), source }
}
