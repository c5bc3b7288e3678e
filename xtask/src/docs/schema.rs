//! docs/schema.md: the tables, as the database describes itself.

use store::{ColumnInfo, TableInfo};

const INTRODUCTION: &str = "
# Tables

What GitLab says is in the tables `gitlab_*`; Weir's own are in the schema `weir` and may change with any version. The
same descriptions are in the database (`\\d+ gitlab_merge_requests` in `weir psql`) and in `weir schema`.

Every `id` is GitLab's own on the first instance, and tables join on their ids and, where both have it, on
`project_id`. Times are `timestamptz`. A row with `deleted_at` is gone from GitLab: leave such rows out unless you want
the past.
";

/// The page.
pub fn page(tables: &[TableInfo]) -> String {
    let mut page = format!("{}{INTRODUCTION}", super::MADE);
    let (own, gitlab): (Vec<_>, Vec<_>) = tables.iter().partition(|it| it.name.starts_with("weir."));
    for (title, tables) in [("From GitLab", gitlab), ("Weir's own", own)] {
        page += &format!("\n## {title}\n\n");
        for table in &tables {
            page += &format!("* [`{}`](#{})\n", table.name, anchor(&table.name));
        }
        for table in tables {
            page += &section(table);
        }
    }
    page
}

fn section(table: &TableInfo) -> String {
    let description = text(table.description.as_deref());
    let key = match table.key.is_empty() {
        true => String::new(),
        false => format!("\nKey: `{}`\n", table.key.join("`, `")),
    };
    let rows: String = table.columns.iter().map(row).collect();
    format!(
        "\n### {}\n\n{description}\n{key}\n| column | type | null | what |\n|---|---|---|---|\n{rows}",
        table.name
    )
}

fn row(column: &ColumnInfo) -> String {
    let null = if column.nullable { "yes" } else { "" };
    format!("| `{}` | {} | {null} | {} |\n", column.name, column.r#type, text(column.description.as_deref()))
}

fn text(description: Option<&str>) -> String {
    description.unwrap_or_default().replace('|', "\\|").replace('\n', " ")
}

/// How a heading is linked to.
fn anchor(heading: &str) -> String {
    heading.replace('.', "").to_lowercase()
}
