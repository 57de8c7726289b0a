//! The commands that need no node: `new`, `import`, `list`, `address`.

use super::{
    Session,
    reports::{AddressReport, ListReport, Stored},
};
use crate::{
    cli::PassphraseOptions, error::Error, name::AccountName, phrase::Phrase, report::Exit,
};
use std::{fmt::Write, path::Path};
use zeroize::Zeroizing;

/// Makes an account and shows its phrase, to a person only.
pub(super) fn new(
    session: &mut Session<'_>,
    name: &str,
    passphrase: &PassphraseOptions,
) -> Result<Exit, Error> {
    let name: AccountName = name.parse()?;
    let keystore = session.keystore()?;
    keystore.expect_free(&name)?;
    let passphrase = session.secrets(&passphrase.passphrase_file).new_passphrase(&name)?;
    let phrase = Phrase::generate();
    let account = keystore.create(&name, &phrase.key(), &passphrase)?;
    let file = keystore.path(&name);
    session.output.result(&Stored { verb: "Made", account, file: file.clone() });
    if session.output.is_watched() {
        session.output.remark(table(&phrase).as_str());
    } else {
        // A file or a pipe would keep the words, so they are shown to nobody.
        session.output.remark(format_args!(
            "The recovery phrase was not shown, since standard error is no terminal: keep a copy \
             of {}.",
            file.display()
        ));
    }
    Ok(Exit::Holds)
}

/// Brings an account back from its phrase.
pub(super) fn import(
    session: &mut Session<'_>,
    name: &str,
    phrase_file: Option<&Path>,
    passphrase: &PassphraseOptions,
) -> Result<Exit, Error> {
    let name: AccountName = name.parse()?;
    let keystore = session.keystore()?;
    keystore.expect_free(&name)?;
    let mut secrets = session.secrets(&passphrase.passphrase_file);
    let phrase = secrets.phrase(phrase_file)?;
    let passphrase = secrets.new_passphrase(&name)?;
    let account = keystore.create(&name, &phrase.key(), &passphrase)?;
    let file = keystore.path(&name);
    session.output.result(&Stored { verb: "Imported", account, file });
    Ok(Exit::Holds)
}

/// Lists the accounts, and complains about what is damaged.
pub(super) fn list(session: &mut Session<'_>) -> Result<Exit, Error> {
    let dir = session.dir()?;
    let listing = session.keystore()?.list()?;
    let exit = if listing.damaged.is_empty() { Exit::Holds } else { Exit::BadInput };
    let damaged: Vec<_> = listing.damaged.iter().map(ToString::to_string).collect();
    for message in &damaged {
        session.output.remark(message);
    }
    session.output.result(&ListReport { dir, accounts: listing.accounts, damaged });
    Ok(exit)
}

/// Prints an address and nothing else, so that it can be used in a command line.
pub(super) fn address(session: &mut Session<'_>, name: &str) -> Result<Exit, Error> {
    let account = session.keystore()?.account(&name.parse()?)?;
    session.output.result(&AddressReport { name: account.name, address: account.address });
    Ok(Exit::Holds)
}

/// The words in rows of four, numbered, for a person to write down.
fn table(phrase: &Phrase) -> Zeroizing<String> {
    // Of its final size, so that it is never moved and no copy stays behind unwiped.
    let mut text = Zeroizing::new(String::with_capacity(1024));
    text.push_str(
        "\nThis is the recovery phrase. Write it down on paper: it is shown only now, and whoever \
         has it has the account.\n\n",
    );
    for (index, word) in phrase.words().enumerate() {
        let end = if index % 4 == 3 { "\n" } else { "" };
        let _ = write!(text, "  {:>2} {word:<9}{end}", index + 1);
    }
    text
}
