"""What people type into the search field, as conditions."""

from datetime import date, datetime

import pytest

from app.gallery import Condition
from app.models.gallery.search import read_search

TODAY = date(2026, 11, 27)


def conditions(text: str) -> list[tuple[str, str, object, bool]]:
    found = read_search(text, TODAY)
    assert not found.problem
    return [(each.field, each.operator, each.value, each.is_not) for each in found.conditions]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        ("   ", []),
        ("Red cube", [("words", "has", "Red", False), ("words", "has", "cube", False)]),
        ('"red cube"', [("words", "has", "red cube", False)]),
        ('"still open', [("words", "has", "still", False), ("words", "has", "open", False)]),
        ("-cube", [("words", "has", "cube", True)]),
        ("-", [("words", "has", "-", False)]),
        ("it's", [("words", "has", "it's", False)]),
        ("model:scenes", [("model", "has", "scenes", False)]),
        ('model:"Scenes tiny"', [("model", "has", "Scenes tiny", False)]),
        ("MODEL:x", [("model", "has", "x", False)]),
        ("seed:7", [("seed", "=", 7, False)]),
        ("seed:", []),
        ("-seed:7", [("seed", "=", 7, True)]),
        ("seed:7..20", [("seed", ">=", 7, False), ("seed", "<=", 20, False)]),
        ("size>64", [("size", ">", 64, False)]),
        ("size>=64", [("size", ">=", 64, False)]),
        ("size:64x48", [("width", "=", 64, False), ("height", "=", 48, False)]),
        ("guidance<2.5", [("guidance", "<", 2.5, False)]),
        ("star:", [("star", "=", 1, False)]),
        ("star:no", [("star", "=", 0, False)]),
        ("-star:", [("star", "=", 1, True)]),
        ("kind:clip", [("kind", "=", "clip", False)]),
        ("kind:video", [("kind", "=", "clip", False)]),
        ("kind:pic", [("kind", "=", "picture", False)]),
        ("foreign:", [("foreign", "=", 1, False)]),
    ],
)
def test_terms(text: str, wanted: list[tuple[str, str, object, bool]]) -> None:
    assert conditions(text) == wanted


@pytest.mark.parametrize(
    ("value", "first", "after"),
    [
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026-11", date(2026, 11, 1), date(2026, 12, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
        ("2026-11-05", date(2026, 11, 5), date(2026, 11, 6)),
        ("today", date(2026, 11, 27), date(2026, 11, 28)),
        ("yesterday", date(2026, 11, 26), date(2026, 11, 27)),
        ("7d", date(2026, 11, 21), date(2026, 11, 28)),
    ],
)
def test_days_are_spans_of_the_local_clock(value: str, first: date, after: date) -> None:
    begin, end = (datetime(day.year, day.month, day.day).timestamp() for day in (first, after))
    assert conditions(f"date:{value}") == [("time", ">=", begin, False), ("time", "<", end, False)]
    assert conditions(f"date>{value}") == [("time", ">=", end, False)]
    assert conditions(f"date<{value}") == [("time", "<", begin, False)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sede:7", "Did you mean seed:"),
        ("xyzzy:7", "Put it in quotes"),
        ("seed:seven", "wants a number"),
        ("seed:99999999999999999999", "wants a number"),
        ("size:99999999999999999999x64", "wants a number"),
        ("seed:nan", "wants a number"),
        ("-seed:1..5", "use seed< or seed>"),
        ("-size:64x64", "use size< or size>"),
        ("date:soon", "wants 2026"),
        ("date:0001", "wants 2026"),
        ("date:9999", "wants 2026"),
        ("date:2026-13", "wants 2026"),
        ("kind:sculpture", "picture or clip"),
    ],
)
def test_what_is_not_understood_is_said_and_asks_for_nothing(text: str, words: str) -> None:
    found = read_search(f"{text} red", TODAY)
    assert words in found.problem
    assert found.conditions == (Condition("words", "has", "red"),)
