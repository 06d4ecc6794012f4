"""What was made of an input is kept for the next request: other rungs and measures cost only what is new."""

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.desk import Counted, Desk
from tests.helpers.tiny import simple_pictures, text_conditioning, tiny_config
from ul_engine import protocol as p
from ul_engine.comparison import Shelf, StudyMemory
from ul_engine.data.image_files import write_picture
from ul_engine.errors import DataError
from ul_engine.jobs import Workbench
from ul_engine.requests import ReconstructRequest, SamplerSettings

from .test_reconstruct_ladders import request_of


@pytest.fixture
def desk() -> Desk:
    return Desk(tiny_config(conditioning=text_conditioning()), workbench=Workbench())


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_picture(tmp_path / "a.png", simple_pictures(1, size_px=32)[0])
    return tmp_path / "a.png"


def evaluations(desk: Desk, request: ReconstructRequest) -> tuple[int, int, int, int]:
    """Evaluations of encoder, prior, base model and decoder that a request costs."""
    model = desk.pipeline.model
    with (
        Counted(model.encoder.patchify if model.encoder is not None else None) as encoder,
        Counted(model.prior) as prior,
        Counted(model.base) as base,
        Counted(model.decoder) as decoder,
    ):
        desk.run(request)
    return len(encoder), len(prior), len(base), len(decoder)


def test_the_same_request_again_computes_nothing(desk: Desk, picture: Path) -> None:
    request = request_of(picture, latent_logsnrs=(5.0, 0.0), decoder_logsnrs=(-2.0,), num_decodes=2, want_latent=True)
    assert min(evaluations(desk, request)[:2]) > 0
    first = [(news, payload) for news, payload in desk.sent if not isinstance(news, p.JobProgress)]
    assert evaluations(desk, request) == (0, 0, 0, 0)
    assert desk.sent == first


def test_another_rung_costs_that_rung_alone(desk: Desk, picture: Path) -> None:
    evaluations(desk, request_of(picture, latent_logsnrs=(5.0, 0.0)))
    wanted = request_of(picture, latent_logsnrs=(5.0, 0.0), decoder_logsnrs=(-2.0,))
    assert evaluations(desk, wanted) == (0, 0, 0, 3)
    assert len(desk.news(p.ReconstructionResult)) == 3


def test_other_measures_and_more_draws_cost_no_decode(desk: Desk, picture: Path) -> None:
    evaluations(desk, request_of(picture))
    (plain,) = desk.news(p.ReconstructionResult)
    more = request_of(picture, measures=("ms-ssim", "flip"), bitrate_draws=3, bits_under="both")
    assert evaluations(desk, more) == (0, 2 * 4, 3 * 4, 0)
    (full,) = desk.news(p.ReconstructionResult)
    assert isinstance(plain, p.ReconstructionResult)
    assert isinstance(full, p.ReconstructionResult)
    assert (plain.flip, plain.ms_ssim) == (None, None)
    assert full.flip is not None
    assert full.ms_ssim is not None
    assert (full.psnr_db, full.ssim) == (plain.psnr_db, plain.ssim)


@pytest.mark.parametrize("change", [{"seed": 1}, {"restorer": "base"}, {"bitrate_times": 5}, {"sampling": None}])
def test_what_a_result_depends_on_is_never_mixed_up(desk: Desk, picture: Path, change: dict[str, object]) -> None:
    request = request_of(picture, latent_logsnrs=(5.0, 0.0))
    evaluations(desk, request)
    if "sampling" in change:
        change = {"sampling": request.sampling.model_copy(update={"decoder": SamplerSettings(num_steps=5)})}
    changed = request.model_copy(update=change)
    assert sum(evaluations(desk, changed)) > 0
    alone = Desk(tiny_config(conditioning=text_conditioning()))
    alone.run(changed)
    assert [sent[0] for sent in alone.sent][-1] == desk.sent[-1][0]
    assert alone.sent[-1][1] == desk.sent[-1][1]


def test_a_file_that_changed_is_read_again(desk: Desk, picture: Path) -> None:
    evaluations(desk, request_of(picture))
    write_picture(picture, simple_pictures(2, size_px=32)[1])
    assert evaluations(desk, request_of(picture))[0] == 1
    ((_, payload),) = [sent for sent in desk.sent if isinstance(sent[0], p.OriginalResult)]
    assert payload == simple_pictures(2, size_px=32)[1].tobytes()


def test_another_model_is_another_study(picture: Path) -> None:
    shared = Workbench()
    first = Desk(tiny_config(conditioning=text_conditioning()), workbench=shared)
    second = Desk(tiny_config(), workbench=shared)
    assert sum(evaluations(first, request_of(picture))) > 0
    assert sum(evaluations(second, request_of(picture))) > 0
    assert evaluations(first, request_of(picture)) == (0, 0, 0, 0)


# ---- how much is kept -----------------------------------------------------------------------------------------------


def memory(num_bytes: int) -> StudyMemory:
    return StudyMemory(original=np.zeros((1, num_bytes, 1, 1), np.uint8))


def test_the_study_used_longest_ago_goes_first() -> None:
    shelf = Shelf(max_entries=2)
    first, second = (shelf.take(key, lambda: memory(10)) for key in "ab")
    assert shelf.take("a", lambda: memory(10)) is first
    shelf.take("c", lambda: memory(10))
    assert shelf.take("a", lambda: memory(10)) is first
    assert shelf.take("b", lambda: memory(10)) is not second


def test_large_studies_leave_room_for_few() -> None:
    shelf = Shelf(max_bytes=100)
    first = shelf.take("a", lambda: memory(60))
    second = shelf.take("b", lambda: memory(60))
    assert shelf.take("b", lambda: memory(60)) is second
    assert shelf.take("a", lambda: memory(60)) is not first
    alone = shelf.take("c", lambda: memory(1000))
    assert shelf.take("c", lambda: memory(1000)) is alone
    shelf.clear()
    assert shelf.take("c", lambda: memory(1000)) is not alone


def test_an_input_that_cannot_be_read_is_not_kept() -> None:
    def fail() -> StudyMemory:
        raise DataError("is broken", path="a.png")

    shelf = Shelf()
    with pytest.raises(DataError):
        shelf.take("a", fail)
    assert isinstance(shelf.take("a", lambda: memory(1)), StudyMemory)
