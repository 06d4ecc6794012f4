"""The form in which every problem reaches a person: a notice beside the field or in the page's bar."""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How much a notice matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class NoticeAction:
    """Something a person can do about a notice. `name` says which deed, `argument` on what."""

    name: str
    label: str
    argument: str = ""


@dataclass(frozen=True)
class Notice:
    """One thing a person should know."""

    severity: Severity
    title: str
    sentence: str
    details: str = ""
    """Shown on demand: a traceback, the last lines of a log."""
    actions: tuple[NoticeAction, ...] = ()
    key: str = ""
    """A notice with the same key takes this one's place; empty: none does."""
    is_passing: bool = False
    """Gone with the next thing the person does."""

    @property
    def only_informs(self) -> bool:
        """Whether nothing is amiss and nothing must be done: it may go by itself."""
        return self.is_passing and self.severity is Severity.INFO
