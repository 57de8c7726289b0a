//! This program as its children execute it, and as a person would type it.

use std::{
    env, io,
    path::{Path, PathBuf},
};

#[cfg(test)]
mod tests;

/// How to run this very program again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Myself {
    /// The file to execute.
    pub program: PathBuf,
    /// What to type into a shell instead, from where this program was started.
    pub typed: String,
}

impl Myself {
    /// Looks at how this process was started.
    ///
    /// # Errors
    ///
    /// Whatever the system says when it does not know the program's file.
    pub fn find() -> io::Result<Myself> {
        let program = env::current_exe()?;
        // Cargo sets this for what it runs, and only then would `cargo run` work here.
        let by_cargo = env::var_os("CARGO_MANIFEST_DIR").is_some();
        let typed = match (by_cargo, cfg!(debug_assertions)) {
            (true, true) => "cargo run --".to_owned(),
            (true, false) => "cargo run --release --".to_owned(),
            (false, _) => as_typed(&program, env::current_dir().ok().as_deref()),
        };
        Ok(Myself { program, typed })
    }
}

/// One word of a shell command, quoted if it has to be.
pub fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A path as one word of a shell command.
pub fn quote_path(path: &Path) -> String {
    quote(&path.to_string_lossy())
}

fn as_typed(program: &Path, here: Option<&Path>) -> String {
    match here.and_then(|here| program.strip_prefix(here).ok()) {
        Some(below) => quote_path(&Path::new(".").join(below)),
        None => quote_path(program),
    }
}
