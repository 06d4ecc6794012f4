"""Where memory is short for a model, what was kept of earlier inputs goes first, and only then is it a failure."""

import queue
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.tiny import save_tiny
from ul_engine import model_cache
from ul_engine import protocol as p
from ul_engine.checkpoint import load_model
from ul_engine.comparison import StudyMemory
from ul_engine.requests import GenerateRequest, SamplerSettings, SamplingSettings
from ul_engine.worker import NewsWriter, Worker

ANSWER_S = 60
SHORT = SamplingSettings(base=SamplerSettings(num_steps=2), decoder=SamplerSettings(num_steps=2))


class Listener(NewsWriter):
    """Keeps the news instead of writing them to a pipe."""

    def __init__(self) -> None:
        self.heard: queue.SimpleQueue[p.News] = queue.SimpleQueue()

    def send(self, message: p.News, payload: bytes = b"") -> None:
        self.heard.put(message)

    def until(self, *kinds: type[p.Message]) -> p.News:
        while not isinstance(news := self.heard.get(timeout=ANSWER_S), kinds):
            pass
        return news


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    save_tiny(path)
    return path


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(torch.device("cpu"), Listener(), dtype=torch.float32)
    worker.start()
    yield worker
    worker.stop()


def heard(worker: Worker, *kinds: type[p.Message]) -> p.News:
    assert isinstance(worker.writer, Listener)
    return worker.writer.until(*kinds)


def fill(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> "weakref.ref[StudyMemory]":
    """Something on the shelf; models have no room as long as it is there."""
    kept = StudyMemory(original=np.zeros((1, 4, 4, 3), np.uint8))
    worker.workbench.shelf.take("study", lambda: kept)
    reference = weakref.ref(kept)

    def load(path: str, *, device: torch.device) -> object:
        if reference() is not None:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return load_model(path, device=device)

    monkeypatch.setattr(model_cache, "load_model", load)
    return reference


def test_a_model_is_tried_again_without_what_was_kept(
    worker: Worker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = fill(worker, monkeypatch)
    worker.handle(p.LoadModel(path=str(folder)))
    assert isinstance(heard(worker, p.ModelLoaded, p.ModelFailed), p.ModelLoaded)
    assert kept() is None


def test_a_job_whose_model_has_no_room_gets_it_too(
    worker: Worker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = fill(worker, monkeypatch)
    request = GenerateRequest(model=str(folder), num_images=1, sampling=SHORT)
    worker.handle(p.RunJob(job_id="job", request=request))
    assert isinstance(heard(worker, p.JobFinished, p.JobFailed), p.JobFinished)
    assert kept() is None


def test_no_room_even_then_is_said_in_plain_words(
    worker: Worker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, attempts = fill(worker, monkeypatch), []

    def load(path: str, *, device: torch.device) -> object:
        attempts.append(path)
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(model_cache, "load_model", load)
    worker.handle(p.LoadModel(path=str(folder)))
    failed = heard(worker, p.ModelLoaded, p.ModelFailed)
    assert isinstance(failed, p.ModelFailed)
    assert failed.message.startswith("the device ran out of memory")
    assert len(attempts) == 2
    assert kept() is None
    monkeypatch.setattr(model_cache, "load_model", load_model)
    worker.handle(p.LoadModel(path=str(folder)))
    assert isinstance(heard(worker, p.ModelLoaded, p.ModelFailed), p.ModelLoaded)


def test_another_failure_keeps_what_is_there(worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = fill(worker, monkeypatch)
    monkeypatch.setattr(model_cache, "load_model", load_model)
    worker.handle(p.LoadModel(path=str(tmp_path)))
    assert isinstance(heard(worker, p.ModelLoaded, p.ModelFailed), p.ModelFailed)
    assert kept() is not None
