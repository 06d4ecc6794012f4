"""Attention: both ways to compute it agree, masks hide what they should, context joins in."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.helpers.tiny import randomised
from ul_engine.nn import attention as attention_module
from ul_engine.nn.attention import Attention, Context
from ul_engine.nn.blocks import TransformerBlock
from ul_engine.nn.norm import ChannelNorm, token_norm
from ul_engine.nn.rotary import grid_rotary

ROTARY = grid_rotary((1, 3, 4), 16)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def mask_of(*lengths: int, size: int) -> Tensor:
    return torch.arange(size)[None] < torch.tensor(lengths)[:, None]


CASES = {
    "plain": (None, None),
    "padded": (None, mask_of(12, 5, size=12)),
    "context": (Context(drawn(2, 5, 24, seed=2), mask_of(5, 2, size=5)), None),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_written_out_and_fused_agree(case: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forward and gradients; a CPU takes the first unless the scores would fill memory, everything else the second."""
    context, key_mask = CASES[case]
    attention = randomised(Attention(32, 16, context_width=24), gain=1.0)
    results = []
    fused_calls = 0
    fused = F.scaled_dot_product_attention

    def counted(*arguments, **options):
        nonlocal fused_calls
        fused_calls += 1
        return fused(*arguments, **options)

    monkeypatch.setattr(F, "scaled_dot_product_attention", counted)
    for limit in (2**26, 0):  # up to how many scores it is written out
        monkeypatch.setattr(attention_module, "MAX_WRITTEN_OUT", limit)
        x = drawn(2, 12, 32).requires_grad_(True)
        attention.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            mixed = attention(x, ROTARY, context, key_mask)
        (mixed.float() * drawn(2, 12, 32, seed=5)).sum().backward()
        assert x.grad is not None
        gradients = [p.grad for p in attention.parameters() if p.grad is not None]
        results.append((mixed.float(), x.grad, *gradients))
    assert fused_calls == 1
    tolerance = {"atol": 2e-5, "rtol": 1e-4} if dtype == torch.float32 else {"atol": 0.06, "rtol": 0.06}
    for written, whole in zip(*results, strict=True):
        assert written.isfinite().all()
        torch.testing.assert_close(written, whole, **tolerance)


def test_inference_agrees_with_training() -> None:
    attention = randomised(Attention(32, 16), gain=1.0)
    x = drawn(2, 12, 32)
    training = attention(x, ROTARY)
    with torch.inference_mode():
        torch.testing.assert_close(attention(x, ROTARY), training.detach(), atol=1e-5, rtol=1e-4)


def test_attention_is_softmax_of_the_cosines_of_angles_between_tokens() -> None:
    """The formula, written down once more in float64: normalised queries and keys, scaled, over the root of their
    length."""
    attention = randomised(Attention(32, 16), gain=1.0).double()
    x = drawn(2, 12, 32).double()
    query, key, value = attention.qkv(x).view(2, 12, 3, 2, 16).unbind(2)  # [B, N, heads, channels]

    def normed(tokens: Tensor, scale: Tensor) -> Tensor:
        centred = tokens - tokens.mean(-1, keepdim=True)
        return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() * scale

    query, key = normed(query, attention.query_scale), normed(key, attention.key_scale)
    shares = (torch.einsum("bnhc,bmhc->bhnm", query, key) / 16**0.5).softmax(-1)
    wanted = attention.out(torch.einsum("bhnm,bmhc->bnhc", shares, value).flatten(2))
    torch.testing.assert_close(attention(x, None), wanted)


@pytest.mark.parametrize("with_gradients", [True, False])
def test_masked_keys_are_not_seen(with_gradients: bool) -> None:
    attention = randomised(Attention(32, 16, context_width=24), gain=1.0)
    x, other = drawn(2, 12, 32), drawn(2, 12, 32, seed=3)
    key_mask = mask_of(12, 5, size=12)
    changed = torch.where(key_mask[..., None], x, other)
    tokens, noise = drawn(2, 5, 24, seed=2), drawn(2, 5, 24, seed=4)
    seen = mask_of(5, 2, size=5)
    with torch.set_grad_enabled(with_gradients):
        first, second = attention(x, None, None, key_mask), attention(changed, None, None, key_mask)
        torch.testing.assert_close(first[0], second[0])
        torch.testing.assert_close(first[1, :5], second[1, :5])
        hidden = torch.where(seen[..., None], tokens, noise)
        with_context = attention(x, None, Context(tokens, seen))
        torch.testing.assert_close(attention(x, None, Context(hidden, seen)), with_context)
        longer = Context(tokens[:, :2], seen[:, :2])
        torch.testing.assert_close(attention(x, None, longer)[1], with_context[1])
        assert float((attention(x, None) - with_context).detach().abs().max()) > 1e-3


def test_scores_are_bounded_by_normalised_queries_and_keys() -> None:
    """However large the activations, the softmax sees no larger scores: the mix scales with x alone."""
    attention = randomised(Attention(32, 16), gain=1.0)
    x = drawn(1, 12, 32)
    with torch.no_grad():
        attention.qkv.bias.zero_()
        attention.out.bias.zero_()
        torch.testing.assert_close(attention(1000 * x, ROTARY) / 1000, attention(x, ROTARY), atol=2e-3, rtol=2e-3)


def test_gates_scale_and_shift_do_what_they_are_named() -> None:
    block = randomised(TransformerBlock(32, 16), gain=1.0)
    assert block.table is not None
    with torch.no_grad():
        block.table.zero_()
    x = drawn(2, 12, 32)
    modulation = torch.zeros(2, 6, 32)
    assert torch.equal(block(x, modulation, ROTARY), x)
    modulation[:, 2] = 1.0  # gate of the attention
    torch.testing.assert_close(block(x, modulation, ROTARY), x + block.attention(token_norm(x), ROTARY))
    modulation[:, 2] = 0.0
    modulation[:, 3], modulation[:, 4], modulation[:, 5] = 0.3, -0.5, 2.0
    wanted = x + 2.0 * block.mlp_out(F.gelu(block.mlp_in(0.3 + 0.5 * token_norm(x))))
    torch.testing.assert_close(block(x, modulation, ROTARY), wanted)


def test_channel_norm_is_layer_norm_per_pixel() -> None:
    norm = randomised(ChannelNorm(8, has_affine=True))
    x = drawn(2, 8, 3, 5)
    plain = (x - x.mean(1, keepdim=True)) / (x.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    wanted = plain * norm.weight.view(1, 8, 1, 1) + norm.bias.view(1, 8, 1, 1)
    torch.testing.assert_close(norm(x), wanted)
    assert norm(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_faster_kernel_gives_the_same_bits(dtype: torch.dtype) -> None:
    """On a CPU the norm without parameters is given ones and zeros."""
    x = drawn(3, 7, 48).to(dtype)
    assert torch.equal(token_norm(x), F.layer_norm(x, (48,)))
    bare = ChannelNorm(8, has_affine=False)
    picture = drawn(2, 8, 3, 5).to(dtype)
    assert torch.equal(bare(picture), F.layer_norm(picture.permute(0, 2, 3, 1), (8,)).permute(0, 3, 1, 2))
    scale = drawn(48, seed=1)
    whole = token_norm(x.float(), scale)
    torch.testing.assert_close(whole, token_norm(x.float()) * scale)
