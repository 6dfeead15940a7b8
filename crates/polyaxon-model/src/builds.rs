//! The names by which a build and the runs that wait for it know each other.

/// The param, and the artifact, of a build that names the image it makes.
pub const DESTINATION: &str = "destination";
/// Where a record says which image was made for it.
pub const IMAGE: &str = "destination_image";
/// The reason of what a build does to the runs that wait for it, and they to it.
pub const NOTIFIED: &str = "SchedulerBuildNotify";
