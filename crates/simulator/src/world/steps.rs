//! What can happen in one step, drawn at random.

use polyaxon_engine::state::Action;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_store::Error;

use super::{Options, TRIES, World};
use crate::machine::Started;
use crate::{clock, operations, users};

impl World {
    /// What is impossible now is passed over; when nothing else is possible, time passes.
    pub(super) fn something(
        &mut self,
        place: usize,
        options: &Options,
    ) -> Result<(&'static str, Option<RunId>), Error> {
        for _ in 0..TRIES {
            let did = self.act(place, options)?;
            if did.0 != "nothing" {
                return Ok(did);
            }
        }
        Ok(self.pass_time())
    }

    fn act(&mut self, place: usize, options: &Options) -> Result<(&'static str, Option<RunId>), Error> {
        let random = &mut self.random;
        let choice = random.below(240);
        if choice < 34 {
            let Some((run, attempt)) = self.machines[place].executor.advance(random) else {
                return Ok(("nothing", None));
            };
            self.files.print(run, attempt, random);
            return Ok(("process", Some(run)));
        }
        if options.submissions > self.submitted && choice < 38 {
            self.submitted += 1;
            self.next_run += 1;
            let text = operations::operation(random).to_string();
            let run = users::submit(&self.store, self.next_run, text, None)?;
            return Ok(("submission", Some(run)));
        }
        if options.has_users && choice < 44 {
            let (store, mirror, next) = (&self.store, &self.mirror, &mut self.next_run);
            return users::interfere(store, mirror, random, next, options.has_deletions);
        }
        if options.has_clock_jumps && choice == 44 && random.once_in(3) {
            clock::set_by(random.below(7_200_000_000) as i64 - 3_600_000_000);
            return Ok(("clock", None));
        }
        if choice == 45 && random.once_in(2) {
            return Ok(self.pass_time());
        }
        if choice >= 200 {
            return self.outside(choice, options);
        }
        let machine = &mut self.machines[place];
        if machine.frozen_until > clock::steady() {
            return Ok(("nothing", None));
        }
        if options.has_freezes && choice == 46 && random.once_in(4) {
            machine.frozen_until = clock::steady() + 1_000_000 * (30 + random.below(900)) as i64;
            return Ok(("freeze", None));
        }
        if options.has_crashes && choice == 47 && random.once_in(3) {
            machine.crash();
            return Ok(("crash", None));
        }
        machine.begin()?;
        match choice {
            48..90 => {
                machine.perform(&self.mirror, random).and_then(|(what, started)| self.remember(place, what, started))
            }
            90..135 => Ok((machine.report(random)?, None)),
            135..165 => Ok(match machine.deliver(random)? {
                Some(run) => ("message", Some(run)),
                None => ("nothing", None),
            }),
            165..185 if !self.mirror.runs.values().any(|run| run.status == Status::Queued) => Ok(("nothing", None)),
            165..185 => Ok((if machine.admit()? { "admission" } else { "nothing" }, None)),
            185..189 => machine.scan().map(|()| ("scan", None)),
            189..191 => machine.keep().map(|()| ("keep", None)),
            _ => self.fire(place),
        }
    }

    /// The agent does something, also while no server executes.
    fn outside(&mut self, choice: u64, options: &Options) -> Result<(&'static str, Option<RunId>), Error> {
        let (agent, random) = (&mut self.agent, &mut self.random);
        let happened = |what, run: Option<RunId>| if run.is_some() { (what, run) } else { ("nothing", None) };
        if choice < 212 {
            return Ok(happened("outside process", agent.advance(random)));
        }
        if agent.away_until > clock::steady() {
            return Ok(("nothing", None));
        }
        match choice {
            212..224 => agent.tell(random).map(|run| happened("outside status", run)),
            224..236 => agent.poll(random).map(|what| (what, None)),
            236..238 => agent.reconcile().map(|()| ("reconcile", None)),
            _ if options.has_freezes && random.once_in(4) => {
                agent.away_until = clock::steady() + 1_000_000 * (30 + random.below(900)) as i64;
                Ok(("away", None))
            }
            _ => Ok(("nothing", None)),
        }
    }

    /// 3: an attempt is started in one place, once.
    fn remember(
        &mut self,
        place: usize,
        what: &'static str,
        started: Option<Started>,
    ) -> Result<(&'static str, Option<RunId>), Error> {
        let Some(Started { run, attempt }) = started else { return Ok((what, None)) };
        let id = self.machines[place].id;
        if let Some(other) = self.started.insert((run, attempt), id) {
            let message = format!("attempt {attempt} of run {run} was started at {other} and again at {id}");
            return Err(Error::Corrupt { column: 0, message });
        }
        let no_folder = |error: std::io::Error| Error::Corrupt { column: 0, message: error.to_string() };
        self.files.begin(run, attempt).map_err(no_folder)?;
        match self.mirror.run(run) {
            Some(record) if record.control.attempt >= attempt => Ok((what, Some(run))),
            _ => {
                Err(Error::Corrupt { column: 0, message: format!("attempt {attempt} of run {run} was never decided") })
            }
        }
    }

    /// Time passes to the next timer of all.
    fn pass_time(&mut self) -> (&'static str, Option<RunId>) {
        let timers = self.machines.iter().filter_map(|machine| machine.next_timer(&self.mirror));
        let next = timers.map(|(_, at)| at).min();
        let wait = next.map_or(0, |at| (at.as_micros() - clock::now().as_micros()).clamp(0, 90_000_000_000));
        clock::pass(wait + self.random.below(if next.is_some() { 1_000_000 } else { 20_000_000 }) as i64);
        ("time", None)
    }

    fn fire(&mut self, place: usize) -> Result<(&'static str, Option<RunId>), Error> {
        let machine = &mut self.machines[place];
        match machine.next_timer(&self.mirror) {
            Some((action, at)) if at <= clock::now() => {
                let run = action.run;
                let what = if matches!(action.action, Action::Delete { .. }) { "deletion" } else { "timer" };
                machine.fire(action, at)?;
                Ok((what, Some(run)))
            }
            _ => Ok(("nothing", None)),
        }
    }
}
