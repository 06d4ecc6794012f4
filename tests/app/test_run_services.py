"""Watching and steering real run folders: threads, child processes, files."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtGui import QImage

from app.models.runs.runs import Runs
from app.run_news import RunCondition, RunSummary
from app.services.preview_sheets import Crop, PreviewSheets, SheetWish
from app.services.run_control import ControlDone, ControlProblem, RunControl, plan_of
from app.services.run_watcher import RunWatcher
from tests.app.run_folders import (
    CELL_PX,
    make_run,
    step_figures,
    write_checkpoint,
    write_events,
    write_launcher,
    write_status,
)
from tests.helpers.qt import wait_for_signal, wait_until
from trainer.events import EventWriter
from trainer.launch import LaunchPlan, attach, start, stop_group
from trainer.protocol import Command
from trainer.run_dir import read_json
from ul_engine.errors import ConfigError

Own = Callable[[Any], Any]
STAND_IN = "tests.helpers.launched"


def start_stand_in(plan: LaunchPlan, requested: Any = None) -> Any:
    """The trainer's own way to start, with a stand-in that only counts steps."""
    return start(LaunchPlan(plan.run, device=plan.device, module=STAND_IN), requested)


def is_at_work(pid: int) -> bool:
    """Whether a process is there and not only waits to be buried."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def watcher(qapp: Any, tmp_path: Path, owned: Own) -> Iterator[RunWatcher]:
    result = owned(RunWatcher([tmp_path]))
    result.start()
    yield result
    result.close()


@pytest.fixture
def runs(watcher: RunWatcher, owned: Own) -> Runs:
    result = owned(Runs())
    watcher.news_arrived.connect(result.take)
    watcher.runs_found.connect(result.take_list)
    result.watched_changed.connect(watcher.watch)
    return result  # type: ignore[no-any-return]


@pytest.fixture
def control(qapp: Any, owned: Own) -> Iterator[RunControl]:
    result = owned(RunControl(start_run=start_stand_in))
    yield result
    result.close()


# ---- watching -----------------------------------------------------------------------------------------------------


def test_a_run_is_followed_while_it_is_written(runs: Runs, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    write_events(run, 40)
    write_status(run, "running")
    write_checkpoint(run, 20, score=-1.0)
    runs.open(str(run.root))
    view = runs.current
    assert view is not None
    wait_until(lambda: len(view.figure("step/loss")) == 40)
    assert [sheet.step for sheet in view.sheets] == [0, 20, 40]
    assert view.standing.condition is RunCondition.RUNNING
    assert view.console.endswith("step 40/400")
    assert [facts.step for facts in view.checkpoint_facts] == [20]
    writer = EventWriter(run.events)
    writer.write("step", 41, **step_figures(41))
    wait_until(lambda: len(view.figure("step/loss")) == 41)
    write_checkpoint(run, 40)
    wait_until(lambda: len(view.checkpoint_facts) == 2)
    write_status(run, "failed", 41, reason="the disk is full")
    wait_until(lambda: view.standing.condition is RunCondition.FAILED)
    writer.close()


def test_a_run_that_is_let_go_is_not_read_any_more(runs: Runs, watcher: RunWatcher, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    write_events(run, 5)
    runs.open(str(run.root))
    wait_until(lambda: runs.current is not None and len(runs.current.figure("step/loss")) == 5)
    runs.close_current()
    told: list[Any] = []
    watcher.news_arrived.connect(told.append)
    write_events(run, 5)
    wait_for_signal(watcher.runs_found, trigger=watcher.refresh)
    assert told == []


def test_the_list_finds_runs_and_sees_them_end(runs: Runs, watcher: RunWatcher, tmp_path: Path) -> None:
    wait_until(lambda: runs.list.is_known)
    assert runs.list.runs == ()
    run = make_run(tmp_path / "sweep" / "stage1")
    write_status(run, "running")
    watcher.refresh()
    wait_until(lambda: runs.list.num_live == 1)
    assert runs.list.runs[0].name == "sweep/stage1"
    (end,) = wait_for_signal(runs.ended, trigger=lambda: (write_status(run, "finished", 400), watcher.refresh()))
    assert isinstance(end.run, RunSummary)
    assert end.run.standing.condition is RunCondition.FINISHED


def test_two_windows_watch_the_same_run(runs: Runs, tmp_path: Path, owned: Own) -> None:
    run = make_run(tmp_path / "run")
    write_events(run, 10)
    other_watcher, other = owned(RunWatcher([tmp_path])), owned(Runs())
    other_watcher.news_arrived.connect(other.take)
    other.watched_changed.connect(other_watcher.watch)
    other_watcher.start()
    for each in (runs, other):
        each.open(str(run.root))
    for each in (runs, other):
        wait_until(lambda each=each: len(each.current.figure("step/loss")) == 10)
    other_watcher.close()


def test_closing_ends_the_thread_and_no_run(
    runs: Runs, watcher: RunWatcher, control: RunControl, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    wait_for_signal(control.done, trigger=lambda: control.resume(str(run.root)), timeout_s=15.0)
    wait_until(lambda: run.read_status() is not None, timeout_s=20.0)
    watcher.close()
    control.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("run-")]
    running = attach(run.root)
    assert running is not None  # it goes on, and whoever comes next finds it
    assert running.is_running()
    stop_group(running, grace_s=10.0)


def test_killed_runs_read_interrupted(runs: Runs, control: RunControl, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    runs.open(str(run.root))
    control.resume(str(run.root))
    view = runs.current
    assert view is not None
    wait_until(lambda: view.standing.condition is RunCondition.RUNNING, timeout_s=20.0)
    wait_until(lambda: view.standing.step > 5, timeout_s=10.0)
    psutil.Process(view.standing.pid).send_signal(signal.SIGKILL)
    wait_until(lambda: view.standing.condition is RunCondition.INTERRUPTED, timeout_s=10.0)
    assert view.standing.step > 5
    before = view.standing.step
    control.resume(str(run.root))  # and it goes on from there
    wait_until(lambda: view.standing.condition is RunCondition.RUNNING, timeout_s=20.0)
    wait_until(lambda: view.standing.step > before, timeout_s=10.0)
    running = attach(run.root)
    assert running is not None
    stop_group(running, grace_s=10.0)
    wait_until(lambda: view.standing.condition is RunCondition.STOPPED, timeout_s=10.0)


# ---- steering -----------------------------------------------------------------------------------------------------


def test_a_command_is_a_file(control: RunControl, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    write_status(run, "running")
    (done,) = wait_for_signal(control.done, trigger=lambda: control.command(str(run.root), Command.PREVIEW))
    assert done == ControlDone("preview", str(run.root))
    assert [path.name for path in run.commands.iterdir()] == ["preview"]


def test_nobody_can_be_asked_of_a_run_that_is_over(control: RunControl, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    write_status(run, "finished")
    (problem,) = wait_for_signal(control.failed, trigger=lambda: control.command(str(run.root), Command.STOP))
    assert isinstance(problem, ControlProblem)
    assert "nobody to ask" in problem.message
    assert list(run.commands.iterdir()) == []


def test_a_run_goes_on_as_it_was_started(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    write_status(run, "paused", num_ranks=2)
    assert plan_of(run.root).num_processes == 2
    torchrun = ["python", "-m", "torch.distributed.run", "--nproc-per-node", "4", "-m", "trainer.worker", "x"]
    write_launcher(run, command=[*torchrun, "--device", "cuda:1"])
    plan = plan_of(run.root)
    assert (plan.num_processes, plan.device) == (4, "cuda:1")
    write_launcher(run, command=["torchrun", "--nnodes", "2", *torchrun])
    with pytest.raises(ConfigError, match="several machines"):
        plan_of(run.root)


def test_training_longer_asks_the_trainer_for_the_new_end(qapp: Any, owned: Own, tmp_path: Path) -> None:
    run, asked = make_run(tmp_path / "run"), []
    control = owned(RunControl(start_run=lambda plan, requested: asked.append((plan.run, requested["num_steps"]))))
    wait_for_signal(control.done, trigger=lambda: control.extend(str(run.root), 1000))
    control.close()
    assert asked == [(run.root, 1000)]
    assert read_json(run.config)["num_steps"] == 400  # the trainer itself writes it, once it has checked it


def test_a_run_is_started_once(control: RunControl, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    write_status(run, "running")
    (problem,) = wait_for_signal(control.failed, trigger=lambda: control.resume(str(run.root)))
    assert "is training here already" in problem.message


def test_force_ends_even_a_deaf_run(control: RunControl, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run.root / "stubborn").touch()
    control.resume(str(run.root))
    wait_until(lambda: run.read_status() is not None, timeout_s=20.0)
    running = attach(run.root)
    assert running is not None
    wait_for_signal(control.done, trigger=lambda: control.kill(str(run.root)), timeout_s=15.0)
    assert attach(run.root) is None


# ---- models -------------------------------------------------------------------------------------------------------


def test_a_finished_model_is_copied_whole_or_not_at_all(control: RunControl, tmp_path: Path) -> None:
    run, target = make_run(tmp_path / "run"), tmp_path / "models" / "flowers"
    (problem,) = wait_for_signal(control.failed, trigger=lambda: control.export(str(run.root), None, str(target)))
    assert "has not exported a model yet" in problem.message
    run.model.mkdir()
    (run.model / "config.json").write_text("{}")
    (run.model / "encoder.safetensors").write_bytes(b"weights")
    (done,) = wait_for_signal(control.done, trigger=lambda: control.export(str(run.root), None, str(target), "promote"))
    assert done == ControlDone("promote", str(run.root), str(target))
    assert sorted(path.name for path in target.iterdir()) == ["config.json", "encoder.safetensors"]
    assert [path.name for path in target.parent.iterdir()] == ["flowers"]
    (problem,) = wait_for_signal(control.failed, trigger=lambda: control.export(str(run.root), None, str(target)))
    assert "choose another name" in problem.message


def test_of_a_model_that_cannot_be_copied_nothing_is_there(control: RunControl, tmp_path: Path) -> None:
    run, target = make_run(tmp_path / "run"), tmp_path / "models" / "flowers"
    run.model.mkdir()
    (run.model / "config.json").write_text("{}")
    (run.model / "encoder.safetensors").symlink_to("nowhere")
    (problem,) = wait_for_signal(control.failed, trigger=lambda: control.export(str(run.root), None, str(target)))
    assert problem.message.startswith(f"{target}: ")
    assert problem.message.count("No such file or directory") == 1
    assert list(target.parent.iterdir()) == []


def test_an_export_sees_the_same_packages_and_graphics_cards_as_the_window(
    qapp: Any, owned: Own, tmp_path: Path
) -> None:
    code = "import os, sys; import app; sys.exit(os.environ['CUDA_DEVICE_ORDER'])"
    control = owned(RunControl(export_command=(sys.executable, "-c", code)))
    (problem,) = wait_for_signal(
        control.failed, trigger=lambda: control.export("/a", 2, str(tmp_path / "model")), timeout_s=15.0
    )
    assert problem.message == "PCI_BUS_ID"
    control.close()


def test_a_checkpoint_becomes_a_model_in_a_child(qapp: Any, owned: Own, tmp_path: Path) -> None:
    code = "import sys, pathlib; pathlib.Path(sys.argv[-1]).mkdir(); print(sys.argv[1:])"
    control = owned(RunControl(export_command=(sys.executable, "-c", code)))
    target = tmp_path / "model"
    (done,) = wait_for_signal(control.done, trigger=lambda: control.export("/runs/a", 200, str(target)), timeout_s=15.0)
    assert done.path == str(target)
    assert target.is_dir()
    control.close()


def test_an_export_that_fails_says_why(qapp: Any, owned: Own, tmp_path: Path) -> None:
    code = "import sys, pathlib; pathlib.Path(sys.argv[-1]).mkdir(); print('loading'); sys.exit('no such step')"
    control = owned(RunControl(export_command=(sys.executable, "-c", code)))
    target = tmp_path / "model"
    (problem,) = wait_for_signal(control.failed, trigger=lambda: control.export("/a", 2, str(target)), timeout_s=15.0)
    assert problem.message == "no such step"
    assert "loading" in problem.details
    assert not target.exists()
    control.close()


def test_closing_gives_an_export_up(qapp: Any, owned: Own, tmp_path: Path) -> None:
    """With all that came from it."""
    begun = tmp_path / "begun"
    code = (
        "import os, pathlib, subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], stdout=subprocess.DEVNULL); "
        f"pathlib.Path({str(begun)!r}).write_text(f'{{os.getpid()}} {{child.pid}}'); time.sleep(600)"
    )
    control = owned(RunControl(export_command=(sys.executable, "-c", code)))
    control.export("/runs/a", 2, str(tmp_path / "model"))
    wait_until(lambda: begun.exists() and begun.read_text(), timeout_s=15.0)
    control.close()  # waiting for its ten minutes would end this whole run of tests
    for pid in begun.read_text().split():
        wait_until(lambda pid=pid: not is_at_work(int(pid)))


# ---- preview pictures ---------------------------------------------------------------------------------------------


@pytest.fixture
def sheets(qapp: Any, owned: Own, tmp_path: Path) -> Iterator[PreviewSheets]:
    result = owned(PreviewSheets(tmp_path / "compared"))
    yield result
    result.close()


def test_sheets_are_scaled_down_never_up(sheets: PreviewSheets, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    write_events(run, 0)
    path = str(run.previews / "reconstruction-0000000.png")
    for width, expected in ((0, 64), (32, 32), (4096, 64)):
        (found,) = wait_for_signal(sheets.sheet_loaded, trigger=lambda width=width: sheets.load(SheetWish(path, width)))
        assert found.image.width() == expected
    (found,) = wait_for_signal(sheets.sheet_loaded, trigger=lambda: sheets.load(SheetWish("/nowhere.png")))
    assert found.image is None


def test_cells_become_files(sheets: PreviewSheets, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    write_events(run, 20)
    path = str(run.previews / "reconstruction-0000020.png")
    crops = [
        Crop(path, (CELL_PX * 2, CELL_PX, CELL_PX, CELL_PX), 'a/b: "step 20"'),
        Crop("/nowhere.png", (0, 0, 1, 1), "x"),
    ]
    (saved,) = wait_for_signal(sheets.crops_saved, trigger=lambda: sheets.save_crops(crops))
    (file,) = saved.paths
    assert Path(file).name == "a-b- -step 20-.png"
    image = QImage(file)
    assert (image.width(), image.height(), image.pixelColor(3, 3).name()) == (CELL_PX, CELL_PX, "#7814c8")
    assert "x could not be read" in saved.problem


def test_cells_of_one_name_do_not_take_each_others_place(sheets: PreviewSheets, tmp_path: Path) -> None:
    """Somebody may still look at the first one; the same cell again is the same file."""
    paths = []
    for name in ("one", "other"):
        write_events(run := make_run(tmp_path / name), 20)
        paths.append(str(run.previews / "reconstruction-0000020.png"))
    QImage(64, 64, QImage.Format.Format_RGB32).save(paths[1])
    crops = [Crop(path, (0, 0, CELL_PX, CELL_PX), "run, step 20") for path in (*paths, paths[0])]
    (saved,) = wait_for_signal(sheets.crops_saved, trigger=lambda: sheets.save_crops(crops))
    assert [Path(path).name for path in saved.paths] == ["run, step 20.png", "run, step 20 (2).png", "run, step 20.png"]
    assert QImage(saved.paths[0]) == QImage(paths[0]).copy(0, 0, CELL_PX, CELL_PX)


# ---- the real trainer ---------------------------------------------------------------------------------------------


@pytest.mark.stress
def test_a_real_run_seen_from_start_to_end(runs: Runs, tmp_path: Path) -> None:
    from tests.helpers.tiny_runs import build_scenes, run_config, write_settings

    scenes = tmp_path / "scenes"
    scenes.mkdir()
    changes = {"cadence__validate_every": 4, "cadence__preview_every": 4, "cadence__checkpoint_every": 4}
    folder = write_settings(run_config(build_scenes(scenes), num_steps=12, **changes), tmp_path / "real")
    control = RunControl()
    runs.open(str(folder))
    view = runs.current
    assert view is not None
    control.resume(str(folder))
    wait_until(lambda: view.standing.condition is RunCondition.RUNNING, timeout_s=60.0)
    wait_until(lambda: view.is_over, timeout_s=180.0)
    wait_until(lambda: view.has_model, timeout_s=5.0)
    assert list(view.figure("step/loss").steps) == list(range(1, 13))
    assert [sheet.step for sheet in view.sheets] == [0, 4, 8, 12]
    assert len(view.band_names("step/prior_band_bits")) == 8
    assert {row.facts.step for row in view.checkpoints()} >= {8, 12}
    (done,) = wait_for_signal(
        control.done, trigger=lambda: control.export(str(folder), 8, str(tmp_path / "model")), timeout_s=180.0
    )
    assert (Path(done.path) / "config.json").is_file()
    control.close()
