"""The request that made a picture, kept inside its file: written as PNG text chunks, and read back with care. No torch.

Two chunks are written. ``parameters`` is the form that other programs show: the prompt, then one line of
``name: value`` pairs. ``ul_studio`` is JSON with a version; only it is ever read back.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydantic import Field, ValidationError

from ul_engine.errors import DataError
from ul_engine.requests import FrozenModel, GenerateRequest

CHUNK_NAME = "ul_studio"
PARAMETERS_NAME = "parameters"
METADATA_VERSION = 1
MAX_TEXT_BYTES = 2**20
MAX_CHUNK_BYTES = 2**31 - 1
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FOREIGN = "holds no settings of UL Studio; it was made or saved by another program"
_SAMPLER_TITLES = {"ddpm": "DDPM", "ddim": "DDIM", "dpmpp-2m": "DPM++ 2M", "dpmpp-2m-sde": "DPM++ 2M SDE"}


class EmbeddedRequest(FrozenModel):
    """What a picture says about its making."""

    version: int = Field(METADATA_VERSION, ge=1)
    request: GenerateRequest = Field(description="Makes this one picture; `model` is a folder's name without its path.")
    model_name: str = Field("", description="Name of the model as people see it.")
    program_version: str = ""


def program_version() -> str:
    """Version of the installed program; empty where it runs without being installed."""
    try:
        return metadata.version("ul-studio")
    except metadata.PackageNotFoundError:
        return ""


def embed(request: GenerateRequest, index: int, *, model_name: str = "") -> EmbeddedRequest:
    """What is to be kept in picture `index` of `request`. Folders of this computer are left out."""
    single = request.for_single(index).model_copy(update={"model": folder_name(request.model)})
    return EmbeddedRequest(request=single, model_name=model_name, program_version=program_version())


def folder_name(path: str) -> str:
    """Last part of a path of any system."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def text_chunks(embedded: EmbeddedRequest, *, width_px: int, height_px: int) -> dict[str, str]:
    """The texts to write into a picture of this size, by chunk name."""
    return {
        PARAMETERS_NAME: parameters_text(embedded, width_px=width_px, height_px=height_px),
        CHUNK_NAME: json.dumps(embedded.model_dump(mode="json"), ensure_ascii=True, sort_keys=True),
    }


def parameters_text(embedded: EmbeddedRequest, *, width_px: int, height_px: int) -> str:
    """The common text form: the prompt, then ``Steps: .., Sampler: .., CFG scale: .., Seed: .., ..``."""
    request, sampling = embedded.request, embedded.request.sampling
    pairs = {
        "Steps": sampling.base.num_steps,
        "Sampler": _SAMPLER_TITLES.get(sampling.base.name, sampling.base.name),
        "CFG scale": f"{sampling.guidance.weight:g}",
        "Seed": request.seed,
        "Size": f"{width_px}x{height_px}",
        "Model": embedded.model_name or request.model,
        "Decoder steps": sampling.decoder.num_steps,
        "Decoder sampler": _SAMPLER_TITLES.get(sampling.decoder.name, sampling.decoder.name),
        "Guidance interval": f"{sampling.guidance.logsnr_low:g} to {sampling.guidance.logsnr_high:g}",
        "Version": f"UL Studio {embedded.program_version}".rstrip(),
    }
    if request.class_label is not None:
        pairs["Class"] = request.class_label
    line = ", ".join(f"{name}: {_quoted(str(value))}" for name, value in pairs.items())
    return f"{request.prompt}\n{line}"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if any(sign in value for sign in ',:\n"') else value


def encode_png(pixels: bytes | memoryview, *, width_px: int, height_px: int, texts: Mapping[str, str]) -> bytes:
    """A PNG file of packed 8-bit RGB `pixels` (height x width x 3 bytes) with these text chunks."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    buffer = BytesIO()
    Image.frombytes("RGB", (width_px, height_px), bytes(pixels)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def read_request(path: str | os.PathLike[str]) -> EmbeddedRequest:
    """The request kept in the PNG at `path`; the pixels are not decoded.

    Raises DataError that says why there is none: not a picture, cut short, made by another program, too new, damaged.
    """
    text = _read_texts(path).get(CHUNK_NAME)
    if text is None:
        raise DataError(_FOREIGN, path=path)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
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


def _read_texts(path: str | os.PathLike[str]) -> dict[str, str]:
    try:
        with Path(path).open("rb") as stream:
            if stream.read(len(_SIGNATURE)) != _SIGNATURE:
                raise DataError("is no PNG picture; only those keep their settings", path=path)
            return dict(_texts(stream, path))
    except FileNotFoundError:
        raise DataError("is no longer there", path=path) from None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path=path) from error


def _texts(stream: BinaryIO, path: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    """Names and texts of all text chunks; the file must be whole, down to its end mark."""
    cut_short = DataError("is cut short; it was not copied or written to its end", path=path)
    while True:
        header = stream.read(8)
        if len(header) < 8:
            raise cut_short
        size, kind = struct.unpack(">I4s", header)
        if size > MAX_CHUNK_BYTES:
            raise DataError("is damaged (a part claims more bytes than any has)", path=path)
        if kind not in (b"tEXt", b"zTXt", b"iTXt") or size > MAX_TEXT_BYTES:
            stream.seek(size, os.SEEK_CUR)
            if len(stream.read(4)) < 4:
                raise cut_short
            if kind == b"IEND":
                return
            continue
        body, checksum = stream.read(size), stream.read(4)
        if len(body) < size or len(checksum) < 4:
            raise cut_short
        if zlib.crc32(kind + body) != int.from_bytes(checksum, "big"):
            raise DataError("is damaged (a text in it does not match its checksum)", path=path)
        yield _decode_text(kind, body)


def _decode_text(kind: bytes, body: bytes) -> tuple[str, str]:
    name, _, rest = body.partition(b"\0")
    if kind == b"tEXt":
        return name.decode("latin-1"), rest.decode("latin-1")
    if kind == b"zTXt":
        return name.decode("latin-1"), _inflate(rest[1:]).decode("latin-1", "replace")
    is_compressed = rest[:1] == b"\1"
    _language, _, tail = rest[2:].partition(b"\0")
    _translated_name, _, text = tail.partition(b"\0")
    return name.decode("latin-1"), (_inflate(text) if is_compressed else text).decode("utf-8", "replace")


def _inflate(data: bytes) -> bytes:
    """At most MAX_TEXT_BYTES of the unpacked text; broken data give an empty text."""
    try:
        return zlib.decompressobj().decompress(data, MAX_TEXT_BYTES)
    except zlib.error:
        return b""
