//! The house rules that a compiler does not check: which crate may know which, how long a page may
//! be, and what must not appear anywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The longest a source file may be, in lines: a newcomer reads a page at a time.
const MAX_FILE_LINES: usize = 500;

/// The longest a function may be, in lines: it fits a screen.
const MAX_FUNCTION_LINES: usize = 70;

/// Which crates each crate may name among its dependencies. Arrows point down only.
const ARROWS: &[(&str, &[&str])] = &[
    ("crypto", &[]),
    ("ledger", &["crypto"]),
    ("consensus", &["ledger", "crypto"]),
    ("replica", &["consensus", "ledger", "crypto"]),
    ("simulator", &["replica", "consensus", "ledger", "crypto"]),
    ("node", &["replica", "consensus", "ledger", "crypto"]),
    ("wallet-cli", &["consensus", "ledger", "crypto"]),
    ("testnet", &["simulator", "node", "wallet-cli", "replica", "consensus", "ledger", "crypto"]),
];

/// Crates below the world: they may not name what the world is made of.
const BELOW_THE_WORLD: &[&str] = &["crypto", "ledger", "consensus", "replica", "simulator"];

/// What only the world may depend on.
const WORLDLY: &[&str] = &["tokio", "libp2p", "axum", "ureq", "nix", "clap"];

#[test]
fn arrows_between_crates_point_down_only() {
    let allowed: BTreeMap<_, BTreeSet<_>> =
        ARROWS.iter().map(|(name, below)| (*name, below.iter().copied().collect())).collect();
    for (package, dependencies) in normal_dependencies() {
        let Some(below) = allowed.get(package.as_str()) else {
            let tests = ["tests", "fuzzing"].contains(&package.as_str());
            assert!(tests, "{package} is not on the map in tests/tidy.rs");
            continue;
        };
        for dependency in &dependencies {
            let inside = allowed.contains_key(dependency.as_str());
            assert!(
                !inside || below.contains(dependency.as_str()),
                "{package} must not depend on {dependency}: arrows point down only (ARCHITECTURE.md)"
            );
        }
    }
}

#[test]
fn nothing_below_the_world_depends_on_it() {
    let all = normal_dependencies();
    for package in BELOW_THE_WORLD {
        for worldly in WORLDLY {
            assert!(!all[*package].contains(*worldly), "{package} must not depend on {worldly}");
        }
    }
}

