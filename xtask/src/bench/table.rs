//! Figures beside their targets.

/// What was measured.
#[derive(Default)]
pub struct Table(Vec<Line>);

struct Line {
    scenario: String,
    figure: String,
    value: f64,
    target: Target,
}

/// What a figure should be.
#[derive(Clone, Copy)]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Told for its own sake.
    None,
}

impl Table {
    /// Adds a figure.
    pub fn add(&mut self, scenario: &str, figure: &str, value: f64, target: Target) {
        eprintln!("{scenario}: {figure} {}", shown(value));
        self.0.push(Line { scenario: scenario.to_owned(), figure: figure.to_owned(), value, target });
    }

    /// Prints all figures, as a table of Markdown.
    pub fn print(&self) {
        println!("\n| scenario | figure | measured | target | met |\n|---|---|---:|---:|---|");
        for Line { scenario, figure, value, target } in &self.0 {
            let (target, met) = target.judge(*value);
            println!("| {scenario} | {figure} | {} | {target} | {met} |", shown(*value));
        }
    }
}

impl Target {
    fn judge(self, value: f64) -> (String, &'static str) {
        let told = |met| if met { "yes" } else { "**no**" };
        match self {
            Target::AtMost(limit) => (format!("≤ {}", shown(limit)), told(value <= limit)),
            Target::AtLeast(limit) => (format!("≥ {}", shown(limit)), told(value >= limit)),
            Target::None => (String::new(), ""),
        }
    }
}

/// Three digits that count, and no more than the point of a large number.
fn shown(value: f64) -> String {
    match value.abs() {
        it if it >= 100.0 || it.fract() == 0.0 => format!("{value:.0}"),
        it if it >= 10.0 => format!("{value:.1}"),
        it if it >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
