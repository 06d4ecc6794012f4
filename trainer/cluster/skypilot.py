"""A SkyPilot task: a managed job that comes back after a lost spot machine."""

from pathlib import PurePosixPath
from typing import Any, Final

from trainer.cluster.documents import yaml_text
from trainer.cluster.job import ClusterJob, command_line, comment, exports, put_settings
from ul_engine.errors import ConfigError

SETTINGS: Final = "/tmp/ul-settings.json"
SETUP: Final = "pip install -c constraints.txt ."
_END: Final = "END_OF_SETTINGS"


def render_skypilot(job: ClusterJob) -> str:
    """The task file. `storage` is a bucket's address (``s3://…``, ``gs://…``) or the name of a SkyPilot volume; raises
    ConfigError without one."""
    heading = comment(
        f"Start with: sky jobs launch -n {job.name} THIS_FILE   (from a checkout of the program)",
        f"To end it: sky jobs cancel -n {job.name}; started again, it goes on from its newest checkpoint, as it does",
        "after the loss of a machine.",
    )
    return heading + yaml_text(_task(job))


def _task(job: ClusterJob) -> dict[str, Any]:
    resources: dict[str, Any] = {
        "accelerators": job.accelerators or f"H100:{job.gpus_per_node}",
        "cpus": f"{job.gpus_per_node * job.cpus_per_gpu}+",
        "use_spot": True,
        "job_recovery": {"strategy": "EAGER_NEXT_REGION", "max_restarts_on_errors": job.max_restarts},
    }
    if job.image is not None:
        resources["image_id"] = f"docker:{job.image}"
    if job.num_nodes > 1:
        resources["network_tier"] = "best"
    return {
        "name": job.name,
        "workdir": ".",
        "num_nodes": job.num_nodes,
        "resources": resources,
        **_mounts(job),
        "setup": SETUP,
        "run": _script(job),
    }


def _mounts(job: ClusterJob) -> dict[str, Any]:
    """Where the folder of the run folder comes from."""
    where = str(PurePosixPath(job.run).parent)
    if job.storage is None:
        raise ConfigError("name a bucket (s3://…, gs://…) or a SkyPilot volume for the run folder", field="storage")
    if "://" not in job.storage:
        return {"volumes": {where: job.storage}}
    # Plain MOUNT is no whole file system: events are appended to, checkpoints renamed when they are complete.
    return {"file_mounts": {where: {"source": job.storage, "mode": "MOUNT_CACHED"}}}


def _script(job: ClusterJob) -> str:
    meeting = ['HEAD=$(echo "$SKYPILOT_NODE_IPS" | head -n 1)']
    return "\n".join(
        [
            f"cat > {SETTINGS} <<'{_END}'",
            job.settings,
            _END,
            *put_settings(job.run, SETTINGS),
            *(meeting if job.num_nodes > 1 else ()),
            *exports(job.plan, "SKYPILOT_NODE_RANK"),
            f"exec {command_line(job.plan)}",
            "",
        ]
    )
