//! Lines from whoever could open the socket, and answers from whoever listens there.

use super::{Answer, Request};

/// A refusal repeats a line in part only, in bytes.
const LONGEST_REFUSAL: usize = 2_048;

/// A line, perhaps. What is read is written and read again as the same; what is not is refused in a line.
pub fn check(line: &[u8]) {
    match Request::parse(line) {
        Ok(request) => {
            let written = request.to_line();
            assert_eq!(Request::parse(written.as_bytes()), Ok(request), "written as {written}");
        }
        Err(why) => assert!(!why.is_empty() && why.len() < LONGEST_REFUSAL, "{why}"),
    }
    if let Ok(answer) = serde_json::from_slice::<Answer>(line) {
        let written = serde_json::to_vec(&answer).expect("an answer is plain data");
        assert!(serde_json::from_slice::<Answer>(&written).is_ok(), "what is read is written");
    }
}
