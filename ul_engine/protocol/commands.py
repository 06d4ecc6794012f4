"""Commands: program -> worker. No torch."""

from typing import Annotated, Literal

from pydantic import Field

from ul_engine.protocol.message import Message
from ul_engine.requests import Request


class LoadModel(Message):
    """Read a model into memory ahead of its first use."""

    type: Literal["load_model"] = "load_model"
    path: str


class RunJob(Message):
    """Queue one request; jobs run one at a time in the order they came."""

    type: Literal["run_job"] = "run_job"
    job_id: str
    request: Annotated[Request, Field(discriminator="kind")]


class CancelJob(Message):
    """Stop a running job within one denoising step, or drop a queued one. `CancelNoted` answers at once."""

    type: Literal["cancel_job"] = "cancel_job"
    job_id: str


class Ping(Message):
    """Ask for a `Pong`; answered also while a job runs."""

    type: Literal["ping"] = "ping"


class Shutdown(Message):
    """Cancel whatever runs and end the process."""

    type: Literal["shutdown"] = "shutdown"
