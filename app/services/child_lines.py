"""What a child process writes, line by line, whatever it writes."""

import asyncio
import codecs
from collections.abc import AsyncIterator

CHUNK_BYTES = 65536
MAX_CHARACTERS = 2**20
"""A line without an end is cut into such pieces: a progress bar may go on for hours."""


async def lines_of(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines as they come, without their ends. A carriage return ends a line too, as in progress bars; bytes that
    are no UTF-8 become question marks."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while chunk := await stream.read(CHUNK_BYTES):
        text = (rest + decoder.decode(chunk)).replace("\r\n", "\n").replace("\r", "\n")
        *whole, rest = text.split("\n")
        for line in whole:
            yield line
        if len(rest) >= MAX_CHARACTERS:
            yield rest
            rest = ""
    if rest := rest + decoder.decode(b"", final=True):
        yield rest
