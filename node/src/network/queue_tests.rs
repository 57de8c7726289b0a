use futures::task::noop_waker;

use super::super::framing::PREFIX;

use super::*;

fn queue() -> Queue {
    Queue::new(Arc::new(Tallies::default()), MAX_QUEUED_BYTES)
}

fn frame(fill: u8, length: usize) -> Arc<[u8]> {
    vec![fill; length].into()
}

fn refill(queue: &Queue, lease: Lease, buffer: &mut Vec<u8>) -> Refill {
    queue.refill(lease, buffer, &mut Context::from_waker(&noop_waker()))
}

#[test]
fn small_frames_are_coalesced_and_large_ones_cut() {
    let queue = queue();
    for fill in 0..10 {
        queue.push(frame(fill, 100)).unwrap();
    }
    queue.push(frame(10, 40_000)).unwrap();
    let lease = queue.lease();
    let (mut buffer, mut written) = (Vec::new(), Vec::new());
    let mut chunks = 0;
    while refill(&queue, lease, &mut buffer) == Refill::Filled {
        assert!(buffer.len() <= WRITE_CHUNK);
        written.extend_from_slice(&buffer);
        chunks += 1;
    }
    assert_eq!(written.len(), 10 * 104 + 40_004);
    assert_eq!(chunks, written.len().div_ceil(WRITE_CHUNK));
    assert_eq!(queue.tallies.snapshot().frames_sent, 11);
    assert_eq!(queue.tallies.snapshot().bytes_sent, 41_000);
    assert_eq!(queue.lock().bytes, 0);
}

#[test]
fn a_new_writer_starts_at_the_first_frame_that_has_not_left() {
    let queue = queue();
    queue.push(frame(1, WRITE_CHUNK)).unwrap();
    queue.push(frame(2, 10)).unwrap();
    let old = queue.lease();
    let mut buffer = Vec::new();
    assert_eq!(refill(&queue, old, &mut buffer), Refill::Filled);
    assert_eq!(refill(&queue, old, &mut buffer), Refill::Filled);
    // Both frames lie in buffers now, but the second buffer was never written.
    let new = queue.lease();
    assert_eq!(refill(&queue, old, &mut buffer), Refill::Superseded);
    assert_eq!(refill(&queue, new, &mut buffer), Refill::Filled);
    assert_eq!(buffer[..PREFIX], (WRITE_CHUNK as u32).to_le_bytes());
    assert_eq!(refill(&queue, new, &mut buffer), Refill::Filled);
    assert_eq!(refill(&queue, new, &mut buffer), Refill::Empty);
    assert_eq!(queue.tallies.snapshot().frames_sent, 2);
}

#[test]
fn frames_and_bytes_are_bounded() {
    let queue = queue();
    for _ in 0..MAX_QUEUED_FRAMES {
        queue.push(frame(0, 1)).unwrap();
    }
    assert_eq!(queue.push(frame(0, 1)), Err(Untaken::Full));

    let queue = self::queue();
    queue.push(frame(0, MAX_QUEUED_BYTES - 1)).unwrap();
    assert_eq!(queue.push(frame(0, 2)), Err(Untaken::Full));
    queue.push(frame(0, 1)).unwrap();
}

#[test]
fn a_shut_queue_loses_what_waits_takes_nothing_and_dismisses_its_writer() {
    let queue = queue();
    let lease = queue.lease();
    let mut buffer = Vec::new();
    (0..3).for_each(|fill| queue.push(frame(fill, 10_000)).unwrap());
    assert_eq!(refill(&queue, lease, &mut buffer), Refill::Filled);
    assert!(queue.is_leased(lease) && !queue.is_shut());

    assert_eq!(queue.shut(), 3, "none of them had left for certain");
    assert!(!queue.is_leased(lease) && queue.is_shut());
    assert_eq!(refill(&queue, lease, &mut buffer), Refill::Superseded);
    assert_eq!(queue.push(frame(3, 1)), Err(Untaken::Shut));
    let late = queue.lease();
    assert_eq!(refill(&queue, late, &mut buffer), Refill::Empty);
    assert_eq!(queue.shut(), 0);

    queue.open();
    (0..2).for_each(|fill| queue.push(frame(fill, MAX_QUEUED_BYTES / 2)).unwrap());
    assert_eq!(queue.push(frame(2, 1)), Err(Untaken::Full), "the bound is the old one");
    assert_eq!(queue.tallies.snapshot().frames_sent, 0);
}
