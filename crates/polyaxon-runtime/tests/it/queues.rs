//! Queues and devices with real processes.

use polyaxon_engine::admission::Capacity;
use polyaxon_engine::state::Event;
use polyaxon_model::ids::QueueId;
use polyaxon_model::queue::QueueBody;
use polyaxon_model::status::Status;
use polyaxon_store::leases::ANYBODY;
use polyaxon_store::{admission, queues};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::bench::{Bench, block_on, now, script};

const DEVICES: &str = "echo devices=$CUDA_VISIBLE_DEVICES=$NVIDIA_VISIBLE_DEVICES";

fn with_gpus(text: &str, count: u32) -> Json {
    let mut operation = script(text);
    operation["component"]["run"]["container"]["resources"] = json!({"limits": {"nvidia.com/gpu": count}});
    operation
}

fn two_gpus() -> Capacity {
    Capacity { gpus: Some(vec!["4".into(), "5".into()]), ..Capacity::of_slots(4) }
}

#[test]
fn gpus_are_given_waited_for_and_survive_the_server() {
    block_on(async {
        let mut bench = Bench::idle(None).await;
        bench.start_on(two_gpus(), now);
        let holds = format!("{DEVICES}; trap 'exit 0' TERM; sleep 1000 & wait");
        let one = bench.submit(&with_gpus(&holds, 1)).await;
        bench.until_line(one, "devices=4=4").await;
        let both = bench.submit(&with_gpus(&holds, 2)).await;
        bench.until_status(both, Status::Queued).await;
        let last = bench.submit(&with_gpus(DEVICES, 1)).await;
        bench.until_status(last, Status::Queued).await;
        let none = bench.submit(&script(DEVICES)).await;
        bench.until_status(none, Status::Queued).await;
        // A server that ends and comes back finds the device in use.
        bench.end().await;
        bench.start_on(two_gpus(), now);
        bench.event(one, Event::StopRequested).await;
        bench.until_line(both, "devices=4,5=4,5").await;
        assert_eq!(bench.get(last).await.status, Status::Queued);
        let why = bench.store.read(move |tx| admission::explain(tx, last, now())).await.unwrap().unwrap();
        assert!(why.to_string().contains("it asks for 1 GPU, and 0 of 2 GPUs can be had now"), "{why}");
        bench.event(both, Event::StopRequested).await;
        bench.until_status(last, Status::Succeeded).await;
        assert_eq!(bench.lines(last).last().map(String::as_str), Some("devices=4=4"));
        bench.until_status(none, Status::Succeeded).await;
    });
}

#[test]
fn what_this_machine_does_not_have_is_told_and_queues_are_checked() {
    block_on(async {
        let mut bench = Bench::idle(None).await;
        bench.start_on(two_gpus(), now);
        let large = bench.submit(&with_gpus(DEVICES, 3)).await;
        bench.until_status(large, Status::Unschedulable).await;
        let (history, why) = bench.history(large).await;
        assert_eq!(history, "created compiled queued unschedulable");
        assert!(why.starts_with("The run asks for 3 GPUs, and this machine has 2 GPUs."), "{why}");
        bench.event(large, Event::StopRequested).await;
        bench.until_status(large, Status::Stopped).await;
        let mut lost = script("true");
        lost["queue"] = json!("nowhere");
        let lost = bench.submit(&lost).await;
        bench.until_status(lost, Status::Failed).await;
        let (_, why) = bench.history(lost).await;
        assert!(why.contains("agent `local` has no queue `nowhere`"), "{why}");
        bench.end().await;
        // A machine that grew takes what it could not before.
        bench.start_on(Capacity { gpus: Some(Vec::new()), ..Capacity::of_slots(2) }, now);
        let waits = bench.submit(&with_gpus(DEVICES, 1)).await;
        bench.until_status(waits, Status::Unschedulable).await;
        bench.end().await;
        bench.start_on(two_gpus(), now);
        bench.until_status(waits, Status::Succeeded).await;
    });
}

#[test]
fn a_limit_that_is_raised_takes_effect_at_once() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let paused: QueueBody = serde_json::from_value(json!({"concurrency": 0})).unwrap();
        let uuid = QueueId::new(Uuid::from_u128(5));
        let create =
            move |tx: &mut dyn polyaxon_store::db::Tx| queues::create(tx, uuid, ANYBODY, "slow", &paused, now());
        bench.store.write(create).await.unwrap();
        let mut operation = script("true");
        operation["queue"] = json!("local/slow");
        let run = bench.submit(&operation).await;
        bench.until_status(run, Status::Queued).await;
        let other = bench.submit(&script("true")).await;
        bench.until_status(other, Status::Succeeded).await;
        assert_eq!(bench.get(run).await.status, Status::Queued);
        let open: QueueBody = serde_json::from_value(json!({"concurrency": null})).unwrap();
        bench.store.write(move |tx| queues::patch(tx, ANYBODY, "slow", &open, now())).await.unwrap();
        bench.until_status(run, Status::Succeeded).await;
    });
}
