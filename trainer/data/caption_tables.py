"""Captions of many samples in one file: captions.csv, metadata.csv, metadata.jsonl."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from trainer.data.collections import Collection
from trainer.data.entries import Entry
from ul_engine.errors import DataError

TABLES = ("captions.csv", "metadata.csv", "metadata.jsonl")
FILE_COLUMNS = ("file_name", "file", "filename", "image", "path", "video")
TEXT_COLUMNS = ("caption", "text")

Row = Mapping[str, Any]


def table_captions(collection: Collection) -> dict[str, str]:
    """Captions by entry name, from every table in the collection; file names in a table count from its folder.

    Rows of files that are not there are passed over, but a table of which no row fits is a DataError.
    """
    names = {entry.name for entry in collection.entries}
    captions: dict[str, str] = {}
    for entry in collection.entries:
        if entry.name.rpartition("/")[2].lower() in TABLES:
            captions.update(_captions(collection, entry, names))
    return captions


def _captions(collection: Collection, table: Entry, names: set[str]) -> dict[str, str]:
    where = collection.where(table)
    try:
        text = collection.read(table).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("is not UTF-8 text; save it as UTF-8", path=where) from error
    rows = list(_json_rows(text, where) if table.name.lower().endswith(".jsonl") else _csv_rows(text, where))
    file_column, text_column = (_column(rows, wanted, where) for wanted in (FILE_COLUMNS, TEXT_COLUMNS))
    folder = table.name.rpartition("/")[0]
    found = {}
    for row in rows:
        file, caption = str(row.get(file_column) or ""), row.get(text_column)
        name = "/".join(
            part for part in (*folder.split("/"), *file.replace("\\", "/").split("/")) if part not in ("", ".")
        )
        if name in names and caption:
            found[name] = str(caption).strip()
    if not found:
        raise DataError(
            f"names no file that is there; names in its column {file_column} count from its folder", path=where
        )
    return found


def _column(rows: list[Row], wanted: tuple[str, ...], where: str) -> str:
    """The first column of one of these names, however it is capitalised."""
    by_name = {name.strip().lower(): name for name in (rows[0] if rows else ())}
    for name in wanted:
        if name in by_name:
            return by_name[name]
    raise DataError(f"has no column named {' or '.join(wanted)}; its first line must name the columns", path=where)


def _csv_rows(text: str, where: str) -> Iterator[Row]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        yield from csv.DictReader(io.StringIO(text, newline=""), restkey="", delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise DataError(f"is no valid CSV ({error})", path=where) from error


def _json_rows(text: str, where: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"line {number} is no valid JSON ({error})", path=where) from error
        if not isinstance(row, dict):
            raise DataError(f"line {number} is no JSON object", path=where)
        yield row
