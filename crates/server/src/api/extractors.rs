//! Extractors: processes that read a GitLab from within its network and have the operations of their syncs carried out here.

mod call;
mod connect;
mod gzip;
mod process;
mod wait;

pub(crate) use call::*;
pub(crate) use connect::*;
pub(crate) use wait::*;
