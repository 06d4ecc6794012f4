"""Data sets of the Hugging Face Hub, or saved by the library `datasets`, as training samples."""

import os
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from trainer.config.data import HubData
from trainer.data.decoding import EncodedPicture
from trainer.data.sample_files import advised
from trainer.data.samples import IntArray, Sample
from trainer.data.shaping import Shaping
from trainer.data.splitting import split
from ul_engine.errors import ConfigError, DataError


class HubSamples:
    """Rows of a data set; `rows` [N] says which."""

    is_light = False
    buckets = None

    def __init__(self, table: Any, rows: IntArray, shaping: Shaping, config: HubData) -> None:
        self.table = table
        self.rows = rows
        self.shaping = shaping
        self.config = config
        words = [column for column in (config.caption_column, config.label_column) if column is not None]
        self._words = table.select_columns(words) if words else None
        self.class_names = _class_names(table, config)
        self.has_captions = config.caption_column is not None and config.captions == "auto"
        self.fingerprint = _fingerprint(table, rows, shaping, config)

    def __len__(self) -> int:
        return len(self.rows)

    def caption(self, index: int) -> str:
        """What is said of row `index`."""
        return self._caption(self._words[int(self.rows[index])]) if self._words is not None else ""

    def label(self, index: int) -> int:
        """Class of row `index`."""
        return self._label(self._words[int(self.rows[index])]) if self._words is not None else 0

    def sample(self, index: int, epoch: int | None) -> Sample:
        """Row `index` as pass `epoch` shows it; None: its middle, not mirrored. Raises DataError."""
        row = self.table[int(self.rows[index])]
        where = f"{self.config.path}, {self.config.split}, row {self.rows[index]}"
        with advised(where), EncodedPicture(_picture_bytes(row[self.config.image_column], where), where) as picture:
            frame = self.shaping.picture(picture, index, epoch)
        return Sample(frame[None], self._caption(row), self._label(row))

    def _caption(self, row: dict[str, Any]) -> str:
        column = self.config.caption_column
        return str(row[column] or "") if self.has_captions and column is not None else ""

    def _label(self, row: dict[str, Any]) -> int:
        if self.config.label_column is None:
            return 0
        value = row[self.config.label_column]
        return self.class_names.index(value) if isinstance(value, str) else int(value)


def open_hub(config: HubData, *, seed: int) -> tuple[HubSamples, HubSamples]:
    """Training and held-out rows, split by a hash of the row's number. Raises ConfigError where the extra
    ``hub-datasets`` or a column is missing, DataError."""
    table = _with_bytes(_loaded(config), config)
    _check_labels(table, config)
    keep = np.array(_large_enough(table, config), dtype=np.int64)
    names = [str(row) for row in keep]
    train, valid = split(names, config.num_valid, what="rows", path=config.path)
    shaping = Shaping.of(config, seed)
    return HubSamples(table, keep[train], shaping, config), HubSamples(table, keep[valid], shaping, config)


def _library() -> Any:
    """The library `datasets`, loaded when it is first needed: it is an extra."""
    try:
        return import_module("datasets")
    except ImportError as error:
        raise ConfigError(
            "huggingface needs the extra hub-datasets: pip install 'ul-studio[hub-datasets]'", field="data.kind"
        ) from error


def _loaded(config: HubData) -> Any:
    datasets = _library()
    try:
        if Path(config.path).is_dir() and any(Path(config.path).glob("*/state.json")):
            return datasets.load_from_disk(config.path)[config.split]
        if (Path(config.path) / "state.json").is_file():
            return datasets.load_from_disk(config.path)
        return datasets.load_dataset(config.path, split=config.split, revision=config.revision)
    except KeyError as error:
        raise DataError(f"has no split named {config.split}", path=config.path) from error
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise DataError(f"cannot be opened as a data set ({error})", path=config.path) from error


def _with_bytes(table: Any, config: HubData) -> Any:
    """The table with pictures as the bytes of their files, and only the columns that are used."""
    columns = {
        "image_column": config.image_column,
        "caption_column": config.caption_column,
        "label_column": config.label_column,
    }
    for field, column in columns.items():
        if column is not None and column not in table.column_names:
            raise ConfigError(f"{column} is none of {', '.join(table.column_names)}", field=f"data.{field}")
    table = table.select_columns([column for column in dict.fromkeys(columns.values()) if column is not None])
    return table.cast_column(config.image_column, _library().Image(decode=False))


def _picture_bytes(value: Any, where: str) -> bytes:
    if isinstance(value, dict) and value.get("bytes") is not None:
        return bytes(value["bytes"])
    if isinstance(value, dict) and value.get("path"):
        try:
            return Path(os.fspath(value["path"])).read_bytes()
        except OSError as error:
            raise DataError(
                f"its file {value['path']} cannot be read ({error.strerror or error})", path=where
            ) from error
    raise DataError("holds no picture", path=where)


def _class_names(table: Any, config: HubData) -> tuple[str, ...]:
    if config.label_column is None:
        return ()
    feature = table.features[config.label_column]
    if hasattr(feature, "names"):
        return tuple(feature.names)
    values = table.unique(config.label_column)
    if all(isinstance(value, str) for value in values):
        return tuple(sorted(values))
    return tuple(str(number) for number in range(max(values) + 1))


def _check_labels(table: Any, config: HubData) -> None:
    if config.label_column is None:
        return
    values = table.unique(config.label_column)
    if not all(isinstance(v, str) for v in values) and not all(isinstance(v, int) and v >= 0 for v in values):
        raise ConfigError(
            f"{config.label_column} must hold names or numbers from 0 in every row", field="data.label_column"
        )


def _large_enough(table: Any, config: HubData) -> list[int]:
    if not config.min_px:
        return list(range(len(table)))
    kept = []
    for number, value in enumerate(table.select_columns([config.image_column])):
        where = f"{config.path}, {config.split}, row {number}"
        with advised(where), EncodedPicture(_picture_bytes(value[config.image_column], where), where) as picture:
            if min(picture.size) >= config.min_px:
                kept.append(number)
    return kept


def _fingerprint(table: Any, rows: IntArray, shaping: Shaping, config: HubData) -> str:
    """Over the data set's own fingerprint, the rows, the columns and the settings."""
    columns = config.split, config.image_column, config.caption_column, config.label_column, config.captions
    settings = ("hub-1", table._fingerprint, len(table), columns, shaping.settings())
    return blake2b(repr(settings).encode() + rows.tobytes(), digest_size=16).hexdigest()
