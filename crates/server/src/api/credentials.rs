//! Credentials: the tokens of a connection, which no answer ever shows.

mod check;
mod create;
mod delete;
mod info;
mod list;
mod update;
mod view;

pub(super) use create::create;
pub(super) use delete::delete;
pub(super) use info::info;
pub(super) use list::list;
pub(super) use update::update;

pub(crate) use {create::*, delete::*, info::*, list::*, update::*, view::*};
