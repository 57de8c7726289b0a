use super::*;

fn reported(work: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Option<Failure> {
    let (failures, mut reports) = Failures::channel();
    let thread = failures.watch("a-thread", work).expect("a thread");
    thread.join().expect("the watch itself does not panic");
    reports.try_recv().ok()
}

#[test]
fn a_thread_that_ends_well_reports_nothing() {
    assert_eq!(reported(|| Ok(())), None);
}

#[test]
fn a_failure_is_reported() {
    let full = StoreError::Failed("no space left".into());
    let failure = Failure::Store(full.clone());
    assert_eq!(reported(move || Err(full.into())), Some(failure));
}

#[test]
fn a_panic_is_reported_with_the_name_of_the_thread() {
    assert_eq!(reported(|| panic!("on purpose")), Some(Failure::Panicked("a-thread")));
}

#[test]
fn reports_are_bounded_and_the_first_is_kept() {
    let (failures, mut reports) = Failures::channel();
    failures.report(Failure::Panicked("first"));
    (0..100).for_each(|_| failures.report(Failure::NetworkEnded));
    assert_eq!(reports.try_recv(), Ok(Failure::Panicked("first")));
}
