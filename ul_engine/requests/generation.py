"""Requests that make something new: pictures, clips, ways between two of them, grids over two settings. No torch."""

from functools import lru_cache
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ul_engine.requests.settings import FrozenModel, SamplingSettings, TilingSettings

MAX_SEED = 2**63 - 1
MAX_GRID_CELLS = 1024
_PARTNERS = {"strength": "init_image", "mask_image": "init_image", "variation_strength": "variation_seed"}
_FILE_FIELDS = frozenset(("init_image", "mask_image", "continue_from"))


class GenerateRequest(FrozenModel):
    """Make `num_images` pictures or clips; number i uses seed + i, so that each can be made again alone."""

    kind: Literal["generate"] = "generate"
    model: str = Field(description="Folder of the model.")
    prompt: str = Field("", max_length=2000, description="Text for a text-conditioned model; empty means no condition.")
    class_label: int | None = Field(
        None, ge=0, description="Class index for a class-conditioned model; None: no condition."
    )
    num_images: int = Field(4, ge=1, le=256, description="Pictures or clips to make, 1 to 256.")
    seed: int = Field(0, ge=0, le=MAX_SEED - 256, description="Seed of the first picture.")
    width_px: int | None = Field(None, ge=16, le=4096, description="None: the size the model was trained at.")
    height_px: int | None = Field(None, ge=16, le=4096, description="None: the size the model was trained at.")
    num_frames: int | None = Field(
        None, ge=1, le=4096, description="New frames of a clip, by a model of clips; None: its own length."
    )
    continue_from: str | None = Field(None, description="Video file whose last frames the clip continues from.")
    init_image: str | None = Field(None, description="Picture file to start from instead of pure noise.")
    strength: float = Field(
        0.6, gt=0.0, le=1.0, description="How much of a start picture is made anew: 1 forgets it, near 0 keeps it."
    )
    mask_image: str | None = Field(
        None,
        description="Picture file, as large as the start picture: white is made anew, black is kept, grey is mixed.",
    )
    variation_seed: int | None = Field(
        None, ge=0, le=MAX_SEED - 256, description="Seed that the noise is turned towards; None: no variation."
    )
    variation_strength: float = Field(
        0.1, ge=0.0, le=1.0, description="How far towards the variation seed: 0 not at all, 1 all the way."
    )
    sampling: SamplingSettings = Field(default_factory=lambda: SamplingSettings())
    tiling: TilingSettings = Field(default_factory=lambda: TilingSettings())
    batch_size: int = Field(8, ge=1, le=64, description="Pictures denoised together; changes memory, never the result.")
    preview: bool = Field(True, description="Send pictures of the clean estimate while working.")

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if self.continue_from is not None and self.init_image is not None:
            raise ValueError("continue_from and init_image exclude each other")
        if self.mask_image is not None and self.init_image is None:
            raise ValueError("a mask needs the start picture (init_image) that it keeps parts of")
        return self

    def seed_of(self, index: int) -> int:
        """Seed of picture `index` (0 to num_images - 1)."""
        return self.seed + index

    def for_single(self, index: int) -> "GenerateRequest":
        """The request that makes picture `index` alone: its variation seed goes along."""
        second = None if self.variation_seed is None else self.variation_seed + index
        return self.model_copy(update={"seed": self.seed_of(index), "variation_seed": second, "num_images": 1})


