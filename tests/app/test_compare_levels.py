"""The noise ladders as plain values: rungs, tracks, levels as people write them; and the numbers beside them."""

import math

import pytest

from app.models.compare.figures import Figures, best_rows, metrics
from app.models.compare.findings import Band, BitMap, FloatMap
from app.models.compare.ladder_curve import place_of, surviving_bits
from app.models.compare.levels import (
    NATIVE,
    Ladder,
    Rung,
    decoder_track,
    latent_track,
    levels_text,
    parse_levels,
    rung_of,
    rungs_of,
)
from ul_engine.config import ModelConfig

CONFIG = ModelConfig(name="M", image_px=64)


def test_a_rung_knows_both_levels() -> None:
    assert NATIVE.logsnrs(5.0) == (5.0, None)
    assert Rung(Ladder.LATENT, -2.0).logsnrs(5.0) == (-2.0, None)
    assert Rung(Ladder.DECODER, 3.0).logsnrs(5.0) == (5.0, 3.0)


@pytest.mark.parametrize("rung", [NATIVE, Rung(Ladder.LATENT, -2.0), Rung(Ladder.LATENT, 7.0), Rung(Ladder.DECODER, 0)])
def test_results_find_their_rung(rung: Rung) -> None:
    assert rung_of(*rung.logsnrs(5.0), native=5.0) == rung


def test_both_ladders_begin_with_the_usual_reconstruction_at_the_left() -> None:
    latent, decoder = latent_track(CONFIG), decoder_track(CONFIG)
    rungs = rungs_of(Ladder.LATENT, (2.0, 7.0, -3.0, 4.0, 5.0, 99.0), latent)
    assert [rung.level for rung in rungs] == [7.0, None, 4.0, 2.0, -3.0]
    assert [rung.level for rung in rungs_of(Ladder.DECODER, (4.0, -2.0), decoder)] == [None, -2.0, 4.0]
    places = [place_of(latent.native if rung.level is None else rung.level, latent, Ladder.LATENT) for rung in rungs]
    assert places == sorted(places)
    assert places[0] > 0
    assert place_of(decoder.native, decoder, Ladder.DECODER) == 0.0


def test_what_lies_above_the_native_level_is_untrained() -> None:
    track = latent_track(CONFIG)
    assert track.is_trained(5.0)
    assert track.is_trained(-10.0)
    assert not track.is_trained(5.5)
    assert track.high > 5.0, "the track shows that there is something beyond"
    levels = decoder_track(CONFIG)
    assert (levels.trained_low, levels.trained_high) == (-10.0 + 2 * math.log(32 / 64), 10.0)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("4, 3 2.5;-1", (4.0, 3.0, 2.5, -1.0)),
        ("\u22122, -2", (-2.0,)),
        ("", ()),
        ("4, three", None),
        ("1e9", None),
        ("nan", None),
        (", ".join(map(str, range(-30, 31))) + " .5 .6 .7 .8", None),
    ],
)
def test_levels_as_people_write_them(text: str, levels: tuple[float, ...] | None) -> None:
    assert parse_levels(text) == levels
    if levels:
        assert parse_levels(levels_text(levels)) == levels


def test_the_best_of_a_column() -> None:
    by_key = {metric.key: metric for metric in metrics()}
    assert best_rows(by_key["psnr_db"], [20.0, 30.0, None]) == {1}
    assert best_rows(by_key["flip"], [0.2, 0.1, 0.1]) == {1, 2}
    assert best_rows(by_key["psnr_db"], [20.0, None]) == frozenset(), "one alone is not the best of anything"


def test_numbers_as_text() -> None:
    psnr = metrics()[0]
    assert [psnr.text(value) for value in (27.912, None, math.inf)] == ["27.91", "–", "∞"]
    assert Figures(ssim=float("nan")).value("ssim") is None


def bit_map() -> BitMap:
    bands = (Band(-10.0, -5.0, 1.0), Band(-5.0, 0.0, 3.0), Band(0.0, 5.0, 12.0))
    cells = FloatMap(1, 1, 1, bytes(4))
    return BitMap(cells, None, 8, bands, 0.0, 0.16, None, 1)


@pytest.mark.parametrize(("level", "share"), [(5.0, 1.0), (0.0, 4 / 16), (2.5, 10 / 16), (-5.0, 1 / 16), (-10.0, 0.0)])
def test_bits_that_survive_a_level_of_noise(level: float, share: float) -> None:
    assert surviving_bits(bit_map(), level) == pytest.approx(0.16 * share)
