"""The journal after every kind of interruption, and features beside it."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ul_engine.errors import OutputError
from ul_engine.evaluation.features import FeatureFile
from ul_engine.evaluation.journal import Journal

IDENTITY = {"settings": {"seed": 0, "metrics": ["psnr"]}, "model": {"name": "Tiny"}}


def written(path: Path, count: int = 3) -> bytes:
    with Journal(path, IDENTITY) as journal:
        for index in range(count):
            journal.append("sample", {index: {"psnr_db": index + 0.1, "file": "ä"}})
    return path.read_bytes()


def test_rows_come_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, IDENTITY) as journal:
        journal.append("sample", {4: {"psnr_db": math.inf, "bands": (0.1, 1 / 3)}, 2: {"psnr_db": None}})
        journal.append("generated", {0: {"seed": 2**62}})
        before = journal.rows
    assert float(before["sample"][4]["psnr_db"]) == math.inf
    assert before["sample"][4]["bands"] == [0.1, 1 / 3]
    with Journal(path, IDENTITY) as journal:
        assert journal.rows == before
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_cut_at_any_byte_the_whole_rows_remain_and_writing_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = written(path)
    header = whole.index(b"\n") + 1
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        num_left = max(0, whole[:length].count(b"\n") - 1)
        with Journal(path, IDENTITY) as journal:
            assert sorted(journal.rows["sample"]) == list(range(num_left))
            journal.append("sample", {index: {"psnr_db": index + 0.1, "file": "ä"} for index in range(num_left, 3)})
        assert path.read_bytes() == whole, length
    assert header < len(whole)


def test_what_stands_behind_a_damaged_row_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    lines = written(path, 4).split(b"\n")
    for damaged in (b"\0" * 20, b'{"kind": "sample"}', b"7"):
        path.write_bytes(b"\n".join((*lines[:2], damaged, *lines[3:])))
        with Journal(path, IDENTITY) as journal:
            assert sorted(journal.rows["sample"]) == [0]
        assert path.read_bytes() == b"\n".join(lines[:2]) + b"\n"


def test_another_evaluation_is_refused_with_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    before = written(path)
    other = {"settings": {"seed": 1, "metrics": ["psnr", "ssim"]}, "model": {"name": "Tiny"}}
    with pytest.raises(OutputError, match="another evaluation") as caught:
        Journal(path, other)
    assert 'settings.seed was 0, is 1; settings.metrics was ["psnr"], is ["psnr", "ssim"]' in str(caught.value)
    assert "--restart" in str(caught.value)
    assert path.read_bytes() == before


def test_a_damaged_first_line_loses_nothing_silently(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"x" + written(path))
    with pytest.raises(OutputError, match="damaged in its first line"):
        Journal(path, IDENTITY)


def test_features_in_any_order(tmp_path: Path) -> None:
    rows = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    FeatureFile(tmp_path, "a", (5, 3)).write([4, 0, 2], rows[[4, 0, 2]])
    again = FeatureFile(tmp_path, "a", (5, 3), must_exist=True)
    again.write([1, 3], rows[[1, 3]])
    assert torch.equal(torch.cat(list(again.rows(range(5)))), rows)
    assert torch.equal(torch.cat(list(again.rows([3, 0]))), rows[[3, 0]])


def test_features_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is gone"):
        FeatureFile(tmp_path, "a", (5, 3), must_exist=True)
    FeatureFile(tmp_path, "a", (5, 3))
    with pytest.raises(OutputError, match="another evaluation"):
        FeatureFile(tmp_path, "a", (6, 3))
    path = tmp_path / "a.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(OutputError, match="damaged"):
        FeatureFile(tmp_path, "a", (5, 3))
    np.save(path, np.zeros((5, 3)))
    with pytest.raises(OutputError, match="another evaluation"):
        FeatureFile(tmp_path, "a", (5, 3))
