"""What went wrong with a model, as a notice in plain words with a way on."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QCoreApplication

from app.errors import Notice, NoticeAction, Severity
from app.models.desk.words import plain
from app.studio import actions

WANTS_TOKEN = frozenset(("gated", "token", "not-found", "forbidden"))
MAY_TRY_AGAIN = frozenset(("no-network", "timeout", "cut", "server", "rate-limited", "truncated", "wrong-hash", "died"))


def desk_failure(deed: str, subject: str, content: Mapping[str, Any]) -> Notice:
    """The notice for a failed task; `content` holds kind, text and url."""
    kind, text, url = str(content["kind"]), str(content["text"]), str(content.get("url", ""))
    offered = []
    if kind in WANTS_TOKEN:
        offered.append(NoticeAction(actions.ENTER_TOKEN, _tr("Enter a token…"), subject))
    if url and kind in WANTS_TOKEN:
        offered.append(NoticeAction(actions.OPEN_PAGE, _tr("Open the page"), url))
    if kind in MAY_TRY_AGAIN and deed == "download":
        offered.append(NoticeAction(actions.FETCH_AGAIN, _tr("Try again"), subject))
    is_ours = kind in ("bug", "died")
    return Notice(
        Severity.ERROR if is_ours else Severity.WARNING,
        _title(deed, subject),
        _sentence(kind, subject, text),
        details=text if is_ours else "",
        actions=tuple(offered),
        key=f"desk-{deed}-{subject}",
    )


def _title(deed: str, subject: str) -> str:
    name = subject.replace("\\", "/").rstrip("/").rpartition("/")[2]
    titles = {
        "download": _tr("{name} was not fetched").format(name=subject),
        "publish": _tr("{name} was not published").format(name=name),
        "verify": _tr("{name} could not be checked").format(name=name),
        "import": _tr("{name} was not brought in").format(name=name),
        "move": _tr("Your models were not moved"),
        "remove": _tr("{name} was not removed").format(name=name),
        "restore": _tr("The model was not brought back"),
        "empty_bin": _tr("The bin could not be emptied"),
        "forget": _tr("The unfinished download was not removed"),
    }
    return titles.get(deed, _tr("That did not work"))


def _sentence(kind: str, subject: str, text: str) -> str:
    match kind:
        case "offline":
            return _tr("Staying offline is switched on, so nothing is fetched. Switch it off in Settings to go online.")
        case "gated":
            return _tr("{repo} has terms of use. Accept them on its page, then enter a token of that account.").format(
                repo=subject
            )
        case "not-found":
            return _tr("There is no {repo} on the Hub, or it is private. Check the name, or enter a token.").format(
                repo=subject
            )
        case "died":
            return _tr("The process that works on models ended. Try again; what was fetched so far is kept.")
        case "bug":
            return _tr("Something went wrong inside the program; the details help to mend it.")
    return plain(text)


def _tr(text: str) -> str:
    return QCoreApplication.translate("DeskFailures", text)
