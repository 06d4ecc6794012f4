"""``ul-engine interpolate`` and ``ul-engine grid``."""

import argparse
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from ul_engine import protocol
from ul_engine.cli.sampling import generation_of, sampling_of
from ul_engine.cli.session import Session, TerminalProgress, explained, model_folder, open_session
from ul_engine.comparison.sheets import labelled_sheet
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import ConfigError
from ul_engine.jobs import JobContext, run
from ul_engine.outputs import explained as explained_output
from ul_engine.outputs import outputs_root, write_clip
from ul_engine.requests import GridAxis, GridRequest, InterpolateRequest, Request


def interpolate(arguments: argparse.Namespace) -> int:
    """Write the pictures on the way, numbered, and a clip of them if asked."""
    folder = model_folder(arguments)
    request = _way(arguments, folder)
    out = Path(arguments.out or outputs_root() / "interpolations")
    with explained_output(out):
        out.mkdir(parents=True, exist_ok=True)
    pictures = _made(open_session(arguments), request)
    for number, picture in enumerate(pictures):
        path = out / f"{number:03d}.png"
        write_picture(path, picture)
        print(path)
    if arguments.clip is not None:
        write_clip(arguments.clip, np.stack(pictures), arguments.fps)
        print(arguments.clip)
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
                "seed": arguments.seed,
                "second_seed": arguments.to_seed or 0,
                "pictures": arguments.pictures,
                "restore_logsnr": arguments.restore,
                "width_px": arguments.width,
                "height_px": arguments.height,
                "sampling": sampling_of(arguments, folder),
            }
        )
    except ValidationError as error:
        raise explained(error) from error


def grid(arguments: argparse.Namespace) -> int:
    """Write one labelled sheet."""
    folder = model_folder(arguments)
    try:
        request = GridRequest(
            request=generation_of(arguments, folder, num_images=1),
            x=_axis(arguments.x),
            y=_axis(arguments.y) if arguments.y is not None else None,
        )
    except ValidationError as error:
        raise explained(error) from error
    pictures = _made(open_session(arguments), request)
    rows, columns = request.size
    sheet = labelled_sheet(
        pictures,
        columns=[request.x.label(index) for index in range(columns)],
        rows=[request.y.label(index) if request.y is not None else "" for index in range(rows)],
    )
    write_picture(arguments.sheet, sheet)
    print(arguments.sheet)
    return 0


def _axis(text: str) -> GridAxis:
    """`field=a,b,c` with numbers as numbers, or `field=a|b|c` for texts with commas in them."""
    field, sign, values = text.partition("=")
    if not sign or not values:
        raise ConfigError(f"{text!r}: write it as field=value,value, for example seed=1,2,3", field="axis")
    parts = values.split("|") if "|" in values else values.split(",")
    return GridAxis(field=field.strip(), values=tuple(_number(part.strip()) for part in parts))


def _number(text: str) -> str | int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _made(session: Session, request: Request) -> list[Uint8Array]:
    """The pictures of a request, in order: the first frame of each."""
    progress, pictures = TerminalProgress(), dict[int, Uint8Array]()

    def receive(news: protocol.News, payload: bytes) -> None:
        progress.show(news)
        if isinstance(news, protocol.ImageResult):
            pictures[news.index] = np.frombuffer(payload, np.uint8).reshape(news.shape)[0]

    run(session.pipeline, session.manifest, request, JobContext("cli", receive, lambda: False))
    progress.clear()
    return [pictures[index] for index in sorted(pictures)]
