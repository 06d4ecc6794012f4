"""Every failure that a user, a file or a machine can cause, as one tree of exceptions."""

import os
from typing import Any, Literal

HubProblem = Literal[
    "offline",  # HF_HUB_OFFLINE is set
    "bad-address",  # no such repository name, or an endpoint that is no address
    "no-network",
    "timeout",
    "cut",  # the connection broke off, again and again
    "server",  # the server failed, or does not answer as a Hub would
    "rate-limited",
    "token",  # missing where one is needed, or not accepted
    "gated",  # terms to accept, or an owner to ask
    "forbidden",
    "refused",  # turned down for another reason, which the message gives
    "not-found",  # no such repository, or a private one
    "revision-not-found",
    "file-not-found",
    "not-a-model",  # the repository holds something else
    "wrong-hash",
    "truncated",
    "busy",  # another process is at the same download
]
"""What can go wrong on the way to and from the Hugging Face Hub."""


class EngineError(Exception):
    """Base of all engine failures. The message says what happened, where, and what to do."""


class ConfigError(EngineError):
    """A setting is out of its range or contradicts another one.

    `field` is the dotted path of the setting, for example ``decoder.channels``.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ShapeError(EngineError):
    """A tensor or picture has a shape that the model cannot take."""


class _FileError(EngineError):
    """A failure that belongs to one file; the message begins with its path."""

    def __init__(self, message: str, *, path: str | os.PathLike[str] | None = None) -> None:
        super().__init__(f"{os.fspath(path)}: {message}" if path is not None else message)
        self.path = os.fspath(path) if path is not None else None

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class CheckpointError(_FileError):
    """A model folder or one of its files is missing, broken, or foreign."""


class DataError(_FileError):
    """A picture, clip, archive or cache cannot be read or is not what it claims to be."""


class OutputError(_FileError):
    """A result could not be written (no space, no permission, the folder is gone)."""


class NumericsError(EngineError):
    """A loss, gradient or sample is not finite."""


class DeviceMemoryError(EngineError):
    """The device ran out of memory. `needed_bytes` and `free_bytes` are None where the device does not tell."""

    def __init__(self, message: str, *, needed_bytes: int | None = None, free_bytes: int | None = None) -> None:
        super().__init__(message)
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class HubError(EngineError):
    """The Hugging Face Hub, a mirror of it, or the way there refused or failed.

    `kind` says which problem it is; `url` is the page that helps (terms to accept, tokens to make), None where there
    is none.
    """

    def __init__(self, message: str, *, kind: HubProblem, url: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.url = url

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class Cancelled(Exception):
    """The user asked to stop. Not a failure, hence outside the tree."""


def _rebuild(kind: type[EngineError], args: tuple[Any, ...], state: dict[str, Any]) -> EngineError:
    """Unpickle without running `__init__` again (it would prefix the message a second time)."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error
