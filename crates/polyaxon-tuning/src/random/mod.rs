//! Random numbers from seeds. There is no other source of chance in this crate.

mod mersenne;
mod xoshiro;

pub(crate) use mersenne::Mersenne;
pub(crate) use xoshiro::Xoshiro;
