//! Frames on a byte stream: a little-endian `u32` length, then that many bytes.
//!
//! Pure computing, so that a property test can feed it anything.

use thiserror::Error;

/// Bytes of the length prefix.
pub(super) const PREFIX: usize = 4;

/// Why a peer's bytes are not frames. There is no way to go on after it: the stream is closed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum FrameError {
    /// The peer announced a frame above the limit. Nothing has been allocated for it.
    #[error("the peer announced a frame of {length} bytes, the limit is {limit}")]
    Oversized {
        /// The announced length, in bytes.
        length: u32,
        /// The limit, in bytes.
        limit: u32,
    },
}

/// Cuts a byte stream into frames.
#[derive(Debug)]
pub(super) struct Decoder {
    limit: u32,
    prefix: [u8; PREFIX],
    prefix_filled: usize,
    body: Option<Body>,
}

#[derive(Debug)]
struct Body {
    bytes: Vec<u8>,
    length: usize,
}

impl Decoder {
    /// A decoder at the start of a stream whose frames have at most `limit` bytes.
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, prefix: [0; PREFIX], prefix_filled: 0, body: None }
    }

    /// Takes bytes from the front of `input` until a frame is whole or `input` is empty.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if the announced length is above the limit; every later call returns it too.
    pub(super) fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        let mut body = match self.body.take() {
            Some(body) => body,
            None => match self.announced(input)? {
                Some(length) => Body { bytes: Vec::with_capacity(length), length },
                None => return Ok(None),
            },
        };
        let missing = body.length - body.bytes.len();
        body.bytes.extend_from_slice(take(input, missing));
        if body.bytes.len() == body.length {
            return Ok(Some(body.bytes));
        }
        self.body = Some(body);
        Ok(None)
    }

    /// The next frame's length, once its prefix is whole. The check comes before any allocation.
    fn announced(&mut self, input: &mut &[u8]) -> Result<Option<usize>, FrameError> {
        let taken = take(input, PREFIX - self.prefix_filled);
        self.prefix[self.prefix_filled..self.prefix_filled + taken.len()].copy_from_slice(taken);
        self.prefix_filled += taken.len();
        if self.prefix_filled < PREFIX {
            return Ok(None);
        }
        let length = u32::from_le_bytes(self.prefix);
        if length > self.limit {
            return Err(FrameError::Oversized { length, limit: self.limit });
        }
        self.prefix_filled = 0;
        Ok(Some(length as usize))
    }
}

/// Appends bytes of `frame` as it looks on the wire to `output`, from `offset` on and at most
/// `room` of them. Returns the offset reached; the frame is done when it is [`encoded_length`].
pub(super) fn encode_part(frame: &[u8], offset: usize, room: usize, output: &mut Vec<u8>) -> usize {
    // A frame in a queue is at most `MAX_FRAME` long, which a `u32` holds.
    let prefix = (frame.len() as u32).to_le_bytes();
    let end = encoded_length(frame).min(offset + room);
    if offset < PREFIX {
        output.extend_from_slice(&prefix[offset..end.min(PREFIX)]);
    }
    if end > PREFIX {
        output.extend_from_slice(&frame[offset.max(PREFIX) - PREFIX..end - PREFIX]);
    }
    end
}

/// Bytes `frame` takes on the wire.
pub(super) fn encoded_length(frame: &[u8]) -> usize {
    PREFIX + frame.len()
}

/// Splits off up to `count` bytes from the front of `input`.
fn take<'a>(input: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(count.min(input.len()));
    *input = rest;
    taken
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
