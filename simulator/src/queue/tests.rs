use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_earliest_comes_first_and_of_equals_the_oldest() {
    let mut queue = Queue::new();
    queue.push(2 * SECOND, 'c');
    queue.push(SECOND, 'a');
    queue.push(2 * SECOND, 'd');
    queue.push(SECOND, 'b');
    let order = std::iter::from_fn(|| queue.pop_by(Duration::MAX));
    assert_eq!(order.map(|(_, what)| what).collect::<String>(), "abcd");
}

#[test]
fn nothing_comes_before_its_time() {
    let mut queue = Queue::new();
    queue.push(SECOND, 'a');
    assert_eq!(queue.pop_by(SECOND - Duration::from_nanos(1)), None);
    assert_eq!(queue.pop_by(SECOND), Some((SECOND, 'a')));
    assert_eq!(queue.pop_by(SECOND), None);
}
