//! The node's calls by name, with the types of their answers.

use super::{Client, ClientError};
use crypto::{Address, codec};
use ledger::{
    BlockHash, Transaction, TransactionId,
    query::{
        AccountAnswer, BlockAnswer, BlocksAnswer, CommitteesAnswer, HeadersAnswer, StakeAnswer,
        StatusAnswer, TransactionAnswer,
    },
};
use serde::Deserialize;
use serde_json::json;

/// Every call may fail as [`Client::call`] does.
impl Client {
    /// What the node says about itself.
    pub fn status(&self) -> Result<StatusAnswer, ClientError> {
        self.call("status", json!({}))
    }

    /// The committed block at a height; none if the node has none there.
    pub fn block(&self, height: u64) -> Result<Option<BlockAnswer>, ClientError> {
        self.call("block", json!({"height": height}))
    }

    /// A block by its name, committed or not; none if the node does not know it.
    pub fn block_called(&self, hash: BlockHash) -> Result<Option<BlockAnswer>, ClientError> {
        self.call("block", json!({"hash": hash}))
    }

    /// Headers of the adopted branch in a row, from a height on; none past the newest.
    pub fn headers(&self, from: u64) -> Result<HeadersAnswer, ClientError> {
        self.call("headers", json!({"from": from}))
    }

    /// Committed blocks in a row, from a height on, up to a proven one; none past the newest.
    pub fn blocks(&self, from: u64) -> Result<BlocksAnswer, ClientError> {
        self.call("blocks", json!({"from": from}))
    }

    /// What became of a transaction.
    pub fn transaction(&self, id: TransactionId) -> Result<TransactionAnswer, ClientError> {
        self.call("transaction", json!({"id": id}))
    }

    /// What an account holds.
    pub fn account(&self, address: Address) -> Result<AccountAnswer, ClientError> {
        self.call("account", json!({"address": address}))
    }

    /// What an account holds after the block of the adopted branch at a height, which may neither be
    /// below the newest committed one nor above the head.
    pub fn account_at(&self, address: Address, height: u64) -> Result<AccountAnswer, ClientError> {
        self.call("account", json!({"address": address, "height": height}))
    }

    /// Who has what at stake after the newest committed block.
    pub fn stake(&self) -> Result<StakeAnswer, ClientError> {
        self.call("stake", json!({}))
    }

    /// Changes of the committee that headers from this height on announce, as many as one answer holds.
    pub fn committees(&self, from: u64) -> Result<CommitteesAnswer, ClientError> {
        self.call("committees", json!({"from": from}))
    }

    /// Hands over a transaction. The answer is the name the node gives it. Handing the same one
    /// over again does no harm, so it may go to several nodes.
    pub fn submit(&self, transaction: &Transaction) -> Result<TransactionId, ClientError> {
        #[derive(Deserialize)]
        struct Receipt {
            id: TransactionId,
        }
        let bytes = hex::encode(codec::encode(transaction));
        self.call("submit", json!({"transaction": bytes})).map(|Receipt { id }| id)
    }
}
