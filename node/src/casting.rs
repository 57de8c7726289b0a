//! What sits in a node's seat: its protocol, unless a program that studies nodes puts something
//! around that. The binary `node` puts nothing.

use crate::config::NodeConfig;
use consensus::{Protocol, catalogue::Module};

/// Puts something around a protocol whose name has become a type.
pub trait Casting: Send + 'static {
    /// What comes of it. It says what the protocol's peers understand.
    type Actor<P: Module>: Protocol<Message = P::Message> + Send + 'static;

    /// Called once, before the node's life begins.
    ///
    /// # Errors
    /// Why nothing comes of it: whoever configured the node can mend that.
    fn cast<P: Module>(self, protocol: P, config: &NodeConfig) -> Result<Self::Actor<P>, String>;
}

/// The protocol itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Casting for Plain {
    type Actor<P: Module> = P;

    fn cast<P: Module>(self, protocol: P, _: &NodeConfig) -> Result<P, String> {
        Ok(protocol)
    }
}
