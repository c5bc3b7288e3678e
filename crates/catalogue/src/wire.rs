//! Rows on their way to another process and back. What comes in is held against what the catalogue has.

use serde::de::{Deserializer, Error};
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::kinds::{Kind, parent};
use crate::{Batch, CompleteList, List, Table};

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for &'static Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<&'static Table, D::Error> {
        let name = String::deserialize(deserializer)?;
        Table::named(&name).ok_or_else(|| D::Error::custom("there is no such table"))
    }
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<List, D::Error> {
        let name = String::deserialize(deserializer)?;
        List::named(&name).ok_or_else(|| D::Error::custom("there is no such list"))
    }
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = RawValue::from_string(self.json()).map_err(serde::ser::Error::custom)?;
        let mut batch = serializer.serialize_struct("Batch", 3)?;
        batch.serialize_field("table", self.table)?;
        batch.serialize_field("columns", self.columns)?;
        batch.serialize_field("rows", &rows)?;
        batch.end()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchRead {
    table: String,
    columns: Vec<String>,
    rows: Box<RawValue>,
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Batch, D::Error> {
        let read = BatchRead::deserialize(deserializer)?;
        let kind = Kind::named(&read.table, &read.columns);
        let kind = kind.ok_or_else(|| D::Error::custom("there are no such rows"))?;
        Batch::received(kind, &read.rows).map_err(D::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteRead {
    table: &'static Table,
    parent: Vec<String>,
    values: Vec<i64>,
    counted: Option<i64>,
}

impl<'de> Deserialize<'de> for CompleteList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CompleteList, D::Error> {
        let CompleteRead { table, parent: columns, values, counted } =
            CompleteRead::deserialize(deserializer)?;
        let parent = parent(&columns).filter(|it| it.len() == values.len());
        let parent = parent.ok_or_else(|| D::Error::custom("no list hangs on such a parent"))?;
        Ok(CompleteList { table, parent, values, counted })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Batch, CompleteList, Origin, Rows, labels};

    fn batch(text: &str) -> Result<Batch, String> {
        serde_json::from_str(text).map_err(|it| it.to_string())
    }

    #[test]
    fn rows_arrive_as_they_were_sent() {
        let mut rows = Rows::default();
        let reader = &labels::LABELS.readers[0];
        let label = r##"{"id":3,"name":"a \"b\"","color":"#fff","text_color":"#000","description":null,"is_project_label":true}"##;
        (reader.read)(&Origin::instance(crate::Instance(2)), label, &mut rows).ok();
        rows.complete(&labels::TABLE, &["project_id"], &[7]);
        rows.named_labels.push((1, 2, "x".to_owned()));
        let sent = serde_json::to_string(&rows).unwrap();
        let came: Rows = serde_json::from_str(&sent).unwrap();
        assert_eq!(serde_json::to_string(&came).unwrap(), sent);
        assert_eq!((came.len(), &came.complete), (rows.len(), &rows.complete));
    }

    #[test]
    fn names_that_are_not_the_catalogues_are_refused() {
        let table = r#"{"table":"weir.api_keys","columns":["id"],"rows":[{"id":1}]}"#;
        assert!(batch(table).unwrap_err().contains("no such rows"));
        let column = r#"{"table":"gitlab_users","columns":["id, type"],"rows":[]}"#;
        assert!(batch(column).unwrap_err().contains("no such rows"));
        let list = r#"{"table":"gitlab_labels","parent":["1=1 or t.id"],"values":[1],"counted":null}"#;
        assert!(serde_json::from_str::<CompleteList>(list).is_err());
        let short = r#"{"table":"gitlab_labels","parent":["project_id"],"values":[],"counted":null}"#;
        assert!(serde_json::from_str::<CompleteList>(short).is_err());
    }

    #[test]
    fn rows_that_are_no_rows_are_refused() {
        let of = |rows: &str| {
            let columns = r#"["group_id","label_id"]"#;
            batch(&format!(r#"{{"table":"weir.group_labels","columns":{columns},"rows":{rows}}}"#))
        };
        assert_eq!(of(r#"[{"group_id":1,"label_id":2}]"#).unwrap().len, 1);
        for bad in ["7", "[7]", r#"[{"group_id":1,"colour":2}]"#, "{}"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
