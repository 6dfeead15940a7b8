//! Every recorded case gives the recorded result, except for the differences that we decided on.

use conformance::report;

#[test]
fn every_case_gives_the_recorded_result() {
    let report = report::run().expect("the corpus is readable");
    println!("{report}");
    assert!(report.cases >= 800, "only {} cases", report.cases);
    assert!(report.is_good(), "\n{report}");
}
