"""The page Compare without widgets: what is asked for, what is shown, what memory keeps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.models.compare import findings as f
from app.models.compare import keeping
from app.models.compare.asking import Ask
from app.models.compare.candidates import CandidateKind, ShownState
from app.models.compare.comparison import Comparison
from app.models.compare.figures import Figures
from app.models.compare.inputs import InputItem
from app.models.compare.levels import NATIVE, Ladder, Rung
from app.models.compare.numbers import NumbersModel
from app.models.compare.results import CompareResults
from app.models.compare.view import ViewMode
from app.pixels import Clip, Pixels
from tests.app.model_folders import manifest
from tests.helpers.qt import wait_for_signal
from ul_engine.config import DecoderLossConfig, LatentConfig, ModelConfig
from ul_engine.model_folder import ModelEntry
from ul_engine.requests import CodecRequest, MeasureRequest, ReconstructRequest

SOURCE = str(Path("/pictures/a.png").absolute())
OTHER = str(Path("/pictures/b.png").absolute())


def clip(value: int = 0, side: int = 2) -> Clip:
    return Clip((Pixels(side, side, bytes([value]) * side * side * 3),))


def made(value: int = 0, psnr_db: float = 30.0, bits: float = 0.1, side: int = 2) -> f.Reconstruction:
    return f.Reconstruction(clip(value, side), Figures(psnr_db=psnr_db, bits_per_pixel=bits))


def entry(name: str = "Scenes", **config: Any) -> ModelEntry:
    model = ModelConfig(name=name, image_px=64, **config)
    return ModelEntry(path=f"/models/{name}", name=name, manifest=manifest(name, model=model))


@pytest.fixture
def asks() -> list[tuple[Ask, ...]]:
    return []


@pytest.fixture
def compare(qapp: Any, owned: Callable[[Any], Any], asks: list[tuple[Ask, ...]]) -> Comparison:
    comparison: Comparison = owned(Comparison())
    comparison.asks_made.connect(asks.append)
    comparison.form.offer((entry(),))
    comparison.form.update(latent_levels=(3.0, -1.0), decoder_levels=(2.0,))
    comparison.add_files([SOURCE])
    return comparison


def key(compare: Comparison, rung: Rung = NATIVE, place: int = 0) -> f.RungKey:
    return f.RungKey(SOURCE, compare.form.recipe_of(compare.form.chosen[place]), rung)


def model_shown(compare: Comparison, rung: Rung | None = None) -> Any:
    candidate = next(each for each in compare.candidates if each.kind is CandidateKind.MODEL)
    return compare.shown(candidate, rung)


# ---- inputs -------------------------------------------------------------------------------------------------------


def test_each_file_is_taken_once_and_read_once(compare: Comparison) -> None:
    wanted: list[str] = []
    compare.inputs.reading_requested.connect(wanted.append)
    compare.add_files([OTHER, SOURCE, OTHER])
    assert [item.path for item in compare.inputs.items] == [SOURCE, OTHER]
    assert wanted == [OTHER]
    assert compare.source == OTHER, "what came last is looked at"
    compare.add_files([SOURCE])
    assert compare.source == SOURCE, "one that is there already is brought to the front"


def test_taking_the_present_one_off_shows_its_neighbour(compare: Comparison) -> None:
    compare.add_files([OTHER])
    compare.inputs.remove(OTHER)
    assert compare.source == SOURCE
    compare.inputs.remove(SOURCE)
    assert compare.source == ""
    assert compare.inputs.current is None


# ---- asking -------------------------------------------------------------------------------------------------------


def test_one_click_asks_for_something_to_see_and_then_for_the_whole_ladder(
    compare: Comparison, asks: list[tuple[Ask, ...]]
) -> None:
    assert compare.run()
    ((first, ask),) = asks
    assert isinstance(first.request, ReconstructRequest)
    assert (first.request.latent_logsnrs, first.request.bitrate_draws) == ((5.0,), 1)
    assert not first.request.want_bit_map
    assert not first.request.want_latent
    request = ask.request
    assert isinstance(request, ReconstructRequest)
    assert request.latent_logsnrs == (5.0, 3.0, -1.0)
    assert request.decoder_logsnrs == ()
    assert request.want_bit_map
    assert request.want_latent
    assert request.want_flip_map
    assert set(request.measures) == {"ssim", "ms-ssim", "flip", "lpips"}
    assert ask.keys[:2] == (f.OriginalKey(SOURCE), key(compare))


def test_what_is_there_or_on_its_way_is_not_asked_for_again(compare: Comparison, asks: list[tuple[Ask, ...]]) -> None:
    compare.results.put(key(compare), made())
    compare.run()
    first = asks[0][0]
    assert isinstance(first.request, ReconstructRequest)
    assert first.request.latent_logsnrs == (3.0, -1.0)
    compare.results.begin_work("job-1", first.keys)
    assert not compare.run(), "all of it is on its way"
    compare.results.end_work("job-1", is_failed=True)
    assert compare.run(), "what failed may be tried again"


def test_the_decoders_ladder_starts_from_the_picture(compare: Comparison, asks: list[tuple[Ask, ...]]) -> None:
    compare.results.put(key(compare), made())
    compare.view.update(ladder=Ladder.DECODER)
    compare.run()
    request = asks[0][0].request
    assert isinstance(request, ReconstructRequest)
    assert (request.latent_logsnrs, request.decoder_logsnrs) == ((), (2.0,))


def test_a_decoder_that_answers_at_once_has_no_ladder(compare: Comparison, asks: list[tuple[Ask, ...]]) -> None:
    compare.form.offer((entry(decoder_loss=DecoderLossConfig(kind="mse")),))
    compare.results.put(key(compare), made())
    compare.view.update(ladder=Ladder.DECODER)
    assert not compare.run()


def test_several_models_are_asked_in_turn_each_with_its_own_native_level(
    compare: Comparison, asks: list[tuple[Ask, ...]]
) -> None:
    other = entry("Other", latent=LatentConfig(logsnr_max=3.0))
    compare.form.offer((entry(), other))
    compare.form.toggle_model(other.path, is_on=True)
    compare.run()
    levels = [ask.request.latent_logsnrs for ask in asks[0] if isinstance(ask.request, ReconstructRequest)]
    assert levels[:2] == [(5.0,), (3.0,)], "one picture of each model comes first"
    assert levels[2:] == [(5.0, 3.0, -1.0), (3.0, -1.0)], "3 is native there: one rung, not two"


def test_all_pictures_begin_with_the_one_looked_at(compare: Comparison, asks: list[tuple[Ask, ...]]) -> None:
    compare.add_files([OTHER])
    compare.run(is_everything=True)
    assert [ask.request.inputs[0] for ask in asks[0]] == [OTHER, OTHER, SOURCE, SOURCE]  # type: ignore[union-attr]


def test_files_that_cannot_be_read_are_left_out(compare: Comparison, asks: list[tuple[Ask, ...]]) -> None:
    compare.inputs.note_problem(SOURCE, "is no picture")
    assert not compare.run()
    assert asks == []


def test_other_settings_are_other_results(compare: Comparison) -> None:
    compare.results.put(key(compare), made(7))
    assert model_shown(compare).state is ShownState.READY
    compare.form.update(seed=5)
    assert model_shown(compare).state is ShownState.MISSING
    compare.form.update(seed=0)
    assert model_shown(compare).clip == clip(7), "going back is instant"


def test_a_model_without_a_prior_is_restored_by_its_base_model(compare: Comparison) -> None:
    bare = entry("Bare")
    assert bare.manifest is not None
    networks = {name: file for name, file in bare.manifest.networks.items() if name != "prior"}
    bare = bare.model_copy(update={"manifest": bare.manifest.model_copy(update={"networks": networks})})
    assert compare.form.recipe_of(bare).restorer == "base"


def test_several_decodes_of_the_rung_on_show(compare: Comparison, asks: list[tuple[Ask, ...]]) -> None:
    compare.form.update(num_decodes=4)
    compare.view.set_rung(Rung(Ladder.LATENT, 3.0))
    assert compare.run_spread()
    request = asks[0][0].request
    assert isinstance(request, ReconstructRequest)
    assert (request.latent_logsnrs, request.num_decodes) == ((3.0,), 4)
    assert asks[0][0].keys == (f.SpreadKey(SOURCE, key(compare).recipe, Rung(Ladder.LATENT, 3.0), 4),)


# ---- codecs -------------------------------------------------------------------------------------------------------


def test_codecs_are_asked_for_as_soon_as_the_bits_are_known(compare: Comparison, asks: list[tuple[Ask, ...]]) -> None:
    compare.form.update(codecs=("jpeg", "webp"))
    compare.run()
    assert len(asks) == 1
    assert isinstance(asks[0][0].request, ReconstructRequest)
    compare.results.put(key(compare), made(bits=0.25))
    request = asks[1][0].request
    assert isinstance(request, CodecRequest)
    assert (request.codecs, request.bits_per_pixel, request.want_curve) == (("jpeg", "webp"), (0.25,), False)


def test_the_bench_measures_curves_at_the_bits_of_every_model(compare: Comparison, asks: list[tuple[Ask, ...]]) -> None:
    other = entry("Other")
    compare.form.offer((entry(), other))
    compare.form.toggle_model(other.path, is_on=True)
    compare.results.put(key(compare), made(bits=0.25))
    compare.results.put(key(compare, place=1), made(bits=0.5))
    compare.run_bench(("jpeg",))
    request = asks[0][0].request
    assert isinstance(request, CodecRequest)
    assert (request.bits_per_pixel, request.want_curve) == ((0.25, 0.5), True)


def test_a_codec_this_machine_lacks_is_told_and_not_asked_for(compare: Comparison) -> None:
    compare.form.update(codecs=("jpegxl",))
    compare.note_missing_codec("jpegxl", "needs a package")
    shown = compare.shown(compare.candidates[-1])
    assert (shown.state, shown.words) == (ShownState.FAILED, "needs a package")


# ---- what is shown ------------------------------------------------------------------------------------------------


def test_where_a_picture_stands(compare: Comparison) -> None:
    assert model_shown(compare).state is ShownState.MISSING
    compare.results.begin_work("job-1", (key(compare), key(compare, Rung(Ladder.LATENT, 3.0))))
    assert model_shown(compare).state is ShownState.WAITING
    compare.results.note_running("job-1")
    assert model_shown(compare).state is ShownState.RUNNING
    assert model_shown(compare, Rung(Ladder.LATENT, 3.0)).state is ShownState.WAITING
    compare.results.put(key(compare), made())
    assert model_shown(compare, Rung(Ladder.LATENT, 3.0)).state is ShownState.RUNNING
    compare.results.end_work("job-1", is_failed=True)
    assert model_shown(compare, Rung(Ladder.LATENT, 3.0)).state is ShownState.FAILED


def test_the_mean_takes_the_place_of_one_decode_where_it_is_there(compare: Comparison) -> None:
    compare.results.put(key(compare), made(1))
    found = key(compare)
    deviation = f.FloatMap(1, 2, 2, bytes(16))
    spread = f.Spread(8, clip(9), deviation, mean_psnr_db=33.0, mean_deviation=1.0)
    compare.results.put(f.SpreadKey(SOURCE, found.recipe, NATIVE, 8), spread)
    assert model_shown(compare).clip == clip(1)
    compare.view.update(shows_mean=True)
    shown = model_shown(compare)
    assert shown.clip == clip(9)
    assert shown.figures.psnr_db == 33.0
    assert model_shown(compare, Rung(Ladder.LATENT, 3.0)).state is ShownState.MISSING


def test_moving_along_the_ladder_stops_at_its_ends(compare: Comparison) -> None:
    for _ in range(9):
        compare.step_rung(1)
    assert compare.rung == Rung(Ladder.LATENT, -1.0)
    for _ in range(9):
        compare.step_rung(-1)
    assert compare.rung == NATIVE


def test_a_rung_that_is_no_longer_asked_for_gives_way_to_the_native_one(compare: Comparison) -> None:
    compare.view.set_rung(Rung(Ladder.LATENT, 3.0))
    compare.form.update(latent_levels=(1.0,))
    assert compare.rung == NATIVE


def test_numbers_choose_candidates_that_are_there(compare: Comparison) -> None:
    compare.choose(0)
    assert compare.candidate.kind is CandidateKind.ORIGINAL
    compare.choose(7)
    assert compare.candidate.kind is CandidateKind.ORIGINAL
    compare.choose(1)
    assert compare.candidate.kind is CandidateKind.MODEL


def test_the_views_follow_each_other_around(compare: Comparison) -> None:
    seen = []
    for _ in ViewMode:
        compare.view.cycle_mode()
        seen.append(compare.view.view.mode)
    assert sorted(seen) == sorted(ViewMode)
    compare.view.cycle_mode(-1)
    assert compare.view.view.mode is seen[-2]


# ---- the form -----------------------------------------------------------------------------------------------------


def test_at_least_one_model_stays_and_the_remembered_ones_come_back(compare: Comparison) -> None:
    compare.form.toggle_model("/models/Scenes", is_on=False)
    assert [model.name for model in compare.form.chosen] == ["Scenes"]
    compare.form.restore({"models": ["/gone", "/models/Scenes"], "seed": -4, "num_decodes": 16, "nonsense": 1})
    assert compare.form.state.num_decodes == 16
    assert compare.form.state.seed == 0
    assert [model.name for model in compare.form.chosen] == ["Scenes"]


def test_models_without_an_encoder_are_not_offered(compare: Comparison) -> None:
    bare = entry("Bare")
    assert bare.manifest is not None
    networks = {"base": bare.manifest.networks["base"], "decoder": bare.manifest.networks["decoder"]}
    bare = bare.model_copy(update={"manifest": bare.manifest.model_copy(update={"networks": networks})})
    compare.form.offer((bare, entry()))
    assert [model.name for model in compare.form.offered] == ["Scenes"]


# ---- memory -------------------------------------------------------------------------------------------------------


def test_the_least_recently_used_goes_when_memory_runs_short(qapp: Any, owned: Callable[[Any], Any]) -> None:
    results = owned(CompareResults(budget_bytes=3 * 12))
    keys = [f.RungKey(SOURCE, f.Recipe("/m", seed=seed), NATIVE) for seed in range(4)]
    for each in keys[:3]:
        results.put(each, made())
    results.get(keys[0], f.Reconstruction)
    results.put(keys[3], made())
    assert [results.has(each) for each in keys] == [True, False, True, True]
    assert results.num_bytes == 36
    results.put(keys[3], made(side=10))
    assert [results.has(each) for each in keys] == [False, False, False, True], "one larger than all memory stays"
    results.forget(SOURCE)
    assert results.num_bytes == 0


# ---- the table ----------------------------------------------------------------------------------------------------


def test_what_is_kept_says_at_which_level_and_with_what_is_left_there(compare: Comparison) -> None:
    place, begun = Rung(Ladder.LATENT, 3.0), Rung(Ladder.DECODER, 2.0)
    for rung, psnr_db in ((NATIVE, 30.0), (place, 25.0), (begun, 31.0)):
        compare.results.put(key(compare, rung), made(psnr_db=psnr_db, bits=0.1))
    compare.view.set_rung(place)
    assert keeping.file_stem(compare) == "a log-SNR 3"
    shown = keeping.at_its_level(compare, model_shown(compare))
    assert shown.figures is not None
    assert shown.figures.bits_per_pixel is None, "nothing is said while it is not known what is left"
    bits = f.BitMap(
        f.FloatMap(1, 1, 1, bytes(4)), None, 8, (f.Band(-10.0, 3.0, 30.0), f.Band(3.0, 5.0, 50.0)), 0.0, 0.08, None, 1
    )
    recipe = compare.form.recipe_of(compare.form.chosen[0])
    compare.results.put(f.BitMapKey(SOURCE, recipe.model, recipe.restorer, recipe.seed), bits)
    rows = [line.split(",") for line in keeping.levels_csv(compare).splitlines()]
    assert rows[0][:5] == ["picture", "candidate", "ladder", "log_snr", "psnr_db"]
    column = rows[0].index("bits_per_pixel")
    assert [(row[0], row[2], float(row[3]), float(row[4])) for row in rows[1:]] == [
        ("a.png", "latent", 5.0, 30.0),
        ("a.png", "latent", 3.0, 25.0),
        ("a.png", "decoder", 2.0, 31.0),
    ]
    assert float(rows[1][column]) == pytest.approx(0.1)
    assert float(rows[2][column]) == pytest.approx(0.03)
    assert rows[3][column] == "", "the decoder saw the picture itself"


def test_the_table_marks_bounds_floors_and_the_best(compare: Comparison, owned: Callable[[Any], Any]) -> None:
    compare.form.update(codecs=("jpeg",))
    compare.results.put(key(compare), made(psnr_db=28.0, bits=0.1))
    figures = Figures(psnr_db=22.0, bits_per_pixel=0.4, is_bound=False, is_floor=True, setting="quality 1")
    compare.results.put(f.CodecKey(SOURCE, "jpeg", 0.1), f.Reconstruction(clip(), figures))
    table = owned(NumbersModel())
    table.set_shown(compare.all_shown())
    last = table.columnCount() - 1
    assert [table.index(row, 0).data() for row in range(table.rowCount())] == ["Scenes", "JPEG"]
    assert [table.index(row, last).data() for row in (0, 1)] == ["≤\u202f0.1000", "0.4000 ▲"]
    from app.models.compare.numbers import BestRole

    assert [table.index(row, 1).data(BestRole) for row in (0, 1)] == [True, False]
    rows = table.csv_text().splitlines()
    assert rows[0].startswith("candidate,psnr_db,ssim")
    assert rows[2] == "JPEG,22.0,,,,,0.4,False,True,quality 1"
    cells = [table.index(row, column) for row in (0, 1) for column in (0, 1)]
    assert table.tab_text(cells) == "Scenes\t28.00\nJPEG\t22.00"


# ---- files against each other --------------------------------------------------------------------------------------


def read(compare: Comparison, *sizes: tuple[str, tuple[int, int]]) -> None:
    """Files were read; what was told meanwhile is told on."""
    for path, size_px in sizes:
        compare.inputs.note_read(InputItem(path, size_px))


def file_asks(asks: list[tuple[Ask, ...]]) -> list[MeasureRequest]:
    return [ask.request for group in asks for ask in group if isinstance(ask.request, MeasureRequest)]


def test_files_beside_each_other_are_measured_by_themselves_and_once(
    compare: Comparison, asks: list[tuple[Ask, ...]]
) -> None:
    compare.compare_files([SOURCE, OTHER])
    wait_for_signal(compare.shown_changed)
    assert not asks, "nobody knows their sizes yet"
    wait_for_signal(compare.shown_changed, trigger=lambda: read(compare, (SOURCE, (8, 6)), (OTHER, (8, 6))))
    (request,) = file_asks(asks)
    assert (request.reference, request.inputs) == (SOURCE, (OTHER,))
    assert set(request.measures) == {"ssim", "ms-ssim", "flip", "lpips"}
    assert all(ask.is_automatic for group in asks for ask in group)
    compare.results.begin_work("job", asks[0][0].keys)
    compare.results.end_work("job", is_failed=False)  # stopped by the person
    wait_for_signal(compare.shown_changed)
    assert len(file_asks(asks)) == 1
    compare.run()
    assert len(file_asks(asks)) == 2, "a wish is another matter"


def test_leafing_through_pictures_asks_for_one_pair_at_a_time(compare: Comparison, asks: list[tuple[Ask, ...]]) -> None:
    third = str(Path("/pictures/c.png").absolute())
    compare.add_files([SOURCE, OTHER, third])
    compare.inputs.choose(SOURCE)
    compare.inputs.set_pinned([OTHER])
    wait_for_signal(
        compare.shown_changed, trigger=lambda: read(compare, *((p, (8, 6)) for p in (SOURCE, OTHER, third)))
    )
    compare.results.begin_work("job", asks[0][0].keys)
    wait_for_signal(compare.shown_changed, trigger=lambda: compare.inputs.choose(third))
    assert len(file_asks(asks)) == 1
    wait_for_signal(compare.shown_changed, trigger=lambda: compare.results.end_work("job", is_failed=False))
    assert [(each.reference, each.inputs) for each in file_asks(asks)] == [(SOURCE, (OTHER,)), (third, (OTHER,))]


def test_what_was_measured_of_a_file_stands_in_the_table(compare: Comparison) -> None:
    compare.compare_files([SOURCE, OTHER])
    table = NumbersModel()
    table.set_shown(compare.all_shown())
    assert [row.candidate.title for row in table.rows] == ["b.png", "Scenes"]
    flip_map = f.ByteMap(1, 1, 2, b"\x00\xff")
    compare.results.put(f.FileKey(OTHER, SOURCE), f.FilePair(Figures(psnr_db=31.5, ssim=0.75), flip_map))
    table.set_shown(compare.all_shown())
    assert [table.index(0, column).data() for column in (0, 1, 2)] == ["b.png", "31.50", "0.750"]
    assert compare.all_shown()[1].flip_map == flip_map
    compare.inputs.choose(OTHER)
    compare.inputs.set_pinned([SOURCE])
    assert compare.all_shown()[1].figures is None, "against another file it is another figure"


def test_files_of_another_size_get_a_sentence_instead(compare: Comparison, asks: list[tuple[Ask, ...]]) -> None:
    compare.compare_files([SOURCE, OTHER])
    read(compare, (SOURCE, (8, 6)), (OTHER, (80, 60)))
    compare.run()
    assert not file_asks(asks)
    assert "80 × 60" in compare.all_shown()[1].words
    compare.results.put(f.FileKey(OTHER, SOURCE), f.FilePair(None, problem="Its frames are 4."))
    assert compare.all_shown()[1].words == "Its frames are 4."
