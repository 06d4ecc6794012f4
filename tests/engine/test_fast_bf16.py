"""Whether bf16 pays on this machine's CPU: a trial decides, not the flags."""

from collections.abc import Iterator

import pytest
import torch

from ul_engine import devices
from ul_engine.devices import has_fast_bf16

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    has_fast_bf16.cache_clear()
    yield
    has_fast_bf16.cache_clear()


@pytest.mark.parametrize(("bf16_s", "is_fast"), [(0.5, True), (0.9, False), (2.0, False)])
def test_the_trial_decides(bf16_s: float, is_fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags alone do not: there are CPUs with AVX512-BF16 that multiply at half their rate of float32 in it."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    monkeypatch.setattr(devices, "_product_seconds", lambda dtype: bf16_s if dtype is torch.bfloat16 else 1.0)
    assert has_fast_bf16(CPU) == is_fast


def test_without_units_there_is_no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Emulated, one product would take long."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)
    monkeypatch.setattr(devices, "_product_seconds", lambda dtype: pytest.fail("a trial"))
    assert not has_fast_bf16(CPU)


def test_the_trial_takes_time_on_this_machine() -> None:
    assert devices._product_seconds(torch.float32) > 0.0


def test_on_a_gpu_it_pays() -> None:
    assert has_fast_bf16(torch.device("cuda"))
