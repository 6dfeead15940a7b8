//! Thinning a series out to the number of rows that a plot can show.
//!
//! Invariant: the same rows give the same sample; it holds exactly the wanted number of rows, in their order, the
//! first and the last among them.

use super::{Row, Value};

/// At most `limit` rows. Numbers keep their peaks (largest triangle, three buckets); other rows are taken evenly.
pub fn sample(rows: &mut Vec<Row>, limit: usize) {
    let count = rows.len();
    if limit == 0 || count <= limit {
        return;
    }
    let is_numeric = limit > 2 && rows.iter().all(|row| matches!(row.value, Value::Number(_)));
    let kept = if is_numeric { largest_triangles(rows, limit) } else { evenly(count, limit) };
    let mut position = 0;
    let mut next = kept.into_iter().peekable();
    rows.retain(|_| {
        let keep = next.next_if_eq(&position).is_some();
        position += 1;
        keep
    });
}

fn evenly(count: usize, limit: usize) -> Vec<usize> {
    if limit == 1 {
        return vec![count - 1];
    }
    (0..limit).map(|slot| slot * (count - 1) / (limit - 1)).collect()
}

/// Of each bucket the row that spans the largest triangle with the row chosen before and the mean of the next bucket.
/// Rows stand at equal distances, because steps may repeat, go back or be missing.
fn largest_triangles(rows: &[Row], limit: usize) -> Vec<usize> {
    let value = |position: usize| match rows[position].value {
        Value::Number(number) => number,
        Value::Text(_) => f64::NAN,
    };
    let (count, buckets) = (rows.len(), limit - 2);
    let start = |bucket: usize| 1 + bucket * (count - 2) / buckets;
    let mut kept = Vec::with_capacity(limit);
    kept.push(0);
    let mut before = 0;
    for bucket in 0..buckets {
        let (from, to) = (start(bucket), start(bucket + 1));
        let (ahead_from, ahead_to) = if bucket + 1 == buckets { (count - 1, count) } else { (to, start(bucket + 2)) };
        let (mut sum, mut finite) = (0.0, 0_u32);
        for number in (ahead_from..ahead_to).map(value).filter(|number| number.is_finite()) {
            sum += number;
            finite += 1;
        }
        let ahead_y = if finite == 0 { 0.0 } else { sum / f64::from(finite) };
        let ahead_x = (ahead_from + ahead_to - 1) as f64 / 2.0 - before as f64;
        let origin = value(before);
        let origin = if origin.is_finite() { origin } else { ahead_y };
        let (mut best, mut best_area) = (from, -1.0);
        for position in from..to {
            let area = (ahead_x * (value(position) - origin) - (position - before) as f64 * (ahead_y - origin)).abs();
            // A row without a number spans nothing, and is kept only where there is nothing else.
            if area > best_area {
                (best, best_area) = (position, area);
            }
        }
        kept.push(best);
        before = best;
    }
    kept.push(count - 1);
    kept
}

#[cfg(test)]
mod tests {
    use polyaxon_model::time::Timestamp;

    use super::*;

    fn rows(values: impl IntoIterator<Item = f64>) -> Vec<Row> {
        let row =
            |(step, value)| Row { step: Some(step), timestamp: Timestamp::default(), value: Value::Number(value) };
        (0..).zip(values).map(row).collect()
    }

    fn steps(rows: &[Row]) -> Vec<i64> {
        rows.iter().filter_map(|row| row.step).collect()
    }

    #[test]
    fn a_sample_has_the_wanted_size_and_both_ends() {
        for (count, limit) in [(10, 3), (3, 5), (4, 1), (5, 2), (1000, 999), (100_000, 1000), (7, 6)] {
            let mut rows = rows((0..count).map(|step| f64::from(step % 13)));
            sample(&mut rows, limit);
            assert_eq!(rows.len(), limit.min(count as usize), "{count} {limit}");
            assert_eq!(rows.last().unwrap().step, Some(i64::from(count) - 1));
            assert!(limit == 1 || rows[0].step == Some(0));
            assert!(steps(&rows).is_sorted());
        }
    }

    #[test]
    fn peaks_stay_and_gaps_do_not_hide_them() {
        let mut values = vec![1.0; 10_000];
        values[4321] = 50.0;
        values[7000..7100].fill(f64::NAN);
        values[7050] = -50.0;
        let mut sampled = rows(values);
        sample(&mut sampled, 100);
        assert!([4321, 7050].iter().all(|peak| steps(&sampled).contains(peak)), "{:?}", steps(&sampled));
    }

    #[test]
    fn other_rows_are_taken_evenly() {
        let mut texts: Vec<Row> =
            rows([0.0; 10]).into_iter().map(|row| Row { value: Value::Text(String::new()), ..row }).collect();
        sample(&mut texts, 3);
        assert_eq!(steps(&texts), [0, 4, 9]);
    }
}
