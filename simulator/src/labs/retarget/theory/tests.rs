use super::*;

#[test]
fn the_table_is_met_digit_for_digit() {
    let bitcoin = [(2016, 1.00099, 0.0223), (144, 1.01408, 0.0842), (20, 1.1111, 0.2425)];
    for (window, interval, spread) in bitcoin {
        let found = evenness(Rule::Bitcoin { window }, window as f64).expect("it is known");
        assert!((found.0 - interval).abs() < 1.2e-5 && (found.1 - spread).abs() < 0.501e-4);
    }
    for (half_life, spread) in [(288.0, 0.0347), (72.0, 0.0694), (36.0, 0.0981), (20.0, 0.1316)] {
        let (interval, found) = evenness(Rule::Asert, half_life).expect("it is known");
        assert!(interval == 1.0 && (found - spread).abs() < 0.501e-4, "{half_life}: {found}");
    }
    assert_eq!(evenness(Rule::Lwma { window: 60 }, 60.0), None);
}

/// The simulated figures of SCIENCE S5, within its 5 %.
#[test]
fn it_follows_the_hash_rate_as_others_simulated_it() {
    let table = [
        (72.0, 0.1, (150.0, 358.0)),
        (288.0, 0.1, (616.0, 1471.0)),
        (72.0, 10.0, (372.0, 156.0)),
        (288.0, 10.0, (1484.0, 619.0)),
    ];
    for (half_life, factor, (blocks, time)) in table {
        let found = response(Rule::Asert, half_life, factor, 1.25).expect("it is known");
        println!("{half_life}, {factor}: {found:?}");
        assert!((found.0 / blocks - 1.0_f64).abs() < 0.05, "{half_life}, {factor}: {found:?}");
        assert!((found.1 / time - 1.0_f64).abs() < 0.05, "{half_life}, {factor}: {found:?}");
    }
    assert_eq!(response(Rule::Bitcoin { window: 144 }, 144.0, 0.1, 1.25), None);
}
