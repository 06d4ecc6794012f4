"""Errors: one tree, messages that begin with the place, and a whole journey through a pickle (between processes)."""

import pickle

import pytest

from ul_engine import errors
from ul_engine.protocol import ProtocolError


@pytest.mark.parametrize(
    "error",
    [
        errors.ConfigError("is odd", field="decoder.channels"),
        errors.ConfigError("is odd"),
        errors.CheckpointError("is broken", path="models/a"),
        errors.DataError("is broken"),
        errors.OutputError("is full", path="out"),
        errors.DeviceMemoryError("too much", needed_bytes=5, free_bytes=3),
        errors.NumericsError("is not finite"),
        errors.ShapeError("is flat"),
        ProtocolError("is garbled"),
    ],
)
def test_every_error_is_an_engine_error_and_survives_a_pickle(error: errors.EngineError) -> None:
    assert isinstance(error, errors.EngineError)
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert copied.__dict__ == error.__dict__


def test_messages_begin_with_the_place() -> None:
    assert str(errors.ConfigError("is odd", field="decoder.channels")) == "decoder.channels: is odd"
    assert str(errors.CheckpointError("is broken", path="models/a")) == "models/a: is broken"
    assert str(errors.DataError("is broken")) == "is broken"


def test_cancelling_is_no_failure() -> None:
    assert not issubclass(errors.Cancelled, errors.EngineError)
