//! A search: which trials come next, as a function of the trials so far.
//!
//! Nothing is remembered that the trials do not tell; what a [`Search`] keeps between calls only saves time.

use std::collections::BTreeSet;

use polyaxon_spec::node::Node;

use crate::asha;
use crate::error::Error;
use crate::evidence::Evidence;
use crate::hyperband::{self, Resource, Stage};
use crate::models;
use crate::read::{Kind, Model, Settings};
use crate::space::{Configuration, Key};
use crate::stream::Stream;
use crate::trial::{Objective, Outcome, Trial};

/// Trials that a search wants to start.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    pub configuration: Configuration,
    /// The round, or the bracket of hyperband.
    pub iteration: u64,
    /// The stage of hyperband, the rung of asha.
    pub bracket_iteration: u64,
    /// The index of the trial that goes on with more of the resource.
    pub origin: Option<usize>,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The trials to start, in this order.
    pub suggestions: Vec<Suggestion>,
    pub outlook: Outlook,
}

/// What comes after the suggestions of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// More suggestions follow when there are free slots.
    More,
    /// Nothing more before a trial ends.
    Wait,
    /// No more suggestions: the search is over when its trials are.
    Exhausted,
}

/// A matrix that is being worked on.
#[derive(Clone, Debug)]
pub struct Search {
    settings: Settings,
    seed: u64,
    /// The streams of configurations drawn by chance, by their number.
    streams: Vec<(u64, Stream)>,
}

impl Search {
    /// A search for a canonical matrix whose templates were rendered (see [`crate::section_of`]).
    ///
    /// `own_seed` is used when the matrix has no seed. It should be the same for each call and differ between searches,
    /// for example come from the id of the run.
    pub fn new(matrix: &Node, own_seed: u64) -> Result<Search, Error> {
        let settings = Settings::read(matrix)?;
        let seed = settings.seed.map_or(own_seed, i64::cast_unsigned);
        Ok(Search { settings, seed, streams: Vec::new() })
    }

    /// The metrics that trials are compared by; empty when they are not.
    pub fn objectives(&self) -> &[Objective] {
        &self.settings.objectives
    }

    /// How many trials go on at once, when the file says it.
    pub fn concurrency(&self) -> Option<u64> {
        self.settings.concurrency
    }

    /// Whether trials that get more of the resource go on with what they have, instead of from the start.
    pub fn resumes(&self) -> bool {
        self.settings.resumes
    }

    /// Whether suggestions depend on results. Otherwise [`Search::rows`] gives all, by number.
    pub fn learns(&self) -> bool {
        match &self.settings.kind {
            Kind::Rows(_) | Kind::ConditionalGrid { .. } | Kind::Random { .. } => false,
            Kind::Hyperband(_) | Kind::Asha(_) => true,
            Kind::Model { model, .. } => !matches!(model, Model::Chance),
        }
    }

    /// How many trials there are at most.
    pub fn total(&self) -> u64 {
        let size = self.settings.space.size.unwrap_or(u64::MAX);
        match &self.settings.kind {
            Kind::Rows(rows) => rows.len(),
            Kind::ConditionalGrid { limit } => size.min(*limit),
            Kind::Random { runs } => size.min(*runs),
            Kind::Hyperband(_) => self.stages().iter().map(|stage| stage.runs).sum(),
            // Early promotions may turn out to be too many.
            Kind::Asha(asha) => asha.most_trials(),
            Kind::Model { rounds, .. } => size.min(rounds.total()),
        }
    }

    /// The rounds of the search, with the number of trials in each: what a tuner outside of the engine is asked for.
    pub fn stages(&self) -> Vec<Stage> {
        match &self.settings.kind {
            Kind::Hyperband(hyperband) => hyperband.stages(),
            Kind::Asha(asha) => asha.stages(),
            Kind::Model { rounds, .. } => (0..rounds.count)
                .map(|iteration| Stage {
                    iteration,
                    bracket_iteration: 0,
                    runs: if iteration == 0 { rounds.first } else { rounds.later },
                    resource: None,
                })
                .collect(),
            Kind::Rows(_) | Kind::ConditionalGrid { .. } | Kind::Random { .. } => {
                vec![Stage { iteration: 0, bracket_iteration: 0, runs: self.total(), resource: None }]
            }
        }
    }

