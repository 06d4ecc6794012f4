"""Frames: every message goes there and back, and nothing else is taken for one."""

import io
import json
import struct
from typing import get_args

import pytest
from pydantic import ValidationError

from ul_engine import protocol as p
from ul_engine.protocol import frames
from ul_engine.requests import (
    CodecRequest,
    GenerateRequest,
    GridAxis,
    GridRequest,
    InterpolateRequest,
    MeasureRequest,
    ReconstructRequest,
    parse_request,
)

GENERATE = GenerateRequest(model="models/a", prompt="a red cube – größer", seed=2**62, num_images=3)
RECONSTRUCT = ReconstructRequest(model="models/a", inputs=("a.png", "b.png"), latent_logsnrs=(5.0, -1.5))
COMMANDS: list[p.Command] = [
    p.LoadModel(path="models/a"),
    p.RunJob(job_id="j1", request=GENERATE),
    p.RunJob(job_id="j2", request=RECONSTRUCT),
    p.RunJob(job_id="j3", request=InterpolateRequest(model="models/a", second_seed=7)),
    p.RunJob(
        job_id="j4",
        request=GridRequest(request=GENERATE, x=GridAxis(field="sampling.guidance.weight", values=(1, 2.5))),
    ),
    p.RunJob(job_id="j5", request=CodecRequest(inputs=("a.png",), bits_per_pixel=(0.25,), want_curve=True)),
    p.RunJob(job_id="j6", request=MeasureRequest(reference="a.png", inputs=("b.png",), want_flip_map=True)),
    p.CancelJob(job_id="j1"),
    p.Ping(),
    p.Shutdown(),
]
NEWS: list[p.News] = [
    p.EngineReady(pid=7, device="cpu", device_name="A CPU", num_threads=1, total_memory_bytes=2**40, startup_s=1.5),
    p.Pong(host_bytes=2**33, device_bytes=0),
    p.ModelLoading(path="models/a"),
    p.ModelLoaded(path="models/a", seconds=0.5, num_parameters=10**10),
    p.ModelFailed(path="models/a", message="is broken"),
    p.JobStarted(job_id="j1"),
    p.JobProgress(job_id="j1", phase="decoder", step=3, num_steps=8, first_index=0, batch_size=2, fraction=0.25),
    p.JobPreview(job_id="j1", first_index=0, shape=(2, 4, 4, 3)),
    p.ImageResult(job_id="j1", index=1, seed=2**62, shape=(1, 4, 4, 3), elapsed_s=0.1),
    p.ReconstructionResult(
        job_id="j2",
        input="a.png",
        latent_logsnr=5.0,
        psnr_db=22.5,
        ssim=0.9,
        psnr_db_per_frame=(22.0, float("inf")),
        flicker_per_frame=(1.5,),
        flicker_levels=1.5,
        bits_per_pixel=0.1,
        bits_per_dim=0.8,
        bits_per_pixel_prior=0.1,
        has_flip_map=True,
        shape=(2, 4, 4, 3),
    ),
    p.OriginalResult(
        job_id="j2", input="a.png", number=1, shape=(2, 4, 4, 3), fps=8.0, missing_measures={"lpips": "no weights"}
    ),
    p.SpreadResult(
        job_id="j2",
        input="a.png",
        latent_logsnr=5.0,
        decoder_logsnr=-2.0,
        num_decodes=8,
        mean_psnr_db=24.5,
        mean_deviation=3.5,
        shape=(1, 4, 4, 3),
    ),
    p.BitMapResult(
        job_id="j2", input="a.png", shape=(1, 2, 2), bands=((-10.0, 0.0, 3.5), (0.0, 5.0, 40.0)), bits_per_pixel=0.1
    ),
    p.LatentResult(
        job_id="j2",
        input="a.png",
        shape=(2, 1, 2, 2),
        cell_px=8,
        cell_frames=1,
        channel_means=(0.0, 0.1),
        channel_stds=(1.0, 1.1),
        principal_shares=(0.75, 0.25),
        latent_std=1.2,
        alpha_0=0.99,
        sigma_0=0.08,
    ),
    p.CodecMissing(job_id="j5", codec="jpegxl", label="JPEG XL", reason="needs a package"),
    p.CodecResult(
        job_id="j5",
        input="a.png",
        codec="jpeg",
        label="JPEG",
        asked_bits_per_pixel=0.25,
        bits_per_pixel=0.75,
        num_bytes=384,
        quality=1,
        setting="quality 1",
        is_floor=True,
        psnr_db=20.0,
        ms_ssim=0.9,
        ms_ssim_scales=3,
        flip=0.25,
        shape=(1, 64, 64, 3),
    ),
    p.FileFigures(
        job_id="j6",
        input="b.png",
        reference="a.png",
        psnr_db=float("inf"),
        ssim=1.0,
        missing_measures={"lpips": "no weights"},
        has_flip_map=True,
        shape=(1, 4, 4),
    ),
    p.FileUnlike(job_id="j6", input="c.png", reference="a.png", number=1, reason="it is smaller"),
    p.CodecCurveResult(
        job_id="j5",
        input="a.png",
        codec="webp",
        label="WebP",
        points=(p.CodecPoint(bits_per_pixel=0.5, num_bytes=256, quality=0, setting="quality 0", psnr_db=21.0),),
    ),
    p.CancelNoted(job_id="j1"),
    p.JobFinished(job_id="j1", elapsed_s=2.0),
    p.JobCancelled(job_id="j1"),
    p.JobFailed(job_id="j1", kind="CheckpointError", message="is broken", details="Traceback"),
]
PAYLOADS = [b"", b"\x00", bytes(range(256)) * 40, b"ULP1" * 3]


def by_name(message: p.Message) -> str:
    return type(message).__name__


