//! What is printed.

use super::{LEAST_RATIO, MOST_MEMORY, Phase, camp::Role};
use serde::Serialize;
use std::fmt;

/// One attack, beside what was before and after it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Who attacked.
    pub role: Role,
    /// How.
    pub behaviour: String,
    /// How many transfers were submitted in a second.
    pub rate: u32,
    /// The mean of the quiet phases before and after: final transfers in a second.
    pub undisturbed_per_s: f64,
    /// Final transfers in a second under attack, over that.
    pub ratio: f64,
    /// What it was like.
    #[serde(flatten)]
    pub attacked: Phase,
}

impl Row {
    /// Compares.
    pub fn new(
        role: Role,
        behaviour: &str,
        rate: u32,
        before: &Phase,
        attacked: Phase,
        after: &Phase,
    ) -> Row {
        let undisturbed_per_s = (before.committed_per_s + after.committed_per_s) / 2.0;
        // Of a net that carries nothing by itself nothing can be said.
        let ratio = match undisturbed_per_s > 0.0 {
            true => attacked.committed_per_s / undisturbed_per_s,
            false => 0.0,
        };
        let behaviour = behaviour.to_owned();
        Row { role, behaviour, rate, undisturbed_per_s, ratio, attacked }
    }

    /// Whether the net withstood it.
    pub fn holds(&self) -> bool {
        self.ratio >= LEAST_RATIO
            && self.attacked.rss_bytes < MOST_MEMORY
            && self.attacked.agree
            && self.attacked.trouble.is_none()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Phase { committed_per_s, rss_bytes, faults, bans, refused, agree, .. } = self.attacked;
        let mebibytes = rss_bytes as f64 / 1_048_576.0;
        let (role, agree) = (self.role.to_string(), if agree { "yes" } else { "NO" });
        write!(
            f,
            "{role:<9} {:<16} {committed_per_s:>9.0} {:>6.2} {mebibytes:>8.1} {faults:>7} {bans:>5} \
             {refused:>9} {agree:>5}  {}",
            self.behaviour,
            self.ratio,
            if self.holds() { "holds" } else { "FAILS" },
        )?;
        match &self.attacked.trouble {
            Some(trouble) => write!(f, ": {trouble}"),
            None => Ok(()),
        }
    }
}

/// All of them under one headline.
pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<9} {:<16} {:>9} {:>6} {:>8} {:>7} {:>5} {:>9} {:>5}\n",
        "as", "behaviour", "tx/s", "ratio", "rss MiB", "faults", "bans", "refused", "agree"
    );
    rows.iter().for_each(|row| text += &format!("{row}\n"));
    text
}
