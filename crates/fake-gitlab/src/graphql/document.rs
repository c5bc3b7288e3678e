//! From a query's text to a document that was checked, remembered by its text because queries repeat; and refusals.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::Document as Ast;
use apollo_compiler::validation::{DiagnosticList, Valid};
use serde_json::{Value, json};

use super::{GraphqlAnswer, Schema, refusal};

/// A document that may run, or the errors it is answered with.
pub(super) type Checked = Result<Valid<ExecutableDocument>, Vec<Value>>;

/// How many texts are remembered before all are forgotten.
const REMEMBERED: usize = 1_000;

/// Documents that were checked under one schema.
#[derive(Default)]
pub(super) struct Documents(Mutex<HashMap<String, Arc<Checked>>>);

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Documents")
    }
}

impl Documents {
    /// The checked document of a text.
    pub(super) fn get(&self, schema: &Schema, query: &str) -> Arc<Checked> {
        let known = self.lock().get(query).cloned();
        known.unwrap_or_else(|| {
            let checked = Arc::new(check(schema, query));
            let mut documents = self.lock();
            if documents.len() >= REMEMBERED {
                documents.clear();
            }
            documents.insert(query.to_owned(), checked.clone());
            checked
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Checked>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn check(schema: &Schema, query: &str) -> Checked {
    let ast = Ast::parse(query, "query.graphql").map_err(|invalid| messages(&invalid.errors))?;
    let undefined = refusal::undefined(schema, &ast);
    if !undefined.is_empty() {
        return Err(undefined);
    }
    ast.to_executable_validate(&schema.definition).map_err(|invalid| messages(&invalid.errors))
}

fn messages(errors: &DiagnosticList) -> Vec<Value> {
    let described = |it: apollo_compiler::diagnostic::Diagnostic<'_, _>| {
        let error = it.to_json();
        json!({"message": error.message, "locations": error.locations})
    };
    errors.iter().map(described).collect()
}

/// An answer that holds one error and nothing else.
pub(super) fn refused(status: u16, message: &str) -> GraphqlAnswer {
    GraphqlAnswer { status, body: errors_only(&[json!({"message": message})]), items: 0 }
}

/// A body of errors without data.
pub(super) fn errors_only(errors: &[Value]) -> Vec<u8> {
    json!({"errors": errors}).to_string().into_bytes()
}
