"""What the base model is told, decided from what the data says of its samples."""

from collections import Counter

from tokenizers import normalizers, pre_tokenizers

from trainer.config import RunConfig
from trainer.data.samples import SampleSource
from ul_engine.config import ConditioningConfig, ModelConfig, TextConfig
from ul_engine.errors import ConfigError

MOST_WORDS = 30_000
MOST_TOKENS = 77
SAMPLED_CAPTIONS = 200_000


def settled_condition(config: RunConfig, source: SampleSource) -> RunConfig:
    """`config` with `condition_on` carried out: `model.conditioning` then says it all.

    Raises ConfigError where the model wants classes or captions that the data does not have.
    """
    if config.condition_on == "model":
        _require_fitting(config.model.conditioning, source)
        return config
    conditioning = ConditioningConfig()
    if config.condition_on == "auto" and source.has_captions:
        conditioning = ConditioningConfig(kind="text", text=text_config(source, config.model))
    elif config.condition_on == "auto" and source.class_names:
        conditioning = ConditioningConfig(kind="class", num_classes=len(source.class_names))
    model = config.model.model_copy(update={"conditioning": conditioning})
    return config.model_copy(update={"model": model, "condition_on": "model"})


def _require_fitting(conditioning: ConditioningConfig, source: SampleSource) -> None:
    if conditioning.kind == "class" and len(source.class_names) > conditioning.num_classes:
        raise ConfigError(
            f"is {conditioning.num_classes}, but the data has {len(source.class_names)} classes; set "
            "condition_on=auto, or give the model as many",
            field="model.conditioning.num_classes",
        )
    if conditioning.kind == "class" and not source.class_names:
        raise ConfigError(
            "is class, but the data has no classes (folders name them); set condition_on=auto",
            field="model.conditioning.kind",
        )
    if conditioning.kind == "text" and not source.has_captions:
        raise ConfigError(
            "is text, but the data has no captions; set condition_on=auto", field="model.conditioning.kind"
        )


def text_config(source: SampleSource, model: ModelConfig) -> TextConfig:
    """A text encoder for the captions of `source`: their words, most frequent first, and room for the longest.

    Words are what the tokenizer makes of a caption: lower case, punctuation by itself.
    """
    words: Counter[str] = Counter()
    longest = 0
    for index in range(min(len(source), SAMPLED_CAPTIONS)):
        found = caption_words(source.caption(index))
        words.update(found)
        longest = max(longest, len(found))
    if not words:
        raise ConfigError("every caption is empty; set condition_on=none", field="condition_on")
    width = min(768, max(128, model.base.widths[0] // 64 * 64))
    return TextConfig(
        vocabulary=tuple(word for word, _ in words.most_common(MOST_WORDS)),
        max_tokens=max(4, min(MOST_TOKENS, longest)),
        width=width,
        num_blocks=1 if width < 256 else 4,
        head_channels=32,
    )


def caption_words(caption: str) -> list[str]:
    """The words of a caption as the word tokenizer splits it."""
    text = normalizers.Lowercase().normalize_str(caption)
    return [word for word, _ in pre_tokenizers.Whitespace().pre_tokenize_str(text)]
