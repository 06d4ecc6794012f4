"""Set-up of the whole suite: a sealed environment first, then the guards and fixtures of tests/helpers."""

import sys

import pytest

from tests.helpers.environment import sealed_environment

# Before any test module imports torch or Qt: both read their environment when they are loaded.
_sealed = sealed_environment()
_sealed.__enter__()

pytest_plugins = ["tests.helpers.qt", "tests.helpers.noise", "tests.helpers.leaks", "tests.helpers.pseudo"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("leak_grace_s", "Seconds that threads and processes of a finished test have to end.", default="2.0")


def pytest_unconfigure() -> None:
    _sealed.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def one_torch_thread() -> None:
    """Two torch threads on two busy cores can be five times slower than one. Torch itself is never imported here."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)
