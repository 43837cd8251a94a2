//! What the columns of a table look like, learned from its regular rows.
//!
//! In: rows of the right width. Out: what it costs, in nats, to believe that a cell belongs to a column.

use std::collections::HashMap;

use crate::csv::detect::shape::{SHAPES, Shape, identity, pattern};

const MOST_PATTERNS: usize = 48;
const MOST_VALUES: usize = 128;
const MOST_ROWS: u32 = 20_000;

/// One column's cells, counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    shapes: [u32; SHAPES],
    cells: u32,
    patterns: HashMap<u64, u32>,
    values: HashMap<u64, u32>,
    many_patterns: bool,
    many_values: bool,
    padded: u32,
    /// What each shape costs here; set once all cells are counted.
    costs: [f64; SHAPES],
}

/// All columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    pub columns: Vec<Column>,
}

impl Column {
    pub fn add(&mut self, cell: &[u8]) {
        if self.cells >= MOST_ROWS {
            return;
        }
        let shape = Shape::of(cell);
        self.shapes[shape as usize] += 1;
        self.cells += 1;
        if cell.first() == Some(&b' ') || cell.last() == Some(&b' ') {
            self.padded += 1;
        }
        if shape.is_empty() {
            return;
        }
        if !self.many_patterns {
            match pattern(cell.trim_ascii()) {
                Some(hash) => *self.patterns.entry(hash).or_default() += 1,
                None => self.many_patterns = true,
            }
            self.many_patterns |= self.patterns.len() > MOST_PATTERNS;
        }
        if !self.many_values {
            *self.values.entry(identity(cell.trim_ascii())).or_default() += 1;
            self.many_values = self.values.len() > MOST_VALUES;
        }
    }

    fn filled(&self) -> u32 {
        self.cells - self.shapes[Shape::Empty as usize] - self.shapes[Shape::Null as usize]
    }

    /// The shape of nearly all cells, if it is one that headers do not have.
    pub fn typed(&self) -> Option<Shape> {
        let filled = self.filled();
        let (shape, _) = self.typical()?;
        let together: u32 = (0..SHAPES)
            .filter(|index| ALL[*index].goes_with(shape) || (ALL[*index] == shape))
            .map(|index| self.shapes[index])
            .sum();
        (shape.is_typed() && together * 100 >= filled * 85).then_some(shape)
    }

    /// The most frequent shape among filled cells, with its share.
    pub fn typical(&self) -> Option<(Shape, f64)> {
        let filled = self.filled();
        let best = (0..SHAPES)
            .filter(|index| !ALL[*index].is_empty())
            .max_by_key(|index| self.shapes[*index])
            .filter(|index| self.shapes[*index] > 0)?;
        Some((ALL[best], f64::from(self.shapes[best]) / f64::from(filled)))
    }

    /// Whether this value is one that the column repeats.
    pub fn repeats_value(&self, cell: &[u8]) -> bool {
        let count = self.values.get(&identity(cell.trim_ascii())).copied().unwrap_or(0);
        !self.many_values && (count >= 2 || (count == 1 && self.values.len() * 2 <= self.filled() as usize))
    }

    /// Whether blanks around a cell are usual here.
    pub fn is_padded(&self) -> bool {
        self.padded * 2 > self.cells
    }

    /// Settles what each shape costs, relative to the most likely one.
    fn settle(&mut self) {
        let total = f64::from(self.cells);
        let weight = |shape: Shape| {
            let general: u32 =
                (0..SHAPES).filter(|i| ALL[*i] != shape && ALL[*i].covers(shape)).map(|i| self.shapes[i]).sum();
            (f64::from(self.shapes[shape as usize]) + 0.2 * f64::from(general) + 0.15) / (total + 1.0)
        };
        let weights = ALL.map(weight);
        let best = weights.iter().copied().fold(0.0, f64::max);
        self.costs = weights.map(|weight| (best.ln() - weight.ln()).min(5.0));
        if self.shapes[Shape::Null as usize] == 0 {
            self.costs[Shape::Null as usize] = 1.0;
        }
    }

    /// What it costs to find this cell here: 0 for a typical one, about 7 for one that cannot be.
    pub fn cost(&self, cell: &[u8]) -> f64 {
        if self.cells < 2 {
            return 0.0;
        }
        let shape = Shape::of(cell);
        let mut cost = self.costs[shape as usize];
        let filled = f64::from(self.filled());
        if shape.is_empty() || filled < 4.0 {
            return cost;
        }
        let cell = cell.trim_ascii();
        if !self.many_patterns && pattern(cell).is_none_or(|hash| !self.patterns.contains_key(&hash)) {
            cost += 1.5 * (1.0 - self.patterns.len() as f64 / filled).max(0.0);
        }
        if !self.many_values && !self.values.contains_key(&identity(cell)) {
            cost += 1.5 * (1.0 - self.values.len() as f64 / filled).max(0.0);
        }
        cost
    }
}

impl Profile {
    pub fn add<C: AsRef<[u8]>>(&mut self, row: &[C]) {
        if self.columns.len() < row.len() {
            self.columns.resize_with(row.len(), Column::default);
        }
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.add(cell.as_ref());
        }
    }

    /// To be called once all rows are added.
    pub fn settle(&mut self) {
        self.columns.iter_mut().for_each(Column::settle);
    }

    /// How many cells of typed columns fit them, and how many do not; empty cells count for neither.
    pub fn typed_fit<C: AsRef<[u8]>>(&self, row: &[C]) -> (usize, usize) {
        let (mut fit, mut misfit) = (0, 0);
        for (column, cell) in self.columns.iter().zip(row) {
            let shape = Shape::of(cell.as_ref());
            if shape.is_empty() {
                continue;
            }
            if let Some(typed) = column.typed() {
                if typed.goes_with(shape) || typed.covers(shape) {
                    fit += 1;
                } else {
                    misfit += 1;
                }
            }
        }
        (fit, misfit)
    }

    /// The mean cost of a row's cells in their columns.
    pub fn mean_cost<C: AsRef<[u8]>>(&self, row: &[C]) -> f64 {
        let total: f64 = self.columns.iter().zip(row).map(|(column, cell)| column.cost(cell.as_ref())).sum();
        total / self.columns.len().min(row.len()).max(1) as f64
    }
}

const ALL: [Shape; SHAPES] = [
    Shape::Empty,
    Shape::Null,
    Shape::Bool,
    Shape::Int,
    Shape::Decimal,
    Shape::Price,
    Shape::Date,
    Shape::Time,
    Shape::DateTime,
    Shape::Url,
    Shape::Code,
    Shape::Word,
    Shape::Text,
];
