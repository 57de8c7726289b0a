use super::*;
use consensus::catalogue::{Visitor, dispatch};

/// The story of a scenario's first variant.
fn story(scenario: &Scenario) -> Story {
    struct Explain<'a>(&'a Scenario, Variant);

    impl Visitor for Explain<'_> {
        type Output = Story;

        fn visit<P: Module>(self) -> Story {
            explain::<P>(self.0, self.1)
        }
    }

    let variant: Variant = scenario.consensus[0].parse().unwrap();
    dispatch(variant.module, Explain(scenario, variant)).unwrap()
}

#[test]
fn dev() {
    let Ok(files) = std::env::var("STORIES") else { return };
    for file in files.split(',') {
        let scenario = Scenario::parse(&std::fs::read_to_string(file).unwrap()).unwrap();
        println!("== {file}\n{}", story(&scenario));
    }
}
