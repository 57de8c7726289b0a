//! Who was there when, and what was wrong meanwhile.

use simulator::Fault;

/// A place where a replica lives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// Its number, as its messages name it.
    pub replica: u32,
    /// Whether it is the second of Twins.
    pub is_second: bool,
    /// How it lies; none if it is honest as far as anybody said.
    pub lie: Option<String>,
    /// Its lives, oldest first.
    pub lives: Vec<Life>,
}

/// From when to when a replica was up, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Life {
    /// When it began.
    pub from: u64,
    /// When it lost power; none if it did not.
    pub to: Option<u64>,
}

impl Lane {
    /// A name without spaces, the same for the same replica in every trace.
    pub fn name(&self) -> String {
        format!("replica-{}{}", self.replica, if self.is_second { "-twin" } else { "" })
    }
}

/// Something that was wrong for a time, or from a time on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Band {
    /// When it began, in microseconds.
    pub from: u64,
    /// When it ended; none for a change that is not known to end.
    pub to: Option<u64>,
    /// What.
    pub words: String,
    /// Whether it keeps envelopes from passing.
    pub cuts: bool,
}

/// What is wrong at present.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    /// With what ends each.
    open: Vec<(usize, Ends)>,
    bands: Vec<Band>,
}

/// What ends a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ends {
    Partition,
    Cut(u32, u32),
    Eclipse,
    Silence(u32),
}

impl Wrong {
    /// Something is so until a time.
    pub(super) fn until(&mut self, time: u64, words: &str) {
        let band = Band { from: 0, to: Some(time), words: words.to_owned(), cuts: false };
        self.bands.push(band);
    }

    /// A fault begins, ends, or changes something.
    pub(super) fn fault(&mut self, time: u64, fault: &Fault, words: &str) {
        match fault {
            Fault::Partition(_) => {
                self.end(time, |ends| ends == Ends::Partition);
                self.begin(time, words, Ends::Partition);
            }
            Fault::Heal => self.end(time, |ends| !matches!(ends, Ends::Silence(_))),
            Fault::Cut { from, to } => {
                let ends = Ends::Cut(from.0, to.0);
                if !self.open.iter().any(|(_, open)| *open == ends) {
                    self.begin(time, words, ends);
                }
            }
            Fault::Mend { from, to } => {
                let mended = Ends::Cut(from.0, to.0);
                self.end(time, |ends| ends == mended);
            }
            Fault::Eclipse { .. } => self.begin(time, words, Ends::Eclipse),
            Fault::Silence(id) => self.begin(time, words, Ends::Silence(id.0)),
            Fault::Speak(id) => {
                let id = id.0;
                self.end(time, |ends| ends == Ends::Silence(id));
            }
            _ => {
                let words = words.to_owned();
                self.bands.push(Band { from: time, to: None, words, cuts: false });
            }
        }
    }

    fn begin(&mut self, time: u64, words: &str, ends: Ends) {
        self.open.push((self.bands.len(), ends));
        self.bands.push(Band { from: time, to: None, words: words.to_owned(), cuts: true });
    }

    fn end(&mut self, time: u64, which: impl Fn(Ends) -> bool) {
        let bands = &mut self.bands;
        self.open.retain(|(number, ends)| {
            let over = which(*ends);
            if over {
                bands[*number].to = Some(time);
            }
            !over
        });
    }

    /// All there were; what nobody ended goes on to the end.
    pub(super) fn finish(mut self, end: u64) -> Vec<Band> {
        self.end(end, |_| true);
        self.bands
    }
}
