use super::*;

fn phase(committed_per_s: f64) -> Phase {
    Phase { committed_per_s, rss_bytes: 1, agree: true, ..Phase::default() }
}

fn row(before: f64, attacked: Phase, after: f64) -> Row {
    Row::new(Role::Stranger, "flood", 10, &phase(before), attacked, &phase(after))
}

#[test]
fn an_attack_is_compared_with_what_was_beside_it() {
    assert_eq!(row(100.0, phase(70.0), 100.0).ratio, 0.7);
    assert_eq!(row(80.0, phase(100.0), 120.0).ratio, 1.0);
    assert_eq!(row(0.0, phase(5.0), 0.0).ratio, 0.0, "a net that carries nothing holds nothing");
}

#[test]
fn all_of_it_has_to_hold() {
    assert!(row(100.0, phase(70.0), 100.0).holds());
    assert!(!row(100.0, phase(69.0), 100.0).holds());
    assert!(!row(100.0, Phase { rss_bytes: MOST_MEMORY, ..phase(100.0) }, 100.0).holds());
    assert!(!row(100.0, Phase { agree: false, ..phase(100.0) }, 100.0).holds());
    assert!(!row(100.0, Phase { trouble: Some("x".into()), ..phase(100.0) }, 100.0).holds());
}

#[test]
fn the_command_lines_are_sound() {
    use clap::CommandFactory;
    Order::command().debug_assert();
    crate::hostile::Order::command().debug_assert();
    assert!(Order::try_parse_from(["siege", "--only", "flood,low-fee"]).is_ok());
    assert!(Order::try_parse_from(["siege", "--only", "kindness"]).is_err());
}
