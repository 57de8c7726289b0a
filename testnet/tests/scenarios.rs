//! Every scenario in the repository turns out as it says, and so does every command of the guide.

mod support;

use consensus::byzantine::mutants::{self, Breaks};
use simulator::{
    Scenario,
    scenario::{Agreement, Confirmed},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use support::{finish, testnet, text};
use testnet::cli::Cli;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All of them, in whatever folder.
fn files() -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root().join("scenarios")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// Each mutant has a file of its name, which shows what it breaks, and that its module does not.
#[test]
fn every_mutant_has_its_schedule() {
    for (module, about) in mutants::all() {
        let file = root().join("scenarios/mutants").join(about.id).with_extension("toml");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let weak = format!("{module}:{}", about.id);
        assert_eq!(scenario.consensus, [weak.clone(), module.to_owned()], "{file:?}");
        let [broken, whole] = [weak.as_str(), module].map(|variant| scenario.expect(variant));
        assert_eq!(whole.agreement, Agreement::Always, "{file:?}");
        assert_ne!(whole.confirmed, Confirmed::Reverted, "{file:?}");
        let shows = match about.breaks {
            Breaks::Agreement => {
                broken.agreement == Agreement::Broken || broken.confirmed == Confirmed::Reverted
            }
            Breaks::Progress => !broken.no_progress.is_empty(),
        };
        assert!(shows, "{file:?} does not say what breaks");
    }
}

#[test]
fn there_are_scenarios_enough_and_each_of_them_teaches() {
    let files = files();
    assert!(files.len() >= 20, "only {}", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        for word in ["# Predict: ", "# Look at: "] {
            assert!(text.contains(word), "{file:?} has no {word:?}");
        }
        assert!(!scenario.seeds.is_empty());
    }
}

/// Two seeds of each; all of those that are about something which not every seed shows.
#[test]
fn every_scenario_turns_out_as_it_expects() {
    let temp = tempfile::tempdir().unwrap();
    for file in files() {
        let scenario = Scenario::parse(&fs::read_to_string(&file).unwrap()).unwrap();
        let some_only = scenario.consensus.iter().any(|module| {
            let expect = scenario.expect(module);
            expect.agreement == Agreement::Broken || expect.confirmed == Confirmed::Reverted
        });
        let end = if some_only { scenario.seeds.end } else { scenario.seeds.start + 2 };
        let seeds = format!("{}..{end}", scenario.seeds.start);
        let output =
            finish(&mut testnet(temp.path(), &["run", file.to_str().unwrap(), "--seeds", &seeds]));
        assert!(output.status.success(), "{file:?}\n{}", text(&output));
    }
}

#[test]
fn the_exit_code_tells_what_happened() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("s.toml");
    let run = |text: &str, more: &[&str]| {
        fs::write(&path, text).unwrap();
        let args = [&["run", path.to_str().unwrap()], more].concat();
        finish(&mut testnet(temp.path(), &args))
    };
    let brief = "name = \"x\"\nconsensus = \"tendermint\"\nseeds = \"0..2\"\nuntil = \"10s\"\n";
    assert_eq!(run(brief, &[]).status.code(), Some(0));
    let output = run(&format!("{brief}expect = {{ height = 1000 }}\n"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("again: testnet run"), "{}", text(&output));
    let output = run(&format!("{brief}latency = 5\n"), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("line 5, column 1"), "{}", text(&output));
    assert_eq!(run(brief, &["--trace", "t"]).status.code(), Some(2), "two seeds, one trace");
    assert_eq!(run(brief, &["--consensus", "coffee"]).status.code(), Some(2));
    let trace = temp.path().join("t.jsonl");
    let output = run(brief, &["--seeds", "1", "--json", "--trace", trace.to_str().unwrap()]);
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = fs::read_to_string(&trace).unwrap();
    let lines = file.lines().filter(|line| !line.starts_with(simulator::record::aside::MARK));
    let lines: String = lines.map(|line| format!("{line}\n")).collect();
    let hash = crypto::hash::sha256(lines.as_bytes());
    assert!(lines.len() < file.len(), "the world has its say");
    assert_eq!(line["trace_hash"], hash.to_string(), "the hash is that of the replicas' lines");
}

/// A fenced block of the guide, and the lines that its output must contain.
struct Block {
    script: String,
    expected: Vec<String>,
}

fn blocks(chapter: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fence: Option<&str> = None;
    for line in chapter.lines() {
        match (fence, line.strip_prefix("```")) {
            (None, Some(kind)) => {
                fence = Some(kind);
                if kind == "sh" {
                    blocks.push(Block { script: String::new(), expected: Vec::new() });
                }
            }
            (Some(_), Some(_)) => fence = None,
            (Some("sh"), None) => blocks.last_mut().unwrap().script += &format!("{line}\n"),
            (Some("text"), None) => blocks.last_mut().unwrap().expected.push(line.to_owned()),
            _ => {}
        }
    }
    blocks
}

/// Commands that need real nodes; the stories that they tell have tests of their own. Here they have to be
/// commands.
const LIVE: [&str; 7] = [
    "testnet up",
    "testnet join",
    "testnet wallet",
    "testnet kill",
    "testnet start",
    "testnet top",
    "testnet run scenarios/19-twins-beyond-the-bound.toml --live",
];

#[test]
fn every_command_of_the_first_chapter_does_what_it_says() {
    play_chapter("01-first-session.md", 12);
}

#[test]
fn every_command_of_the_second_chapter_does_what_it_says() {
    play_chapter("02-break-it-yourself.md", 12);
}

#[test]
fn every_command_of_the_fourth_chapter_does_what_it_says() {
    play_chapter("04-the-papers-numbers.md", 8);
}

#[test]
fn every_command_of_the_third_chapter_does_what_it_says() {
    play_chapter("03-read-a-run.md", 7);
}

#[test]
fn every_command_of_the_fifth_chapter_does_what_it_says() {
    play_chapter("05-accountability.md", 8);
}

#[test]
fn every_command_of_the_sixth_chapter_does_what_it_says() {
    play_chapter("06-the-leak.md", 12);
}

#[test]
fn every_command_of_the_seventh_chapter_does_what_it_says() {
    play_chapter("07-live-under-fire.md", 7);
}

fn play_chapter(name: &str, least: usize) {
    let temp = tempfile::tempdir().unwrap();
    let tools = temp.path().join("tools");
    fs::create_dir(&tools).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_testnet"), tools.join("testnet")).unwrap();
    std::os::unix::fs::symlink(root().join("scenarios"), temp.path().join("scenarios")).unwrap();
    let path = format!("{}:{}", tools.display(), env::var("PATH").unwrap());
    let chapter = fs::read_to_string(root().join("docs/guide").join(name)).unwrap();
    let blocks = blocks(&chapter);
    assert!(blocks.len() >= least, "{} blocks", blocks.len());
    for Block { script, expected } in blocks {
        if LIVE.iter().any(|live| script.starts_with(live)) {
            for line in script.lines() {
                let words: Vec<_> = line.split_whitespace().collect();
                let read = <Cli as clap::Parser>::try_parse_from(&words);
                read.unwrap_or_else(|error| panic!("{line}: {error}"));
            }
            continue;
        }
        // The alias stands for what is built already.
        let script: String = script
            .lines()
            .filter(|line| !line.starts_with("alias "))
            .map(|line| format!("{line}\n"))
            .collect();
        let mut shell = Command::new("sh");
        shell
            .args(["-e", "-c", &script])
            .current_dir(temp.path())
            .env("PATH", &path)
            .env("TMPDIR", temp.path());
        let output = finish(shell.stdin(Stdio::null()));
        let told = text(&output);
        assert!(output.status.success(), "{script}\n{told}");
        for line in expected {
            assert!(told.contains(&line), "{script}\nsays:\n{told}\nwithout: {line}");
        }
    }
}
