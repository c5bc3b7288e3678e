//! Text in columns.

use unicode_width::UnicodeWidthStr;

/// On which side of its column a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// Lays rows out below their headings.
pub fn table(headings: &[String], sides: &[Side], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..headings.len()).map(|at| width(at, headings, rows)).collect();
    let rule: Vec<String> = widths.iter().map(|it| "-".repeat(*it)).collect();
    let mut lines = vec![line(headings, sides, &widths), rule.join("  ")];
    lines.extend(rows.iter().map(|row| line(row, sides, &widths)));
    lines.join("\n")
}

fn width(at: usize, headings: &[String], rows: &[Vec<String>]) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(at));
    cells.chain([&headings[at]]).map(|it| it.width()).max().unwrap_or(0)
}

fn line(cells: &[String], sides: &[Side], widths: &[usize]) -> String {
    let padded = cells.iter().zip(sides).zip(widths).map(|((cell, side), width)| {
        let space = " ".repeat(width.saturating_sub(cell.width()));
        match side {
            Side::Left => format!("{cell}{space}"),
            Side::Right => format!("{space}{cell}"),
        }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_text() {
        let headings = ["name".to_owned(), "count".to_owned()];
        let rows = [vec!["Zoë".to_owned(), "12".to_owned()], vec!["日本".to_owned(), "3".to_owned()]];
        let text = table(&headings, &[Side::Left, Side::Right], &rows);
        assert_eq!(text, "name  count\n----  -----\nZoë      12\n日本      3");
    }
}
