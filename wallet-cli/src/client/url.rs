//! Where a node answers.

use serde::Serialize;
use std::{fmt, str::FromStr};
use thiserror::Error;

/// `http://HOST:PORT/`. The wallet checks proofs rather than connections, so there is no TLS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct NodeUrl(String);

impl NodeUrl {
    /// Where a node listens unless told otherwise.
    pub fn default_node() -> NodeUrl {
        NodeUrl("http://127.0.0.1:26657".to_owned())
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every URL in `text`, separated by commas, spaces or line breaks; `#` begins a comment.
    ///
    /// # Errors
    ///
    /// [`BadUrl`] for the first that is none.
    pub fn list(text: &str) -> Result<Vec<NodeUrl>, BadUrl> {
        text.lines()
            .map(|line| line.split('#').next().unwrap_or_default())
            .flat_map(|line| line.split([',', ' ', '\t', '\r']))
            .filter(|word| !word.is_empty())
            .map(str::parse)
            .collect()
    }
}

impl FromStr for NodeUrl {
    type Err = BadUrl;

    /// Takes `HOST:PORT` for `http://HOST:PORT`.
    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let bad = |fault| BadUrl { value: text.chars().take(200).collect(), fault };
        let full = match text.split_once("://") {
            Some(("http", _)) => text.to_owned(),
            Some((scheme, _)) => {
                return Err(bad(UrlFault::Scheme(scheme.chars().take(20).collect())));
            }
            None => format!("http://{text}"),
        };
        let uri: ureq::http::Uri = full.parse().map_err(|_| bad(UrlFault::Malformed))?;
        let authority = uri.authority().ok_or_else(|| bad(UrlFault::Malformed))?;
        if authority.host().is_empty() {
            return Err(bad(UrlFault::Malformed));
        }
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(bad(UrlFault::Extra));
        }
        Ok(NodeUrl(full.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is no node's URL.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{value:?} is no node's URL: {fault}; write it like {}", NodeUrl::default_node())]
pub struct BadUrl {
    /// The text as it was given, shortened if it is very long.
    pub value: String,
    /// What is wrong with it.
    pub fault: UrlFault,
}

/// What can be wrong with a URL.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UrlFault {
    /// Something else than `http`.
    #[error("nodes answer by plain http, not by {0:?}")]
    Scheme(String),
    /// It has no host, or characters no URL has.
    #[error("it names no host")]
    Malformed,
    /// A user, a password or a query, which no node has.
    #[error("it has a user, a password or a query")]
    Extra,
}
