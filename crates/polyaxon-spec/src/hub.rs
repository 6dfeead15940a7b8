//! Names of hub components, and those that are built into the program: `hub/<name>/<version>.yaml` of the repository.

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../hub"]
struct Bundle;

/// The version that a name without one means.
pub const LATEST: &str = "latest";
/// The owner under which the official hub publishes its components.
const OWNER: &str = "polyaxon";

/// `[owner/]name[:version]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubName {
    pub owner: Option<String>,
    pub name: String,
    pub version: Option<String>,
}

impl HubName {
    pub fn parse(text: &str) -> HubName {
        let (path, version) = match text.rsplit_once(':') {
            Some((path, version)) => (path, Some(version.to_owned())),
            None => (text, None),
        };
        let (owner, name) = match path.rsplit_once('/') {
            Some((owner, name)) => (Some(owner.to_owned()), name),
            None => (None, path),
        };
        HubName { owner, name: name.to_owned(), version }
    }

    /// The version, `latest` when none is named.
    pub fn version(&self) -> &str {
        self.version.as_deref().unwrap_or(LATEST)
    }
}

/// The text of a bundled component.
pub fn bundled(name: &HubName) -> Option<Vec<u8>> {
    if name.owner.as_deref().is_some_and(|owner| owner != OWNER) {
        return None;
    }
    Bundle::get(&format!("{}/{}.yaml", name.name, name.version())).map(|file| file.data.into_owned())
}

/// Every bundled component as `name` or `name:version`, in order.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = Bundle::iter()
        .filter_map(|path| {
            let (name, version) = path.strip_suffix(".yaml")?.split_once('/')?;
            Some(if version == LATEST { name.to_owned() } else { format!("{name}:{version}") })
        })
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_an_optional_owner_and_version() {
        let parse = |text| {
            let name = HubName::parse(text);
            (name.owner.clone().unwrap_or_default(), name.name.clone(), name.version().to_owned())
        };
        let owned = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(parse("tensorboard"), owned("", "tensorboard", "latest"));
        assert_eq!(parse("acme/train:v1"), owned("acme", "train", "v1"));
        assert_eq!(parse("train:1.2"), owned("", "train", "1.2"));
    }

    #[test]
    fn the_bundle_holds_what_the_readme_promises() {
        for name in ["quick-start", "notebook", "tensorboard", "slack", "email", "webhook"] {
            assert!(bundled(&HubName::parse(name)).is_some(), "{name} is missing");
        }
        for name in names() {
            let text = bundled(&HubName::parse(&name)).unwrap();
            let text = String::from_utf8(text).unwrap();
            let component = crate::wire::read_component(&text).unwrap();
            assert_eq!(component.get("name").and_then(crate::node::Node::as_str), Some(&*name));
        }
        assert!(bundled(&HubName::parse("acme/tensorboard")).is_none());
    }
}
