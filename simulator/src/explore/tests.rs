use super::*;
use consensus::catalogue::NAMES;

/// Whoever knows the number has the trial.
#[test]
fn a_trial_follows_from_its_number() {
    for module in NAMES {
        let variant = Variant::sound(module).unwrap();
        let base = general(&variant);
        for number in 0..200 {
            assert_eq!(trial(&base, number), trial(&base, number));
        }
    }
}
