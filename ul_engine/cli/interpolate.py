"""``ul-engine interpolate`` and ``ul-engine grid``."""

import argparse
import math
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from ul_engine import protocol
from ul_engine.cli.sampling import class_number, generation_of, sampling_of
from ul_engine.cli.session import (
    Session,
    TerminalProgress,
    explained,
    mention_unknown_words,
    model_folder,
    open_session,
)
from ul_engine.comparison.sheets import labelled_sheet
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import ConfigError, OutputError
from ul_engine.jobs import JobContext, ModelRequest, run
from ul_engine.media.formats import format_of
from ul_engine.media.rates import as_rate
from ul_engine.metadata import embed_sheet, embed_step, embed_way, text_chunks
from ul_engine.outputs import explained as explained_output
from ul_engine.outputs import outputs_root, write_clip
from ul_engine.requests import GridAxis, GridRequest, InterpolateRequest
from ul_engine.whole_files import publish_counted, temporary_folder

Receive = Callable[[protocol.ImageResult, Uint8Array], None]
"""Takes a finished picture or clip, uint8 `[T, H, W, 3]`."""

SHEET_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
TEXT_FIELDS = frozenset(("prompt", "init_image", "continue_from"))


def interpolate(arguments: argparse.Namespace) -> int:
    """Write what lies on the way, numbered, each when it is done, and a clip of all if asked."""
    folder = model_folder(arguments)
    request = _way(arguments, folder)
    if arguments.clip is not None:
        _require_clip(arguments.clip, arguments.fps)
    _require_empty(arguments.out)
    session = open_session(arguments)
    mention_unknown_words(session, request.prompt, request.second_prompt)
    folder_of_results = cache(lambda: _new_folder(arguments.out))  # made with the first result: a failure leaves none
    pictures: list[Uint8Array] = []

    def receive(news: protocol.ImageResult, frames: Uint8Array) -> None:
        pictures.append(frames[0])
        print(_write_step(folder_of_results(), request, news, frames, model_name=session.manifest.model.name))

    _make(session, request, receive)
    if arguments.clip is not None:
        height_px, width_px = pictures[0].shape[:2]
        embedded = embed_way(request, model_name=session.manifest.model.name)
        told = text_chunks(
            embedded, width_px=width_px, height_px=height_px, num_frames=len(pictures), fps=as_rate(arguments.fps)
        )
        print(write_clip(arguments.clip, np.stack(pictures), arguments.fps, texts=told).path)
    return 0


def _way(arguments: argparse.Namespace, folder: Path) -> InterpolateRequest:
    given = {
        "prompts": arguments.to_prompt is not None,
        "seeds": arguments.to_seed is not None,
        "pictures": arguments.pictures is not None,
    }
    if sum(given.values()) != 1:
        raise ConfigError("name one end: --to-seed, --to-prompt or --pictures", field="interpolate")
    try:
        return InterpolateRequest.model_validate(
            {
                "model": str(folder),
                "between": next(name for name, is_given in given.items() if is_given),
                "num_steps": arguments.num_steps,
                "prompt": arguments.prompt,
                "second_prompt": arguments.to_prompt or "",
                "class_label": class_number(arguments.class_label, folder),
                "seed": arguments.seed,
                "second_seed": arguments.to_seed or 0,
                "pictures": arguments.pictures,
                "restore_logsnr": arguments.restore,
                "width_px": arguments.width,
                "height_px": arguments.height,
                "sampling": sampling_of(arguments, folder),
                "preview": False,
            }
        )
    except ValidationError as error:
        raise explained(error) from error


def _require_clip(path: Path, fps: float) -> None:
    """Say before the work what would stop the clip after it. Raises OutputError, ConfigError."""
    format_of(path)
    as_rate(fps)
    with explained_output(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)


def _require_empty(folder: Path | None) -> None:
    """Nothing is written over. Raises OutputError."""
    if folder is None or not folder.exists():
        return
    with explained_output(folder):
        if any(folder.iterdir()):
            raise OutputError("already holds something; choose a new folder for the pictures", path=folder)


def _new_folder(given: Path | None) -> Path:
    """The folder asked for, or the next numbered one among the outputs."""
    folder = given or outputs_root() / date.today().isoformat()
    with explained_output(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if given is not None:
            return given
        with temporary_folder(folder) as temporary:
            return publish_counted(temporary, folder, "interpolation")


def _write_step(
    out: Path, request: InterpolateRequest, news: protocol.ImageResult, frames: Uint8Array, *, model_name: str
) -> Path:
    """Write one step: a picture, or a clip of a model of clips. How it was made is kept inside."""
    height_px, width_px = frames.shape[1:3]
    embedded = embed_step(request, news.index, model_name=model_name)
    texts = text_chunks(embedded, width_px=width_px, height_px=height_px)
    if news.fps is None:
        path = out / f"{news.index:03d}.png"
        write_picture(path, frames[0], texts=texts)
        return path
    return write_clip(out / f"{news.index:03d}.mp4", frames, news.fps, texts=texts).path


def grid(arguments: argparse.Namespace) -> int:
    """Write one labelled sheet."""
    folder = model_folder(arguments)
    if arguments.sheet.suffix.lower() not in SHEET_SUFFIXES:
        raise OutputError(f"name the sheet with one of {', '.join(SHEET_SUFFIXES)}", path=arguments.sheet)
    try:
        request = GridRequest(
            request=generation_of(arguments, folder, num_images=1),
            x=_axis(arguments.x),
            y=_axis(arguments.y) if arguments.y is not None else None,
        )
    except ValidationError as error:
        raise explained(error) from error
    session = open_session(arguments)
    mention_unknown_words(session, *(cell.prompt for cell in request.cells()))
    pictures: list[Uint8Array] = []
    _make(session, request, lambda news, frames: pictures.append(frames[0]))
    rows, columns = request.size
    sheet = labelled_sheet(
        pictures,
        columns=[request.x.label(index) for index in range(columns)],
        rows=[request.y.label(index) if request.y is not None else "" for index in range(rows)],
    )
    embedded = embed_sheet(request, model_name=session.manifest.model.name)
    texts = text_chunks(embedded, width_px=sheet.shape[1], height_px=sheet.shape[0])
    write_picture(arguments.sheet, sheet, texts=texts)
    print(arguments.sheet)
    return 0


def _axis(text: str) -> GridAxis:
    """`field=a,b,c` with numbers as numbers, or `field=a|b|c` for texts with commas in them."""
    field, sign, values = text.partition("=")
    if not sign or not values.strip():
        raise ConfigError(f"{text!r}: write it as field=value,value, for example seed=1,2,3", field="axis")
    field = field.strip()
    parts = [part.strip() for part in (values.split("|") if "|" in values else values.split(","))]
    try:
        return GridAxis(field=field, values=tuple(part if field in TEXT_FIELDS else _number(part) for part in parts))
    except ValidationError as error:
        raise ConfigError(f"{text!r}: {explained(error)}", field="axis") from error


def _number(text: str) -> str | int | float | None:
    if text.lower() == "none":
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text) if math.isfinite(float(text)) else text
    except ValueError:
        return text


def _make(session: Session, request: ModelRequest, receive: Receive) -> None:
    """Carry out `request`, showing progress; results come in order."""
    progress = TerminalProgress()

    def on_news(news: protocol.News, payload: bytes) -> None:
        progress.show(news)
        if isinstance(news, protocol.ImageResult):
            progress.clear()
            receive(news, np.frombuffer(payload, np.uint8).reshape(news.shape))

    run(session.pipeline, session.manifest, request, JobContext("cli", on_news, lambda: False))
