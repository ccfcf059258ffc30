//! Rows: a number, its unit, and the goal that it is held against.

use serde_json::json;

/// One figure.
#[derive(Debug, Clone)]
pub struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    goal: Option<f64>,
    /// The goal is the least; else the most.
    least: bool,
}

impl Row {
    /// A figure that should be at most `goal`.
    pub fn at_most(name: impl Into<String>, value: f64, unit: &'static str, goal: f64) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            goal: Some(goal),
            least: false,
        }
    }

    /// A figure that should be at least `goal`.
    pub fn at_least(name: impl Into<String>, value: f64, unit: &'static str, goal: f64) -> Self {
        Self {
            least: true,
            ..Self::at_most(name, value, unit, goal)
        }
    }

    /// A figure without a goal.
    pub fn plain(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            goal: None,
            least: false,
        }
    }

    fn met(&self) -> Option<bool> {
        self.goal.map(|goal| match self.least {
            true => self.value >= goal,
            false => self.value <= goal,
        })
    }
}

/// A table for people, then the same as one line of JSON.
pub fn print(bench: &str, rows: &[Row]) {
    println!("{bench}");
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in rows {
        let verdict = match (row.goal, row.met()) {
            (Some(goal), Some(true)) => format!("goal {goal}: met"),
            (Some(goal), _) => format!("goal {goal}: NOT met"),
            _ => String::new(),
        };
        println!(
            "  {:width$}  {:>10.3} {:<10} {verdict}",
            row.name, row.value, row.unit
        );
    }
    let rows: Vec<_> = rows
        .iter()
        .map(|row| json!({"name": row.name, "value": row.value, "unit": row.unit, "goal": row.goal, "met": row.met()}))
        .collect();
    println!("{}", json!({"bench": bench, "rows": rows}));
}

/// The `share` quantile of `values` (0.5: the median), by nearest rank.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank"
    )]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_ranks() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert!((quantile(&values, 0.5) - 50.0).abs() < f64::EPSILON);
        assert!((quantile(&values, 0.99) - 99.0).abs() < f64::EPSILON);
        assert!((quantile(&[7.0], 0.99) - 7.0).abs() < f64::EPSILON);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn a_goal_is_met_at_the_goal() {
        assert_eq!(Row::at_most("x", 1.05, "", 1.05).met(), Some(true));
        assert_eq!(Row::at_most("x", 1.06, "", 1.05).met(), Some(false));
        assert_eq!(Row::at_least("x", 0.9, "", 0.9).met(), Some(true));
        assert_eq!(Row::at_least("x", 0.89, "", 0.9).met(), Some(false));
        assert_eq!(Row::plain("x", 1.0, "").met(), None);
    }
}
