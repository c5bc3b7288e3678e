//! Rows as aligned columns.

use serde_json::Value;
use store::QueryResult;

use crate::table::{Side, table};

/// Lays the rows out: numbers to the right, nulls empty.
pub fn text(result: &QueryResult) -> String {
    let sides: Vec<Side> = (0..result.columns.len()).map(|at| side(at, result)).collect();
    let rows: Vec<Vec<String>> = result.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    table(&result.columns, &sides, &rows)
}

fn side(at: usize, result: &QueryResult) -> Side {
    let mut values = result.rows.iter().map(|row| &row[at]).filter(|it| !it.is_null()).peekable();
    let is_number = values.peek().is_some() && values.all(Value::is_number);
    if is_number { Side::Right } else { Side::Left }
}

/// One line, whatever the value holds.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace(['\n', '\r', '\t'], " "),
        other => other.to_string(),
    }
}
