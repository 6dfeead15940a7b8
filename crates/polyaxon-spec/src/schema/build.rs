//! `build`: another run that makes the image of this one.

use super::param::FULL_PARAM;
use super::{CACHE, PATCH_STRATEGIES};
use crate::section::{Section, Type, field};

pub static BUILD: Section = Section {
    name: "build",
    doc: "A run that makes the image of this run before it starts.",
    fields: &[
        field("hubRef", Type::Str, "The component that builds.", "kaniko").required(),
        field("connection", Type::Str, "The registry to push to.", "docker-registry"),
        field("presets", Type::List(&Type::Str), "Presets of the build.", "[small]").template(),
        field("queue", Type::Str, "The queue of the build.", "agent/builds"),
        field("namespace", Type::Str, "The namespace of the build.", "builds"),
        field("cache", Type::Section(&CACHE), "Whether an earlier build may be reused.", "{disable: true}").template(),
        field(
            "params",
            Type::Map(&Type::Either(&FULL_PARAM, &Type::Template)),
            "Params of the build, in full form.",
            "{destination: {value: \"repo:tag\"}}",
        ),
        field("runPatch", Type::AnyMap, "Changes to the runtime of the build.", "{container: {image: builder}}"),
        field("patchStrategy", Type::Enum(PATCH_STRATEGIES), "How `runPatch` is applied.", "post_merge").template(),
    ],
    check: None,
};
