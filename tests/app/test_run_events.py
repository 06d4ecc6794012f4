"""Following an events file while it is written, cut, replaced and torn."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from app.run_news import Block
from app.services.event_tail import CHUNK_BYTES, EventTail, TailChunk
from trainer.events import EventWriter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def event(kind: str = "step", step: int = 1, **values: Any) -> bytes:
    return json.dumps({"v": 2, "time": 1000.0 + step, "type": kind, "step": step, **values}).encode() + b"\n"


def add(path: Path, data: bytes) -> None:
    with path.open("ab") as stream:
        stream.write(data)


def values(chunk: TailChunk, name: str) -> list[float]:
    return list(chunk.blocks[name].values) if name in chunk.blocks else []


def test_a_file_that_is_not_there_yet_is_no_mistake(path: Path) -> None:
    tail = EventTail(path)
    assert tail.read().is_empty
    add(path, event(loss=3.0))
    assert values(tail.read(), "step/loss") == [3.0]
    assert tail.read().is_empty


def test_what_the_trainer_writes_is_what_is_read(path: Path) -> None:
    writer = EventWriter(path)
    writer.write("run_started", 0, num_steps=8)
    writer.write("step", 1, loss=2.5, prior_band_bits=[0.1, math.nan], learning_rate=1e-3)
    writer.write("preview", 1, file="reconstruction-0000001.png")
    writer.write("validation", 1, psnr_db=math.inf)
    writer.close()
    chunk = EventTail(path).read()
    assert [each.kind for each in chunk.happenings] == ["run_started", "preview"]
    assert chunk.happenings[0].values == {"num_steps": 8}
    assert values(chunk, "step/loss") == [2.5]
    assert values(chunk, "step/prior_band_bits/0") == [0.1]
    assert math.isnan(values(chunk, "step/prior_band_bits/1")[0])
    assert math.isnan(values(chunk, "validation/psnr_db")[0])


def test_half_a_line_waits_for_its_other_half(path: Path) -> None:
    whole = event(step=2, loss=2.0)
    tail = EventTail(path)
    add(path, event(step=1, loss=1.0) + whole[:20])
    assert values(tail.read(), "step/loss") == [1.0]
    assert tail.read().is_empty
    add(path, whole[20:])
    assert values(tail.read(), "step/loss") == [2.0]


@pytest.mark.parametrize(
    "line",
    [
        b"{torn\n",
        b"[1, 2]\n",
        b"17\n",
        b"\n",
        b'{"type": "step"}\n',
        b'{"type": 3, "step": 1, "time": 1}\n',
        b"\xff\xfe\n",
    ],
)
def test_a_line_that_is_no_event_spoils_only_itself(path: Path, line: bytes) -> None:
    add(path, event(step=1, loss=1.0) + line + event(step=2, loss=2.0))
    assert values(EventTail(path).read(), "step/loss") == [1.0, 2.0]


def test_a_file_cut_short_is_read_anew(path: Path) -> None:
    tail = EventTail(path)
    add(path, event(step=1, loss=1.0) + event(step=2, loss=2.0))
    tail.read()
    path.write_bytes(event(step=1, loss=9.0))
    chunk = tail.read()
    assert chunk.is_from_start
    assert values(chunk, "step/loss") == [9.0]


def test_a_file_put_in_its_place_is_read_anew(path: Path, tmp_path: Path) -> None:
    tail = EventTail(path)
    add(path, event(step=1, loss=1.0))
    tail.read()
    other = tmp_path / "other"
    add(other, event(step=1, loss=5.0) + event(step=2, loss=6.0))
    other.replace(path)
    chunk = tail.read()
    assert chunk.is_from_start
    assert values(chunk, "step/loss") == [5.0, 6.0]


def test_a_long_past_comes_in_pieces_none_lost(path: Path) -> None:
    count = 8000
    add(path, b"".join(event(step=step, loss=float(step), note="x" * 60) for step in range(count)))
    assert path.stat().st_size > 3 * CHUNK_BYTES
    tail, found, pieces = EventTail(path), Block(), 0
    while True:
        chunk = tail.read()
        pieces += 1
        found.extend(chunk.blocks["step/loss"])
        if chunk.is_caught_up:
            break
    assert pieces > 3
    assert list(found.values) == [float(step) for step in range(count)]


def test_a_line_longer_than_a_piece_is_read_whole(path: Path) -> None:
    add(path, event(loss=1.0, note="x" * (CHUNK_BYTES * 2)))
    assert values(EventTail(path).read(), "step/loss") == [1.0]


def test_what_is_done_again_replaces_what_was(path: Path) -> None:
    """A run that was killed at step 5 goes on from the checkpoint of step 3."""
    add(path, b"".join(event(step=step, loss=float(step)) for step in (1, 2, 3, 4, 5)))
    tail, found = EventTail(path), Block()
    found.extend(tail.read().blocks["step/loss"])
    add(path, event("run_started", 3, resumed_from=3) + event(step=4, loss=40.0) + event(step=5, loss=50.0))
    found.extend(tail.read().blocks["step/loss"])
    assert list(found.steps) == [1, 2, 3, 4, 5]
    assert list(found.values) == [1, 2, 3, 40, 50]


def test_also_within_one_piece(path: Path) -> None:
    add(path, b"".join(event(step=step, loss=float(index)) for index, step in enumerate((1, 2, 3, 2, 3, 4))))
    block = EventTail(path).read().blocks["step/loss"]
    assert list(block.steps) == [1, 2, 3, 4]
    assert list(block.values) == [0, 3, 4, 5]
