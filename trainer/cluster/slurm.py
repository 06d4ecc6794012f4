"""A Slurm batch script that saves before its time is over and queues itself again."""

import shlex
from typing import Final

from trainer.cluster.job import ClusterJob, command_line, comment, exports
from trainer.launch import SHUTDOWN_S

WARNING_S: Final = SHUTDOWN_S + 30
"""Seconds before the time limit at which the run is told to save and end."""


def render_slurm(job: ClusterJob) -> str:
    """The script; give it to ``sbatch``, again and again if need be: it goes on where the run is."""
    finished = f'grep -q \'"state": "finished"\' {shlex.quote(str(job.run / "status.json"))}'
    return "\n".join(
        [
            "#!/bin/bash",
            *_options(job),
            "",
            comment(
                "Start or continue with: sbatch THIS_FILE. To save and end: scancel --signal=TERM JOB.",
                f"{WARNING_S} s before the time limit Slurm signals this script (USR1, so that it is not taken for",
                "scancel's TERM): the run saves and ends, and the job queues itself again under its number, as it does",
                "after the loss of a node.",
            ),
            "set -u",
            "",
            "out_of_time=0",
            'pass_on() { scancel --signal=TERM "$SLURM_JOB_ID"; }  # to the steps, not to this script',
            "trap 'out_of_time=1; pass_on' USR1",
            "trap pass_on TERM",
            "",
            *_rendezvous(job),
            f"srun --kill-on-bad-exit=1 --ntasks-per-node=1 bash -c {shlex.quote(_on_each_node(job))} &",
            "step=$!",
            'wait "$step"; code=$?',
            'while kill -0 "$step" 2>/dev/null; do wait "$step"; code=$?; done  # a signal cuts a wait short',
            "",
            f'if [ "$out_of_time" = 1 ] && ! {finished}; then',
            '    scontrol requeue "$SLURM_JOB_ID"',
            "fi",
            'exit "$code"',
            "",
        ]
    )


def _options(job: ClusterJob) -> list[str]:
    options: dict[str, str | int | None] = {
        "job-name": job.name,
        "nodes": job.num_nodes,
        "ntasks-per-node": 1,
        "gpus-per-node": job.accelerators or job.gpus_per_node,
        "cpus-per-task": job.gpus_per_node * job.cpus_per_gpu,
        "time": job.time,
        "partition": job.partition,
        "account": job.account,
        "signal": f"B:USR1@{WARNING_S}",
        "open-mode": "append",
        "output": f'"{job.run}/slurm-%j.out"',
    }
    lines = [f"#SBATCH --{name}={value}" for name, value in options.items() if value is not None]
    return [*lines, "#SBATCH --requeue"]


def _rendezvous(job: ClusterJob) -> list[str]:
    if job.num_nodes == 1:
        return []
    return [
        'HEAD=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)',
        "export HEAD",
    ]


def _on_each_node(job: ClusterJob) -> str:
    return "\n".join([*exports(job.plan, "SLURM_NODEID"), f"exec {command_line(job.plan)}"])
