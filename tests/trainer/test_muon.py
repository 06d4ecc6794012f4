"""The steps of Muon."""

from typing import cast

import pytest
import torch
from torch import Tensor, nn
from torch import distributed as dist

from trainer.muon import Muon, orthogonalised
from trainer.ranks import Ranks


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("in_bf16", [False, True])
@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6)])
def test_singular_values_become_alike_and_directions_stay(shape: tuple[int, int], in_bf16: bool) -> None:
    """Of the thin decomposition U S V^T, the iteration keeps U and V and moves S to about one."""
    matrix = random(*shape)
    u, values, v = torch.linalg.svd(matrix, full_matrices=False)
    assert float(values.max() / values.min()) > 1.5
    (result,) = orthogonalised(matrix[None], in_bf16=in_bf16)
    diagonal = u.T @ result @ v.T
    assert bool(((diagonal.diag() > 0.6) & (diagonal.diag() < 1.3)).all())
    assert float((diagonal - diagonal.diag().diag()).abs().max()) < 0.1


def test_matrices_of_a_stack_do_not_mix() -> None:
    stack = torch.stack([random(5, 7, seed=seed) for seed in range(3)])
    together = orthogonalised(stack)
    for matrix, result in zip(stack, together, strict=True):
        torch.testing.assert_close(orthogonalised(matrix[None])[0], result)
    torch.testing.assert_close(orthogonalised(1e3 * stack), together)


def test_zeros_stay_zeros() -> None:
    assert not orthogonalised(torch.zeros(1, 3, 4)).any()


def test_the_first_step_is_the_orthogonalised_gradient_at_the_size_of_adamw() -> None:
    """Momentum and look-ahead only scale a first gradient; a kernel counts as the matrix [out, in h w]."""
    kernel = nn.Parameter(random(4, 3, 3, 3))
    before = kernel.detach().clone()
    kernel.grad = random(4, 3, 3, 3, seed=1)
    Muon([kernel], lr=0.5, weight_decay=0.1).step()
    (direction,) = orthogonalised(kernel.grad.reshape(1, 4, 27))
    wanted = before * (1 - 0.5 * 0.1) - 0.5 * 0.2 * 27**0.5 * direction.view(4, 3, 3, 3)
    torch.testing.assert_close(kernel.detach(), wanted)


def test_momentum_carries_on() -> None:
    """After ten gradients one way, a single one of another direction hardly turns the step."""
    matrix = nn.Parameter(torch.zeros(4, 4))
    optimizer = Muon([matrix], lr=1.0)
    for _ in range(10):
        matrix.grad = torch.eye(4)
        optimizer.step()
    before = matrix.detach().clone()
    matrix.grad = -0.1 * torch.eye(4)
    optimizer.step()
    assert bool((matrix.detach() - before).diag().lt(0).all())


def test_what_has_no_gradient_stays() -> None:
    still, moved = nn.Parameter(random(3, 3)), nn.Parameter(random(3, 3, seed=1))
    before = still.detach().clone()
    moved.grad = random(3, 3, seed=2)
    Muon([still, moved], lr=1.0).step()
    assert torch.equal(still.detach(), before)


def test_it_is_quicker_than_gradient_descent_on_an_ill_conditioned_problem() -> None:
    """Least squares whose inputs differ in size by 1 000: all directions are learned at once."""
    inputs = random(64, 8) * torch.logspace(0, -3, 8)
    wanted = random(8, 8, seed=3)
    target = inputs @ wanted.T
    losses = {}
    for name in ("muon", "sgd"):
        layer = nn.Linear(8, 8, bias=False)
        nn.init.zeros_(layer.weight)
        optimizer = Muon([layer.weight], lr=0.1) if name == "muon" else torch.optim.SGD([layer.weight], lr=0.3)
        for _ in range(60):
            optimizer.zero_grad()
            (layer(inputs) - target).square().mean().backward()
            optimizer.step()
        losses[name] = float((layer.weight.detach() - wanted).square().mean())
    assert losses["muon"] < 0.8 * losses["sgd"]


def test_each_rank_does_its_part_of_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five matrices on three ranks: two, two and one; all of them then have all five, as one process has."""
    stack = torch.stack([random(5, 7, seed=seed) for seed in range(5)])
    done: list[Tensor] = []
    monkeypatch.setattr(dist, "all_gather", lambda parts, mine: done.append(mine))
    ranks = [Ranks(rank, 3, torch.device("cpu"), control=cast("dist.ProcessGroup", object())) for rank in range(3)]
    for rank in ranks:
        rank.shared_out(stack, orthogonalised)
    assert [len(part) for part in done] == [2, 2, 2]
    monkeypatch.setattr(dist, "all_gather", lambda parts, mine: torch._foreach_copy_(parts, done))
    for rank in ranks:
        torch.testing.assert_close(rank.shared_out(stack, orthogonalised), orthogonalised(stack))
