"""Questions to the library as SQL. Values never stand in the text of a statement."""

from collections.abc import Iterable

from app.gallery import Condition, GalleryOrder

_COLUMNS = {
    "seed": "seed",
    "steps": "steps",
    "guidance": "guidance",
    "class": "class_label",
    "size": "MAX(width_px, height_px)",
    "width": "width_px",
    "height": "height_px",
    "frames": "num_frames",
    "bytes": "size_bytes",
    "time": "modified_ns / 1000000000.0",
    "kind": "kind",
    "star": "is_starred",
    "model name": "model",
    "foreign": "(request = '')",
    "broken": "(problem != '')",
}
_TEXTS = {"words": "words", "prompt": "prompt", "model": "model", "file": "path"}
_OPERATORS = frozenset(("=", "<", "<=", ">", ">="))
_ORDERS = {
    GalleryOrder.NEWEST: "modified_ns DESC, id DESC",
    GalleryOrder.OLDEST: "modified_ns, id",
    GalleryOrder.LARGEST: "width_px * height_px * num_frames DESC, modified_ns DESC, id DESC",
    GalleryOrder.HEAVIEST: "size_bytes DESC, id DESC",
    GalleryOrder.PROMPT: "prompt = '', prompt COLLATE NOCASE, seed, id",
    GalleryOrder.SEED: "seed IS NULL, seed, id",
}


def where(conditions: Iterable[Condition]) -> tuple[str, list[object]]:
    """The condition and its values; without conditions it is always true."""
    parts: list[str] = []
    values: list[object] = []
    for condition in conditions:
        parts.append(_part(condition))
        values.append(_value(condition))
    return " AND ".join(parts) or "1", values


def order_by(order: GalleryOrder) -> str:
    """The columns to sort by; ties are broken, so that the order is the same each time."""
    return _ORDERS[order]


def _part(condition: Condition) -> str:
    if condition.operator == "has":
        text = _part_text(condition.field)
        return f"{text} {'=' if condition.is_not else '>'} 0"
    assert condition.operator in _OPERATORS
    column = _COLUMNS[condition.field]
    plain = f"COALESCE({column} {condition.operator} ?, 0)"
    return f"NOT {plain}" if condition.is_not else plain


def _part_text(field: str) -> str:
    """`words` is folded when it is stored; the others are short, and few ask for them."""
    column = _TEXTS[field]
    return f"INSTR({column if field == 'words' else f'fold({column})'}, ?)"


def _value(condition: Condition) -> object:
    return str(condition.value).casefold() if condition.operator == "has" else condition.value
