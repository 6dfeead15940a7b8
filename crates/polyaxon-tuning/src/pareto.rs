//! Order of trials with one loss or several: by fronts of points that no other beats, and within a front those first
//! that stand alone.

use crate::space::Point;

/// The indexes of observations, best first. Equal ones keep their order.
pub(crate) fn order(observed: &[(Point, Vec<f64>)]) -> Vec<usize> {
    let losses: Vec<&[f64]> = observed.iter().map(|(_, losses)| losses.as_slice()).collect();
    let mut order: Vec<usize> = (0..losses.len()).collect();
    if losses.iter().all(|losses| losses.len() == 1) {
        order.sort_by(|a, b| losses[*a][0].total_cmp(&losses[*b][0]));
        return order;
    }
    let mut rest = order;
    let mut order = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let is_beaten = |index: &usize| rest.iter().any(|other| beats(losses[*other], losses[*index]));
        let (beaten, front): (Vec<usize>, Vec<usize>) = rest.iter().partition(|index| is_beaten(index));
        order.extend(by_crowding(&front, &losses));
        rest = beaten;
    }
    order
}

/// The indexes of the losses that no other beats.
pub fn front(losses: &[Vec<f64>]) -> Vec<usize> {
    let is_beaten = |index: &usize| losses.iter().any(|other| beats(other, &losses[*index]));
    (0..losses.len()).filter(|index| !is_beaten(index)).collect()
}

/// At least as good in all and better in one.
fn beats(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
}

/// The ends of each objective first, then those with the widest gap to their neighbours.
fn by_crowding(front: &[usize], losses: &[&[f64]]) -> Vec<usize> {
    let mut distances = vec![0.0_f64; front.len()];
    let objectives = losses.first().map_or(0, |losses| losses.len());
    let of_front = |objective: usize| -> Vec<f64> { front.iter().map(|index| losses[*index][objective]).collect() };
    for losses in (0..objectives).map(of_front) {
        let loss = |position: usize| losses[position];
        let mut sorted: Vec<usize> = (0..front.len()).collect();
        sorted.sort_by(|a, b| loss(*a).total_cmp(&loss(*b)));
        let (Some(first), Some(last)) = (sorted.first().copied(), sorted.last().copied()) else { continue };
        let width = loss(last) - loss(first);
        distances[first] = f64::INFINITY;
        distances[last] = f64::INFINITY;
        for neighbours in sorted.windows(3) {
            if width > 0.0 {
                distances[neighbours[1]] += (loss(neighbours[2]) - loss(neighbours[0])) / width;
            }
        }
    }
    let mut order: Vec<usize> = (0..front.len()).collect();
    order.sort_by(|a, b| distances[*b].total_cmp(&distances[*a]).then(a.cmp(b)));
    order.into_iter().map(|position| front[position]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fronts_come_in_order_and_their_ends_first() {
        let losses: [[f64; 2]; 6] = [[2.0, 2.0], [0.0, 4.0], [4.0, 0.0], [3.0, 3.0], [1.9, 2.2], [5.0, 5.0]];
        let observed: Vec<(Point, Vec<f64>)> = losses.iter().map(|losses| (vec![], losses.to_vec())).collect();
        assert_eq!(order(&observed), [1, 2, 0, 4, 3, 5]);
        assert_eq!(front(&observed.iter().map(|(_, losses)| losses.clone()).collect::<Vec<_>>()), [0, 1, 2, 4]);
    }

    #[test]
    fn one_loss_is_sorted_stably() {
        let observed: Vec<(Point, Vec<f64>)> = [3.0, 1.0, 3.0, 1.0].iter().map(|loss| (vec![], vec![*loss])).collect();
        assert_eq!(order(&observed), [1, 3, 0, 2]);
    }
}
