//! Tasks: what is done for connections, who is at it, and what went wrong.

mod list;
mod retry;
mod view;

pub(super) use list::list;
pub(super) use retry::retry;

pub(crate) use {list::*, retry::*, view::*};
