//! The models by their names, and what holds for all: the start, and that nothing is suggested twice.

use crate::anneal;
use crate::evidence::Evidence;
use crate::gp;
use crate::quasi;
use crate::random::Xoshiro;
use crate::read::{Model, Rounds};
use crate::space::Point;
use crate::tpe;

/// Each model has streams of its own.
const PURPOSE: u64 = 2;

/// The suggestion with this number; `None` when every point of the space was tried or is being tried.
pub(crate) fn suggest(model: &Model, rounds: Rounds, evidence: &Evidence, seed: u64, number: u64) -> Option<Point> {
    if !evidence.has_new() {
        return None;
    }
    let mut random = Xoshiro::new(&[seed, PURPOSE, number]);
    let count = evidence.observed.len() as u64;
    let suggested = match model {
        Model::Chance => evidence.space.sample(&mut random),
        Model::Tpe if count < tpe::START => quasi::point(evidence.space, seed, number),
        Model::Tpe => tpe::suggest(evidence, &mut random),
        Model::Anneal if count == 0 => quasi::point(evidence.space, seed, number),
        Model::Anneal => anneal::suggest(evidence, &mut random),
        Model::Bayes(_) if number < rounds.first || count < 2 => quasi::point(evidence.space, seed, number),
        Model::Bayes(utility) => gp::suggest(utility, evidence, &mut random),
    };
    renewed(suggested, evidence, &mut random)
}

/// How many points are drawn before a finite space is searched for a new one.
const DRAWS: u32 = 100;

/// The point itself when it is new, otherwise another.
fn renewed(mut point: Point, evidence: &Evidence, random: &mut Xoshiro) -> Option<Point> {
    evidence.space.snap(&mut point);
    for _ in 0..DRAWS {
        if evidence.is_new(&point) {
            return Some(point);
        }
        point = evidence.space.sample(random);
        evidence.space.snap(&mut point);
    }
    evidence.space.unseen(&evidence.seen, random)
}
