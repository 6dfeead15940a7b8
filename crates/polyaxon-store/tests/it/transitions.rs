//! Every pair of statuses, with and without force: one run and many end in the same rows.

use polyaxon_engine::state::{Event, Force};
use polyaxon_engine::transition::is_allowed;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::ManagedBy;
use polyaxon_model::status::Status;
use polyaxon_store::{lifecycle, runs, statuses};

use crate::testkit::{NOW, World, at, everywhere};

const LATER: &str = "2026-11-22T12:00:05Z";

fn posted(status: Status, force: Force, now: &str) -> Event {
    Event::Posted { condition: StatusCondition::new(status, "Test", "posted", at(now)), force }
}

#[test]
fn single_and_bulk_give_the_same_rows_for_all_pairs() {
    everywhere(|world| {
        for managed_by in [ManagedBy::User, ManagedBy::Agent] {
            for from in Status::ALL.iter().copied().filter(|from| *from != Status::Done) {
                for to in Status::ALL.iter().copied() {
                    for force in [Force::No, Force::Yes] {
                        check(&world, managed_by, from, to, force);
                    }
                }
            }
        }
    });
}

fn check(world: &World, managed_by: ManagedBy, from: Status, to: Status, force: Force) {
    let records = [0; 3].map(|_| world.record(managed_by));
    let [single, first, second] = records.each_ref().map(|record| record.uuid);
    world
        .store
        .write_blocking(move |tx| {
            for record in &records {
                runs::create(tx, record, at(NOW))?;
            }
            lifecycle::apply_all(tx, &[single, first, second], &posted(from, Force::No, NOW), at(NOW))?;
            lifecycle::apply(tx, single, &posted(to, force, LATER), at(LATER))?;
            lifecycle::apply_all(tx, &[first, second], &posted(to, force, LATER), at(LATER))
        })
        .unwrap();
    let row = |run: RunId| {
        world.store.read_blocking(move |tx| Ok((lifecycle::state(tx, run)?, statuses::document(tx, run)?))).unwrap()
    };
    let (state, document) = row(single);
    let (state, document) = (state.unwrap(), document.unwrap());
    let case = format!("{managed_by}: {from} -> {to} {force:?}");
    assert_eq!(state.status, if is_allowed(from, to, force) { to } else { from }, "{case}");
    assert_eq!(document.status, state.status, "{case}");
    for other in [first, second] {
        let (other_state, other_document) = row(other);
        assert_eq!(other_state.as_ref(), Some(&state), "{case}");
        assert_eq!(other_document.unwrap().status_conditions, document.status_conditions, "{case}");
    }
}
