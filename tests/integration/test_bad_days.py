"""What can go wrong on a person's machine, with the real engine: everything is said, nothing is lost, work goes on."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.app.conftest import RunAsync, until
from tests.integration.stories import COMMAND, START_S, ask, idle, running, titles

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.stress


def test_an_engine_killed_in_the_middle(tiny_model: Path, tmp_path: Path, qapp: Any, run_async: RunAsync) -> None:
    async def story() -> None:
        async with running(tmp_path, tiny_model) as program:
            ask(program, num_images=3, batch_size=1, base_steps=60, decoder_steps=60)
            ask(program)
            await until(lambda: program.session.results.num_done >= 1, timeout_s=START_S)
            psutil.Process(program.client.pid).kill()
            await until(lambda: "The engine stopped while working" in titles(program))
            assert program.session.results.num_done >= 1, "finished pictures are kept"
            assert program.session.queue.view.is_paused, "what waited is on hold"
            await until(lambda: program.client.is_ready, timeout_s=START_S)
            program.session.queue.set_paused(False)
            tiles = await idle(program)
            assert all(Path(tile.path).is_file() for tile in tiles)

    run_async(story())


def test_a_program_killed_in_the_middle_finds_its_queue_again(
    tiny_model: Path, tmp_path: Path, qapp: Any, run_async: RunAsync
) -> None:
    """The window itself is killed, with its engine at work; both are gone, and the next start says what happened."""
    code = (
        "import asyncio, sys; from pathlib import Path; from PySide6.QtWidgets import QApplication; "
        "from qasync import QEventLoop; from tests.integration.stories import ask, running\n"
        "async def story():\n"
        "    async with running(Path(sys.argv[1]), Path(sys.argv[2])) as program:\n"
        "        ask(program, num_images=50, batch_size=1, base_steps=200, decoder_steps=200)\n"
        "        ask(program)\n"
        "        print(program.client.pid, flush=True)\n"
        "        await asyncio.sleep(100)\n"
        "app = QApplication([])\n"
        "with QEventLoop(app) as loop: loop.run_until_complete(story())\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), str(tiny_model)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    engine = psutil.Process(int(child.stdout.readline()))
    queue = tmp_path / "config" / "queue.json"

    async def story() -> None:
        await until(lambda: queue.exists() and len(json.loads(queue.read_text())["jobs"]) == 2, timeout_s=30)
        child.kill()
        child.wait()
        await until(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE, timeout_s=30)
        async with running(tmp_path, tiny_model) as program:
            assert titles(program)[:1] == ["Jobs came back"]
            assert program.session.queue.view.is_paused
            culprit, other = program.session.queue.view.waiting
            assert culprit.problem
            assert not other.problem
            program.session.queue.set_paused(False)
            tiles = await idle(program)
            assert len(tiles) == 1

    run_async(story())
    child.stdout.close()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs Linux namespaces")
def test_a_disk_that_fills_up_turns_read_only_or_goes_away(tiny_model: Path, tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("namespaces are not allowed here")
    result = subprocess.run(
        ["unshare", "-rm", sys.executable, "-m", "tests.integration.full_disk", str(tmp_path), str(tiny_model)],
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.endswith("told\n")


@pytest.mark.skipif(os.name != "posix", reason="needs limits of memory")
def test_memory_that_runs_out_in_the_engine(tmp_path: Path, qapp: Any, run_async: RunAsync) -> None:
    """The engine may use a little more than it has when it is ready; a large batch needs far more."""
    model = ROOT / "assets" / "models" / "scenes"

    async def story() -> None:
        async with running(tmp_path / "free", model) as program:
            ask(program)
            await idle(program)
            used = psutil.Process(program.client.pid).memory_info().vms
        limit_kib = used // 1024 + 150 * 1024
        command = ("sh", "-c", f'ulimit -v {limit_kib}; exec "$@"', "sh", *COMMAND)
        async with running(tmp_path / "tight", model, command=command) as program:
            ask(program, num_images=64, batch_size=64, width_px=256, height_px=256)
            await until(lambda: titles(program), timeout_s=START_S)
            assert titles(program)[0] in ("Not enough memory", "The engine stopped while working"), titles(program)
            await until(lambda: program.client.is_ready, timeout_s=START_S)
            program.session.queue.set_paused(False)
            program.session.form.update(batch_size=1, width_px=None, height_px=None)
            ask(program)
            tiles = await idle(program)
            assert [bool(tile.path) for tile in tiles] == [True]

    run_async(story())


def spoiled(model: Path, folder: Path, how: str) -> Path:
    """A copy of a model with one weight file missing, cut, or replaced by something that could run code."""
    shutil.copytree(model, folder)
    weights = max(folder.glob("*.safetensors"), key=lambda path: path.stat().st_size)
    if how == "missing":
        weights.unlink()
    elif how == "cut":
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    elif how == "foreign":
        weights.write_bytes(pickle.dumps({"weights": Evil()}))
    else:
        (folder / "config.json").write_text("{", encoding="utf-8")
    return folder


class Evil:
    """What a pickle could do if anyone opened it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (os.environ["UL_STUDIO_EVIL"],))


@pytest.mark.parametrize("how", ["missing", "cut", "foreign", "damaged"])
def test_a_model_folder_that_is_not_whole(
    tiny_model: Path, tmp_path: Path, qapp: Any, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv("UL_STUDIO_EVIL", str(tmp_path / "evil was here"))
    models = tmp_path / "models"
    shutil.copytree(tiny_model, models / "good")
    broken = spoiled(tiny_model, models / "a-broken-one", how)

    async def story() -> None:
        async with running(tmp_path, models / "good") as program:
            session = program.session
            entry = session.library.by_path(str(broken))
            assert entry is not None
            if entry.problem is None:
                session.form.choose_model(entry)
                ask(program)
                await until(lambda: "The model cannot be used" in titles(program), timeout_s=START_S)
                await until(lambda: session.queue.view.running is None)
            assert not (tmp_path / "evil was here").exists()
            good = session.library.by_path(str(models / "good"))
            session.form.choose_model(good)
            session.queue.set_paused(False)
            ask(program)
            tiles = await idle(program)
            assert [bool(tile.path) for tile in tiles] == [True]

    run_async(story())