def test_the_lists_are_complete() -> None:
    assert {type(message) for message in COMMANDS} == set(get_args(p.Command))
    assert {type(message) for message in NEWS} == set(get_args(p.News))


@pytest.mark.parametrize(
    "message", [*COMMANDS, *NEWS], ids=[f"{i}-{by_name(m)}" for i, m in enumerate([*COMMANDS, *NEWS])]
)
@pytest.mark.parametrize("payload", PAYLOADS, ids=["empty", "one", "long", "magic"])
def test_there_and_back(message: p.Message, payload: bytes) -> None:
    frame = p.read_frame(io.BytesIO(p.encode_frame(message, payload)))
    assert frame is not None
    decode = p.decode_command if message in COMMANDS else p.decode_news
    assert decode(frame[0]) == message
    assert frame[1] == payload


def test_frames_follow_one_another() -> None:
    stream = io.BytesIO(b"".join(p.encode_frame(message, b"x" * i) for i, message in enumerate(NEWS)))
    for index, message in enumerate(NEWS):
        frame = p.read_frame(stream)
        assert frame is not None
        assert p.decode_news(frame[0]) == message
        assert len(frame[1]) == index
    assert p.read_frame(stream) is None


def test_payload_may_be_a_view() -> None:
    data = bytearray(b"abcdef")
    frame = p.read_frame(io.BytesIO(p.encode_frame(NEWS[7], memoryview(data)[1:4])))
    assert frame is not None
    assert frame[1] == b"bcd"


def test_a_stream_cut_anywhere_is_noticed() -> None:
    whole = p.encode_frame(NEWS[6], b"pixels")
    assert p.read_frame(io.BytesIO(b"")) is None
    for length in range(1, len(whole)):
        with pytest.raises(p.ProtocolError, match="ended inside"):
            p.read_frame(io.BytesIO(whole[:length]))


# Once: the window took the frame for a broken stream, and the whole worker with it.
def test_more_bytes_than_a_reader_takes_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_PAYLOAD_BYTES", 2**20)
    assert p.decode_header(p.encode_frame(NEWS[8], bytes(2**20))[: p.HEADER.size])[1] == 2**20
    with pytest.raises(p.ProtocolError, match="fewer frames or a smaller size"):
        p.encode_frame(NEWS[8], bytes(2**20 + 1))


@pytest.mark.parametrize(
    "header",
    [
        b"PLU1" + struct.pack("<II", 2, 0),
        b"Traceback (m",
        b"ULP1" + struct.pack("<II", 2**25, 0),
        b"ULP1" + struct.pack("<II", 2, 2**31),
        b"\x00" * 12,
    ],
)
def test_headers_that_are_none(header: bytes) -> None:
    with pytest.raises(p.ProtocolError):
        p.decode_header(header)
    with pytest.raises(p.ProtocolError):
        p.read_frame(io.BytesIO(header + b"x" * 100))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"{}",
        b"[]",
        b'{"type": "unheard_of"}',
        b'{"type": "cancel_job"}',
        b'{"type": "run_job", "job_id": "a", "request": {"kind": "generate"}}',
        b'{"type": "run_job", "job_id": "a", "request": {"kind": "generate", "model": "m", "num_images": 0}}',
        b'{"type": "run_job", "job_id": "a", "request": {"kind": "generate", "model": "m", "surprise": 1}}',
        b"[" * 10_000,
    ],
)
def test_text_that_is_no_message(text: bytes) -> None:
    for decode in (p.decode_command, p.decode_news):
        with pytest.raises(p.ProtocolError, match="malformed"):
            decode(text)


def test_commands_are_no_news_and_news_no_commands() -> None:
    for message in COMMANDS:
        with pytest.raises(p.ProtocolError):
            p.decode_news(message.model_dump_json().encode())
    for message in NEWS:
        with pytest.raises(p.ProtocolError):
            p.decode_command(message.model_dump_json().encode())


def test_fields_of_later_versions_are_passed_over() -> None:
    data = json.loads(NEWS[0].model_dump_json()) | {"later": True}
    assert p.decode_news(json.dumps(data).encode()) == NEWS[0]


# Once: pydantic writes what is not finite as null, and null is no number on the other side. Equal pictures have
# an infinite PSNR, and pictures under 11 pixels no SSIM (`jobs.reconstructions` sends NaN).
@pytest.mark.parametrize("change", [{"psnr_db": float("inf")}, {"ssim": float("nan")}])
def test_figures_that_are_not_finite_go_there_and_back(change: dict[str, float]) -> None:
    message = NEWS[9].model_copy(update=change)
    frame = p.read_frame(io.BytesIO(p.encode_frame(message)))
    assert frame is not None
    back = p.decode_news(frame[0])
    assert isinstance(back, p.ReconstructionResult)
    assert back.bits_per_pixel == 0.1


# Once: a level that is not finite is accepted, and becomes a command that the worker cannot read.
@pytest.mark.parametrize("level", [float("nan"), float("inf")])
def test_levels_of_a_request_must_be_finite(level: float) -> None:
    with pytest.raises(ValidationError):
        ReconstructRequest(model="m", inputs=("a.png",), latent_logsnrs=(level,))


def test_requests_from_plain_data() -> None:
    for request in (GENERATE, RECONSTRUCT):
        assert parse_request(json.loads(request.model_dump_json())) == request


def test_seeds_of_a_request() -> None:
    assert [GENERATE.seed_of(i) for i in range(3)] == [2**62, 2**62 + 1, 2**62 + 2]
    single = GENERATE.for_single(2)
    assert single.num_images == 1
    assert single.seed_of(0) == GENERATE.seed_of(2)
    assert single.prompt == GENERATE.prompt
