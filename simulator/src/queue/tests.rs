use super::*;
use proptest::prelude::*;

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

proptest! {
    /// Whatever is put in and taken out in whatever order, it comes out as out of a sorted list: also
    /// what is put in at the very time that has come, in the present slice, in the next ones or far
    /// beyond all of them.
    #[test]
    fn it_is_a_sorted_list(steps in prop::collection::vec((0_u32..40, any::<u32>(), any::<bool>()), 1..400)) {
        let mut queue = Queue::new();
        let mut list = Vec::new();
        let mut now = Duration::ZERO;
        for (number, (scale, more, takes)) in steps.into_iter().enumerate() {
            // Half of the times are few, so that many things are due together, wherever they wait.
            let after = match scale % 2 {
                0 => Duration::from_millis(u64::from(more % 8) * 50),
                _ => Duration::from_nanos((u64::from(more) << 8) >> scale),
            };
            queue.push(now + after, number);
            list.push((now + after, number));
            list.sort_unstable();
            prop_assert_eq!(queue.next_at(), Some(list[0].0));
            if takes {
                let end = list[list.len() / 2].0;
                let taken = queue.pop_by(end);
                prop_assert_eq!(taken, Some(list.remove(0)));
                now = taken.unwrap().0;
            }
        }
        for expected in list {
            prop_assert_eq!(queue.pop_by(Duration::MAX), Some(expected));
        }
        prop_assert_eq!(queue.pop_by(Duration::MAX), None);
    }
}

#[test]
fn a_time_that_is_not_reached_does_not_hold_up_what_is_put_in_before_it() {
    let mut queue = Queue::new();
    queue.push(2 * SECOND, 'b');
    assert_eq!(queue.pop_by(SECOND), None);
    queue.push(SECOND, 'a');
    assert_eq!(queue.pop_by(SECOND), Some((SECOND, 'a')));
    assert_eq!(queue.pop_by(2 * SECOND), Some((2 * SECOND, 'b')));
}
