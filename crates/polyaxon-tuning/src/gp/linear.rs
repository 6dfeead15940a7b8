//! The little linear algebra that a Gaussian process needs, on symmetric positive matrices.
//!
//! Sums are made in a fixed order, which also lets the compiler use vector instructions.

/// A lower triangular matrix; rows of `size` numbers.
#[derive(Clone, Debug)]
pub(crate) struct Lower {
    pub(crate) size: usize,
    numbers: Vec<f64>,
}

const LANES: usize = 8;

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a_lanes.remainder().iter().zip(b_lanes.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_lanes.zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

pub(crate) fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += factor * what);
}

impl Lower {
    /// The factor `L` of a matrix `L Lᵀ`, whose lower half is given; `None` when it is not positive.
    pub(crate) fn factor(size: usize, mut numbers: Vec<f64>) -> Option<Lower> {
        for row in 0..size {
            let (above, own) = numbers.split_at_mut(row * size);
            for column in 0..row {
                let other = &above[column * size..column * size + size];
                own[column] = (own[column] - dot(&own[..column], &other[..column])) / other[column];
            }
            let square = own[row] - dot(&own[..row], &own[..row]);
            if square.is_nan() || square <= 0.0 {
                return None;
            }
            own[row] = square.sqrt();
        }
        Some(Lower { size, numbers })
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.numbers[row * self.size..=row * self.size + row]
    }

    /// The inverse, lower triangular too.
    pub(crate) fn inverse(&self) -> Lower {
        let size = self.size;
        let mut numbers = vec![0.0; size * size];
        for row in 0..size {
            let (above, own) = numbers.split_at_mut(row * size);
            let factors = self.row(row);
            for (at, factor) in factors[..row].iter().enumerate() {
                add(&mut own[..=at], -factor, &above[at * size..=at * size + at]);
            }
            own[row] = 1.0;
            own[..=row].iter_mut().for_each(|number| *number /= factors[row]);
        }
        Lower { size, numbers }
    }

    /// `self · vector`.
    pub(crate) fn times(&self, vector: &[f64]) -> Vec<f64> {
        (0..self.size).map(|row| dot(self.row(row), &vector[..=row])).collect()
    }

    /// `selfᵀ · vector`.
    pub(crate) fn transposed_times(&self, vector: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; self.size];
        for (row, factor) in vector.iter().enumerate() {
            add(&mut product[..=row], *factor, self.row(row));
        }
        product
    }

    /// The lower half of `selfᵀ · self`, in rows of `size` numbers.
    pub(crate) fn gram(&self) -> Vec<f64> {
        let size = self.size;
        let mut product = vec![0.0; size * size];
        for row in 0..size {
            let own = self.row(row);
            for (at, factor) in own.iter().enumerate() {
                add(&mut product[at * size..=at * size + at], *factor, &own[..=at]);
            }
        }
        product
    }

    /// The sum of the logarithms of the diagonal.
    pub(crate) fn log_diagonal(&self) -> f64 {
        (0..self.size).map(|row| crate::math::ln(self.numbers[row * self.size + row])).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_and_its_inverse_are_right() {
        let size = 11;
        let full = |i: usize, j: usize| (-0.3 * (i as f64 - j as f64).powi(2)).exp() + if i == j { 0.1 } else { 0.0 };
        let matrix = (0..size * size).map(|at| full(at / size, at % size)).collect();
        let lower = Lower::factor(size, matrix).unwrap();
        let inverse = lower.inverse();
        let gram = inverse.gram();
        let symmetric = |i: usize, j: usize| gram[i.max(j) * size + i.min(j)];
        for i in 0..size {
            for j in 0..size {
                let product: f64 = (0..size).map(|k| full(i, k) * symmetric(k, j)).sum();
                assert!((product - f64::from(i == j)).abs() < 1e-9, "{i} {j} {product}");
            }
        }
        let vector: Vec<f64> = (0..size).map(|i| i as f64 - 3.0).collect();
        let solved = inverse.transposed_times(&inverse.times(&vector));
        for (i, wanted) in vector.iter().enumerate() {
            let product: f64 = (0..size).map(|k| full(i, k) * solved[k]).sum();
            assert!((product - wanted).abs() < 1e-9);
        }
        assert!(Lower::factor(2, vec![1.0, 0.0, 2.0, 1.0]).is_none());
    }
}
