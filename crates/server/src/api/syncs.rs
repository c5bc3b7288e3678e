//! Syncs: what ran, what it brought, what it cost, and how it ended.

mod info;
mod list;
mod view;

pub(super) use info::info;
pub(super) use list::list;

pub(crate) use {info::*, list::*, view::*};
