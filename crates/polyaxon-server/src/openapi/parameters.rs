//! Query parameters as the document shows them. The handlers read them leniently, from [`crate::query::Params`].

#![expect(dead_code, reason = "these types are read by the derive macros alone")]

use utoipa::IntoParams;

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// How many records a page has. Anything that is no positive number means the default of the list.
    #[param(minimum = 1, example = 20)]
    limit: Option<u32>,
    /// How many records are before the page.
    #[param(example = 0)]
    offset: Option<u64>,
    /// Leave the records uncounted: `count`, `next` and `previous` are null.
    no_page: Option<bool>,
    /// Fields to sort by, with commas; a minus sorts downwards. Unknown fields are ignored.
    #[param(example = "-created_at,name")]
    sort: Option<String>,
    /// A filter: `field: condition` pairs with commas, `|` for alternatives, `~` for the opposite.
    #[param(example = "created_at: >2026-01-01, name: ~x%")]
    query: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BookmarkParameters {
    /// Only those that are bookmarked, or only those that are not.
    bookmarks: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ModeParameters {
    /// What rows show: `timeline` and `graph` for runs, `any` for names and kinds of artifacts.
    #[param(example = "timeline")]
    mode: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PathParameters {
    /// A path below the folder of the run.
    #[param(example = "outputs")]
    path: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileParameters {
    /// The file, as a path below the folder of the run. Needed.
    #[param(example = "outputs/model.txt")]
    path: Option<String>,
    /// Show a notebook as a page; refused for other files.
    render: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FolderParameters {
    /// The folder, as a path below the folder of the run; all of it when left out.
    #[param(example = "outputs")]
    path: Option<String>,
    /// Whether a path that leads to a file is sent as it is, without an archive.
    check_path: Option<bool>,
    /// An older name of `check_path`.
    check_file: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParameters {
    /// The names of the series, with commas. Needed.
    #[param(example = "loss,accuracy")]
    names: Option<String>,
    /// `dict` for columns, `csv` for the text of the files.
    #[param(example = "dict")]
    orient: Option<String>,
    /// At most so many rows of each series.
    #[param(example = 1000)]
    sample: Option<u32>,
    /// Send the series and the files that they refer to as an archive.
    pkg_assets: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunsParameters {
    /// The uuids of the runs, with commas. Needed.
    #[param(example = "8aac02e3a62a4f0aaa257c59da5eab80")]
    runs: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogParameters {
    /// Lines after this time, of a run that may still write.
    #[param(example = "2026-11-22T09:27:40.369351+00:00")]
    last_time: Option<String>,
    /// The `last_file` of the answer before, of a run that has ended.
    last_file: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FollowParameters {
    /// The last `cursor` that was read; from the start when left out.
    cursor: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TreeParameters {
    /// The last `cursor` that was read; everything when left out.
    cursor: Option<i64>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatsParameters {
    /// `analytics` for numbers over runs; of a project also `stats` and `series` for snapshots, and `realtime`. Needed.
    #[param(example = "analytics")]
    mode: Option<String>,
    /// Of analytics: `annotations` for one answer, `series` for one a step of time.
    #[param(example = "annotations")]
    kind: Option<String>,
    /// `progress`, `count`, or a comma list of `avg`, `min`, `max`, `sum` and `total`.
    #[param(example = "count")]
    aggregate: Option<String>,
    /// What is counted by (`status`, `kind`, `user`, `project`), or the number that is aggregated.
    #[param(example = "status")]
    groupby: Option<String>,
    /// The steps of a series: a moment of the runs, a dot, and a length.
    #[param(example = "created_at.day")]
    trunc: Option<String>,
    /// A filter of the runs, as in their list.
    #[param(example = "status: succeeded")]
    query: Option<String>,
    /// Only runs that are bookmarked, or only those that are not.
    bookmarks: Option<bool>,
    /// Look at one page of the runs.
    #[param(minimum = 1, example = 100)]
    limit: Option<u32>,
    /// How many runs are before the page.
    #[param(example = 0)]
    offset: Option<u64>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SeriesParameters {
    /// Of series: the first moment; a week before the last one when left out.
    #[param(example = "2026-11-01")]
    start_date: Option<String>,
    /// Of series: the last moment; now when left out.
    end_date: Option<String>,
    /// Of series: only the first and the last snapshot.
    boundary: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AgentLogsParameters {
    /// The service of the agent: `streams`, `operator` or `agent`.
    #[param(example = "agent")]
    service: Option<String>,
    /// The `last_file` of the answer before.
    last_file: Option<String>,
}
