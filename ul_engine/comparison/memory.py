"""What was made of inputs, kept: of one input under one model, and of the last few."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast

from torch import Tensor

from ul_engine.comparison.meter import Measured
from ul_engine.data.pixels import Uint8Array
from ul_engine.diffusion.bitrate import Bitrate
from ul_engine.pipelines import Restorer

STUDY_BYTES = 512 * 2**20
SHELF_BYTES = 2**30
SHELF_ENTRIES = 16


@dataclass(frozen=True)
class Rung:
    """One place on the noise ladders: the latent noised to `latent_logsnr` and brought back (at its native level it is
    z_0 as training has it), the decoder started from the picture at `decoder_logsnr`; None: from pure noise."""

    latent_logsnr: float
    decoder_logsnr: float | None = None


@dataclass
class StudyMemory:
    """What a `Study` has made: its latent, latents of rungs, bounds by (network, draw of noise), decodes by (rung,
    draw), figures by rung. All of it is on the CPU: nothing that waits takes room on the device. Decodes are kept up to
    `max_bytes`, the least recently used going first, their figures with them, and the latent of a level with the last
    decode of it. `original` and `fps`, where they are given, are what it was made of."""

    max_bytes: int = STUDY_BYTES
    original: Uint8Array | None = None
    fps: float | None = None
    encoded: tuple[Tensor, Tensor | None] | None = None
    latents: dict[float, Tensor] = field(default_factory=dict)
    bitrates: dict[tuple[Restorer, int], Bitrate] = field(default_factory=dict)
    decodes: OrderedDict[tuple[Rung, int], Uint8Array] = field(default_factory=OrderedDict)
    figures: dict[Rung, Measured] = field(default_factory=dict)

    @property
    def num_bytes(self) -> int:
        """Bytes of the original and of all that was made of it."""
        original = self.original.nbytes if self.original is not None else 0
        return original + self._decoded_bytes + sum(tensor.nbytes for tensor in self._tensors)

    @property
    def _tensors(self) -> Iterator[Tensor]:
        """The latents and the bounds."""
        yield from self.latents.values()
        yield from (tensor for tensor in self.encoded or () if tensor is not None)
        for bound in self.bitrates.values():
            yield from (bound.nats, bound.cell_nats, bound.band_nats, bound.band_edges, bound.terminal_nats)

    @property
    def _decoded_bytes(self) -> int:
        maps = (found.flip_map for found in self.figures.values())
        return sum(each.nbytes for each in self.decodes.values()) + sum(m.nbytes for m in maps if m is not None)

    def decode(self, rung: Rung, draw: int) -> Uint8Array | None:
        """A decode that is kept."""
        found = self.decodes.get((rung, draw))
        if found is not None:
            self.decodes.move_to_end((rung, draw))
        return found

    def remember(self, rung: Rung, draw: int, picture: Uint8Array) -> None:
        """Keep a decode, at the price of older ones; the last one stays."""
        self.decodes[rung, draw] = picture
        while self._decoded_bytes > self.max_bytes and len(self.decodes) > 1:
            (oldest, its_draw), _ = self.decodes.popitem(last=False)
            if its_draw == 0:
                self.figures.pop(oldest, None)
            if all(kept.latent_logsnr != oldest.latent_logsnr for kept, _ in self.decodes):
                self.latents.pop(oldest.latent_logsnr, None)


class Kept(Protocol):
    """Anything a shelf may hold."""

    @property
    def num_bytes(self) -> int:
        """Bytes it takes."""


KeptT = TypeVar("KeptT", bound=Kept)


@dataclass
class Shelf:
    """What was made of the last few inputs, by a key that names all that its content depends on (its kind too).

    At most `max_entries` and `max_bytes` in all, the least recently used going first; the last one stays.
    """

    max_entries: int = SHELF_ENTRIES
    max_bytes: int = SHELF_BYTES
    _entries: OrderedDict[Hashable, Kept] = field(default_factory=OrderedDict)

    def take(self, key: Hashable, make: Callable[[], KeptT]) -> KeptT:
        """What stands under `key`, or a new one; what `make` raises is raised."""
        found = cast("KeptT", self._entries.pop(key)) if key in self._entries else make()
        self._entries[key] = found
        self.trim()
        return found

    def trim(self) -> None:
        """Let the oldest go until the rest fits."""
        while len(self._entries) > 1 and (len(self._entries) > self.max_entries or self._num_bytes > self.max_bytes):
            self._entries.popitem(last=False)

    @property
    def _num_bytes(self) -> int:
        return sum(entry.num_bytes for entry in self._entries.values())

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
