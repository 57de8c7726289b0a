//! The terminal, which is as it was when this is over, however it ends.

use ratatui::DefaultTerminal;
use std::{
    env, io,
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A terminal to draw on. Dropped, or at a panic, it is put back.
#[derive(Debug)]
pub struct Screen {
    /// To draw on.
    pub terminal: DefaultTerminal,
    asked_to_end: Arc<AtomicBool>,
}

/// Whether there is a terminal to draw on and to read keys from.
pub fn is_there() -> bool {
    let draws = env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && draws
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    ///
    /// Whatever the system says. Then it is put back.
    pub fn open() -> io::Result<Screen> {
        let asked_to_end = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&asked_to_end);
        // SIGINT, SIGTERM and SIGHUP: the loop ends, and with it this.
        ctrlc::set_handler(move || asked.store(true, Ordering::SeqCst))
            .map_err(io::Error::other)?;
        // It puts the terminal back before a panic's words, too.
        let terminal = ratatui::try_init().inspect_err(|_| ratatui::restore())?;
        Ok(Screen { terminal, asked_to_end })
    }

    /// Whether a signal has asked us to end.
    pub fn must_end(&self) -> bool {
        self.asked_to_end.load(Ordering::SeqCst)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.terminal.show_cursor();
        // If it is gone, as after SIGHUP, there is nothing to put back.
        let _ = ratatui::try_restore();
    }
}
