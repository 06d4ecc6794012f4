"""The request that made a picture or a clip, kept inside its file, and read back with care. No torch.

Two texts are written. ``parameters`` is the form that other programs show: the prompt, then one line of
``name: value`` pairs. ``ul_studio`` is JSON with a version; only it is ever read back. Where a file of each format
keeps them is known to `ul_engine.media`.
"""

import json
import os
from collections.abc import Mapping
from fractions import Fraction
from importlib import metadata
from io import BytesIO
from typing import Any, Literal

from pydantic import Field, ValidationError

from ul_engine.errors import DataError
from ul_engine.media.picture_texts import PARAMETERS_NAME, save_options
from ul_engine.media.texts import read_texts
from ul_engine.requests import FrozenModel, GenerateRequest, GridAxis, GridRequest, InterpolateRequest

CHUNK_NAME = "ul_studio"
METADATA_VERSION = 2
"""Of files that hold several results in one; any other is still of version 1, which older programs read."""
_FOREIGN = "holds no settings of UL Studio; it was made or saved by another program"
_PLACES = ("model", "init_image", "mask_image", "continue_from")
_SAMPLER_TITLES = {"ddpm": "DDPM", "ddim": "DDIM", "dpmpp-2m": "DPM++ 2M", "dpmpp-2m-sde": "DPM++ 2M SDE"}


class Whole(FrozenModel):
    """What a file is that holds several results in one."""

    kind: Literal["sheet", "way", "continued"] = Field(
        description="sheet: the labelled pictures of a grid. way: all its steps as a clip. continued: a clip and its "
        "continuation."
    )
    grid: GridRequest | None = Field(None, description="Of a sheet: the whole grid; `request` is then its first cell.")
    before: GenerateRequest | None = Field(
        None, description="Of a continued clip: what made its first part, if that said so; `request` made the second."
    )


class EmbeddedRequest(FrozenModel):
    """What a file says about its making."""

    version: int = Field(1, ge=1)
    request: GenerateRequest = Field(description="Makes this one result; `model` is a folder's name without its path.")
    model_name: str = Field("", description="Name of the model as people see it.")
    program_version: str = ""
    way: InterpolateRequest | None = Field(
        None,
        description="Of a step between prompts or pictures, which no generation makes alone: the whole way; `request` "
        "is then the generation at its beginning.",
    )
    step: int = Field(0, ge=0, description="Which step of the way it is, from 0.")
    whole: Whole | None = Field(None, description="None: the file is one result.")


def program_version() -> str:
    """Version of the installed program; empty where it runs without being installed."""
    try:
        return metadata.version("ul-studio")
    except metadata.PackageNotFoundError:
        return ""


def embed(request: GenerateRequest, index: int, *, model_name: str = "") -> EmbeddedRequest:
    """What is to be kept in result `index` of `request`. Folders of this computer are left out: of the model, the start
    picture, its mask and the clip to continue from only their names stay."""
    single = _named(request.for_single(index))
    return EmbeddedRequest(request=single, model_name=model_name, program_version=program_version())


def _named(request: GenerateRequest) -> GenerateRequest:
    """A request without the folders of this computer."""
    places = {field: getattr(request, field) for field in _PLACES}
    names = {field: folder_name(place) for field, place in places.items() if place is not None}
    return request.model_copy(update=names)


def embed_result(request: GenerateRequest | InterpolateRequest, index: int, *, model_name: str = "") -> EmbeddedRequest:
    """What is to be kept in result `index` of a generation, or in that step of a way."""
    if isinstance(request, InterpolateRequest):
        return embed_step(request, index, model_name=model_name)
    return embed(request, index, model_name=model_name)


def embed_step(way: InterpolateRequest, index: int, *, model_name: str = "") -> EmbeddedRequest:
    """What is to be kept in step `index` of a way: between seeds its own generation, else the way itself."""
    single = way.generation_of(index)
    if single is not None:
        return embed(single, 0, model_name=model_name)
    beginning = GenerateRequest(
        model=way.model,
        prompt=way.prompt,
        num_images=1,
        seed=way.seed,
        width_px=way.width_px,
        height_px=way.height_px,
        sampling=way.sampling,
        tiling=way.tiling,
    )
    return embed(beginning, 0, model_name=model_name).model_copy(update={"way": _named_way(way), "step": index})


def _named_way(way: InterpolateRequest) -> InterpolateRequest:
    """A way without the folders of this computer."""
    pictures = (folder_name(way.pictures[0]), folder_name(way.pictures[1])) if way.pictures is not None else None
    return way.model_copy(update={"model": folder_name(way.model), "pictures": pictures})


# ---- several results in one file ----------------------------------------------------------------------------------


def embed_sheet(grid: GridRequest, *, model_name: str = "") -> EmbeddedRequest:
    """What is to be kept in the sheet of a grid: the whole grid."""

    def named(axis: GridAxis | None) -> GridAxis | None:
        if axis is None or axis.field not in _PLACES:
            return axis
        return axis.model_copy(update={"values": tuple(folder_name(str(value or "")) for value in axis.values)})

    changes = {"request": _named(grid.request), "x": named(grid.x), "y": named(grid.y)}
    first = embed(grid.cells()[0], 0, model_name=model_name)
    return _as_whole(first, Whole(kind="sheet", grid=grid.model_copy(update=changes)))


def embed_way(way: InterpolateRequest, *, model_name: str = "") -> EmbeddedRequest:
    """What is to be kept in the clip of all steps of a way: the whole way."""
    first = embed_step(way, 0, model_name=model_name).model_copy(update={"way": _named_way(way)})
    return _as_whole(first, Whole(kind="way"))


