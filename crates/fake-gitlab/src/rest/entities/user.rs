//! Users, as they stand inside other rows.

use serde::Serialize;

use crate::world::model::{Id, UserType, World};

/// GitLab's `UserBasic`.
#[derive(Debug, Serialize)]
pub struct UserBasic<'a> {
    id: Id,
    username: &'a str,
    public_email: Option<&'a str>,
    name: &'a str,
    state: &'a str,
    locked: bool,
    avatar_url: Option<String>,
    web_url: String,
}

impl<'a> UserBasic<'a> {
    /// The user with this id; none when there is no such user.
    pub fn of(world: &'a World, user_id: Id) -> Option<Self> {
        let user = world.users.get(&user_id)?;
        Some(Self {
            id: user.id,
            username: &user.username,
            public_email: None,
            name: &user.name,
            state: &user.state,
            locked: false,
            avatar_url: avatar(user.id),
            web_url: format!("{}/{}", world.url, user.username),
        })
    }

    /// All of these users that exist.
    pub fn all(world: &'a World, user_ids: impl IntoIterator<Item = Id>) -> Vec<Self> {
        user_ids.into_iter().filter_map(|id| Self::of(world, id)).collect()
    }
}

fn avatar(user_id: Id) -> Option<String> {
    (user_id % 3 != 0).then(|| format!("https://secure.gravatar.com/avatar/{user_id:032x}?s=80&d=identicon"))
}

/// GitLab's `bot` flag: true for bots of tokens, service accounts and GitLab's own bots.
pub fn is_bot(user_type: UserType) -> bool {
    !matches!(user_type, UserType::Human | UserType::Ghost)
}
