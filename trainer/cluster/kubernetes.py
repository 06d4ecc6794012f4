"""Kubernetes manifests: the settings, a headless Service for the nodes' names, and an Indexed Job of one pod a node."""

from pathlib import PurePosixPath
from typing import Any, Final

from trainer.cluster.documents import yaml_text
from trainer.cluster.job import PORT, ClusterJob, command_line, comment, exports, put_settings
from trainer.launch import SHUTDOWN_S
from ul_engine.errors import ConfigError

SETTINGS: Final = "/etc/ul-studio/config.json"


def render_kubernetes(job: ClusterJob) -> str:
    """The manifests; `image` has the program in it, `storage` names a claim that all pods may write to. Raises
    ConfigError without them."""
    if job.image is None:
        raise ConfigError("name an image that has the program in it", field="image")
    if job.storage is None:
        raise ConfigError("name a PersistentVolumeClaim (ReadWriteMany) for the run folder", field="storage")
    heading = comment(
        "Start with: kubectl apply -f THIS_FILE. To stop and save: kubectl delete job "
        f"{job.name}; apply again to go on.",
        "A lost pod is replaced under the same name; the others wait for it and go on from the newest checkpoint.",
    )
    return heading + yaml_text(_settings(job), _service(job), _job(job))


def _settings(job: ClusterJob) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": job.name},
        "data": {"config.json": job.settings},
    }


def _service(job: ClusterJob) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": job.name},
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": {"job-name": job.name},
            "ports": [{"name": "rendezvous", "port": PORT}],
        },
    }


def _job(job: ClusterJob) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": job.name},
        "spec": {
            "completionMode": "Indexed",
            "completions": job.num_nodes,
            "parallelism": job.num_nodes,
            "backoffLimit": job.max_restarts * job.num_nodes,
            # Pods that the cluster takes away (drained nodes, preemption) are replaced without being counted.
            "podFailurePolicy": {
                "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "template": {"spec": _pod(job)},
        },
    }


def _pod(job: ClusterJob) -> dict[str, Any]:
    where = str(PurePosixPath(job.run).parent)
    return {
        "subdomain": job.name,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": SHUTDOWN_S + 30,
        "containers": [
            {
                "name": "trainer",
                "image": job.image,
                "command": ["bash", "-c", _script(job)],
                "resources": _resources(job),
                "volumeMounts": [
                    {"name": "runs", "mountPath": where},
                    {"name": "settings", "mountPath": str(PurePosixPath(SETTINGS).parent)},
                    {"name": "shared-memory", "mountPath": "/dev/shm"},
                ],
            }
        ],
        "volumes": [
            {"name": "runs", "persistentVolumeClaim": {"claimName": job.storage}},
            {"name": "settings", "configMap": {"name": job.name}},
            {"name": "shared-memory", "emptyDir": {"medium": "Memory"}},  # 64 MiB otherwise: too little for loaders
        ],
    }


def _resources(job: ClusterJob) -> dict[str, Any]:
    return {
        "requests": {"cpu": str(job.gpus_per_node * job.cpus_per_gpu)},
        "limits": {"nvidia.com/gpu": job.gpus_per_node},
    }


def _script(job: ClusterJob) -> str:
    meeting = [f"HEAD={job.name}-0.{job.name}"] if job.num_nodes > 1 else []
    return "\n".join(
        [
            *put_settings(job.run, SETTINGS),
            *meeting,
            *exports(job.plan, "JOB_COMPLETION_INDEX"),
            f"exec {command_line(job.plan)}",  # in the shell's place, so that the cluster's signal reaches torchrun
            "",
        ]
    )
