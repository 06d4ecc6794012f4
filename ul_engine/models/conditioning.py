"""What the base model is told: nothing, a class or a text, and the frames it continues from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordLevel
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.config import ConditioningConfig, TextConfig
from ul_engine.errors import ConfigError
from ul_engine.nn.attention import Context
from ul_engine.nn.blocks import TransformerBlock
from ul_engine.nn.norm import token_norm

PAD, NULL, UNKNOWN = 0, 1, 2
SPECIAL_WORDS = ("<pad>", "<null>", "<unknown>")


@dataclass(frozen=True)
class Encoding:
    """What the conditioner makes of a condition: context tokens and an embedding [B, E], where the model has them."""

    context: Context | None
    pooled: Tensor | None


@dataclass(frozen=True)
class Condition:
    """Condition of a batch as token or class indices [B, L] (class: L = 1; neither: L = 0), int64; PAD marks unused
    places of a text.

    `frames` [B, C, Tc, h, w] is z_0 of the frames before, encoded alone; None: nothing is continued. `has_frames` [B]
    is False for samples that are not to see theirs; None: all see them. `encoding` is the conditioner's output if it is
    known already (`Conditioner.encoded`); None: it is computed at every evaluation.
    """

    indices: Tensor
    frames: Tensor | None = None
    has_frames: Tensor | None = None
    encoding: Encoding | None = None

    def to(self, device: torch.device | str) -> "Condition":
        """The same on another device, without its encoding."""
        return Condition(*(part.to(device) if part is not None else None for part in _parts(self)))  # type: ignore[arg-type]

    def rows(self, start: int, stop: int) -> "Condition":
        """The samples `start` to `stop` alone, without their encoding."""
        return Condition(*(part[start:stop] if part is not None else None for part in _parts(self)))  # type: ignore[arg-type]


def _parts(condition: Condition) -> tuple[Tensor | None, ...]:
    return condition.indices, condition.frames, condition.has_frames


def joined_conditions(first: Condition, second: Condition) -> Condition:
    """Both batches, of one size, in one, without encodings. The shorter texts are padded; samples that continue nothing
    beside others that do are given frames they must not see."""
    length = max(first.indices.shape[1], second.indices.shape[1])
    indices = torch.cat(
        [F.pad(part.indices, (0, length - part.indices.shape[1]), value=PAD) for part in (first, second)]
    )
    like = first.frames if first.frames is not None else second.frames
    if like is None:
        return Condition(indices)
    unseen = like.new_zeros(like.shape)
    frames = torch.cat([part.frames if part.frames is not None else unseen for part in (first, second)])
    return Condition(indices, frames, torch.cat([_sees_frames(part) for part in (first, second)]))


def _sees_frames(condition: Condition) -> Tensor:
    """[B], bool."""
    if condition.frames is not None and condition.has_frames is not None:
        return condition.has_frames
    shape, device = condition.indices.shape[:1], condition.indices.device
    return torch.full(shape, condition.frames is not None, dtype=torch.bool, device=device)


class WordTokenizer:
    """Splits a prompt into the model's words; case and spacing do not matter."""

    def __init__(self, config: TextConfig) -> None:
        words = {word: index for index, word in enumerate((*SPECIAL_WORDS, *config.vocabulary))}
        self.max_tokens = config.max_tokens
        self._tokenizer = Tokenizer(WordLevel(words, unk_token=SPECIAL_WORDS[UNKNOWN]))
        self._tokenizer.normalizer = normalizers.Lowercase()
        self._tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()

    def encode(self, prompt: str) -> list[int]:
        """Token ids, at most `max_tokens`; an empty prompt is the null token."""
        ids: list[int] = self._tokenizer.encode(prompt, add_special_tokens=False).ids
        return ids[: self.max_tokens] or [NULL]

    def unknown_words(self, prompt: str) -> list[str]:
        """Words of `prompt` that the model was never shown, in order."""
        encoding = self._tokenizer.encode(prompt, add_special_tokens=False)
        return [
            prompt[start:end]
            for index, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)
            if index == UNKNOWN
        ]

    def encode_batch(self, prompts: Sequence[str]) -> Tensor:
        """`[B, max_tokens]` int64, padded with PAD."""
        rows = torch.full((len(prompts), self.max_tokens), PAD, dtype=torch.int64)
        for row, prompt in zip(rows, prompts, strict=True):
            ids = self.encode(prompt)
            row[: len(ids)] = torch.tensor(ids)
        return rows


