//! Rows as an array of objects.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use store::QueryResult;

/// An array with one object per row and line, its fields in the order of the columns.
pub fn json(result: &QueryResult) -> String {
    let columns = distinct(&result.columns);
    let object = |row: &Vec<Value>| {
        serde_json::to_string(&Object { columns: &columns, row }).expect("values are plain data")
    };
    let rows: Vec<String> = result.rows.iter().map(object).collect();
    if rows.is_empty() { "[]".to_owned() } else { format!("[{}]", rows.join(",\n ")) }
}

struct Object<'o> {
    columns: &'o [String],
    row: &'o [Value],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.row.len()))?;
        for (column, value) in self.columns.iter().zip(self.row) {
            map.serialize_entry(column, value)?;
        }
        map.end()
    }
}

/// Columns of one name get numbers, so that none hides another.
fn distinct(columns: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for column in columns {
        let mut name = column.clone();
        let mut number = 1;
        while names.contains(&name) {
            number += 1;
            name = format!("{column}_{number}");
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_hide_nothing() {
        let columns = ["z", "a", "z"].map(str::to_owned).to_vec();
        let rows = vec![vec![Value::from(1), Value::Null, Value::from("x")]];
        assert_eq!(json(&QueryResult { columns, rows }), r#"[{"z":1,"a":null,"z_2":"x"}]"#);
    }
}
