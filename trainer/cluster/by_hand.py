"""Lines to type on machines that one logs in to."""

from dataclasses import replace

from trainer.cluster.job import PORT, ClusterJob, command_line, comment, exports
from ul_engine.errors import ConfigError


def render_torchrun(job: ClusterJob) -> str:
    """A shell script for each node, one after the other; raises ConfigError where several nodes lack an address."""
    if job.num_nodes == 1:
        return comment("On the machine:") + _lines(job, None)
    if job.address is None:
        raise ConfigError("name the first machine as the others reach it, for example node0", field="address")
    address = job.address if ":" in job.address else f"{job.address}:{PORT}"
    whole = replace(job, address=address)
    parts = [
        comment(f"On machine {rank}{f', which is {job.address}' if rank == 0 else ''}:") + _lines(whole, str(rank))
        for rank in range(job.num_nodes)
    ]
    heading = comment("In any order; the machines wait for each other. All need the run folder at the same path.")
    return heading + "\n" + "\n".join(parts)


def _lines(job: ClusterJob, node_rank: str | None) -> str:
    return "\n".join([*exports(job.plan, node_rank), command_line(job.plan), ""])
