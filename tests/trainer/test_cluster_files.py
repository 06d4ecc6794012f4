"""Launch files: they parse, they quote, and what they run on a node is what `trainer.launch` would run."""

import argparse
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.qt import wait_until
from trainer.cluster import ClusterJob, render_kubernetes, render_skypilot, render_slurm, render_torchrun
from trainer.launch import LaunchPlan, command, environment
from ul_engine.errors import ConfigError

ECHO = """#!{python}
import json, os, sys
path = os.environ["ECHO_FILE"] + "-" + os.environ.get("NODE", "0")
variables = {{name: os.environ.get(name) for name in os.environ["ECHO_NAMES"].split(",")}}
json.dump({{"words": sys.argv, "variables": variables}}, open(path, "w"))
"""
"""A program in Python's place, which writes down how it was called."""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for programs in place of a cluster's own; `python` is in it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    add_program(folder, "python", ECHO.format(python=sys.executable))
    return folder


def add_program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(stat.S_IRWXU)


def a_job(tmp_path: Path, **changes: Any) -> ClusterJob:
    """Two nodes, with a run folder whose name needs quoting."""
    run = tmp_path / "it's a run; $HOME"
    run.mkdir(exist_ok=True)
    values: dict[str, Any] = {"num_nodes": 2, "gpus_per_node": 4, "image": "registry.example/ul:1"}
    return ClusterJob(run, json.dumps({"text": "a: 'b' \"c\" $HOME `id`\n# no comment"}, indent=1), **values | changes)


