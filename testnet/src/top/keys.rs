//! What a key does.

use super::state::{Mode, State, Tone, name};
use crate::live::{control::Request, partition::Groups};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::{mem, time::Duration};

#[cfg(test)]
mod tests;

/// The longest text of groups: all nodes of the largest net need less, and so does a request.
const LONGEST_GROUPS: usize = 80;

/// How soon the second digit of a number follows the first.
const NUMBER: Duration = Duration::from_secs(1);

/// What somebody wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// To see no more.
    Quit,
    /// Something of the net.
    Ask(Request),
}

impl State {
    /// A key was pressed.
    pub fn press(&mut self, key: KeyEvent, now: Duration) -> Option<Wish> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        if is_control {
            return matches!(key.code, KeyCode::Char('c' | 'd')).then_some(Wish::Quit);
        }
        match mem::take(&mut self.mode) {
            Mode::Watching => self.choose(key.code, now),
            Mode::Help => (key.code == KeyCode::Char('q')).then_some(Wish::Quit),
            Mode::Groups { text, .. } => self.write(key.code, text),
        }
    }

    /// One arm for each key, as the help lists them.
    fn choose(&mut self, key: KeyCode, now: Duration) -> Option<Wish> {
        let typed = self.typed.take();
        self.message = None;
        let last = u32::try_from(self.nodes().len()).unwrap_or(u32::MAX).saturating_sub(1);
        match key {
            KeyCode::Char('q') => return Some(Wish::Quit),
            KeyCode::Up | KeyCode::Left => self.chosen = self.chosen.saturating_sub(1),
            KeyCode::Down | KeyCode::Right => self.chosen = (self.chosen + 1).min(last),
            KeyCode::Home => self.chosen = 0,
            KeyCode::End => self.chosen = last,
            KeyCode::Char(digit @ '0'..='9') => {
                let digit = digit.to_digit(10).expect("it is one");
                self.number(digit, typed.filter(|typed| now.saturating_sub(*typed) < NUMBER));
                self.typed = Some(now);
            }
            KeyCode::Char('k') => return self.for_node(true, |id| Request::Kill { id }),
            KeyCode::Char('t') => return self.for_node(true, |id| Request::Stop { id }),
            KeyCode::Char('s') => return self.for_node(false, |id| Request::Start { id }),
            KeyCode::Char('c') => return self.cut_off(),
            KeyCode::Char('h') => return self.ask(Request::Heal {}),
            KeyCode::Char('p') => self.mode = Mode::Groups { text: String::new(), error: None },
            KeyCode::Char('?') | KeyCode::F(1) => self.mode = Mode::Help,
            _ => {}
        }
        None
    }

    /// Chooses by number. A digit that follows another soon is the second of one number, if there is
    /// such a node.
    fn number(&mut self, digit: u32, follows: Option<Duration>) {
        let nodes = self.nodes().len();
        let exists = |id: &u32| (*id as usize) < nodes;
        let longer = follows.map(|_| self.chosen.saturating_mul(10).saturating_add(digit));
        match longer.filter(exists).or(Some(digit).filter(exists)) {
            Some(id) => self.chosen = id,
            None => self.refuse(format!("there is no node {digit}")),
        }
    }

    fn for_node(&mut self, runs: bool, request: fn(u32) -> Request) -> Option<Wish> {
        let (id, up) = self.node().map(|node| (node.id, node.up))?;
        match (runs, up) {
            (true, false) => {
                self.refuse(format!("node {id} is not running; s starts it"));
                None
            }
            (false, true) => {
                self.refuse(format!("node {id} is running already"));
                None
            }
            _ => self.ask(request(id)),
        }
    }

    /// The chosen node alone, all others together.
    fn cut_off(&mut self) -> Option<Wish> {
        let id = self.node()?.id;
        let others: Vec<_> =
            self.nodes().iter().map(|node| node.id).filter(|each| *each != id).collect();
        if others.is_empty() {
            self.refuse("there is nobody to cut it off from".to_owned());
            return None;
        }
        self.ask(Request::Partition { groups: Groups(vec![vec![id], others]) })
    }

    /// One thing at a time: the net does no more, either.
    fn ask(&mut self, request: Request) -> Option<Wish> {
        if let Some(busy) = &self.busy {
            self.refuse(format!("one moment: {} is being done", name(busy)));
            return None;
        }
        self.busy = Some(request.clone());
        Some(Wish::Ask(request))
    }

    fn write(&mut self, key: KeyCode, mut text: String) -> Option<Wish> {
        let mut error = None;
        match key {
            KeyCode::Esc => return None,
            KeyCode::Enter => match self.groups(&text) {
                Ok(groups) => return self.ask(Request::Partition { groups }),
                Err(why) => error = Some(why),
            },
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Char(letter @ ('0'..='9' | ',' | '/' | ' '))
                if text.len() < LONGEST_GROUPS =>
            {
                text.push(letter);
            }
            KeyCode::Char(letter) if !letter.is_ascii_digit() && !", /".contains(letter) => {
                error = Some("digits, commas and slashes, as in 0,1/2,3".to_owned());
            }
            _ => {}
        }
        self.mode = Mode::Groups { text, error };
        None
    }

    fn groups(&self, text: &str) -> Result<Groups, String> {
        let groups: Groups = text.parse().map_err(|error| format!("{error}"))?;
        let nodes = u32::try_from(self.nodes().len()).unwrap_or(u32::MAX);
        groups.check(nodes).map_err(|error| error.to_string())?;
        Ok(groups)
    }

    fn refuse(&mut self, why: String) {
        self.message = Some((Tone::Bad, why));
    }
}
