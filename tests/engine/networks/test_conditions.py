"""Conditions: the base model follows them, padding is silent, unknown words are found, the null one says nothing."""

import pytest
import torch

from tests.helpers.tiny import WORDS, class_conditioning, randomised, text_conditioning, tiny_config
from ul_engine.config import TextConfig
from ul_engine.errors import ConfigError
from ul_engine.models.conditioning import NULL, PAD, UNKNOWN, Condition, WordTokenizer, drop_condition
from ul_engine.models.unified import UnifiedLatents
from ul_engine.models.vit import BaseModel

TEXT = tiny_config(conditioning=text_conditioning())
LEVELS = torch.tensor([0.5, 0.5])


def tokenizer(**changes: object) -> WordTokenizer:
    text = text_conditioning(**changes).text
    assert text is not None
    return WordTokenizer(text)


@pytest.fixture(scope="module")
def model() -> UnifiedLatents:
    return randomised(UnifiedLatents(TEXT, networks=frozenset(("base",))), gain=1.0).eval()


def answer(model: UnifiedLatents, prompts: list[str]) -> torch.Tensor:
    z = torch.randn(1, 4, 1, 4, 4, generator=torch.Generator().manual_seed(0)).expand(len(prompts), -1, -1, -1, -1)
    with torch.no_grad():
        return model.base(z, torch.full((len(prompts),), 0.5), model.condition_from_prompts(prompts))


def test_words_order_and_null_all_matter(model: UnifiedLatents) -> None:
    answers = answer(model, ["red cube", "green cube", "cube red", "red", ""])
    for first in range(5):
        for second in range(first):
            assert float((answers[first] - answers[second]).abs().max()) > 1e-4


def test_case_and_spacing_do_not_matter(model: UnifiedLatents) -> None:
    first, second = answer(model, ["a red cube", "  A  Red\tCUBE "])
    assert torch.equal(first, second)


@pytest.mark.parametrize("with_gradients", [True, False])
def test_padding_influences_nothing(model: UnifiedLatents, with_gradients: bool) -> None:
    """A short prompt alone without padding and beside a long one padded: the same answer."""
    z = torch.randn(1, 4, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    padded = model.tokenizer.encode_batch(["red cube"])
    with torch.set_grad_enabled(with_gradients):
        whole = model.base(z, LEVELS[:1], Condition(padded))
        for length in (2, 3, 5):
            shorter = model.base(z, LEVELS[:1], Condition(padded[:, :length]))
            torch.testing.assert_close(shorter, whole, atol=1e-5, rtol=1e-4)
    with torch.no_grad():
        context, pooled = model.base.conditioner(Condition(padded))
        assert context.mask.tolist() == [[True, True, False, False, False, False]]
        assert float(context.tokens[0, 2:].abs().max()) == 0.0
        moved = model.base.conditioner.text.words.weight[PAD].clone()
        model.base.conditioner.text.words.weight[PAD] += 5.0
        assert torch.equal(model.base.conditioner(Condition(padded))[1], pooled)
        model.base.conditioner.text.words.weight[PAD] = moved


def test_null_condition_is_the_empty_prompt(model: UnifiedLatents) -> None:
    assert model.tokenizer.encode("") == model.tokenizer.encode("   ") == [NULL]
    null = model.base.conditioner.null(2, 6)
    assert null is not None
    assert torch.equal(null.indices, model.tokenizer.encode_batch(["", ""]))
    short = model.base.conditioner.null(1)
    assert short is not None
    z = torch.randn(1, 4, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model.base(z, LEVELS[:1], short), answer(model, [""]), atol=1e-5, rtol=1e-4)


def test_tokens() -> None:
    words = tokenizer()
    ids = {word: index + 3 for index, word in enumerate(WORDS)}
    assert words.encode("a red cube") == [ids["a"], ids["red"], ids["cube"]]
    assert words.encode("a mauve cube") == [ids["a"], UNKNOWN, ids["cube"]]
    rows = words.encode_batch(["a red cube", ""])
    assert rows.dtype == torch.int64
    assert rows.tolist() == [[ids["a"], ids["red"], ids["cube"], 0, 0, 0], [NULL, 0, 0, 0, 0, 0]]


def test_long_prompts_are_cut() -> None:
    assert tokenizer(max_tokens=4).encode("a red cube on a blue floor") == tokenizer().encode("a red cube on")


def test_unknown_words_are_named_as_written_and_in_order() -> None:
    words = tokenizer()
    assert words.unknown_words("a Mauve cube on a Mossy floor") == ["Mauve", "Mossy"]
    assert words.unknown_words("A RED cube") == []
    assert words.unknown_words("ein rötlicher Würfel: red") == ["ein", "rötlicher", "Würfel", ":"]
    assert words.unknown_words("") == []


def test_special_words_cannot_be_written() -> None:
    assert NULL not in tokenizer().encode("<null> red")
    assert PAD not in tokenizer().encode("<pad> red")


def test_classes() -> None:
    config = tiny_config(conditioning=class_conditioning(3))
    base = randomised(BaseModel(config), gain=1.0).eval()
    assert isinstance(base, BaseModel)
    z = torch.randn(1, 4, 1, 4, 4, generator=torch.Generator().manual_seed(0)).expand(4, -1, -1, -1, -1)
    null = base.conditioner.null(1)
    assert null is not None
    assert null.indices.tolist() == [[3]]
    with torch.no_grad():
        answers = base(z, torch.full((4,), 0.5), Condition(torch.tensor([[0], [1], [2], [3]])))
    for first in range(4):
        for second in range(first):
            assert float((answers[first] - answers[second]).abs().max()) > 1e-4


def test_a_conditional_model_must_be_told() -> None:
    z = torch.zeros(2, 4, 1, 4, 4)
    for conditioning in (class_conditioning(), text_conditioning()):
        with pytest.raises(ConfigError, match="condition"):
            BaseModel(tiny_config(conditioning=conditioning))(z, LEVELS)
    unconditional = BaseModel(tiny_config())
    assert unconditional.conditioner.null(2) is None
    assert unconditional(z, LEVELS).shape == z.shape


def test_dropping() -> None:
    condition, null = Condition(torch.tensor([[5], [6], [7]])), Condition(torch.tensor([[9], [9], [9]]))
    dropped = drop_condition(condition, null, torch.tensor([True, False, True]))
    assert dropped.indices.tolist() == [[9], [6], [9]]


# Once: the text encoder's width is the one width that nothing checks against its heads; building the model then
# fails deep inside with torch's own error.
def test_width_of_the_text_encoder_must_fit_its_heads() -> None:
    with pytest.raises(ValueError, match="multiple"):
        TextConfig(vocabulary=WORDS, width=100, head_channels=32)
