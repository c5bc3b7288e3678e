//! A row type names its table and the columns it brings.

use serde::Serialize;

use crate::Table;

/// One row on its way to the database. Columns that are not listed are left alone by the write.
pub trait Row: Serialize {
    /// Where it is stored.
    const TABLE: &'static Table;
    /// The columns it brings, key included.
    const COLUMNS: &'static [&'static str];
}

/// The column of a field: a field named as a reserved word carries a mark that the column does not.
pub(crate) const fn column(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', name @ ..] => match std::str::from_utf8(name) {
            Ok(name) => name,
            Err(_) => field,
        },
        _ => field,
    }
}

/// Declares a row type: a struct whose fields are the columns.
macro_rules! row {
    ($(#[$meta:meta])* $name:ident $(<$life:lifetime>)? in $table:ident { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Serialize)]
        pub(crate) struct $name $(<$life>)? { $(pub(crate) $field: $type),* }

        impl $(<$life>)? $crate::Row for $name $(<$life>)? {
            const TABLE: &'static $crate::Table = &$table;
            const COLUMNS: &'static [&'static str] = &[$($crate::row::column(stringify!($field))),*];
        }
    };
}
pub(crate) use row;
