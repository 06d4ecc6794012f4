"""The page Compare with the real engine and the bundled model: nothing made up anywhere."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.models.compare.candidates import ShownState
from app.models.compare.findings import BitMapKey, CurveKey, LatentKey
from app.models.compare.view import ViewMode
from app.program import EngineSetup, Places, Program
from app.services.engine_client import EngineTimes
from app.shell import Shell
from tests.app.conftest import RunAsync, until
from ul_engine.assets import assets_dir

WORKER = (sys.executable, "-m", "ul_engine.worker", "--device", "cpu", "--threads", "1")
PATIENCE_S = 300.0


@pytest.mark.stress
def test_a_sample_picture_under_the_bundled_model(
    qapp: Any, tmp_path: Path, owned: Callable[[Any], Any], run_async: RunAsync
) -> None:
    """Ladder, bits, latent, spread, codecs and curves; PSNR falls along the ladder, and scrubbing shows every rung."""
    places = Places((assets_dir() / "models",), tmp_path / "outputs", tmp_path / "config" / "settings.json")
    program = owned(Program(places, EngineSetup(WORKER, EngineTimes(grace_s=3.0))))
    program.load()
    shell = owned(Shell(program, qapp, "dark"))
    owned(shell.window)
    page, compare = shell.window.compare_page, program.session.compare

    async def ended() -> None:
        await until(lambda: program.session.queue.view.is_idle and not compare.results.is_working, timeout_s=PATIENCE_S)

    async def story() -> None:
        shell.window.resize(1280, 720)
        shell.window.show()
        shell.window.show_page("compare")
        program.client.start()
        compare.form.update(preset="Preview", latent_levels=(2.0, -2.0), decoder_levels=(4.0,), num_decodes=2)
        compare.add_files([str(assets_dir() / "samples" / "scene-1.png")])
        page.run()
        await ended()
        compare.run_spread()
        compare.run_bench(("jpeg", "webp"))
        await ended()
        check_findings(shell)

    try:
        run_async(story())
    finally:
        run_async(shell.close())


def check_findings(shell: Shell) -> None:
    """What was found out makes sense, and every rung is shown."""
    page, compare = shell.window.compare_page, shell.program.session.compare
    model = compare.form.chosen[0]
    candidate = compare.candidates[1]
    shown = [compare.shown(candidate, rung) for rung in compare.rungs]
    assert [each.state for each in shown] == [ShownState.READY] * 3
    figures = [each.figures for each in shown if each.figures]
    psnr = [each.psnr_db or 0.0 for each in figures]
    assert psnr == sorted(psnr, reverse=True)
    assert psnr[0] > 22.0
    assert all(each.flip is not None and 0.0 < each.flip < 1.0 for each in figures)
    recipe = compare.form.recipe_of(model)
    assert compare.results.has(BitMapKey(compare.source, model.path, recipe.restorer, recipe.seed))
    assert compare.results.has(LatentKey(compare.source, model.path, recipe.seed))
    assert compare.results.has(CurveKey(compare.source, "webp"))
    spread = compare.spread_of(candidate)
    assert spread is not None
    assert spread.mean_psnr_db > psnr[0]
    assert shell.program.session.notices.notices == ()
    assert page.center is not None
    compare.view.update(mode=ViewMode.SIDE)
    seen = set()
    for place in range(len(compare.rungs)):
        page.scrub_to(place)
        image = page.center.stage.pair.side.image
        assert image is not None
        seen.add(image.cacheKey())
    assert len(seen) == 3
