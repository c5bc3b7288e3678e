//! Webhooks: how they stand.

mod status;
mod view;

pub(super) use status::status;

pub(crate) use {status::*, view::*};
