//! Rows as comma-separated values.

use serde_json::Value;
use store::QueryResult;

/// A heading and the rows; nulls are empty.
pub fn csv(result: &QueryResult) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |cells: Vec<String>| writer.write_record(cells).expect("a buffer takes everything");
    write(result.columns.clone());
    result.rows.iter().for_each(|row| write(row.iter().map(cell).collect()));
    let bytes = writer.into_inner().expect("a buffer takes everything");
    String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
