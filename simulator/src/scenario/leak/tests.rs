use crate::scenario::Scenario;
use ledger::leak::Mode;

fn read(line: &str) -> Result<Scenario, String> {
    let text = format!("name = \"a leak\"\nconsensus = \"tendermint\"\n{line}\n");
    Scenario::parse(&text).map_err(|bad| bad.to_string())
}

fn settings(line: &str) -> Vec<(String, u64)> {
    read(line).unwrap().settings.into_iter().collect()
}

#[test]
fn a_word_is_enough() {
    for (word, mode) in [("on-chain", Mode::OnChain), ("recovery", Mode::Recovery)] {
        let scenario = read(&format!("leak = \"{word}\"")).unwrap();
        assert_eq!(scenario.settings.len(), 1);
        let setup = scenario.setup("tendermint", 0, crate::record::Tracing::Off);
        assert_eq!(setup.genesis().leak().unwrap().mode, mode);
    }
}

#[test]
fn a_table_says_what_is_not_as_usual() {
    let line = "leak = { kind = \"recovery\", quotient = 16, tolerates = 0.2, grace = \"2500ms\", \
                epoch = \"900ms\", unbounded = true }";
    let expected = [
        ("ledger.leak", 2),
        ("ledger.leak_grace_rounds", 3),
        ("ledger.leak_quotient", 16),
        ("ledger.leak_tolerates_permille", 200),
        ("ledger.leak_unbounded", 1),
        ("tendermint.leak_epoch_ms", 900),
    ];
    assert_eq!(settings(line), expected.map(|(key, value)| (key.to_owned(), value)));
    let written = read(line).unwrap().to_toml("");
    assert_eq!(Scenario::parse(&written).unwrap(), read(line).unwrap(), "{written}");
}

#[test]
fn what_makes_no_sense_is_shown_with_its_place() {
    for (line, words) in [
        ("leak = \"onchain\"", "did you mean `on-chain`?"),
        ("leak = { quotient = 4 }", "there is no `kind` in leak"),
        ("leak = { kind = \"recovery\", quotient = 0 }", "from 1 to 100000"),
        ("leak = { kind = \"recovery\", tolerates = 0.34 }", "less than a third"),
        ("leak = { kind = \"recovery\", tolerates = 0.1234 }", "in thousandths"),
        ("leak = { kind = \"on-chain\", epoch = \"1s\" }", "rounds of recovery"),
        ("leak = { kind = \"recovery\", pace = 4 }", "pace"),
        (
            "leak = { kind = \"recovery\", grace = \"31s\", epoch = \"30ms\" }",
            "1000 rounds of 30 ms",
        ),
        ("leak = \"recovery\"\nsettings = { \"ledger.leak\" = 1 }", "say it once"),
    ] {
        let bad = read(line).unwrap_err();
        assert!(bad.contains(words), "{bad}");
    }
    let all = Scenario::parse("name = \"all\"\nleak = \"recovery\"\n").unwrap_err().to_string();
    assert!(all.contains("has no inactivity leak") && all.contains("`consensus`"), "{all}");
}
