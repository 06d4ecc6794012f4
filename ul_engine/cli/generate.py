"""``ul-engine generate``."""

import argparse
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ul_engine import protocol
from ul_engine.assets import assets_dir
from ul_engine.cli.session import TerminalProgress, explained, model_folder, open_session, preset
from ul_engine.errors import CheckpointError, ConfigError
from ul_engine.jobs import JobContext, run_generate
from ul_engine.metadata import read_request
from ul_engine.model_folder import list_models, user_models_dir
from ul_engine.outputs import outputs_root, save_picture
from ul_engine.requests import GenerateRequest, SamplerName, SamplingSettings


def generate(arguments: argparse.Namespace) -> int:
    """Make the pictures, save each with its request inside, and print where they are."""
    request = _request(arguments)
    arguments.model = Path(request.model)
    session = open_session(arguments)
    root = arguments.out or outputs_root()
    progress = TerminalProgress()
    tokenizer = session.pipeline.model.tokenizer
    if tokenizer is not None and (unknown := tokenizer.unknown_words(request.prompt)):
        print(f"note: this model was never shown {', '.join(map(repr, unknown))}")

    def receive(news: protocol.News, payload: bytes) -> None:
        progress.show(news)
        if isinstance(news, protocol.ImageResult):
            path = save_picture(
                payload, request, news.index, root, shape=news.shape, model_name=session.manifest.model.name
            )
            progress.clear()
            print(path)

    run_generate(session.pipeline, session.manifest, request, JobContext("cli", receive, lambda: False))
    return 0


def _request(arguments: argparse.Namespace) -> GenerateRequest:
    if arguments.request is not None:
        request = _request_from_file(arguments.request)
        return request.model_copy(update={"model": str(_folder_of(request, arguments))})
    folder = model_folder(arguments)
    try:
        return GenerateRequest(
            model=str(folder),
            prompt=arguments.prompt,
            class_label=arguments.class_label,
            num_images=arguments.num_images,
            seed=arguments.seed,
            width_px=arguments.width,
            height_px=arguments.height,
            sampling=_sampling(arguments, preset(folder, arguments.preset)),
            preview=False,
        )
    except ValidationError as error:
        raise explained(error) from error


def _folder_of(request: GenerateRequest, arguments: argparse.Namespace) -> Path:
    """The model a stored request means: `--model`, a folder, or the name of one of this machine's models."""
    if arguments.model is not None or Path(request.model).is_dir():
        return Path(arguments.model or request.model)
    for entry in list_models([assets_dir() / "models", user_models_dir()]):
        if request.model in (entry.name, Path(entry.path).name):
            return Path(entry.path)
    raise CheckpointError("this machine has no such model; name its folder with --model", path=request.model)


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


def _sampling(arguments: argparse.Namespace, settings: SamplingSettings) -> SamplingSettings:
    """The preset with what was given on the command line put over it."""
    data: dict[str, Any] = settings.model_dump()
    for loop, steps in (("base", arguments.base_steps), ("decoder", arguments.decoder_steps)):
        if steps is not None:
            data[loop]["num_steps"] = steps
        if arguments.sampler is not None:
            data[loop]["name"] = SamplerName(arguments.sampler)
    if arguments.guidance is not None:
        data["guidance"]["weight"] = arguments.guidance
    return SamplingSettings.model_validate(data)
