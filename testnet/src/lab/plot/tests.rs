use super::*;

fn points(points: &[(f64, f64)]) -> Vec<Point> {
    points.iter().map(|(across, up)| Point { across: *across, up: *up, off: 0.1 }).collect()
}

fn chart(up: &[(f64, f64)], style: Style) -> Chart {
    let curves = vec![Curve { name: "a & b".into(), style, points: points(up) }];
    Chart { title: "<t>".into(), across: "n".into(), up: "s".into(), curves, words: Vec::new() }
}

#[test]
fn a_chart_without_points_says_so() {
    assert!(figure(&chart(&[], Style::Joined)).contains("nothing was decided"));
    assert_eq!(alone(&chart(&[], Style::Joined)), None);
}

#[test]
fn what_people_wrote_is_text_and_no_markup() {
    for text in [
        figure(&chart(&[(1.0, 2.0)], Style::Dots)),
        alone(&chart(&[(1.0, 2.0)], Style::Dots)).unwrap(),
    ] {
        assert!(text.contains("a &amp; b") && text.contains("&lt;t&gt;") && !text.contains("<t>"));
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}

#[test]
fn values_far_apart_are_drawn_by_powers_of_ten() {
    let far = chart(&[(0.0, 1.0), (5.0, 1e-3), (9.0, 1e-6)], Style::Line);
    let axis = upright(&far);
    assert!(axis.is_logarithmic);
    assert_eq!(axis.at(1e-3), (axis.at(1.0) + axis.at(1e-6)) / 2.0);
    assert_eq!(axis.at(0.0), axis.at(1e-6), "zero is at the end");
    assert!(!upright(&chart(&[(0.0, 1.0), (9.0, 0.1)], Style::Line)).is_logarithmic);
}

#[test]
fn ticks_are_round_and_within() {
    let axis = Axis { least: 0.0, most: 0.5, is_logarithmic: false, from: 0.0, to: 1.0 };
    let ticks = axis.ticks();
    assert!((3..=6).contains(&ticks.len()) && ticks.iter().all(|tick| (0.0..=0.5).contains(tick)));
    let axis = Axis { least: 2.0, most: 10_000.0, is_logarithmic: true, from: 0.0, to: 1.0 };
    assert_eq!(axis.ticks(), [10.0, 100.0, 1_000.0, 10_000.0]);
}

#[test]
fn figures_are_short() {
    for (value, text) in [
        (0.0, "0"),
        (0.25, "0.25"),
        (12.5, "12.5"),
        (31.0, "31"),
        (1e-6, "1e-6"),
        (25_000.0, "25k"),
    ] {
        assert_eq!(round(value), text);
    }
}
