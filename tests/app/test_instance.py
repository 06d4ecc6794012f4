"""Several windows at a time do each other no harm."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.program import EngineSetup, Places, Program
from app.services.engine_client import EngineTimes
from app.services.instance import Instance
from app.services.settings import peeked_scale
from tests.app.conftest import ROOT, RunAsync, fake_command, until


def test_each_takes_the_first_free_number(tmp_path: Path) -> None:
    first, second = Instance(tmp_path), Instance(tmp_path)
    assert (first.number, second.number) == (1, 2)
    first.release()
    third = Instance(tmp_path)
    assert third.number == 1
    second.release()
    third.release()


def test_a_killed_window_gives_its_number_back(tmp_path: Path) -> None:
    code = f"from app.services.instance import Instance; i = Instance(__import__('pathlib').Path({str(tmp_path)!r})); "
    code += "print(i.number, flush=True); __import__('time').sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "1"
    during = Instance(tmp_path)
    assert during.number == 2
    child.kill()
    child.wait()
    child.stdout.close()
    after = Instance(tmp_path)
    assert after.number == 1
    during.release()
    after.release()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a folder that cannot be written to")
def test_a_folder_that_cannot_be_written_to_stops_nobody(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert Instance(tmp_path / "config").number == 1


def test_a_file_in_the_way_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("in the way")
    instance = Instance(tmp_path / "config")
    assert instance.number == 1
    instance.release()


def test_two_windows_keep_two_queues(
    qapp: Any, tmp_path: Path, model_root: Path, owned: Callable[[Any], Any], run_async: RunAsync
) -> None:
    async def story() -> None:
        places = Places((model_root,), tmp_path / "outputs", tmp_path / "config" / "settings.json")
        setup = EngineSetup(fake_command(step_s=0.01), EngineTimes(grace_s=1.0))
        first, second = owned(Program(places, setup)), owned(Program(replace(places, window_number=2), setup))
        for program in (first, second):
            program.load()
            program.client.start()
        assert [notice.key for notice in first.session.notices.notices] == []
        assert [notice.key for notice in second.session.notices.notices] == ["second-window"]
        for program, prompt in ((first, "a red cube"), (second, "a blue cone")):
            program.session.form.update(prompt=prompt, num_images=2, base_steps=5, decoder_steps=1)
            program.runner.generate()
        for program in (first, second):
            await until(lambda program=program: program.session.results.num_done == 2)  # type: ignore[misc]
            await until(lambda program=program: all(t.path for t in program.session.results.done_tiles()))  # type: ignore[misc]
        paths = {tile.path for program in (first, second) for tile in program.session.results.done_tiles()}
        assert len(paths) == 4
        assert all(Path(path).is_file() for path in paths)
        await first.close()
        await second.close()
        names = {path.name for path in (tmp_path / "config").iterdir()}
        assert {"queue.json", "queue-2.json"} <= names

    run_async(story())


@pytest.mark.parametrize(
    ("content", "percent"),
    [
        ({"preferences": {"scale_percent": 150}}, 150),
        ({"preferences": {"scale_percent": 900}}, 100),
        ({"preferences": {"scale_percent": "big"}}, 100),
        ({"preferences": []}, 100),
        ([], 100),
    ],
)
def test_the_size_is_read_before_there_is_an_application(tmp_path: Path, content: Any, percent: int) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(content))
    assert peeked_scale(tmp_path / "settings.json") == percent
    assert peeked_scale(tmp_path / "nothing.json") == 100
