//! A scenario's file: whatever a person wrote is read or refused, and what is read can be written.

use simulator::Scenario;

/// A file's text, perhaps.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let scenario = match Scenario::parse(text) {
        Ok(scenario) => scenario,
        Err(bad) => {
            assert!(!bad.to_string().is_empty());
            return;
        }
    };
    let grouped = Scenario { adversary: scenario.adversary.grouped(), ..scenario };
    let written = grouped.to_toml("Read and\nwritten.");
    let back = Scenario::parse(&written);
    let back = back.unwrap_or_else(|bad| panic!("{bad}\nin what we wrote:\n{written}"));
    let back = Scenario { adversary: back.adversary.grouped(), ..back };
    assert_eq!(back, grouped, "in what we wrote:\n{written}");
}
