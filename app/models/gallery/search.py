"""Reads what people type into the search field: words, and fields such as ``model:scenes seed:7 star: size>64``."""

import difflib
import math
import re
import shlex
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from PySide6.QtCore import QCoreApplication

from app.gallery import Condition, GalleryKind

NUMBERS = ("seed", "steps", "guidance", "class", "size", "width", "height", "frames")
TEXTS = ("prompt", "model", "file")
OTHERS = ("date", "kind", "star", "foreign", "broken")
FIELDS = (*TEXTS, *NUMBERS, *OTHERS)
LARGEST = 2**63 - 1
_TERM = re.compile(r"^(-?)([A-Za-z]+)(>=|<=|:|=|>|<)(.*)$")
_NOT = re.compile(r"^(no|not|false|0)$", re.IGNORECASE)


@dataclass(frozen=True)
class SearchText:
    """What a text asks for, and what in it could not be understood."""

    conditions: tuple[Condition, ...]
    problem: str = ""


def read_search(text: str, today: date | None = None) -> SearchText:
    """The conditions in a search text. What cannot be understood is told, and asks for nothing."""
    conditions: list[Condition] = []
    problem = ""
    for word in _words(text):
        try:
            conditions += _term(word, today or date.today())
        except ValueError as error:
            problem = problem or str(error)
    return SearchText(tuple(conditions), problem)


def _words(text: str) -> list[str]:
    """Parted by spaces, quoted ones whole; a quote that is still open is no fault while someone types."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = lexer.escape = ""
    lexer.quotes = '"'
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        return text.replace('"', " ").split()
    return words


def _term(word: str, today: date) -> list[Condition]:
    match = _TERM.match(word)
    if match is None:
        is_not = word.startswith("-") and len(word) > 1
        return [Condition("words", "has", word[1:] if is_not else word, is_not)]
    minus, name, sign, value = match.groups()
    field, is_not = name.lower(), bool(minus)
    if field not in FIELDS:
        raise ValueError(_unknown(name))
    if field in TEXTS:
        return [Condition(field, "has", value, is_not)] if value else []
    if field in NUMBERS:
        return _number(field, sign, value, is_not)
    if field == "date":
        return _date(sign, value, today, is_not)
    if field == "kind":
        return [Condition("kind", "=", _kind(value), is_not)] if value else []
    return [Condition(field, "=", int(_NOT.match(value) is None), is_not)]


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), FIELDS, 1)
    if near:
        return _tr("There is no field “{name}”. Did you mean {near}?").format(name=name, near=f"{near[0]}:")
    return _tr("There is no field “{name}”. Put it in quotes to search for it as text.").format(name=name)


def _kind(value: str) -> str:
    for kind in GalleryKind:
        if kind.startswith(value.lower()) or (value.lower() in ("video", "movie") and kind is GalleryKind.CLIP):
            return str(kind)
    raise ValueError(_tr("kind: is picture or clip, not “{value}”.").format(value=value))


def _number(field: str, sign: str, value: str, is_not: bool) -> list[Condition]:
    if not value:
        return []
    if field == "size" and (sides := re.match(r"^(\d+)[x×](\d+)$", value)):
        _refuse_not(field, is_not)
        sign = "=" if sign == ":" else sign
        pairs = zip(("width", "height"), sides.groups(), strict=True)
        return [Condition(side, sign, _as_number(field, number)) for side, number in pairs]
    if sign in (":", "=") and (span := re.match(r"^([\d.]+)\.\.([\d.]+)$", value)):
        _refuse_not(field, is_not)
        low, high = (_as_number(field, part) for part in span.groups())
        return [Condition(field, ">=", low), Condition(field, "<=", high)]
    return [Condition(field, "=" if sign == ":" else sign, _as_number(field, value), is_not)]


def _refuse_not(field: str, is_not: bool) -> None:
    """Conditions are joined by "and": what has two of them cannot be turned round."""
    if is_not:
        raise ValueError(_tr("Two limits cannot be left out at once; use {field}< or {field}>.").format(field=field))


def _as_number(field: str, text: str) -> int | float:
    """Whole numbers as far as files hold them (64 bits)."""
    try:
        number = int(text) if re.match(r"^-?\d+$", text) else float(text)
    except ValueError:
        number = math.nan
    if not -LARGEST <= number <= LARGEST:
        raise ValueError(
            _tr("{field}: wants a number, such as {field}:64 or {field}>64, not “{text}”.").format(
                field=field, text=text
            )
        )
    return number


def _date(sign: str, value: str, today: date, is_not: bool) -> list[Condition]:
    if not value:
        return []
    begin, end = _span(value.lower(), today)
    match sign:
        case ">":
            return [Condition("time", ">=", end, is_not)]
        case ">=":
            return [Condition("time", ">=", begin, is_not)]
        case "<":
            return [Condition("time", "<", begin, is_not)]
        case "<=":
            return [Condition("time", "<", end, is_not)]
    if is_not:
        raise ValueError(_tr("A day cannot be left out; use date< or date>."))
    return [Condition("time", ">=", begin), Condition("time", "<", end)]


def _span(value: str, today: date) -> tuple[float, float]:
    """Where the first day begins and where the last one ends, in seconds since 1970."""
    try:
        begin, end = (datetime.combine(day, datetime.min.time()).timestamp() for day in _days(value, today))
    except (ValueError, OverflowError):
        raise ValueError(
            _tr("date: wants 2026, 2026-11, 2026-11-27, today, yesterday or 7d, not “{value}”.").format(value=value)
        ) from None
    return begin, end


def _days(value: str, today: date) -> tuple[date, date]:
    """First day, and the one after the last. Raises ValueError and OverflowError for what is no date."""
    named = {"today": (today, 1), "yesterday": (today - timedelta(days=1), 1)}
    if value in named:
        first, days = named[value]
        return first, first + timedelta(days=days)
    if days_back := re.match(r"^(\d{1,4})d$", value):
        return today - timedelta(days=int(days_back[1]) - 1), today + timedelta(days=1)
    parts = re.match(r"^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$", value)
    if parts is None:
        raise ValueError(value)
    year, month, day = (int(part) if part else None for part in parts.groups())
    first = date(year or 1, month or 1, day or 1)
    if day is not None:
        return first, first + timedelta(days=1)
    if month is not None:
        return first, date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, date(first.year + 1, 1, 1)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Search", text)
