"""What is to be asked of the engine, so that what is missing is made and nothing twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.models.compare.findings import (
    BitMapKey,
    CodecKey,
    CurveKey,
    FileKey,
    Key,
    LatentKey,
    OriginalKey,
    Recipe,
    RungKey,
    SpreadKey,
)
from app.models.compare.levels import NATIVE, Ladder, Rung, track_of
from app.models.compare.results import CompareResults
from ul_engine.config import ModelConfig
from ul_engine.model_folder import ModelEntry
from ul_engine.requests import CodecName, CodecRequest, MeasureName, MeasureRequest, ReconstructRequest, Request

MEASURES: tuple[MeasureName, ...] = ("ssim", "ms-ssim", "flip", "lpips")
BITRATE_DRAWS = 4
"""Draws of noise in the bits' estimate: enough to tell how far it spreads."""


@dataclass(frozen=True)
class Subject:
    """An input under a model."""

    source: str
    model: ModelEntry
    recipe: Recipe
    size_px: tuple[int, int]

    @property
    def config(self) -> ModelConfig:
        """What the model is."""
        assert self.model.manifest is not None
        return self.model.manifest.model


@dataclass(frozen=True)
class Ask:
    """One job to queue, and what it will bring."""

    request: Request
    keys: tuple[Key, ...]
    model_name: str
    size_px: tuple[int, int]
    is_automatic: bool = False
    """Nobody pressed a button for it."""


def fitting_rung(rung: Rung, config: ModelConfig) -> Rung | None:
    """The rung as this model has it: one at its own native level is its beginning; None if it has no such level."""
    if rung.level is None:
        return NATIVE
    if rung.ladder is Ladder.DECODER and config.decoder_loss.kind == "mse":
        return None
    track = track_of(config, rung.ladder)
    if rung.level == track.native:
        return NATIVE
    return rung if track.low <= rung.level <= track.high else None


def first_ask(subject: Subject, results: CompareResults) -> Ask | None:
    """The native rung alone, its bits from one draw: something to see within seconds; None if it is there or on its
    way."""
    key = RungKey(subject.source, subject.recipe, NATIVE)
    if results.has(key) or results.is_expected(key):
        return None
    request = _request(subject, [key]).model_copy(update={"bitrate_draws": 1})
    return Ask(request, (OriginalKey(subject.source), key), subject.model.name, subject.size_px)


def ladder_ask(subject: Subject, rungs: Sequence[Rung], results: CompareResults) -> Ask | None:
    """The rungs of one model that are neither there nor on their way, the native one first; None if there are none.

    Where `first_ask` goes before it, the engine has the native pictures already; the bits become those of all draws.
    """
    source, recipe = subject.source, subject.recipe
    fitting = dict.fromkeys(each for each in (NATIVE, *(fitting_rung(rung, subject.config) for rung in rungs)) if each)
    keys = [RungKey(source, recipe, rung) for rung in fitting]
    missing = [key for key in keys if not results.has(key) and not results.is_expected(key)]
    if not missing:
        return None
    bits = BitMapKey(source, recipe.model, recipe.restorer, recipe.seed)
    latent = LatentKey(source, recipe.model, recipe.seed)
    extra = [key for key in (bits, latent) if not results.has(key) and not results.is_expected(key)]
    request = _request(subject, missing).model_copy(
        update={"want_bit_map": bits in extra, "want_latent": latent in extra}
    )
    return Ask(request, (OriginalKey(source), *missing, *extra), subject.model.name, subject.size_px)


def spread_ask(subject: Subject, rung: Rung, num_decodes: int) -> Ask | None:
    """Several decodes of one rung; None if this model has no such rung."""
    fitting = fitting_rung(rung, subject.config)
    if fitting is None:
        return None
    source, recipe = subject.source, subject.recipe
    request = _request(subject, [RungKey(source, recipe, fitting)]).model_copy(update={"num_decodes": num_decodes})
    keys = (SpreadKey(source, recipe, fitting, num_decodes),)
    return Ask(request, keys, subject.model.name, subject.size_px)


def _request(subject: Subject, keys: Sequence[RungKey]) -> ReconstructRequest:
    recipe = subject.recipe
    return ReconstructRequest(
        model=recipe.model,
        inputs=(subject.source,),
        latent_logsnrs=_latent_levels(keys, subject.config.latent.logsnr_max),
        decoder_logsnrs=_decoder_levels(keys),
        restorer=recipe.restorer,
        measures=MEASURES,
        want_flip_map=True,
        want_bit_map=False,
        bitrate_draws=BITRATE_DRAWS,
        seed=recipe.seed,
        sampling=recipe.sampling,
    )


def codec_ask(
    source: str, codecs: Sequence[CodecName], bits_per_pixel: Sequence[float], results: CompareResults, *, curves: bool
) -> Ask | None:
    """Codecs at these rates, and their curves if wished; None if all of it is there or on its way."""
    at_rate: list[Key] = [CodecKey(source, codec, bits) for codec in codecs for bits in bits_per_pixel]
    curve: list[Key] = [CurveKey(source, codec) for codec in codecs] if curves else []
    missing = [key for key in (*at_rate, *curve) if not results.has(key) and not results.is_expected(key)]
    wanted = [codec for codec in codecs if any(getattr(key, "codec", "") == codec for key in missing)]
    if not wanted:
        return None
    request = CodecRequest(
        inputs=(source,),
        codecs=tuple(wanted),
        bits_per_pixel=tuple(bits_per_pixel),
        want_curve=any(key in curve for key in missing),
        measures=MEASURES,
        want_flip_map=True,
    )
    return Ask(request, tuple(missing), "", (0, 0))


def files_ask(keys: Sequence[FileKey], *, is_automatic: bool = False) -> Ask:
    """Files against the one that all of them are held against."""
    request = MeasureRequest(
        reference=keys[0].reference,
        inputs=tuple(key.source for key in keys),
        measures=MEASURES,
        want_flip_map=True,
    )
    return Ask(request, tuple(keys), "", (0, 0), is_automatic)


def _latent_levels(keys: Sequence[RungKey], native: float) -> tuple[float, ...]:
    return tuple(key.rung.logsnrs(native)[0] for key in keys if key.rung.logsnrs(native)[1] is None)


def _decoder_levels(keys: Sequence[RungKey]) -> tuple[float, ...]:
    return tuple(key.rung.level for key in keys if key.rung.ladder is Ladder.DECODER and key.rung.level is not None)
