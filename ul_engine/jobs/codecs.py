"""Ordinary codecs on pictures: at given rates, and along their range of qualities. No model takes part."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace

import numpy as np

from ul_engine import protocol
from ul_engine.comparison import Measured
from ul_engine.comparison.memory import STUDY_BYTES
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import DataError
from ul_engine.jobs.context import JobContext
from ul_engine.jobs.figures import RateFields, figures_of, measures_of
from ul_engine.jobs.inputs import identity_of, read_input
from ul_engine.metrics.codec_rates import encode_at_bits
from ul_engine.metrics.codecs import CODECS, EncodedPicture, available_codecs, encode
from ul_engine.requests import CodecName, CodecRequest

NO_PIXELS = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class Coded:
    """A picture that went through a codec, with its figures."""

    encoded: EncodedPicture
    figures: Measured

    @property
    def num_bytes(self) -> int:
        """Bytes of its pixels and its error map."""
        errors = self.figures.flip_map
        return self.encoded.decoded.nbytes + (errors.nbytes if errors is not None else 0)

    def without_pixels(self) -> "Coded":
        """Its numbers alone."""
        return Coded(replace(self.encoded, decoded=NO_PIXELS), replace(self.figures, flip_map=None))


@dataclass
class CodecMemory:
    """What codecs made of one picture [H, W, 3]: files by codec and asked rate, points of curves by codec and
    quality."""

    picture: Uint8Array
    max_bytes: int = STUDY_BYTES
    at_rates: OrderedDict[tuple[CodecName, float], Coded] = field(default_factory=OrderedDict)
    on_curves: dict[tuple[CodecName, float], Coded] = field(default_factory=dict)

    @property
    def num_bytes(self) -> int:
        """Bytes of the picture and of all that is kept with it."""
        return self.picture.nbytes + self._coded_bytes

    @property
    def _coded_bytes(self) -> int:
        return sum(coded.num_bytes for coded in self.at_rates.values())

    def remember(self, name: CodecName, rate: float, coded: Coded) -> Coded:
        """Keep a file with its pixels, at the price of older ones; the last one stays."""
        self.at_rates.pop((name, rate), None)
        self.at_rates[name, rate] = coded
        while self._coded_bytes > self.max_bytes and len(self.at_rates) > 1:
            self.at_rates.popitem(last=False)
        return coded


def run_codecs(request: CodecRequest, context: JobContext) -> None:
    """Report codecs that are missing; then send every picture, each codec's nearest file at each rate, and its curve.
    Raises Cancelled, EngineError."""
    usable = _usable(request, context)
    per_input = sum(_num_steps(request, name) for name in usable)
    work = _Work(request, context, per_input * len(request.inputs))
    for number in range(len(request.inputs)):
        context.check()
        memory = _memory(request, number, context)
        _send_original(request, context, number, memory.picture)
        for name in usable:
            work.run(name, number, memory)
        context.workbench.shelf.trim()


def _usable(request: CodecRequest, context: JobContext) -> list[CodecName]:
    """The codecs asked for that work here, each once; the others are reported."""
    asked = [codec for codec in available_codecs() if codec.name in request.codecs]
    for codec in asked:
        if codec.problem is not None:
            missing = protocol.CodecMissing(
                job_id=context.job_id, codec=codec.name, label=codec.label, reason=codec.problem
            )
            context.send(missing, b"")
    return [codec.name for codec in asked if codec.problem is None]


def _memory(request: CodecRequest, number: int, context: JobContext) -> CodecMemory:
    source = request.inputs[number]

    def read() -> CodecMemory:
        frames = read_input(source, request.frame + 1).frames
        if 1 < len(frames) <= request.frame:
            raise DataError(f"has {len(frames)} frames; there is no frame {request.frame}", path=source)
        return CodecMemory(frames[min(request.frame, len(frames) - 1)])

    return context.workbench.shelf.take(("codecs", request.frame, identity_of(source)), read)


def _num_steps(request: CodecRequest, name: CodecName) -> int:
    """What a codec is asked to do with one picture."""
    return len(request.bits_per_pixel) + (len(CODECS[name].ladder) if request.want_curve else 0)


@dataclass
class _Work:
    """Puts pictures through codecs, sends what comes out, and counts what is done."""

    request: CodecRequest
    context: JobContext
    num_steps: int
    done: int = 0

    def run(self, name: CodecName, number: int, memory: CodecMemory) -> None:
        """Everything that is asked of one codec about input `number`."""
        for rate in self.request.bits_per_pixel:
            coded = self._at_rate(name, rate, memory)
            self._count(number)
            _send_result(self.request, self.context, number, coded, rate=rate)
        if not self.request.want_curve:
            return
        points = []
        for quality in CODECS[name].ladder:
            points.append(self._on_curve(name, quality, memory))
            self._count(number)
        _send_curve(self.request, self.context, number, points, name=name)

    def _at_rate(self, name: CodecName, rate: float, memory: CodecMemory) -> Coded:
        known = memory.at_rates.get((name, rate))
        if known is None:
            encoded = encode_at_bits(name, memory.picture, rate, observe=self.context.check)
        else:
            encoded = known.encoded
        return memory.remember(name, rate, self._measured(encoded, memory, known))

    def _on_curve(self, name: CodecName, quality: float, memory: CodecMemory) -> Coded:
        """A point of a curve; its pixels are not kept, for nobody looks at them."""
        known = memory.on_curves.get((name, quality))
        wanted = measures_of(self.request)
        wanted = wanted - self.context.workbench.meter.problems(wanted, memory.picture.shape[:2]).keys()
        if known is None or not wanted <= known.figures.taken:
            self.context.check()
            coded = self._measured(encode(name, memory.picture, quality), memory, known)
            memory.on_curves[name, quality] = coded.without_pixels()
        return memory.on_curves[name, quality]

    def _measured(self, encoded: EncodedPicture, memory: CodecMemory, known: Coded | None) -> Coded:
        figures = self.context.workbench.meter.measure(
            memory.picture[None],
            encoded.decoded[None],
            measures_of(self.request),
            known=known.figures if known is not None else None,
            observe=self.context.check,
        )
        return Coded(encoded, figures)

    def _count(self, number: int) -> None:
        self.context.check()
        self.done += 1
        message = protocol.JobProgress(
            job_id=self.context.job_id,
            phase="codecs",
            step=self.done,
            num_steps=self.num_steps,
            first_index=number,
            batch_size=1,
            fraction=self.done / self.num_steps,
        )
        self.context.send(message, b"")


def _send_original(request: CodecRequest, context: JobContext, number: int, picture: Uint8Array) -> None:
    height, width, channels = picture.shape
    problems = context.workbench.meter.problems(measures_of(request), (height, width))
    message = protocol.OriginalResult(
        job_id=context.job_id,
        input=request.inputs[number],
        number=number,
        shape=(1, height, width, channels),
        missing_measures=dict(problems),
    )
    context.send(message, picture.tobytes())


def _send_result(request: CodecRequest, context: JobContext, number: int, coded: Coded, *, rate: float) -> None:
    encoded, errors = coded.encoded, coded.figures.flip_map if request.want_flip_map else None
    height, width, channels = encoded.decoded.shape
    message = protocol.CodecResult(
        job_id=context.job_id,
        input=request.inputs[number],
        number=number,
        codec=encoded.codec,
        label=CODECS[encoded.codec].label,
        asked_bits_per_pixel=rate,
        is_floor=encoded.is_floor,
        has_flip_map=errors is not None,
        shape=(1, height, width, channels),
        **_rate_of(encoded),
        **figures_of(coded.figures),
    )
    context.send(message, encoded.decoded.tobytes() + (errors.tobytes() if errors is not None else b""))


def _send_curve(
    request: CodecRequest, context: JobContext, number: int, points: list[Coded], *, name: CodecName
) -> None:
    message = protocol.CodecCurveResult(
        job_id=context.job_id,
        input=request.inputs[number],
        number=number,
        codec=name,
        label=CODECS[name].label,
        points=tuple(protocol.CodecPoint(**_rate_of(point.encoded), **figures_of(point.figures)) for point in points),
    )
    context.send(message, b"")


def _rate_of(encoded: EncodedPicture) -> RateFields:
    return {
        "bits_per_pixel": encoded.bits_per_pixel,
        "num_bytes": encoded.num_bytes,
        "quality": encoded.quality,
        "setting": encoded.setting,
    }
