//! The schema as a document.

use store::TableInfo;

/// One table as a chapter.
pub fn table(info: &TableInfo) -> String {
    let mut lines = vec![format!("## {}", info.name), String::new()];
    if let Some(description) = &info.description {
        lines.extend([description.clone(), String::new()]);
    }
    if !info.key.is_empty() {
        let key: Vec<String> = info.key.iter().map(|it| format!("`{it}`")).collect();
        lines.extend([format!("Key: {}", key.join(", ")), String::new()]);
    }
    lines.extend(["| column | type | null | description |", "|---|---|---|---|"].map(str::to_owned));
    lines.extend(info.columns.iter().map(|it| {
        let null = if it.nullable { "yes" } else { "" };
        let description = it.description.as_deref().unwrap_or_default().replace('|', "\\|");
        format!("| `{}` | {} | {null} | {description} |", it.name, it.r#type)
    }));
    lines.join("\n")
}
