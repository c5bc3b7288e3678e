//! One call on its way: the name of an operation with its arguments, as JSON.

use serde::Serialize;

use crate::StoreError;

/// One call.
#[derive(Debug)]
pub struct Call {
    /// The operation.
    pub operation: &'static str,
    body: Vec<u8>,
    arguments: usize,
}

impl Call {
    /// A call without arguments.
    pub(super) fn new(operation: &'static str) -> Call {
        Call { operation, body: format!("{{\"{operation}\":{{").into_bytes(), arguments: 0 }
    }

    /// The call with one more argument.
    pub(super) fn with(mut self, name: &str, value: &impl Serialize) -> Result<Call, StoreError> {
        let comma = if self.arguments == 0 { "" } else { "," };
        self.arguments += 1;
        self.body.extend_from_slice(format!("{comma}\"{name}\":").as_bytes());
        serde_json::to_writer(&mut self.body, value).map_err(StoreError::unreadable)?;
        Ok(self)
    }

    /// The call whole.
    pub fn body(&self) -> Vec<u8> {
        [&self.body[..], b"}}"].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_its_operation_and_its_arguments() {
        let call = Call::new("claim").with("sync_id", &7).and_then(|it| it.with("owner", &"a\"b")).unwrap();
        assert_eq!(call.body(), br#"{"claim":{"sync_id":7,"owner":"a\"b"}}"#);
        assert_eq!(Call::new("server_version").body(), br#"{"server_version":{}}"#);
    }
}
