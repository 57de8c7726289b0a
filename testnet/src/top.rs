//! `testnet top`: a running net on a terminal, and keys to hurt it.
//!
//! One thread draws and reads keys, and never waits: others ask the net and its nodes ([`eyes`]) and put what
//! they learn into a queue. What is known is a [`state::State`]; [`keys`] and time change it, and [`draw`]
//! draws it, none of which knows a clock, a terminal or a network.

use crate::live::control::{self, ControlError};
use clap::Args;
use eyes::Eyes;
use keys::Wish;
use ratatui::crossterm::event::{self, Event};
use state::{News, State};
use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};
use terminal::Screen;
use thiserror::Error;

pub mod draw;
pub mod eyes;
pub mod figures;
pub mod keys;
pub mod state;
pub mod terminal;

/// How often the screen is drawn when no key is pressed.
const FRAME: Duration = Duration::from_millis(100);

/// `testnet top`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Top {
    /// Its directory [default: that of the only running network]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  testnet top                    in another terminal than `testnet up`
  testnet top --dir my-net

Keys: arrows or digits choose a node; k kills it, s starts it, t stops it, c cuts it off; p asks for the
groups of a partition, h heals; ? explains the rest, q quits. The net goes on.

It needs a terminal. For programs there is `testnet status --json`, and /metrics of each node.

Exit codes: 0 it was quit, 1 no network runs there, 2 bad input or no terminal, 3 our own failure.";

/// Shows a running net until somebody quits.
///
/// # Errors
///
/// [`TopError`]; the terminal is as it was.
pub fn top(order: &Top) -> Result<(), TopError> {
    if !terminal::is_there() {
        return Err(TopError::NoTerminal);
    }
    let place = control::find(order.dir.as_deref())?;
    let eyes = Eyes::open(&place)?;
    let mut screen = Screen::open()?;
    watch(&mut screen, eyes)?;
    Ok(())
}

/// The loop.
fn watch(screen: &mut Screen, mut eyes: Eyes) -> io::Result<()> {
    let start = Instant::now();
    let mut state = State::default();
    while !screen.must_end() {
        let now = start.elapsed();
        while let Ok(news) = eyes.news.try_recv() {
            if let News::View(view) = &news {
                eyes.watch(view)?;
            }
            state.take(news, now);
        }
        state.tick(now);
        screen.terminal.draw(|frame| draw::draw(frame, &state, now))?;
        let mut patience = FRAME;
        while !screen.must_end() && event::poll(patience)? {
            patience = Duration::ZERO;
            let Event::Key(key) = event::read()? else { continue };
            match state.press(key, start.elapsed()) {
                Some(Wish::Quit) => return Ok(()),
                Some(Wish::Ask(request)) => state.ordered(eyes.order(request)),
                None => {}
            }
        }
    }
    Ok(())
}

/// Why a net cannot be shown.
#[derive(Debug, Error)]
pub enum TopError {
    /// Nobody would see it.
    #[error(
        "`testnet top` draws on a terminal and reads its keys, and here is none; for a program there is \
         `testnet status --json`, for a pipe `testnet status`"
    )]
    NoTerminal,
    /// There is no such net.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The terminal, or the system.
    #[error("the terminal cannot be used: {0}")]
    System(#[from] io::Error),
}
