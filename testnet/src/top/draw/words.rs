//! Figures in few columns.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// A number in at most five columns: `999`, `1.2k`, `34k`, `5.6M`.
pub(super) fn count(value: f64) -> String {
    const UNITS: [&str; 5] = ["", "k", "M", "G", "T"];
    let mut value = value.max(0.0);
    let mut unit = 0;
    // What would be rounded to a thousand is one of the next.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    match unit {
        0 => format!("{value:.0}"),
        _ if value < 9.95 => format!("{value:.1}{}", UNITS[unit]),
        _ if value < 9_999.5 => format!("{value:.0}{}", UNITS[unit]),
        _ => "many".to_owned(),
    }
}

/// A time in at most five columns: `85µs`, `8.5ms`, `850ms`, `1.2s`, `34s`, `12m`.
pub(super) fn seconds(time: Duration) -> String {
    let micros = time.as_micros() as f64;
    match micros {
        ..999.5 => format!("{micros:.0}µs"),
        ..9_950.0 => format!("{:.1}ms", micros / 1e3),
        ..999_500.0 => format!("{:.0}ms", micros / 1e3),
        ..9_950_000.0 => format!("{:.1}s", micros / 1e6),
        ..999_500_000.0 => format!("{:.0}s", micros / 1e6),
        _ => format!("{}m", (micros / 60e6).min(9_999.0).round()),
    }
}

/// How long ago, in at most six columns.
pub(super) fn ago(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6_000 => format!("{} min", seconds / 60),
        _ => format!("{} h", (seconds / 3_600).min(9_999)),
    }
}

/// A share of a core in at most four columns.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0}%", (share * 100.0).clamp(0.0, 999.0))
}

/// What fits a line, and does not drive a terminal.
pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().filter(|letter| !letter.is_control()).collect()
}
