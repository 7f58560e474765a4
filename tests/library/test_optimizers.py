"""Adam as torch has it, and Muon: its orthogonal directions and the length of its steps."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from course_lib.training import fit
from course_lib.training.adam import Adam
from course_lib.training.muon import Muon, orthogonal


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def weights_with_gradients(*shapes, seed=0):
    weights = [nn.Parameter(torch.randn(*shape, generator=gen(seed))) for shape in shapes]
    for i, weight in enumerate(weights):
        weight.grad = torch.randn(weight.shape, generator=gen(100 + i))
    return weights


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.8, 0.95)])
def test_adam_is_that_of_torch_bit_for_bit(betas):
    ours, theirs = (weights_with_gradients((3, 4), (5,)) for _ in range(2))
    ours_step, other = Adam(ours, betas).step, torch.optim.Adam(theirs, betas=betas, fused=True)
    for n in range(20):
        rate = 0.1 / (n + 1)
        other.param_groups[0]["lr"] = rate
        ours_step(rate)
        other.step()
        for mine, its in zip(ours, theirs, strict=True):
            assert torch.equal(mine, its)
            mine.grad, its.grad = (mine.detach() ** 3 - n, its.detach() ** 3 - n)


@pytest.mark.parametrize("kind", [Adam, Muon])
def test_a_weight_without_a_gradient_stays(kind):
    still, other, moving = weights_with_gradients((3, 4), (5,), (3, 4))
    still.grad = other.grad = None
    before = [still.clone(), other.clone(), moving.clone()]
    optimizer = kind([still, other, moving])
    optimizer.step(0.1)
    assert torch.equal(still, before[0])
    assert torch.equal(other, before[1])
    assert not torch.equal(moving, before[2])
    moving.grad = None
    optimizer.step(0.1)


@pytest.mark.parametrize("shape", [(8, 8), (6, 40), (40, 6)])
def test_orthogonal_keeps_the_directions_and_makes_all_singular_values_near_1(shape):
    matrices = torch.randn(3, *shape, generator=gen(), dtype=torch.float64)
    u, s, v = torch.linalg.svd(matrices, full_matrices=False)
    result = orthogonal(matrices)
    inner = u.mT @ result @ v.mT
    values = inner.diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(inner, values.diag_embed(), atol=1e-12, rtol=0)
    assert result.shape == (3, *shape)
    assert ((values > 0.65) & (values < 1.25))[s > 0.05 * s.amax(dim=1, keepdim=True)].all()


@pytest.mark.parametrize("shape", [(64, 576), (128, 64), (11, 3136)])
def test_orthogonal_of_a_stack_is_that_of_each_by_its_formula(shape):
    """Sizes differ, and one is zero; to the rounding of float32."""
    matrices = torch.randn(4, *shape, generator=gen()) * torch.tensor([1e-4, 0, 1, 50]).view(
        4, 1, 1
    )
    for matrix, result in zip(matrices, orthogonal(matrices), strict=True):
        x = matrix / (matrix.norm() + 1e-7)
        for _ in range(5):
            x = 3.4445 * x - 4.7750 * x @ x.mT @ x + 2.0315 * x @ x.mT @ x @ x.mT @ x
        torch.testing.assert_close(result, x, atol=2e-5, rtol=1e-4)


def test_orthogonal_of_zero_is_zero():
    assert not orthogonal(torch.zeros(1, 3, 5)).any()


def test_a_step_of_muon_is_its_formula():
    """Two steps of a convolution's weights; a bias goes as with Adam."""
    (conv, bias), (_, alone) = (weights_with_gradients((4, 3, 2, 2), (5,)) for _ in range(2))
    before, mean = conv.detach().clone(), torch.zeros(4, 12)
    muon, adam = Muon([conv, bias], keep=0.9), Adam([alone])
    for rate in (0.1, 0.05):
        gradient = conv.grad.flatten(1)
        mean = 0.9 * mean + 0.1 * gradient
        (direction,) = orthogonal((0.9 * mean + 0.1 * gradient)[None])
        before = before - rate * 0.2 * 12**0.5 * direction.view(4, 3, 2, 2)
        muon.step(rate)
        adam.step(rate)
        torch.testing.assert_close(conv.detach(), before)
        assert torch.equal(bias, alone)
        conv.grad = conv.grad.flip(0)


def test_muon_steps_alike_with_a_matrix_alone_and_beside_others():
    """Two of one shape, one that has it when transposed, one of another."""
    shapes = [(6, 3, 2, 2), (6, 12), (12, 6), (4, 4)]
    together = weights_with_gradients(*shapes)
    Muon(together).step(0.1)
    for weight, alone in zip(together, weights_with_gradients(*shapes), strict=True):
        Muon([alone]).step(0.1)
        torch.testing.assert_close(weight, alone)


def test_fit_with_muon_learns_a_linear_map():
    wanted = torch.randn(6, 6, generator=gen())

    def loss(model, generator):
        x = torch.randn(32, 6, generator=generator)
        return (model(x) - x @ wanted).square().mean()

    torch.manual_seed(0)
    model = nn.Linear(6, 6)
    run = fit(model, loss, steps=300, lr=0.1, optimizer="muon", ema=0.9, progress=False)
    torch.testing.assert_close(run.model.weight, wanted.mT, atol=0.02, rtol=0)


def test_fit_leaves_the_compiler_of_torch_alone():
    """Its import takes seconds, in every process that trains."""
    code = """
import sys
from torch import nn
from course_lib.training import fit
fit(nn.Linear(1, 1), lambda m, g: m.weight.square().sum(), steps=1, progress=False)
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
