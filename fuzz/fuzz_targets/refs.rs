//! `conformance::torture::refs` with what the fuzzer makes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| conformance::torture::refs(data));