def shell(script: str, tmp_path: Path, programs: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script with `programs` first in the path."""
    names = ",".join(environment(LaunchPlan(Path("run"), num_nodes=2, node_rank=0, rendezvous="h:1")))
    more = {"PATH": f"{programs}:{os.environ['PATH']}", "ECHO_FILE": str(tmp_path / "echo"), "ECHO_NAMES": names}
    return subprocess.run(
        ["bash", "-c", script], env={**os.environ, **more, **variables}, capture_output=True, text=True, timeout=30
    )


def assert_started_as_planned(tmp_path: Path, job: ClusterJob, address: str, node: int) -> None:
    """The node's Python got the words and variables of `trainer.launch`."""
    plan = replace(job.plan, rendezvous=address, node_rank=node if job.num_nodes > 1 else None)
    called = json.loads((tmp_path / f"echo-{node}").read_text())
    assert called["words"][1:] == command(plan)[1:]
    for name, value in environment(plan).items():
        assert called["variables"][name] == value, name


def documents(text: str) -> list[Any]:
    return list(yaml.safe_load_all(text))


# ------------------------------------------------------------------------------------------------------------- Slurm

SRUN = """#!/bin/bash
while [ "$1" != bash ]; do shift; done
for node in $(seq 0 $(( ${NODES:-2} - 1 ))); do SLURM_NODEID=$node NODE=$node "$@" || exit $?; done
"""


def with_slurm(programs: Path, srun: str = SRUN) -> None:
    add_program(programs, "srun", srun)
    add_program(
        programs, "scontrol", '#!/bin/bash\n[ "$1" = show ] && printf "node7\\nnode8\\n" || echo "$@" >> "$CALLS"\n'
    )
    add_program(programs, "scancel", '#!/bin/bash\necho "scancel $@" >> "$CALLS"\n')


def slurm_variables(tmp_path: Path) -> dict[str, str]:
    return {"SLURM_JOB_ID": "77", "SLURM_JOB_NODELIST": "node[7-8]", "CALLS": str(tmp_path / "calls")}


@pytest.mark.parametrize("num_nodes", [1, 2])
def test_slurm_runs_the_command_on_every_node(tmp_path: Path, programs: Path, num_nodes: int) -> None:
    with_slurm(programs)
    job = a_job(tmp_path, num_nodes=num_nodes)
    done = shell(render_slurm(job), tmp_path, programs, NODES=str(num_nodes), **slurm_variables(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    for node in range(num_nodes):
        assert_started_as_planned(tmp_path, job, "node7:29400", node)
    assert not (tmp_path / "calls").exists()  # neither cancelled nor queued again


def test_slurm_script_parses_and_says_what_was_asked(tmp_path: Path) -> None:
    job = a_job(tmp_path, time="2-00:00:00", partition="gpu", account="lab", accelerators="h100:4")
    script = render_slurm(job)
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    options = [line.removeprefix("#SBATCH --") for line in script.splitlines() if line.startswith("#SBATCH")]
    expected = {"nodes=2", "gpus-per-node=h100:4", "cpus-per-task=32", "time=2-00:00:00", "partition=gpu", "requeue"}
    assert expected <= set(options)
    assert "signal=B:USR1@120" in options
    assert script.index("#SBATCH") < script.index("set -u")  # Slurm reads options up to the first command


SLOW_SRUN = """#!/bin/bash
echo $$ > "$CALLS-pid"
echo started >> "$CALLS"
trap 'sleep 0.3; exit 1' USR2  # as torchrun ends after a signal
while :; do sleep 0.05; done
"""


@pytest.mark.parametrize(("number", "state", "is_queued"), [
    (signal.SIGUSR1, "stopped", True),
    (signal.SIGUSR1, "finished", False),
    (signal.SIGTERM, "stopped", False),
])  # fmt: skip
def test_slurm_saves_and_queues_itself_before_its_time_is_over(
    tmp_path: Path, programs: Path, number: signal.Signals, state: str, is_queued: bool
) -> None:
    with_slurm(programs, SLOW_SRUN)
    add_program(programs, "scancel", '#!/bin/bash\necho "scancel $@" >> "$CALLS"\nkill -USR2 $(cat "$CALLS-pid")\n')
    job = a_job(tmp_path)
    (job.run / "status.json").write_text(json.dumps({"state": state}, indent=1))
    script = tmp_path / "job.sh"
    script.write_text(render_slurm(job))
    variables = {**os.environ, **slurm_variables(tmp_path), "PATH": f"{programs}:{os.environ['PATH']}"}
    calls = tmp_path / "calls"
    with subprocess.Popen(["bash", str(script)], env=variables) as batch:
        wait_until(calls.exists, timeout_s=10, message="srun was not called")
        batch.send_signal(number)
        assert batch.wait(10) == 1
    expected = ["started", "scancel --signal=TERM 77", *(["requeue 77"] if is_queued else [])]
    assert calls.read_text().splitlines() == expected


# ------------------------------------------------------------------------------------------- containers and by hand


def test_skypilot_runs_the_command(tmp_path: Path, programs: Path) -> None:
    job = a_job(tmp_path, storage="s3://bucket/runs", accelerators="H200:4")
    (task,) = documents(render_skypilot(job))
    assert (task["num_nodes"], task["resources"]["accelerators"]) == (2, "H200:4")
    assert task["resources"]["image_id"] == "docker:registry.example/ul:1"
    assert task["file_mounts"] == {str(tmp_path): {"source": "s3://bucket/runs", "mode": "MOUNT_CACHED"}}
    for node in range(2):
        nodes = {"SKYPILOT_NODE_IPS": "10.0.0.7\n10.0.0.8", "SKYPILOT_NODE_RANK": str(node), "NODE": str(node)}
        done = shell(task["run"], tmp_path, programs, **nodes)
        assert (done.returncode, done.stderr) == (0, "")
        assert_started_as_planned(tmp_path, job, "10.0.0.7:29400", node)
    assert json.loads((job.run / "config.json").read_text()) == json.loads(job.settings)


def test_skypilot_volume_and_single_node(tmp_path: Path) -> None:
    (task,) = documents(render_skypilot(a_job(tmp_path, storage="runs", num_nodes=1)))
    assert task["volumes"] == {str(tmp_path): "runs"}
    assert "--standalone" in task["run"]
    assert "network_tier" not in task["resources"]


def test_kubernetes_runs_the_command(tmp_path: Path, programs: Path) -> None:
    job = a_job(tmp_path, storage="runs")
    settings, service, batch = documents(render_kubernetes(job))
    names = {settings["metadata"]["name"], service["metadata"]["name"], batch["metadata"]["name"]}
    assert names == {job.name} == {"ul-it-s-a-run-home"}
    pod = batch["spec"]["template"]["spec"]
    assert pod["subdomain"] == service["metadata"]["name"]  # gives the pods their names in the DNS
    assert service["spec"]["clusterIP"] == "None"
    assert (batch["spec"]["completionMode"], batch["spec"]["completions"]) == ("Indexed", 2)
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    bash, flag, script = container["command"]
    assert (bash, flag) == ("bash", "-c")
    mounted = tmp_path / "mounted.json"
    mounted.write_text(settings["data"]["config.json"])
    for node in range(2):
        here = script.replace("/etc/ul-studio/config.json", str(mounted))
        done = shell(here, tmp_path, programs, JOB_COMPLETION_INDEX=str(node), NODE=str(node))
        assert (done.returncode, done.stderr) == (0, "")
        assert_started_as_planned(tmp_path, job, f"{job.name}-0.{job.name}:29400", node)
    assert json.loads((job.run / "config.json").read_text()) == json.loads(job.settings)


def test_a_run_that_is_there_keeps_its_settings(tmp_path: Path, programs: Path) -> None:
    job = a_job(tmp_path, storage="s3://bucket", num_nodes=1)
    (job.run / "config.json").write_text("{}")
    (task,) = documents(render_skypilot(job))
    assert shell(task["run"], tmp_path, programs).returncode == 0
    assert (job.run / "config.json").read_text() == "{}"


def test_lines_by_hand(tmp_path: Path, programs: Path) -> None:
    job = a_job(tmp_path, address="node0")
    blocks = render_torchrun(job).split("# On machine")[1:]
    assert len(blocks) == 2
    for node, block in enumerate(blocks):
        lines = "\n".join(block.splitlines()[1:])
        assert shell(lines, tmp_path, programs, NODE=str(node)).returncode == 0
        assert_started_as_planned(tmp_path, job, "node0:29400", node)
    alone = render_torchrun(replace(job, num_nodes=1, address=None))
    words = shlex.split(alone.splitlines()[-1])
    assert words == command(replace(job.plan, num_nodes=1))


# --------------------------------------------------------------------------------------------------------- problems


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"num_nodes": 0}, "num_nodes"),
        ({"gpus_per_node": 0}, "gpus_per_node"),
        ({"time": "tomorrow"}, "time"),
        ({"partition": "gpu\n#SBATCH --uid=0"}, "partition"),
        ({"account": ""}, "account"),
        ({"accelerators": "H100 x 8"}, "accelerators"),
        ({"python": "/my folder/python"}, "python"),
    ],
)
def test_values_that_cannot_stand_in_a_file(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        a_job(tmp_path, **change)
    assert caught.value.field == field


def test_a_relative_run_folder_means_nothing_to_a_node() -> None:
    with pytest.raises(ConfigError, match="full path"):
        ClusterJob(Path("runs/one"), "{}")


@pytest.mark.parametrize(
    ("render", "change", "field"),
    [
        (render_skypilot, {}, "storage"),
        (render_kubernetes, {"storage": "runs", "image": None}, "image"),
        (render_kubernetes, {}, "storage"),
        (render_torchrun, {}, "address"),
    ],
)
def test_what_a_cluster_needs(tmp_path: Path, render: Any, change: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        render(a_job(tmp_path, **change))
    assert caught.value.field == field


# ----------------------------------------------------------------------------------------------------- command line


def launch(*words: Any) -> int:
    from trainer.cli.launch import add_parser

    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["launch", *map(str, words)])
    return int(arguments.run(arguments))


RECIPE = Path(__file__).resolve().parents[2] / "trainer/recipes/scenes-tiny/stage1.yaml"


def test_a_recipe_becomes_a_run_folder_with_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = (RECIPE, "--stage", "stage1", "--set", "num_steps=7", "--on", "slurm", "--nodes", 2, "--out", "job.sh")
    assert launch(*words) == 0
    run = tmp_path / "runs" / "scenes-tiny-stage1"
    assert json.loads((run / "config.json").read_text())["num_steps"] == 7
    assert f"trainer.worker {run}" in (tmp_path / "job.sh").read_text()
    assert capsys.readouterr().out == "written: job.sh\n"
    assert launch(run, "--on", "torchrun", "--gpus-per-node", 2) == 0
    assert f"--nproc-per-node 2 --max-restarts 3 -m trainer.worker {run}" in capsys.readouterr().out


def test_containers_carry_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--stage", "stage1", "--on", "kubernetes", "--image", "ul:1", "--storage", "runs")
    assert launch(RECIPE, *words) == 0
    settings, *_ = documents(capsys.readouterr().out)
    assert json.loads(settings["data"]["config.json"])["stage"] == "stage1"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a recipe nor a run folder"):
        launch(tmp_path, "--on", "slurm")
