"""What ``ul-engine evaluate --json-progress`` prints: lines of JSON on standard output. No torch."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from ul_engine.protocol.message import Message


class EvaluationProgress(Message):
    """How far one part of the work is."""

    type: Literal["evaluation_progress"] = "evaluation_progress"
    doing: str = Field(description="In words: checking files, measuring samples, generating.")
    done: int
    total: int


class EvaluationFinished(Message):
    """Everything is written. Paths are whole; `page` is for a browser, `tables` are CSV."""

    type: Literal["evaluation_finished"] = "evaluation_finished"
    num_samples: int
    num_broken: int = Field(description="Files that could not be read and were left out.")
    report: str
    page: str
    tables: tuple[str, ...]


class EvaluationFailed(Message):
    """It ended with an error; what is finished is kept, and the same command goes on from there."""

    type: Literal["evaluation_failed"] = "evaluation_failed"
    kind: str = Field(description="Class name of the error, such as DataError.")
    message: str = Field(description="What happened, where, and what to do, in plain words.")


EvaluationNews = EvaluationProgress | EvaluationFinished | EvaluationFailed
_LINES: TypeAdapter[EvaluationNews] = TypeAdapter(Annotated[EvaluationNews, Field(discriminator="type")])


def read_evaluation_line(line: str | bytes) -> EvaluationNews | None:
    """The news in one line; None for a line that is none."""
    try:
        return _LINES.validate_json(line)
    except ValidationError:
        return None