class TextEncoder(nn.Module):
    """Token ids [B, L] to context tokens and a pooled vector; trained together with the base model."""

    def __init__(self, config: TextConfig, embedding_width: int) -> None:
        super().__init__()
        self.words = nn.Embedding(len(SPECIAL_WORDS) + len(config.vocabulary), config.width)
        self.positions = nn.Parameter(torch.randn(config.max_tokens, config.width) * 0.02)
        self.blocks = nn.ModuleList(
            TransformerBlock(config.width, config.head_channels, is_modulated=False) for _ in range(config.num_blocks)
        )
        self.pool = nn.Linear(config.width, embedding_width)
        nn.init.normal_(self.words.weight, std=0.5)

    def forward(self, indices: Tensor) -> tuple[Context, Tensor]:
        """`[B, L]` -> context tokens [B, L, D] with their mask, pooled [B, E]. Padding influences nothing."""
        mask = indices != PAD
        tokens = self.words(indices) + self.positions[: indices.shape[1]]
        for block in self.blocks:
            tokens = block(tokens, None, None, None, mask)
        tokens = token_norm(tokens) * mask[..., None]
        pooled = tokens.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return Context(tokens, mask), self.pool(pooled)


class Conditioner(nn.Module):
    """Turns a `Condition` into an embedding [B, E] and, for text, context tokens."""

    def __init__(self, config: ConditioningConfig, embedding_width: int) -> None:
        super().__init__()
        self.kind = config.kind
        self.classes = nn.Embedding(config.num_classes + 1, embedding_width) if config.kind == "class" else None
        self.text = TextEncoder(config.text, embedding_width) if config.text is not None else None
        self.null_class = config.num_classes

    @property
    def context_width(self) -> int | None:
        """Channels of the context tokens; None without text."""
        return self.text.words.embedding_dim if self.text is not None else None

    def forward(self, condition: Condition | None) -> tuple[Context | None, Tensor | None]:
        """Context and embedding; (None, None) for an unconditional model."""
        if self.kind == "none":
            return None, None
        if condition is None:
            raise ConfigError(f"this model needs a {self.kind} condition", field="conditioning")
        if condition.encoding is not None:
            return condition.encoding.context, condition.encoding.pooled
        if self.classes is not None:
            return None, self.classes(condition.indices[:, 0])
        assert self.text is not None
        return self.text(condition.indices)  # type: ignore[no-any-return]

    def encoded(self, condition: Condition) -> Condition:
        """`condition` with its encoding, computed here once for all evaluations of a sampling loop; to be called under
        their autocast."""
        return replace(condition, encoding=Encoding(*self(condition)))

    def null(self, batch: int, num_tokens: int = 1) -> Condition | None:
        """The condition that says nothing: what guidance contrasts with."""
        if self.kind == "none":
            return None
        if self.kind == "class":
            return Condition(torch.full((batch, 1), self.null_class, dtype=torch.int64))
        indices = torch.full((batch, num_tokens), PAD, dtype=torch.int64)
        indices[:, 0] = NULL
        return Condition(indices)


def drop_condition(
    condition: Condition, null: Condition, is_dropped: Tensor, *, are_frames_dropped: Tensor | None = None
) -> Condition:
    """`condition` with the rows where `is_dropped` [B] replaced by the null condition.

    `are_frames_dropped` [B] says which samples lose the frames they continue from; None: none do.
    """
    has_frames = condition.has_frames
    if are_frames_dropped is not None:
        has_frames = ~are_frames_dropped if has_frames is None else has_frames & ~are_frames_dropped
    indices = torch.where(is_dropped[:, None], null.indices, condition.indices)
    return Condition(indices, condition.frames, has_frames)
