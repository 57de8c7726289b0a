use super::*;

fn wait(time: Duration) -> Wait {
    Wait::until(Instant::now() + time).expect("the system lets us listen")
}

#[test]
fn work_that_ends_in_time_gives_its_result() {
    assert_eq!(wait(Duration::from_secs(60)).run(|| 7), Ok(7));
}

#[test]
fn work_that_hangs_is_left_behind_at_the_deadline() {
    let start = Instant::now();
    let stopped = wait(Duration::from_millis(50)).run(|| {
        thread::sleep(Duration::from_secs(60));
        7
    });
    assert_eq!(stopped, Err(Stopped::TimeUp));
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_pause_does_not_reach_beyond_the_deadline() {
    let wait = wait(Duration::from_millis(50));
    assert_eq!(wait.pause(Duration::from_millis(1)), Ok(()));
    assert_eq!(wait.pause(Duration::from_secs(60)), Err(Stopped::TimeUp));
}

#[test]
#[should_panic(expected = "our own mistake")]
fn a_panic_in_the_work_is_ours() {
    let _: Result<(), _> = wait(Duration::from_secs(60)).run(|| panic!("our own mistake"));
}

#[test]
fn without_a_deadline_work_of_several_kinds_is_waited_for() {
    let wait = Wait::until_interrupted().expect("the system lets us listen");
    assert_eq!(wait.run(|| 7), Ok(7));
    assert_eq!(wait.pause(Duration::ZERO), Ok(()));
    assert_eq!(wait.run(|| "seven".to_owned()), Ok("seven".to_owned()));
}
