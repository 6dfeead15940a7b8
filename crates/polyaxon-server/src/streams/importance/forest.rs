//! A forest of extremely randomized trees (Geurts, Ernst, Wehenkel 2006) that is only grown for its importances.
//!
//! Every tree sees all rows. A node takes one random threshold for each column and keeps the one that lowers the variance
//! of the metric most; what it lowers, weighted by the rows it holds, is the column's share. Shares add up to 1 in each
//! tree and are averaged. The random numbers begin with the same seed, so the same table has the same answer.

use super::table::Column;

/// As many trees as the official implementation grows, while the table is of the usual size.
const TREES: usize = 250;
/// Columns times rows times trees; larger tables get fewer trees.
const MAX_WORK: usize = 20_000_000;
const MIN_TREES: usize = 20;
/// Chains of splits that part single rows end here.
const MAX_DEPTH: usize = 64;

/// The share of each column; all zero when the metric does not vary.
pub(super) fn importances(columns: &[Column], metrics: &[f64]) -> Vec<f64> {
    let work = (columns.len() * metrics.len()).max(1);
    let trees = (MAX_WORK / work).clamp(MIN_TREES, TREES);
    let mut random = Random(0);
    let mut total = vec![0.0; columns.len()];
    for _ in 0..trees {
        let mut shares = vec![0.0; columns.len()];
        grow(columns, metrics, &mut random, &mut shares);
        let sum: f64 = shares.iter().sum();
        if sum > 0.0 {
            for (total, share) in total.iter_mut().zip(&shares) {
                *total += share / sum / trees as f64;
            }
        }
    }
    total
}

fn grow(columns: &[Column], metrics: &[f64], random: &mut Random, shares: &mut [f64]) {
    let mut nodes: Vec<(Vec<usize>, usize)> = vec![((0..metrics.len()).collect(), 0)];
    while let Some((rows, depth)) = nodes.pop() {
        let whole = Spread::of(rows.iter().map(|row| metrics[*row]));
        if rows.len() < 2 || depth == MAX_DEPTH || whole.total() <= f64::EPSILON * whole.scale() {
            continue;
        }
        let mut best: Option<(f64, usize, f64)> = None;
        for (position, column) in columns.iter().enumerate() {
            let (low, high) = rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), row| {
                (low.min(column.values[*row]), high.max(column.values[*row]))
            });
            if low >= high {
                continue;
            }
            let threshold = low + random.next() * (high - low);
            let below =
                Spread::of(rows.iter().filter(|row| column.values[**row] <= threshold).map(|row| metrics[*row]));
            let above = Spread::of(rows.iter().filter(|row| column.values[**row] > threshold).map(|row| metrics[*row]));
            let gain = whole.total() - below.total() - above.total();
            if above.count > 0.0 && best.is_none_or(|(most, ..)| gain > most) {
                best = Some((gain, position, threshold));
            }
        }
        let Some((gain, position, threshold)) = best else { continue };
        shares[position] += gain.max(0.0);
        let (below, above) = rows.into_iter().partition(|row| columns[position].values[*row] <= threshold);
        nodes.push((below, depth + 1));
        nodes.push((above, depth + 1));
    }
}

/// Count, sum and sum of squares.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Spread {
    fn of(numbers: impl Iterator<Item = f64>) -> Spread {
        numbers.fold(Spread::default(), |spread, number| Spread {
            count: spread.count + 1.0,
            sum: spread.sum + number,
            squares: spread.squares + number * number,
        })
    }

    /// The variance times the count.
    fn total(self) -> f64 {
        if self.count == 0.0 { 0.0 } else { (self.squares - self.sum * self.sum / self.count).max(0.0) }
    }

    fn scale(self) -> f64 {
        self.squares.max(f64::MIN_POSITIVE) * 16.0
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    /// In [0, 1).
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