#[test]
fn files_fit_a_page_and_functions_a_screen() {
    let mut long = Vec::new();
    for path in sources("rs") {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > MAX_FILE_LINES {
            long.push(format!("{} has {lines} lines", path.display()));
        }
        for (name, lines) in function_lengths(&text) {
            if lines > MAX_FUNCTION_LINES {
                long.push(format!("{}: fn {name} has {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "split by meaning, not by size:\n{}", long.join("\n"));
}

#[test]
fn nothing_unfinished_and_no_path_of_some_machine_is_tracked() {
    // Put together here so that this file does not find itself.
    let marks =
        [("TO", "DO"), ("FIX", "ME"), ("XX", "X")].map(|(one, other)| [one, other].concat());
    let macros = [format!("todo{}", "!("), format!("unimplemented{}", "!(")];
    let homes = ["work", "root", "farm"].map(|home| format!("\"/{home}/"));
    let mut found = Vec::new();
    for path in sources("rs").into_iter().chain(sources("md")).chain(sources("toml")) {
        let text = fs::read_to_string(&path).unwrap();
        for bad in marks.iter().chain(&macros).chain(&homes) {
            if text.contains(bad.as_str()) {
                found.push(format!("{}: {bad}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "finish or remove:\n{}", found.join("\n"));
}

/// What turns lies on, by package: in `consensus` those that are told, in `replica` rules that it may
/// lack.
const LIES: [(&str, &str); 2] = [("consensus", "byzantine"), ("replica", "mutants")];

/// The package `node` resolves without lies, so what `cargo build -p node` links cannot tell any.
/// (A build of the whole workspace links one `consensus` into all binaries, with the lies that
/// testnet wants. Even then nothing in node's source can name them: see below.)
#[test]
fn the_node_package_resolves_without_lies() {
    let features = |package: &str| {
        let arguments =
            ["tree", "-p", package, "-e", "normal,features", "--offline", "-f", "{p}|{f}"];
        cargo(&[&arguments[..], &["--prefix", "none"]].concat())
    };
    let lies = |tree: &str, package: &str, feature: &str| {
        let lines = tree.lines().filter(|line| line.starts_with(&format!("{package} v")));
        let enabled: Vec<String> = lines
            .filter_map(|line| line.split_once('|'))
            .flat_map(|(_, features)| features.trim_end_matches(" (*)").split(','))
            .map(str::to_owned)
            .collect();
        enabled.iter().any(|enabled| enabled == feature)
            || tree.contains(&format!("{package} feature \"{feature}\""))
    };
    let [node, wallet, testnet] = ["node", "wallet-cli", "testnet"].map(features);
    assert!(node.contains("consensus v") && node.contains("replica v"), "they are in the tree");
    assert!(wallet.contains("consensus v"), "it is in the tree");
    for (package, feature) in LIES {
        assert!(!lies(&node, package, feature), "node must not turn on {package}'s {feature}");
        assert!(!lies(&wallet, package, feature), "wallet-cli must not turn on {feature}");
        assert!(lies(&testnet, package, feature), "this test sees {feature} where it is on");
    }
}

#[test]
fn no_crate_below_the_tools_can_name_a_lie() {
    let root = root();
    for path in sources("rs") {
        let inside = path.strip_prefix(&root).unwrap();
        let top = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        if !["node", "replica", "wallet-cli"].contains(&top) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let named = text.lines().find(|line| {
            let code = !line.trim_start().starts_with("//");
            code && ["byzantine", "adversary", "Liar"].iter().any(|word| line.contains(word))
        });
        assert_eq!(named, None, "{}: only simulator and testnet may lie", inside.display());
    }
}

/// The chapters in `consensus/src`.
const PROTOCOLS: [&str; 3] = ["nakamoto", "pbft", "tendermint"];

#[test]
fn only_the_catalogue_knows_the_protocols_by_name() {
    let root = root();
    for path in sources("rs") {
        let inside = path.strip_prefix(&root).unwrap();
        let top = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let is_test = inside.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            part == "tests" || part == "tests.rs"
        });
        let chapter =
            PROTOCOLS.iter().any(|name| inside.starts_with(Path::new("consensus/src").join(name)));
        let catalogue = inside == Path::new("consensus/src/catalogue.rs");
        if is_test || chapter || catalogue || !["consensus", "replica", "node"].contains(&top) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let names = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in names {
            let module = |name: &&str| line.trim() == format!("pub mod {name};");
            let named = |name: &&str| line.to_lowercase().contains(name);
            assert!(
                !PROTOCOLS.iter().any(named) || PROTOCOLS.iter().any(module),
                "{}: only consensus/src/catalogue.rs may know protocols by name: {line}",
                inside.display()
            );
        }
    }
}

#[test]
fn proof_types_can_only_be_made_by_verification() {
    let quorum = fs::read_to_string(root().join("consensus/src/quorum.rs")).unwrap();
    for name in ["Signed", "Tally", "Certificate"] {
        let (attributes, body) = declaration(&quorum, name);
        for forbidden in ["Deserialize", "Default"] {
            assert!(!attributes.contains(forbidden), "{name} must not derive {forbidden}");
        }
        assert!(!body.contains("pub "), "{name} must not have public fields");
    }
    let transaction = fs::read_to_string(root().join("ledger/src/transaction.rs")).unwrap();
    let (attributes, body) = declaration(&transaction, "VerifiedTransaction");
    assert!(!attributes.contains("Deserialize") && !attributes.contains("Default"));
    assert!(!body.contains("pub "), "VerifiedTransaction must not have public fields");
}

/// The derive line before `pub struct name` and what its braces or parentheses hold.
fn declaration<'a>(text: &'a str, name: &str) -> (&'a str, &'a str) {
    let head = format!("pub struct {name}");
    let at = text.find(&head).unwrap_or_else(|| panic!("{name} is gone: mend this test"));
    let before = text[..at].trim_end();
    let attributes = &before[before.rfind("\n\n").unwrap_or(0)..];
    let end = text[at..].find(['}', ';']).unwrap();
    (attributes, &text[at + head.len()..at + end])
}

/// Each function's name and its length from signature to closing brace.
fn function_lengths(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let words: Vec<&str> = trimmed.split(['(', '<', ' ']).collect();
        let Some(at) = words.iter().position(|word| *word == "fn") else { continue };
        if at > 4 || trimmed.starts_with("//") || words.len() <= at + 1 {
            continue;
        }
        let indent = &line[..line.len() - trimmed.len()];
        let closing = format!("{indent}}}");
        let end = lines[start..].iter().position(|line| *line == closing);
        let bodiless = lines[start..].iter().position(|line| line.trim_end().ends_with(';'));
        if let Some(end) = end {
            let one_line = trimmed.ends_with('}') || bodiless == Some(0);
            functions.push((words[at + 1].to_owned(), if one_line { 1 } else { end + 1 }));
        }
    }
    functions
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every source file with this ending, without what builds leave behind.
fn sources(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The dependencies of every workspace crate, without those that only its tests have.
fn normal_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    let metadata: serde_json::Value = serde_json::from_str(&output).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
            let names = normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned());
            (package["name"].as_str().unwrap().to_owned(), names.collect())
        })
        .collect()
}

/// What cargo prints.
fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output =
        Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints text")
}
