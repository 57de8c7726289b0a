use proptest::prelude::*;

use super::*;

const LIMIT: u32 = 1_000;

fn encoded(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        encode_part(frame, 0, usize::MAX - PREFIX, &mut bytes);
    }
    bytes
}

/// Feeds `bytes` in pieces of the given sizes, over and over, until they are used up.
fn decoded(bytes: &[u8], pieces: &[usize]) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut decoder = Decoder::new(LIMIT);
    let mut frames = Vec::new();
    let mut rest = bytes;
    for &size in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let mut piece = take(&mut rest, size);
        while !piece.is_empty() {
            match decoder.decode(&mut piece) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => assert!(piece.is_empty(), "it stops only for want of bytes"),
                Err(error) => {
                    let mut more: &[u8] = &[0; 16];
                    assert_eq!(decoder.decode(&mut more), Err(error), "it stays broken");
                    return (frames, Some(error));
                }
            }
            let held = decoder.body.as_ref().map_or(0, |body| body.bytes.capacity());
            assert!(held <= LIMIT as usize, "it holds {held} bytes");
        }
    }
    (frames, None)
}

proptest! {
    #[test]
    fn frames_come_back_whole_however_the_stream_is_cut(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1_000), 0..10),
        pieces in prop::collection::vec(1..700_usize, 1..20),
    ) {
        let (back, error) = decoded(&encoded(&frames), &pieces);
        prop_assert_eq!(error, None);
        prop_assert_eq!(back, frames);
    }

    #[test]
    fn arbitrary_bytes_neither_panic_nor_allocate_beyond_the_limit(
        bytes in prop::collection::vec(any::<u8>(), 0..5_000),
        pieces in prop::collection::vec(1..700_usize, 1..20),
    ) {
        let (frames, _) = decoded(&bytes, &pieces);
        prop_assert!(frames.iter().all(|frame| frame.len() <= LIMIT as usize));
    }

    /// Lengths in random bytes are nearly all too long, so this one draws plausible ones.
    #[test]
    fn hostile_lengths_are_refused_and_the_rest_is_cut_right(
        lengths in prop::collection::vec(0..LIMIT + 50, 1..10),
        pieces in prop::collection::vec(1..700_usize, 1..20),
    ) {
        let honest = lengths.iter().take_while(|length| **length <= LIMIT).count();
        let mut bytes = Vec::new();
        for length in &lengths {
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.resize(bytes.len() + *length as usize, 7);
        }
        let (frames, error) = decoded(&bytes, &pieces);
        prop_assert_eq!(frames.len(), honest);
        let expected = lengths.get(honest).map(|&length| FrameError::Oversized {
            length,
            limit: LIMIT,
        });
        prop_assert_eq!(error, expected);
    }

    #[test]
    fn a_frame_is_encoded_alike_in_one_piece_or_in_many(
        frame in prop::collection::vec(any::<u8>(), 0..300),
        rooms in prop::collection::vec(0..100_usize, 1..20),
    ) {
        let mut pieces = Vec::new();
        let mut offset = 0;
        for room in rooms.into_iter().chain([encoded_length(&frame)]) {
            let before = pieces.len();
            offset = encode_part(&frame, offset, room, &mut pieces);
            prop_assert!(pieces.len() - before <= room);
            prop_assert_eq!(pieces.len(), offset);
        }
        prop_assert_eq!(pieces, encoded(&[frame]));
    }
}

#[test]
fn a_length_just_above_the_limit_is_refused_before_its_body_comes() {
    let mut decoder = Decoder::new(LIMIT);
    let prefix = (LIMIT + 1).to_le_bytes();
    let expected = Err(FrameError::Oversized { length: LIMIT + 1, limit: LIMIT });
    assert_eq!(decoder.decode(&mut &prefix[..3]), Ok(None));
    assert_eq!(decoder.decode(&mut &prefix[3..]), expected);
    assert!(decoder.body.is_none());
}
