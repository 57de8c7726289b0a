//! What miners say to each other: blocks.

use crate::protocol::{self, Topic};
use ledger::{Block, Slot};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The one message. Its seal speaks for it; the signature around it only tells whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// A block that was mined.
    Block(Arc<Block>),
}

impl protocol::Message for Message {
    fn kind(&self) -> &'static str {
        "block"
    }

    fn kinds() -> &'static [&'static str] {
        &["block"]
    }

    /// None: whoever does the work may say as much as it likes.
    fn slot(&self) -> Option<Slot> {
        None
    }

    fn about(&self) -> Topic {
        let Message::Block(block) = self;
        Topic::of(Some(block.hash()))
    }

    fn block(&self) -> Option<&Arc<Block>> {
        let Message::Block(block) = self;
        Some(block)
    }

    fn block_mut(&mut self) -> Option<&mut Arc<Block>> {
        let Message::Block(block) = self;
        Some(block)
    }
}
