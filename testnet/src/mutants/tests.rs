use super::*;

#[test]
fn every_mutant_is_listed_with_what_it_breaks() {
    let text = told(&chapters(None).unwrap(), true);
    for (module, about) in mutants::all() {
        assert!(text.contains(module) && text.contains(about.line), "{}", about.id);
        assert!(about.line.len() <= 76, "{} is told in too many words for a line", about.id);
        assert!(text.contains(&format!("  {:<4} ", about.id)));
    }
    assert!(mutants::all().count() >= 19);
}

#[test]
fn an_unknown_module_is_an_error_that_lists_those_there_are() {
    let error = chapters(Some("coffee")).unwrap_err().to_string();
    assert!(error.contains("coffee") && error.contains("tendermint"), "{error}");
}
