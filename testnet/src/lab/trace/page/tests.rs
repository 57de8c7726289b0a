use super::{
    super::{read, weave},
    *,
};

const EVIL: &str = "</script><script>alert(1)</script><!-- \u{2028} & \" '";

fn evil() -> Weave {
    let evil = serde_json::json!(EVIL);
    let name = format!("{{\"world\":\"scenario\",\"name\":{evil},\"module\":{evil}}}");
    let run = r#"{"world":"run","seed":1,"lanes":[0],"liars":[[0,"</script>"]]}"#;
    let note = serde_json::json!({ "replica": 0, "seq": 1, "at": 0, "cause": null, "event": "note",
        "label": EVIL, "detail": EVIL });
    let sent = serde_json::json!({ "replica": 0, "seq": 2, "at": 1, "cause": null, "event": "sent",
        "envelope": 1, "kind": EVIL, "to": [0], "class": "first" });
    let text =
        format!("{name}\n{run}\n{note}\n{sent}\n{{\"world\":\"broken\",\"words\":\"<!--\"}}\n");
    weave::weave(&read::read(text.as_bytes()).unwrap(), None).unwrap()
}

#[test]
fn nothing_in_a_trace_can_leave_the_text_it_stands_in() {
    let page = page(&[(EVIL.to_owned(), evil())]);
    assert!(!page.contains("alert(1)</script>"), "it is a script");
    assert_eq!(page.matches("<script").count(), 2, "the data, and what draws them");
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("<!--"));
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    assert!(!data.contains(['<', '>', '&', '\u{2028}']));
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data[0]["name"], EVIL, "it is read back as it was");
    assert!(data[0]["texts"].as_array().unwrap().contains(&EVIL.into()));
}

#[test]
fn the_page_loads_nothing_and_writes_no_markup() {
    let page = page(&[("one".into(), evil())]);
    assert!(page.contains("default-src 'none'"));
    for outside in ["http:", "https:", "src=", "@import", "url(", "fetch(", "XMLHttp", "import("] {
        assert!(!page.contains(outside), "{outside}");
    }
    for markup in
        ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function("]
    {
        assert!(!page.contains(markup), "{markup}");
    }
    for (at, part) in SCRIPT.iter().enumerate() {
        assert!(part.lines().count() <= 500, "part {at}");
    }
}

#[test]
fn a_long_text_is_cut_and_each_text_is_there_once() {
    let long = "x".repeat(2_000);
    let note = serde_json::json!({ "replica": 0, "seq": 1, "at": 0, "cause": null, "event": "note",
        "label": "same", "detail": long });
    let text = format!("{note}\n{note}\n");
    let weave = weave::weave(&read::read(text.as_bytes()).unwrap(), None).unwrap();
    let data = serde_json::to_value(Data::of("n", &weave)).unwrap();
    let texts = data["texts"].as_array().unwrap();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert_eq!(texts[1].as_str().unwrap().chars().count(), 401);
    assert_eq!(data["moments"]["items"][0][1], serde_json::json!(["note", 0, 1]));
}

#[test]
fn the_columns_fit_each_other_and_name_what_is_there() {
    let weave = weave::tests::played(weave::tests::TROUBLE, "pow");
    let data = serde_json::to_value(Data::of("n", &weave)).unwrap();
    let count = |column: &serde_json::Value| column.as_array().unwrap().len();
    for column in ["lane", "time", "lamport", "why", "items"] {
        assert_eq!(count(&data["moments"][column]), weave.moments.len(), "{column}");
    }
    for column in [
        "moment", "envelope", "kind", "class", "signer", "slot", "value", "more", "bytes", "arrows",
    ] {
        assert_eq!(count(&data["sent"][column]), weave.sent.len(), "{column}");
    }
    let kinds = data["kinds"].as_array().unwrap();
    assert!(kinds.iter().any(|kind| kind["background"] == true), "{kinds:?}");
    assert!(kinds.iter().any(|kind| kind["background"] == false), "{kinds:?}");
    let branches = data["blocks"].as_object().unwrap().values().map(|block| block[1].as_u64());
    let branches: std::collections::BTreeSet<_> = branches.collect();
    assert!(branches.len() > 1, "two halves have mined apart: {branches:?}");
}
