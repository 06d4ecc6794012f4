"""From options to the settings of a generation."""

import argparse
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ul_engine.cli.session import explained, preset
from ul_engine.errors import ConfigError
from ul_engine.model_folder import read_manifest
from ul_engine.requests import GenerateRequest, SamplerName, SamplingSettings


def sampling_of(arguments: argparse.Namespace, folder: Path) -> SamplingSettings:
    """The preset with what was given on the command line put over it. Raises ConfigError."""
    data: dict[str, Any] = preset(folder, arguments.preset).model_dump()
    for loop, steps in (("base", arguments.base_steps), ("decoder", arguments.decoder_steps)):
        if steps is not None:
            data[loop]["num_steps"] = steps
        if arguments.sampler is not None:
            data[loop]["name"] = SamplerName(arguments.sampler)
    if arguments.guidance is not None:
        data["guidance"]["weight"] = arguments.guidance
    try:
        return SamplingSettings.model_validate(data)
    except ValidationError as error:
        raise explained(error) from error


def generation_of(arguments: argparse.Namespace, folder: Path, *, num_images: int) -> GenerateRequest:
    """The request that the options of one picture describe. Raises ConfigError."""
    _require_partner(arguments.variation, arguments.variation_seed, "variation", "--variation-seed")
    _require_partner(arguments.strength, arguments.start_from, "strength", "--start-from")
    if arguments.mask is not None and arguments.start_from is None:
        raise ConfigError("counts only together with --start-from", field="mask")
    shares = {"variation_strength": arguments.variation, "strength": arguments.strength}
    try:
        return GenerateRequest(
            model=str(folder),
            prompt=arguments.prompt,
            class_label=class_number(arguments.class_label, folder),
            num_images=num_images,
            seed=arguments.seed,
            variation_seed=arguments.variation_seed,
            init_image=arguments.start_from,
            mask_image=arguments.mask,
            num_frames=arguments.num_frames,
            continue_from=arguments.continue_from,
            width_px=arguments.width,
            height_px=arguments.height,
            sampling=sampling_of(arguments, folder),
            preview=False,
            **{field: share for field, share in shares.items() if share is not None},
        )
    except ValidationError as error:
        raise explained(error) from error


def class_number(text: str | None, folder: Path) -> int | None:
    """The class that a number or a name means to the model in `folder`; raises ConfigError that lists the names."""
    if text is None or text.isdecimal():
        return None if text is None else int(text)
    names = read_manifest(folder).class_names
    if text not in names:
        known = f"the names are {', '.join(names)}" if names else "it has no names for classes, only numbers"
        raise ConfigError(f"this model knows no class {text!r}; {known}", field="class_label")
    return names.index(text)


def _require_partner(share: float | None, partner: object, field: str, option: str) -> None:
    """A share of something that was not given would be passed over without a word."""
    if share is not None and partner is None:
        raise ConfigError(f"counts only together with {option}", field=field)