    /// Suggestions of a search that does not learn: `count` of them from number `created` on.
    pub fn rows(&mut self, created: u64, count: u64) -> Plan {
        let last = self.total().min(created.saturating_add(count));
        let mut suggestions = Vec::new();
        for number in created..last {
            let Some(configuration) = self.row(number) else {
                return Plan { suggestions, outlook: Outlook::Exhausted };
            };
            let iteration = match &self.settings.kind {
                Kind::Model { rounds, .. } => rounds.of(number),
                _ => 0,
            };
            suggestions.push(Suggestion { configuration, iteration, bracket_iteration: 0, origin: None });
        }
        let outlook = if last >= self.total() { Outlook::Exhausted } else { Outlook::More };
        Plan { suggestions, outlook }
    }

    fn row(&mut self, number: u64) -> Option<Configuration> {
        match &self.settings.kind {
            Kind::Rows(rows) => {
                Some(rows.at(number)?.into_iter().map(|(key, value)| (key.text, value.to_json())).collect())
            }
            _ => self.drawn(0, number),
        }
    }

    /// The configuration with this number in the stream of chance of a round.
    fn drawn(&mut self, round: u64, number: u64) -> Option<Configuration> {
        let Search { settings, seed, streams } = self;
        let at = match streams.iter().position(|(other, _)| *other == round) {
            Some(at) => at,
            None => {
                let stream = match (&settings.kind, settings.seed) {
                    (Kind::ConditionalGrid { .. }, _) => Stream::grid(),
                    (Kind::Random { .. } | Kind::Hyperband(_), Some(_)) => Stream::repeating(*seed, round),
                    _ => Stream::own(*seed, round),
                };
                streams.push((round, stream));
                streams.len() - 1
            }
        };
        streams[at].1.at(&settings.space, number)
    }

    /// The trials to start now, when at most `slots` more can go on.
    ///
    /// `trials` are all trials of this search in the order of their creation, `earlier` are those of other searches to
    /// learn from.
    pub fn plan(&mut self, trials: &[Trial], earlier: &[Trial], slots: u64) -> Plan {
        let pending = trials.iter().filter(|trial| trial.outcome.is_pending()).count() as u64;
        let slots = slots.min(self.settings.concurrency.unwrap_or(u64::MAX).saturating_sub(pending));
        match &self.settings.kind {
            Kind::Hyperband(_) => self.plan_hyperband(trials, slots),
            Kind::Asha(_) => self.plan_asha(trials, slots),
            Kind::Model { model, rounds } if !matches!(model, Model::Chance) => {
                let created = trials.len() as u64;
                // Without `concurrency`, as many trials go on at once as a round has.
                let round = if created < rounds.first { rounds.first } else { rounds.later };
                let limit = self.settings.concurrency.unwrap_or(round).saturating_sub(pending);
                let left = rounds.total().saturating_sub(created);
                let rounds = *rounds;
                let in_round = if created < rounds.first && self.settings.concurrency.is_none() {
                    rounds.first - created
                } else {
                    u64::MAX
                };
                let wanted = slots.min(limit).min(left).min(in_round);
                let suggestions = self.modelled(trials, earlier, wanted);
                let is_over = (suggestions.len() as u64) < wanted || wanted == left;
                let outlook = match is_over {
                    true => Outlook::Exhausted,
                    false if wanted < slots => Outlook::Wait,
                    false => Outlook::More,
                };
                Plan { suggestions, outlook }
            }
            _ => self.rows(trials.len() as u64, slots),
        }
    }

    /// `count` suggestions, whatever the budget of the matrix and its stages: what a tuner program is asked for.
    pub fn suggest(&mut self, trials: &[Trial], count: u64) -> Vec<Configuration> {
        let suggestions = match &self.settings.kind {
            Kind::Hyperband(_) | Kind::Asha(_) => self.plan(trials, &[], count).suggestions,
            Kind::Model { model, .. } if !matches!(model, Model::Chance) => self.modelled(trials, &[], count),
            _ => {
                let first = trials.len() as u64;
                return (first..first + count).map_while(|number| self.row(number)).collect();
            }
        };
        suggestions.into_iter().map(|suggestion| suggestion.configuration).collect()
    }

