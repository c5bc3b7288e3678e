//! The schema as aligned columns.

use store::{ColumnInfo, TableInfo};

use crate::table::{Side, table};

/// Every table in one line.
pub fn overview(tables: &[&TableInfo]) -> String {
    let headings = ["table", "columns", "description"].map(str::to_owned);
    let row = |it: &&TableInfo| {
        vec![it.name.clone(), it.columns.len().to_string(), it.description.clone().unwrap_or_default()]
    };
    let rows: Vec<Vec<String>> = tables.iter().map(row).collect();
    table(&headings, &[Side::Left, Side::Right, Side::Left], &rows)
}

/// One table with its columns.
pub fn columns(info: &TableInfo) -> String {
    let headings = ["column", "type", "null", "description"].map(str::to_owned);
    let rows: Vec<Vec<String>> = info.columns.iter().map(column).collect();
    let mut lines = vec![info.name.clone()];
    lines.extend(info.description.clone());
    if !info.key.is_empty() {
        lines.push(format!("Key: {}", info.key.join(", ")));
    }
    lines.push(String::new());
    lines.push(table(&headings, &[Side::Left; 4], &rows));
    lines.join("\n")
}

fn column(column: &ColumnInfo) -> Vec<String> {
    let null = if column.nullable { "yes" } else { "" };
    let description = column.description.clone().unwrap_or_default();
    vec![column.name.clone(), column.r#type.clone(), null.to_owned(), description]
}
