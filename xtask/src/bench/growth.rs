//! How a cost grows with what is imported.

/// The shape of growth through measured points.
pub struct Growth {
    /// Of the power that fits best: 0 does not grow at all, 1 grows in proportion.
    pub exponent: f64,
    /// What one unit costs at size 1 by that power.
    factor: f64,
    /// What is paid once, and what is paid in proportion.
    line: (f64, f64),
}

/// Exponents that a straight line with a fixed part explains. Above, it would tell too little; below, the cost hardly grows,
/// and a line would take its last small steps for its nature.
const LIKE_A_LINE: std::ops::RangeInclusive<f64> = 0.5..=1.05;

impl Growth {
    /// Fits a power and a straight line to pairs of size and cost.
    pub fn of(points: &[(f64, f64)]) -> Growth {
        let logs: Vec<(f64, f64)> = points.iter().map(|(size, cost)| (size.ln(), cost.ln())).collect();
        let (log_factor, exponent) = fit(&logs);
        Growth { exponent, factor: log_factor.exp(), line: fit(points) }
    }

    /// What it would cost at another size: by the straight line, or by the power where costs grow faster than that or hardly at all.
    pub fn at(&self, size: f64) -> f64 {
        match self.is_a_line() {
            true => self.line.0 + self.line.1 * size,
            false => self.factor * size.powf(self.exponent),
        }
    }

    /// What `at` assumes.
    pub fn shape(&self) -> &'static str {
        if self.is_a_line() { "if a straight line goes on" } else { "if that power goes on" }
    }

    fn is_a_line(&self) -> bool {
        LIKE_A_LINE.contains(&self.exponent)
    }
}

/// The line through points with the least squares: where it begins, and how steep it is.
fn fit(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let together: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let slope = together / spread;
    (mean_y - slope * mean_x, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_with_a_fixed_part_goes_on_in_a_straight_line() {
        let growth = Growth::of(&[(1.0, 15.0), (2.0, 25.0), (4.0, 45.0)]);
        assert!((growth.at(100.0) - 1005.0).abs() < 1e-6);
        assert!(growth.exponent < 1.0);
    }

    #[test]
    fn a_cost_that_hardly_grows_goes_on_hardly_growing() {
        let growth = Growth::of(&[(1.0, 23.0), (2.0, 27.0), (4.0, 29.0), (8.0, 28.0)]);
        assert!(growth.at(400.0) < 50.0, "{}", growth.at(400.0));
    }

    #[test]
    fn a_cost_that_grows_faster_goes_on_by_its_power() {
        let growth = Growth::of(&[(1.0, 1.0), (2.0, 4.0), (4.0, 16.0)]);
        assert!((growth.exponent - 2.0).abs() < 1e-9);
        assert!((growth.at(100.0) - 10_000.0).abs() < 1e-3);
    }
}
