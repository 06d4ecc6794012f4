"""``ul-engine generate``."""

import argparse
import json
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from ul_engine import protocol
from ul_engine.cli.sampling import generation_of
from ul_engine.cli.session import TerminalProgress, explained, mention_unknown_words, model_folder, open_session
from ul_engine.errors import ConfigError
from ul_engine.hub.local import find_model
from ul_engine.jobs import JobContext, run_generate
from ul_engine.media.formats import ClipFormat, ClipSettings
from ul_engine.metadata import read_request
from ul_engine.outputs import outputs_root, save_clip, save_picture
from ul_engine.requests import GenerateRequest


def generate(arguments: argparse.Namespace) -> int:
    """Make the pictures or clips, save each with its request inside, and print where they are."""
    request = _request(arguments)
    arguments.model = Path(request.model)
    session = open_session(arguments)
    progress = TerminalProgress()
    mention_unknown_words(session, request.prompt)

    def receive(news: protocol.News, payload: bytes) -> None:
        progress.show(news)
        if isinstance(news, protocol.ImageResult):
            path = _save(news, payload, request, arguments, model_name=session.manifest.model.name)
            progress.clear()
            print(path)

    run_generate(session.pipeline, session.manifest, request, JobContext("cli", receive, lambda: False))
    return 0


def _save(
    news: protocol.ImageResult,
    payload: bytes,
    request: GenerateRequest,
    arguments: argparse.Namespace,
    *,
    model_name: str,
) -> Path:
    """Write one result with its request inside: a picture as PNG, a clip in the format asked for."""
    root = arguments.out or outputs_root()
    if news.fps is None:
        return save_picture(payload, request, news.index, root, shape=news.shape, model_name=model_name)
    frames = np.frombuffer(payload, np.uint8).reshape(news.shape)
    settings = ClipSettings(ClipFormat(arguments.format))
    written = save_clip(frames, request, news.index, root, fps=news.fps, settings=settings, model_name=model_name)
    return written.path


def _request(arguments: argparse.Namespace) -> GenerateRequest:
    if arguments.request is not None:
        request = _request_from_file(arguments.request)
        return request.model_copy(update={"model": str(_folder_of(request, arguments))})
    return generation_of(arguments, model_folder(arguments), num_images=arguments.num_images)


def _folder_of(request: GenerateRequest, arguments: argparse.Namespace) -> Path:
    """The model a stored request means: `--model`, a folder, or the name of one of this machine's models."""
    return find_model(arguments.model or request.model)


def _request_from_file(path: Path) -> GenerateRequest:
    """A request from a JSON file, or the one inside a picture that this program made."""
    if path.suffix.lower() != ".json":
        return read_request(path).request
    try:
        return GenerateRequest.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise explained(error) from error
    except ValueError as error:
        raise ConfigError(f"{path}: is not valid JSON ({error})") from error
