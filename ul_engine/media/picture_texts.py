"""Texts inside PNG, JPEG and WebP pictures, by name. No decoding, and nothing heavy is loaded.

PNG keeps them as text chunks. JPEG and WebP keep them in EXIF: ``parameters`` as the user comment, where other
programs look for it, every other one as ``name: text`` in the picture's description.
"""

from collections.abc import Mapping
from typing import Any, Literal

PARAMETERS_NAME = "parameters"
_DESCRIPTION, _EXIF_IFD, _USER_COMMENT = 0x010E, 0x8769, 0x9286
_UNICODE = b"UNICODE\0"
_BYTE_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II": "little", b"MM": "big"}
_VALUE_BYTES = {1: 1, 2: 1, 4: 4, 7: 1}  # BYTE, ASCII, LONG, UNDEFINED


def save_options(suffix: str, texts: Mapping[str, str] | None, quality: int | None = None) -> dict[str, Any]:
    """What Pillow's ``save`` is to be told so that a picture with this suffix holds `texts` (None: none).

    Texts that a format cannot keep raise ValueError. `quality` 1 to 100 counts for JPEG and WebP; 100: lossless WebP.
    """
    kind = suffix.lower()
    options: dict[str, Any] = {}
    if kind in (".jpg", ".jpeg", ".webp"):
        if quality is not None:
            options |= {"lossless": True} if (kind, quality) == (".webp", 100) else {"quality": min(quality, 95)}
        if texts:
            options["exif"] = exif_bytes(texts)
    elif kind == ".png" and texts:
        from PIL.PngImagePlugin import PngInfo

        options["pnginfo"] = info = PngInfo()
        for name, text in texts.items():
            info.add_text(name, text)
    elif texts:
        raise ValueError(f"files of kind {suffix or 'without a suffix'} keep no settings; use .png, .webp or .jpg")
    return options


def exif_bytes(texts: Mapping[str, str]) -> bytes:
    """EXIF with these texts, beginning with ``Exif`` and two zero bytes as in a JPEG file."""
    from PIL import Image

    exif = Image.Exif()
    others = [f"{name}: {text}" for name, text in texts.items() if name != PARAMETERS_NAME]
    if others:
        exif[_DESCRIPTION] = "\n".join(others)
    if PARAMETERS_NAME in texts:
        exif[_EXIF_IFD] = {_USER_COMMENT: _UNICODE + texts[PARAMETERS_NAME].encode("utf-16-be")}
    return exif.tobytes()


def exif_texts(data: bytes) -> dict[str, str]:
    """The texts that `exif_bytes` wrote, with or without its first six bytes. Damaged EXIF holds none."""
    tiff = data.removeprefix(b"Exif\0\0")
    order = _BYTE_ORDERS.get(tiff[:2])
    if order is None:
        return {}
    main = _directory(tiff, int.from_bytes(tiff[4:8], order), order)
    more = _directory(tiff, int.from_bytes(main.get(_EXIF_IFD, b""), order), order)
    texts: dict[str, str] = {}
    for line in main.get(_DESCRIPTION, b"").rstrip(b"\0").decode("utf-8", "replace").split("\n"):
        name, separator, text = line.partition(": ")
        if separator:
            texts[name] = text
    comment = more.get(_USER_COMMENT, b"")
    if comment.startswith(_UNICODE):
        texts[PARAMETERS_NAME] = comment[len(_UNICODE) :].decode("utf-16-be", "replace")
    return texts


def _directory(tiff: bytes, start: int, order: Literal["little", "big"]) -> dict[int, bytes]:
    """Tags and their raw values in the directory at `start` (TIFF 6.0, section 2): texts, bytes and 32-bit numbers."""
    values: dict[int, bytes] = {}
    end = start + 2 + 12 * int.from_bytes(tiff[start : start + 2], order)
    for entry in range(start + 2, min(end, len(tiff)), 12):
        tag, kind = (int.from_bytes(tiff[at : at + 2], order) for at in (entry, entry + 2))
        size = int.from_bytes(tiff[entry + 4 : entry + 8], order) * _VALUE_BYTES.get(kind, 0)
        at = entry + 8 if size <= 4 else int.from_bytes(tiff[entry + 8 : entry + 12], order)
        if 0 < size <= len(tiff) - at:
            values[tag] = tiff[at : at + size]
    return values