class InterpolateRequest(FrozenModel):
    """The way from one picture to another in `num_steps` pictures, both ends included."""

    kind: Literal["interpolate"] = "interpolate"
    model: str = Field(description="Folder of the model.")
    between: Literal["seeds", "prompts", "pictures"] = Field(
        "seeds", description="What changes on the way; the rest stays."
    )
    num_steps: int = Field(9, ge=2, le=512, description="Pictures on the way, both ends included.")
    prompt: str = Field("", max_length=2000, description="Text at the start (and at the end, unless prompts change).")
    second_prompt: str = Field("", max_length=2000, description="Text at the end, where prompts change.")
    class_label: int | None = Field(None, ge=0, description="Class all the way, where seeds change.")
    seed: int = Field(0, ge=0, le=MAX_SEED - 256, description="Seed at the start.")
    second_seed: int = Field(1, ge=0, le=MAX_SEED - 256, description="Seed at the end, where seeds change.")
    pictures: tuple[str, str] | None = Field(None, description="Files at both ends, where pictures change.")
    restore_logsnr: float | None = Field(
        None,
        ge=-20.0,
        le=20.0,
        description="Between pictures: noise each mixture to this log-SNR and let the base model bring it back; "
        "None: decode the mixture itself.",
    )
    width_px: int | None = Field(None, ge=16, le=4096, description="None: the size the model was trained at.")
    height_px: int | None = Field(None, ge=16, le=4096, description="None: the size the model was trained at.")
    sampling: SamplingSettings = Field(default_factory=lambda: SamplingSettings())
    tiling: TilingSettings = Field(default_factory=lambda: TilingSettings())
    batch_size: int = Field(8, ge=1, le=64, description="Pictures denoised together; changes memory, never the result.")
    preview: bool = Field(True, description="Send pictures of the clean estimate while working.")

    @model_validator(mode="after")
    def _has_ends(self) -> Self:
        if self.between == "pictures" and self.pictures is None:
            raise ValueError("between pictures needs the two files")
        if self.between == "prompts" and self.prompt.strip() == self.second_prompt.strip():
            raise ValueError("both prompts are the same; write another one for the end")
        if self.between == "seeds" and self.seed == self.second_seed:
            raise ValueError("both seeds are the same; take another one for the end")
        return self

    @model_validator(mode="after")
    def _asks_nothing_in_vain(self) -> Self:
        if self.between != "prompts" and self.second_prompt.strip():
            raise ValueError("a prompt for the end counts only between prompts")
        if self.between == "pictures" and self.prompt.strip():
            raise ValueError("between pictures no prompt counts; leave it out")
        if self.between != "seeds" and self.class_label is not None:
            raise ValueError("a class counts only between seeds")
        if self.between != "pictures" and (self.pictures is not None or self.restore_logsnr is not None):
            raise ValueError("pictures and restore_logsnr count only between pictures")
        return self

    def share_of(self, index: int) -> float:
        """How far picture `index` is on the way: 0 at the start, 1 at the end."""
        return index / (self.num_steps - 1)

    def generation_of(self, index: int) -> GenerateRequest | None:
        """The generation that makes picture `index` alone, which there is between seeds: the variation of one seed
        towards the other."""
        if self.between != "seeds":
            return None
        return GenerateRequest(
            model=self.model,
            prompt=self.prompt,
            class_label=self.class_label,
            num_images=1,
            seed=self.seed,
            variation_seed=self.second_seed,
            variation_strength=self.share_of(index),
            width_px=self.width_px,
            height_px=self.height_px,
            sampling=self.sampling,
            tiling=self.tiling,
        )


class GridAxis(FrozenModel):
    """One setting of a `GenerateRequest` by its dotted name, and the values it takes."""

    field: str = Field(description="Such as seed or sampling.guidance.weight.")
    values: tuple[str | int | float | None, ...] = Field(min_length=1, max_length=256)

    def label(self, index: int) -> str:
        """What to write beside the row or column: a prompt by itself, of a file its name without the folders."""
        if self.field == "prompt":
            return str(self.values[index]) or "no prompt"
        name = self.field.removeprefix("sampling.").replace(".", " ").replace("_", " ")
        value = self.values[index]
        if isinstance(value, str) and self.field in _FILE_FIELDS:
            value = value.replace("\\", "/").rpartition("/")[2]
        return f"{name} {value:g}" if isinstance(value, float) else f"{name} {'none' if value in (None, '') else value}"


class GridRequest(FrozenModel):
    """A picture for every pair of values of two settings: columns by `x`, rows by `y`."""

    kind: Literal["grid"] = "grid"
    request: GenerateRequest = Field(description="What all cells share; one picture is made per cell.")
    x: GridAxis
    y: GridAxis | None = Field(None, description="None: a single row.")

    @property
    def model(self) -> str:
        """Folder of the model."""
        return self.request.model

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns)."""
        return (len(self.y.values) if self.y is not None else 1), len(self.x.values)

    @model_validator(mode="after")
    def _cells_are_legal(self) -> Self:
        rows, columns = self.size
        if rows * columns > MAX_GRID_CELLS:
            raise ValueError(f"{rows} x {columns} cells are more than {MAX_GRID_CELLS}")
        if self.y is not None and self.y.field == self.x.field:
            raise ValueError("both axes change the same setting")
        cells = self.cells()
        for axis in (self.x, self.y):
            partner = _PARTNERS.get(axis.field) if axis is not None else None
            if axis is not None and partner and all(getattr(cell, partner) is None for cell in cells):
                raise ValueError(f"{axis.field} changes nothing without {partner}")
        return self

    def cells(self) -> tuple[GenerateRequest, ...]:
        """One request per cell, row by row. Raises ValueError for a setting there is none of, or a value it may not
        have."""
        single = self.request.model_copy(update={"num_images": 1})
        rows = [single] if self.y is None else [_with(single, self.y.field, value) for value in self.y.values]
        return tuple(_with(row, self.x.field, value) for row in rows for value in self.x.values)


@lru_cache(maxsize=2 * MAX_GRID_CELLS, typed=True)
def _with(request: GenerateRequest, field: str, value: Any) -> GenerateRequest:
    """`request` with one setting changed, validated again; kept, for who edits an axis changes few cells of many."""
    if field in {"model", "num_images", "kind"}:
        raise ValueError(f"{field} cannot be an axis of a grid")
    data = request.model_dump()
    *parents, leaf = field.split(".")
    section: Any = data
    for parent in parents:
        section = section.get(parent) if isinstance(section, dict) else None
    if not isinstance(section, dict) or leaf not in section or isinstance(section[leaf], dict):
        raise ValueError(f"{field!r} is no setting of a generation")
    section[leaf] = value
    try:
        return GenerateRequest.model_validate(data)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"{field} cannot be {value!r}: {reason}") from error
