//! `environment`: where and how the pods of a run are placed.

use super::kubernetes::{AFFINITY, DNS_CONFIG, HOST_ALIAS, SECURITY_CONTEXT, TOLERATION};
use crate::section::{Section, Type, field};

pub static ENVIRONMENT: Section = Section {
    name: "environment",
    doc: "Where and how the pods of a run are placed.",
    fields: &[
        field("labels", Type::Map(&Type::GeneralText), "Labels of the pods.", "{team: vision}"),
        field("annotations", Type::Map(&Type::GeneralText), "Annotations of the pods.", "{purpose: experiment}"),
        field("nodeSelector", Type::Map(&Type::GeneralText), "Labels that a node must have.", "{accelerator: nvidia}"),
        field(
            "affinity",
            Type::Kubernetes(&AFFINITY),
            "Rules of attraction between pods and nodes.",
            "{nodeAffinity: {}}",
        ),
        field(
            "tolerations",
            Type::List(&Type::Kubernetes(&TOLERATION)),
            "Taints of nodes that are no hindrance.",
            "[{key: gpu, operator: Exists}]",
        ),
        field("nodeName", Type::Str, "The node to use.", "node-1"),
        field("serviceAccountName", Type::Str, "The service account of the pods.", "runner"),
        field(
            "hostAliases",
            Type::List(&Type::Kubernetes(&HOST_ALIAS)),
            "Entries for the hosts file.",
            "[{ip: 10.0.0.1, hostnames: [data]}]",
        ),
        field(
            "securityContext",
            Type::Kubernetes(&SECURITY_CONTEXT),
            "User, group and rights of the processes.",
            "{runAsUser: 1000}",
        ),
        field("imagePullSecrets", Type::List(&Type::Str), "Secrets for pulling images.", "[registry]"),
        field("hostNetwork", Type::Bool, "Uses the network of the node.", "true"),
        field("hostPID", Type::Bool, "Sees the processes of the node.", "true"),
        field("dnsPolicy", Type::Str, "How names are resolved.", "ClusterFirst"),
        field(
            "dnsConfig",
            Type::Kubernetes(&DNS_CONFIG),
            "Settings of the name resolution.",
            "{nameservers: [1.1.1.1]}",
        ),
        field("schedulerName", Type::Str, "The scheduler that places the pods.", "volcano"),
        field("priorityClassName", Type::Str, "The priority class of the pods.", "high"),
        field("priority", Type::Int, "The priority of the pods as a number.", "10"),
        field(
            "restartPolicy",
            Type::Enum(&["Always", "OnFailure", "Never", "ExitCode"]),
            "When a container is started again.",
            "Never",
        ),
    ],
    check: None,
};
