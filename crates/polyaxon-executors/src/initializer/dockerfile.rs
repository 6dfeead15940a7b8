//! `polyaxon docker generate`: the text of a Dockerfile from the operation's description of it.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use polyaxon_model::JsonMap;
use polyaxon_model::artifact::base_name;
use polyaxon_model::kinds::ArtifactKind;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::arguments::{Arguments, Options};
use super::error::{Error, Result};
use super::{Environment, file, lineage};

pub(super) const OPTIONS: Options =
    &[("build-context", true), ("destination", true), ("copy-path", true), ("track", false)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    image: String,
    env: Option<Json>,
    #[serde(default)]
    path: Vec<String>,
    #[serde(default)]
    copy: Vec<Copied>,
    #[serde(default)]
    post_run_copy: Vec<Copied>,
    #[serde(default)]
    run: Vec<String>,
    lang_env: Option<String>,
    uid: Option<u32>,
    gid: Option<u32>,
    username: Option<String>,
    filename: Option<String>,
    workdir: Option<String>,
    workdir_path: Option<String>,
    shell: Option<String>,
}

/// `source`, which goes to the working directory, or `[source, destination]`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Copied {
    ToWorkdir(String),
    To(String, String),
}

pub(super) fn generate(arguments: &Arguments, environment: &Environment, output: &mut dyn Write) -> Result<()> {
    let text = arguments.require("build-context")?;
    let bad = |reason: String| Error::BadOption { option: "build-context", reason };
    let context: Context = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    let filename = context.filename.as_deref().unwrap_or("Dockerfile");
    let name = base_name(filename).ok_or_else(|| bad(format!("`{filename}` is no file name")))?;
    let content = render(&context).map_err(bad)?;
    let mut path = file::place(&content, Path::new(arguments.require("destination")?), name)?;
    let _ = writeln!(output, "Dockerfile is initialized, path: `{}`", path.display());
    if let Some(folder) = arguments.get("copy-path") {
        path = file::copy_into(&path, Path::new(folder), name)?;
    }
    if arguments.has("track") {
        let summary = JsonMap::from_iter([("hash".to_owned(), file::short_hash(text).into())]);
        let path = Some(path.display().to_string());
        lineage::report(environment, &lineage::input(name, ArtifactKind::Dockerfile, path, summary))?;
    }
    Ok(())
}

fn render(context: &Context) -> std::result::Result<String, String> {
    let workdir = context.workdir.as_deref().unwrap_or("/code");
    let username = context.username.as_deref().unwrap_or("polyaxon");
    let mut lines = vec![format!("FROM {}", context.image)];
    if let Some(lang) = &context.lang_env {
        lines.extend(["LC_ALL", "LANG", "LANGUAGE"].map(|name| format!("ENV {name} {lang}")));
    }
    lines.push(format!("ENV SHELL {}", context.shell.as_deref().unwrap_or("/bin/bash")));
    lines.extend(context.path.iter().map(|path| format!("ENV PATH=\"${{PATH}}:{path}\"")));
    lines.extend(variables(context.env.as_ref())?.into_iter().map(|(name, value)| format!("ENV {name} {value}")));
    lines.push(format!("WORKDIR {workdir}"));
    let copy = |copied: &Copied| match copied {
        Copied::ToWorkdir(source) => format!("COPY {source} {workdir}"),
        Copied::To(source, destination) => format!("COPY {source} {destination}"),
    };
    lines.extend(context.copy.iter().map(copy));
    lines.extend(context.run.iter().map(|step| format!("RUN {step}")));
    lines.extend(context.post_run_copy.iter().map(copy));
    if let (Some(uid), Some(gid)) = (context.uid, context.gid) {
        lines.push("# The user that the container runs as".to_owned());
        lines.push(format!("RUN groupadd -g {gid} -r polyaxon && useradd -r -m -g polyaxon -u {uid} {username}"));
    }
    if let Some(path) = &context.workdir_path {
        lines.push(format!("COPY {path} {workdir}"));
    }
    let mut text = String::new();
    for line in &lines {
        // A line break in a value would smuggle in an instruction.
        if line.contains(['\n', '\r']) {
            return Err(format!("`{}` contains a line break", line.escape_debug()));
        }
        let _ = writeln!(text, "{line}");
    }
    Ok(text)
}

fn variables(env: Option<&Json>) -> std::result::Result<Vec<(String, String)>, String> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = |map: &Map<String, Json>| map.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    match env {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Object(map)) => Ok(pairs(map)),
        Some(Json::Array(items)) => items
            .iter()
            .map(|item| match item.as_array().map(Vec::as_slice) {
                Some([name, value]) => Ok((text(name), text(value))),
                _ => Err(format!("env: `{item}` is no pair of a name and a value")),
            })
            .collect(),
        Some(other) => Err(format!("env: `{other}` is neither a mapping nor a list of pairs")),
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;

    #[test]
    fn the_worked_example_is_rendered() {
        let context = r#"{"image":"reg/x:1","env":{"A":1},"path":["/opt/a"],"copy":["/src",["/a","/b"]],"run":["make"],
            "uid":1000,"gid":1001,"username":"dev","workdir":"/w"}"#;
        assert_data_eq!(
            render(&serde_json::from_str(context).unwrap()).unwrap(),
            str![[r#"
FROM reg/x:1
ENV SHELL /bin/bash
ENV PATH="${PATH}:/opt/a"
ENV A 1
WORKDIR /w
COPY /src /w
COPY /a /b
RUN make
# The user that the container runs as
RUN groupadd -g 1001 -r polyaxon && useradd -r -m -g polyaxon -u 1000 dev

"#]]
        );
        let smuggled = serde_json::from_str(r#"{"image":"x\nRUN rm"}"#).unwrap();
        assert!(render(&smuggled).unwrap_err().contains("line break"));
    }
}
