//! The operations that reading a GitLab needs of the database, carried out here or by a Weir elsewhere.
//!
//! A sync holds a [`Handle`] and no [`Store`](crate::Store): what is not in `operations.rs` it cannot do, wherever it runs. An extractor's
//! handle sends each operation as one call; the Weir that has the database carries it out, [`Within`] what belongs to
//! that extractor.

mod call;
mod claims;
mod facts;
mod handle;
mod ids;
mod leading;
mod operations;
mod owned;
mod special;
mod within;
pub(crate) mod words;

use std::fmt;

use futures::future::BoxFuture;

pub use call::Call;
pub use handle::{Away, Handle};
pub(crate) use leading::Led;
pub use operations::Operation;
pub use within::{Refusal, Within};

use crate::StoreError;

/// Takes calls to the Weir that has the database, and its answers back.
pub trait Carrier: fmt::Debug + Send + Sync {
    /// Sends one call and gives what was answered. It is sent again until there is an answer, or nobody waits for one any more.
    fn carry<'c>(&'c self, call: &'c Call) -> BoxFuture<'c, Result<Vec<u8>, StoreError>>;
}

/// What both sides have to agree upon: the operations with their arguments, and the kinds of rows. It changes by itself
/// when one of them does.
pub fn protocol() -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    digest.update(operations::TEXT);
    for kind in &catalogue::KINDS {
        digest.update(format!("{}{:?}", kind.table.name, kind.columns));
    }
    let digest = digest.finalize();
    format!("{FORMAT}-{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
}

/// To be raised when a type of `operations.rs` changes its fields.
const FORMAT: u32 = 1;