    /// Suggestions of a model; fewer than asked for when no new ones are left.
    fn modelled(&mut self, trials: &[Trial], earlier: &[Trial], count: u64) -> Vec<Suggestion> {
        let Search { settings, seed, .. } = self;
        let Kind::Model { model, rounds } = &settings.kind else { return Vec::new() };
        let mut suggestions = Vec::new();
        if count == 0 {
            return suggestions;
        }
        let mut evidence = Evidence::new(&settings.space, &settings.objectives, trials, earlier);
        for position in 0..count {
            let number = trials.len() as u64 + position;
            let Some(point) = models::suggest(model, *rounds, &evidence, *seed, number) else { break };
            suggestions.push(Suggestion {
                configuration: settings.space.decode(&point),
                iteration: rounds.of(number),
                bracket_iteration: 0,
                origin: None,
            });
            evidence.add_pending(point);
        }
        suggestions
    }

    fn plan_hyperband(&mut self, trials: &[Trial], slots: u64) -> Plan {
        let Kind::Hyperband(hyperband) = &self.settings.kind else { return Plan::waiting() };
        let resource = hyperband.resource.clone();
        let size = self.settings.space.size;
        match hyperband::next(&hyperband.stages(), trials, &self.settings.objectives, size, slots) {
            hyperband::Next::Start { stage, first, count } => {
                let drawn = (first..first + count).map_while(|number| self.drawn(stage.iteration, number));
                let suggestions = drawn.map(|values| started(&stage, &resource, values)).collect();
                Plan { suggestions, outlook: Outlook::More }
            }
            hyperband::Next::Promote { stage, trials: survivors } => {
                let promoted = |index| promoted(&stage, &resource, trials, index);
                Plan { suggestions: survivors.into_iter().map(promoted).collect(), outlook: Outlook::More }
            }
            hyperband::Next::Wait => Plan::waiting(),
            hyperband::Next::End => Plan { suggestions: Vec::new(), outlook: Outlook::Exhausted },
        }
    }

    fn plan_asha(&mut self, trials: &[Trial], slots: u64) -> Plan {
        let Kind::Asha(asha) = &self.settings.kind else { return Plan::waiting() };
        let asha = asha.clone();
        // The trials as they will be when the suggestions have become pending ones.
        let mut trials = trials.to_vec();
        let mut keys: Vec<Key> = trials.iter().map(|trial| self.key(&trial.configuration)).collect();
        let mut plan = Plan { suggestions: Vec::new(), outlook: Outlook::More };
        while (plan.suggestions.len() as u64) < slots {
            let next = asha.next(&trials, &keys, &self.settings.objectives, self.settings.space.size);
            let suggestion = match next {
                asha::Next::Start { stage, number } => match self.drawn(0, number) {
                    Some(values) => started(&stage, &asha.resource, values),
                    None => return Plan { outlook: Outlook::Wait, ..plan },
                },
                asha::Next::Promote { stage, trial } => promoted(&stage, &asha.resource, &trials, trial),
                asha::Next::Wait => return Plan { outlook: Outlook::Wait, ..plan },
                asha::Next::End => return Plan { outlook: Outlook::Exhausted, ..plan },
            };
            keys.push(self.key(&suggestion.configuration));
            trials.push(Trial {
                configuration: suggestion.configuration.clone(),
                outcome: Outcome::Pending,
                iteration: suggestion.iteration,
                bracket_iteration: suggestion.bracket_iteration,
            });
            plan.suggestions.push(suggestion);
        }
        plan
    }

    /// Tells configurations apart; empty for one that is not of this space.
    fn key(&self, configuration: &Configuration) -> Key {
        let space = &self.settings.space;
        space.encode(configuration).map(|point| space.key(&point)).unwrap_or_default()
    }
}

impl Plan {
    fn waiting() -> Plan {
        Plan { suggestions: Vec::new(), outlook: Outlook::Wait }
    }
}

fn started(stage: &Stage, resource: &Resource, mut configuration: Configuration) -> Suggestion {
    configuration.insert(resource.name.clone(), resource.value(stage.resource.unwrap_or(1.0)));
    Suggestion { configuration, iteration: stage.iteration, bracket_iteration: stage.bracket_iteration, origin: None }
}

fn promoted(stage: &Stage, resource: &Resource, trials: &[Trial], index: usize) -> Suggestion {
    Suggestion { origin: Some(index), ..started(stage, resource, trials[index].configuration.clone()) }
}

/// The keys of points that were tried or are being tried.
pub(crate) type Seen = BTreeSet<Key>;
