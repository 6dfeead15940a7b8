//! The Kubernetes objects that the language embeds: their top-level fields, nothing deeper (spec §5).

use crate::section::KubernetesObject;

const fn object(
    name: &'static str,
    keys: &'static [&'static str],
    required: &'static [&'static str],
) -> KubernetesObject {
    KubernetesObject { name, keys, required, allow_empty: true }
}

pub static CONTAINER: KubernetesObject = object(
    "container",
    &[
        "name",
        "image",
        "command",
        "args",
        "env",
        "envFrom",
        "imagePullPolicy",
        "lifecycle",
        "livenessProbe",
        "ports",
        "readinessProbe",
        "resizePolicy",
        "resources",
        "restartPolicy",
        "restartPolicyRules",
        "securityContext",
        "startupProbe",
        "stdin",
        "stdinOnce",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "tty",
        "volumeDevices",
        "volumeMounts",
        "workingDir",
    ],
    &[],
);

pub static VOLUME: KubernetesObject = object(
    "volume",
    &[
        "name",
        "awsElasticBlockStore",
        "azureDisk",
        "azureFile",
        "cephfs",
        "cinder",
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "fc",
        "flexVolume",
        "flocker",
        "gcePersistentDisk",
        "gitRepo",
        "glusterfs",
        "hostPath",
        "image",
        "iscsi",
        "nfs",
        "persistentVolumeClaim",
        "photonPersistentDisk",
        "portworxVolume",
        "projected",
        "quobyte",
        "rbd",
        "scaleIO",
        "secret",
        "storageos",
        "vsphereVolume",
    ],
    &["name"],
);

pub(super) static TOLERATION: KubernetesObject =
    object("toleration", &["effect", "key", "operator", "tolerationSeconds", "value"], &[]);

pub(super) static HOST_ALIAS: KubernetesObject = object("host alias", &["ip", "hostnames"], &["ip"]);

pub(super) static AFFINITY: KubernetesObject =
    object("affinity", &["nodeAffinity", "podAffinity", "podAntiAffinity"], &[]);

pub(super) static SECURITY_CONTEXT: KubernetesObject = object(
    "container security context",
    &[
        "allowPrivilegeEscalation",
        "appArmorProfile",
        "capabilities",
        "privileged",
        "procMount",
        "readOnlyRootFilesystem",
        "runAsGroup",
        "runAsNonRoot",
        "runAsUser",
        "seLinuxOptions",
        "seccompProfile",
        "windowsOptions",
    ],
    &[],
);

pub(super) static DNS_CONFIG: KubernetesObject = KubernetesObject {
    name: "DNS config",
    keys: &["nameservers", "options", "searches"],
    required: &[],
    allow_empty: false,
};

pub(super) static RESOURCES: KubernetesObject = object("resources", &["claims", "limits", "requests"], &[]);

pub(super) static POD_FAILURE_POLICY: KubernetesObject = object("pod failure policy", &["rules"], &["rules"]);

pub(super) static EXEC_ACTION: KubernetesObject = object("exec action", &["command"], &[]);

pub(super) static HTTP_ACTION: KubernetesObject =
    object("http action", &["host", "httpHeaders", "path", "port", "scheme"], &["port"]);