def embed_continued(
    request: GenerateRequest, before: EmbeddedRequest | None, *, model_name: str = ""
) -> EmbeddedRequest:
    """What is to be kept in a clip and its continuation: `request` made that, `before` is what the clip says."""
    second = embed(request, 0, model_name=model_name)
    return _as_whole(second, Whole(kind="continued", before=before.request if before is not None else None))


def _as_whole(embedded: EmbeddedRequest, whole: Whole) -> EmbeddedRequest:
    return embedded.model_copy(update={"version": METADATA_VERSION, "whole": whole})


# ---- as texts -----------------------------------------------------------------------------------------------------


def folder_name(path: str) -> str:
    """Last part of a path of any system."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def text_chunks(
    embedded: EmbeddedRequest,
    *,
    width_px: int,
    height_px: int,
    num_frames: int | None = None,
    fps: Fraction | None = None,
) -> dict[str, str]:
    """The texts to write into a picture (or a clip of `num_frames` at `fps`) of this size, by name."""
    size = {"Size": f"{width_px}x{height_px}"}
    if num_frames is not None:
        size["Frames"] = str(num_frames)
    if fps is not None:
        size["FPS"] = str(fps)
    return {
        PARAMETERS_NAME: _parameters_text(embedded, size),
        CHUNK_NAME: json.dumps(_as_json(embedded), ensure_ascii=True, sort_keys=True),
    }


def _as_json(embedded: EmbeddedRequest) -> dict[str, Any]:
    """Programs of version 1 refuse what they do not know, so that is left out where it says nothing."""
    return embedded.model_dump(mode="json", exclude={"whole"} if embedded.whole is None else None)


def parameters_text(embedded: EmbeddedRequest, *, width_px: int, height_px: int) -> str:
    """The common text form: the prompt, then ``Steps: .., Sampler: .., CFG scale: .., Seed: .., ..``."""
    return _parameters_text(embedded, {"Size": f"{width_px}x{height_px}"})


def _parameters_text(embedded: EmbeddedRequest, size: Mapping[str, str]) -> str:
    request, sampling = embedded.request, embedded.request.sampling
    pairs: dict[str, object] = {
        "Steps": sampling.base.num_steps,
        "Sampler": _SAMPLER_TITLES.get(sampling.base.name, sampling.base.name),
        "CFG scale": f"{sampling.guidance.weight:g}",
        "Seed": request.seed,
        **size,
        "Model": embedded.model_name or request.model,
        "Decoder steps": sampling.decoder.num_steps,
        "Decoder sampler": _SAMPLER_TITLES.get(sampling.decoder.name, sampling.decoder.name),
        "Guidance interval": f"{sampling.guidance.logsnr_low:g} to {sampling.guidance.logsnr_high:g}",
        "Version": f"UL Studio {embedded.program_version}".rstrip(),
    }
    if request.class_label is not None:
        pairs["Class"] = request.class_label
    if request.init_image is not None:
        pairs["Denoising strength"] = f"{request.strength:g}"
    if request.variation_seed is not None:
        pairs |= {
            "Variation seed": request.variation_seed,
            "Variation seed strength": f"{request.variation_strength:g}",
        }
    if embedded.way is not None and embedded.whole is None:
        pairs["Step"] = f"{embedded.step + 1} of {embedded.way.num_steps} between {embedded.way.between}"
    if embedded.way is not None and embedded.way.second_prompt:
        pairs["Prompt at the end"] = embedded.way.second_prompt
    pairs |= _whole_pairs(embedded)
    line = ", ".join(f"{name}: {_quoted(str(value))}" for name, value in pairs.items())
    return f"{request.prompt}\n{line}"


def _whole_pairs(embedded: EmbeddedRequest) -> dict[str, object]:
    """Of several results in one file, which."""
    whole, way = embedded.whole, embedded.way
    if whole is None:
        return {}
    if whole.grid is not None:
        axes = {"Columns": whole.grid.x, "Rows": whole.grid.y}
        told = {name: " | ".join(map(axis.label, range(len(axis.values)))) for name, axis in axes.items() if axis}
        return {"Holds": f"{len(whole.grid.cells())} pictures on a sheet", **told}
    if way is not None:
        return {"Holds": f"the whole way, {way.num_steps} steps between {way.between}"}
    before = {} if whole.before is None else {"Seed before": whole.before.seed}
    return {"Holds": "a clip and its continuation", **before}


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if any(sign in value for sign in ',:\n"') else value


def encode_png(pixels: bytes | memoryview, *, width_px: int, height_px: int, texts: Mapping[str, str]) -> bytes:
    """A PNG file of packed 8-bit RGB `pixels` (height x width x 3 bytes) with these text chunks."""
    from PIL import Image

    buffer = BytesIO()
    picture = Image.frombytes("RGB", (width_px, height_px), bytes(pixels))
    picture.save(buffer, "PNG", **save_options(".png", texts))
    return buffer.getvalue()


def read_request(path: str | os.PathLike[str]) -> EmbeddedRequest:
    """The request kept in the picture or clip at `path`, of any format this program writes; nothing is decoded.

    Raises DataError that says why there is none: not a picture or clip, cut short, made by another program, too new,
    damaged.
    """
    text = read_texts(path).get(CHUNK_NAME)
    if text is None:
        raise DataError(_FOREIGN, path=path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers without end and brackets without bottom
        raise DataError(f"holds settings that are damaged ({error})", path=path) from error
    version = data.get("version") if isinstance(data, dict) else None
    if not isinstance(version, int):
        raise DataError("holds settings that are damaged (they state no version)", path=path)
    if version > METADATA_VERSION:
        raise DataError(f"was made by a newer version of UL Studio (settings of kind {version}); update it", path=path)
    try:
        return EmbeddedRequest.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DataError(f"holds settings that are damaged at {field}: {first['msg']}", path=path) from error
