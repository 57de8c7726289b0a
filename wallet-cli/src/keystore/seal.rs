//! The format of a key file: what is in the clear, what is sealed, and what the seal binds.

use super::{Account, KeystoreError};
use crate::name::AccountName;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    ChaCha20Poly1305,
    aead::{Aead, KeyInit, Payload},
};
use crypto::{Address, Domain, Hash, PublicKey, SecretKey, codec, hash};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The only version so far.
const VERSION: u32 = 1;

/// The most memory that a file may make us use, in KiB. A damaged or hostile file could otherwise
/// ask for terabytes.
const MOST_MEMORY: u32 = 256 * 1024;

/// The most passes over it.
const MOST_PASSES: u32 = 16;

const SEED: usize = 32;
const TAG: usize = 16;

/// What `DIR/keys/NAME.json` holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    version: u32,
    name: AccountName,
    address: Address,
    public_key: PublicKey,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dev: bool,
    kdf: Kdf,
    cipher: Cipher,
}

/// How the key of the seal comes from the passphrase.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    algorithm: KdfAlgorithm,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    #[serde(with = "hex::serde")]
    salt: [u8; 16],
}

#[derive(Serialize, Deserialize)]
enum KdfAlgorithm {
    #[serde(rename = "argon2id")]
    Argon2id,
}

/// The sealed seed and its authentication tag.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    algorithm: CipherAlgorithm,
    #[serde(with = "hex::serde")]
    nonce: [u8; 12],
    #[serde(with = "hex::serde")]
    ciphertext: [u8; SEED + TAG],
}

#[derive(Serialize, Deserialize)]
enum CipherAlgorithm {
    #[serde(rename = "chacha20poly1305")]
    ChaCha20Poly1305,
}

/// How hard guessing the passphrase is made.
#[derive(Clone, Copy)]
pub(super) enum Strength {
    /// OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. Some 20 ms a guess.
    Secret,
    /// The least Argon2 allows, since there is nothing to guess.
    Dev,
}

/// What is wrong with a file, before it is known which file it is.
#[derive(Debug)]
pub(super) enum Fault {
    /// The seal does not open.
    Locked,
    /// It is no key file of this account.
    Damaged(String),
}

impl Fault {
    pub(super) fn at(self, name: &AccountName, path: PathBuf) -> KeystoreError {
        match self {
            Fault::Locked => KeystoreError::Locked { name: name.clone(), path },
            Fault::Damaged(reason) => KeystoreError::Damaged { path, reason },
        }
    }
}

impl KeyFile {
    /// Seals a key. Salt and nonce are fresh, so no two files share a key of the seal.
    pub(super) fn seal(
        name: &AccountName,
        key: &SecretKey,
        passphrase: &str,
        strength: Strength,
    ) -> KeyFile {
        let public_key = key.public();
        let cipher = Cipher {
            algorithm: CipherAlgorithm::ChaCha20Poly1305,
            nonce: random(),
            ciphertext: [0; SEED + TAG],
        };
        let mut file = KeyFile {
            version: VERSION,
            name: name.clone(),
            address: public_key.address(),
            public_key,
            dev: matches!(strength, Strength::Dev),
            kdf: Kdf::new(strength),
            cipher,
        };
        let bound = file.bound();
        let seed = key.seed();
        let payload = Payload { msg: seed.as_slice(), aad: bound.as_bytes() };
        let sealed = file
            .kdf
            .cipher(passphrase)
            .expect("our own parameters are valid")
            .encrypt(&file.cipher.nonce.into(), payload)
            .expect("32 bytes are not too long to encrypt");
        file.cipher.ciphertext.copy_from_slice(&sealed);
        file
    }

    /// Reads a file and checks all that needs no passphrase.
    pub(super) fn parse(name: &AccountName, bytes: &[u8]) -> Result<KeyFile, Fault> {
        let damaged = |reason: String| Err(Fault::Damaged(reason));
        // The version first: a later one may have fields that this one does not know.
        match serde_json::from_slice(bytes) {
            Ok(Versioned { version: VERSION }) => {}
            Ok(Versioned { version }) => {
                return damaged(format!("it has version {version}, this wallet reads {VERSION}"));
            }
            Err(error) => return damaged(error.to_string()),
        }
        let file: KeyFile =
            serde_json::from_slice(bytes).map_err(|error| Fault::Damaged(error.to_string()))?;
        if file.name != *name {
            return damaged(format!("it belongs to the account {}", file.name));
        }
        if file.address != file.public_key.address() {
            return damaged("its address is not that of its public key".to_owned());
        }
        file.kdf.params()?;
        Ok(file)
    }

    /// Opens the seal.
    pub(super) fn unseal(&self, passphrase: &str) -> Result<SecretKey, Fault> {
        let bound = self.bound();
        let payload = Payload { msg: &self.cipher.ciphertext, aad: bound.as_bytes() };
        let opened = self
            .kdf
            .cipher(passphrase)?
            .decrypt(&self.cipher.nonce.into(), payload)
            .map(Zeroizing::new)
            .map_err(|_| Fault::Locked)?;
        let mut seed = Zeroizing::new([0; SEED]);
        seed.copy_from_slice(&opened);
        let key = SecretKey::from_seed(*seed);
        // The seal binds the public key, so only a file that was sealed wrongly comes here.
        if key.public() != self.public_key {
            return Err(Fault::Damaged("its key is not that of its address".to_owned()));
        }
        Ok(key)
    }

    pub(super) fn account(&self) -> Account {
        Account {
            name: self.name.clone(),
            address: self.address,
            public_key: self.public_key,
            dev: self.dev,
        }
    }

    pub(super) fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a key file is plain data");
        text.push('\n');
        text
    }

    /// What the seal authenticates beside the seed. Salt and parameters need no place here: with
    /// others the passphrase gives another key.
    fn bound(&self) -> Hash {
        let fields = (self.version, self.name.as_str(), self.address, self.public_key, self.dev);
        hash::tagged(Domain::Keystore, &codec::encode(&fields))
    }
}

impl Kdf {
    fn new(strength: Strength) -> Kdf {
        let (memory_kib, passes) = match strength {
            Strength::Secret => (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST),
            Strength::Dev => (Params::MIN_M_COST, Params::MIN_T_COST),
        };
        Kdf { algorithm: KdfAlgorithm::Argon2id, memory_kib, passes, lanes: 1, salt: random() }
    }

    fn params(&self) -> Result<Params, Fault> {
        if self.memory_kib > MOST_MEMORY || self.passes > MOST_PASSES {
            return Err(Fault::Damaged(format!(
                "it asks for {} KiB and {} passes, at most {MOST_MEMORY} KiB and {MOST_PASSES} \
                 passes are allowed",
                self.memory_kib, self.passes
            )));
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|error| Fault::Damaged(format!("its argon2id parameters are wrong: {error}")))
    }

    fn cipher(&self, passphrase: &str) -> Result<ChaCha20Poly1305, Fault> {
        let KdfAlgorithm::Argon2id = self.algorithm;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params()?);
        let mut key = Zeroizing::new([0; 32]);
        argon2
            .hash_password_into(passphrase.as_bytes(), &self.salt, key.as_mut())
            .map_err(|error| Fault::Damaged(format!("argon2id refuses: {error}")))?;
        Ok(ChaCha20Poly1305::new((&*key).into()))
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// # Panics
///
/// If the operating system has no randomness to give, since nothing sealed then would be secret.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}
