use super::*;
use crate::{
    cli::{Cli, Command},
    failure::{Failure, Verdict},
};
use clap::Parser;

#[test]
fn every_lie_is_told_once_with_its_source() {
    let chapters = chapters(None).unwrap();
    assert_eq!(chapters.iter().map(|chapter| chapter.consensus).collect::<Vec<_>>(), NAMES);
    let text = told(&chapters);
    for lie in chapters.iter().flat_map(|chapter| &chapter.lies) {
        let named =
            text.lines().filter(|line| line.trim_start().starts_with(&format!("{} ", lie.name)));
        // One name may stand for what each module calls so, and is told in its chapter.
        let knowing = chapters.iter().flat_map(|chapter| &chapter.lies);
        let knowing = knowing.filter(|other| other.knowing && other.name == lie.name).count();
        assert_eq!(named.count(), knowing.max(1), "{}", lie.name);
        assert!(text.contains(lie.line) && text.contains(lie.source), "{}", lie.name);
    }
    assert!(text.starts_with("about any module\n"));
    for name in NAMES {
        assert!(text.contains(&format!("\nabout {name}\n")), "{text}");
    }
}

#[test]
fn one_module_can_be_asked_for() {
    let one = chapters(Some("pow")).unwrap();
    assert_eq!(one.len(), 1);
    let names: Vec<_> = one[0].lies.iter().map(|lie| lie.name).collect();
    assert!(names.contains(&"selfish") && names.contains(&"silent"), "{names:?}");
    assert!(!names.contains(&"amnesia"));
    assert!(!told(&one).contains("about tendermint"));
}

#[test]
fn an_unknown_module_is_bad_input_that_lists_those_there_are() {
    let order = Lies { consensus: Some("tendermit".into()), json: false };
    let error = lies(&order).unwrap_err();
    assert!(error.to_string().contains("tendermint, pow"), "{error}");
    assert_eq!(Failure::from(error).verdict(), Verdict::BadInput);
}

#[test]
fn programs_get_all_of_it_in_one_line() {
    let json = serde_json::to_value(chapters(Some("tendermint")).unwrap()).unwrap();
    let first = &json[0]["lies"][0];
    assert_eq!((&json[0]["consensus"], &first["name"]), (&"tendermint".into(), &"silent".into()));
    assert_eq!(first["knowing"], false);
    assert!(first["line"].is_string() && first["source"].is_string());
}

#[test]
fn the_command_line_knows_it() {
    let cli = Cli::try_parse_from(["testnet", "lies", "--consensus", "pow", "--json"]).unwrap();
    let Command::Lies(Lies { consensus, json }) = cli.command else { panic!("it is `lies`") };
    assert_eq!((consensus.as_deref(), json), (Some("pow"), true));
}
