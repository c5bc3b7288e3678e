//! Members.

use serde_json::{Value, json};

use super::Millis;
use super::user::UserBasic;
use crate::world::model::{Member, World};

/// A member: the user with a level, and the dates of the membership.
pub fn member(world: &World, member: &Member, access_level: i32) -> Value {
    let mut body = json!(UserBasic::of(world, member.user_id));
    let more = json!({
        "access_level": access_level,
        "created_at": Millis(member.created_at),
        "expires_at": member.expires_at,
        "membership_state": "active",
        "group_saml_identity": null,
        "member_role": null,
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.remove("public_email");
        body.extend(more);
    }
    body
}
