//! `connections` of a server: what runs and notifications may use, and where the secrets for it are.

use crate::section::{Section, Type, field};

/// A file of connections.
pub static CONNECTIONS: Section = Section {
    name: "connections",
    doc: "What runs and notifications of a server may use.",
    fields: &[field(
        "connections",
        Type::List(&Type::Section(&CONNECTION)),
        "The connections.",
        "[{name: chat, kind: slack}]",
    )
    .required()],
    check: None,
};

/// One connection, as agents know it.
pub(super) static CONNECTION: Section = Section {
    name: "connection",
    doc: "Something outside of runs that they may use: a bucket, a repository, a chat.",
    fields: &[
        field("name", Type::Str, "How runs name it; unique.", "chat").required(),
        field("kind", Type::Enum(KINDS), "What it leads to.", "slack").required(),
        field("description", Type::Str, "What it is for.", "the channel of the team"),
        field("tags", Type::CsvList, "Words to find it by.", "[team]"),
        field("schema", Type::AnyMap, "Its settings.", "{url: {env: CHAT_URL}}"),
        field("secret", Type::Section(&RESOURCE), "Where its secrets are.", "{name: CHAT}"),
        field("configMap", Type::Section(&RESOURCE), "Where further settings are.", "{name: SETTINGS}"),
        field(
            "env",
            Type::Either(&Type::AnyMap, &Type::List(&Type::Any)),
            "Variables for the runs that ask for it.",
            "{AWS_REGION: eu-west-1}",
        ),
        field("annotations", Type::AnyMap, "Annotations of the pods of runs that ask for it.", "{team: vision}"),
    ],
    check: None,
};

static RESOURCE: Section = Section {
    name: "secret or config map",
    doc: "Values that are kept elsewhere.",
    fields: &[
        field("name", Type::Str, "Its name; here also the variable that holds it as JSON.", "CHAT").required(),
        field("mountPath", Type::Str, "The folder that holds a file for each value.", "/etc/chat"),
        field("hostPath", Type::Str, "The same folder as the machine sees it.", "/srv/chat"),
        field("items", Type::List(&Type::Str), "The values that are used; without it all.", "[slack]"),
        field("defaultMode", Type::IntStrict, "The mode of its files.", "0600"),
        field("isRequested", Type::Bool, "Gives it to every run.", "true"),
    ],
    check: None,
};

const KINDS: &[&str] = &[
    "host_path",
    "volume_claim",
    "gcs",
    "s3",
    "wasb",
    "registry",
    "git",
    "aws",
    "gcp",
    "azure",
    "mysql",
    "postgres",
    "oracle",
    "vertica",
    "sqlite",
    "mssql",
    "redis",
    "presto",
    "mongo",
    "cassandra",
    "ftp",
    "grpc",
    "hdfs",
    "http",
    "pig_cli",
    "hive_cli",
    "hive_metastore",
    "hive_server2",
    "jdbc",
    "jenkins",
    "samba",
    "snowflake",
    "ssh",
    "cloudant",
    "databricks",
    "segment",
    "slack",
    "teams",
    "email",
    "discord",
    "mattermost",
    "pagerduty",
    "hipchat",
    "webhook",
    "custom",
];
