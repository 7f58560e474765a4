import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.networks import MLP, FourierFeatures, TimeFeatures
from course_lib.training import fit


def trained(**settings):
    """A small network whose last layer is no longer zero."""
    torch.manual_seed(0)
    model = MLP(dim=2, width=16, depth=2, **settings)
    torch.nn.init.normal_(model.rest[-1].weight)
    return model


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.sampled_from([0, 3]))
def test_value_is_shaped_like_x_and_starts_at_zero(dim, batch, depth, fourier):
    model = MLP(dim=dim, width=8, depth=depth, fourier=fourier)
    x = torch.randn(batch, dim, generator=torch.Generator().manual_seed(0))
    for t in (torch.tensor(0.3), torch.full((batch,), 0.3)):
        assert torch.equal(model(x, t), torch.zeros(batch, dim))


@pytest.mark.parametrize("fourier", [0, 4])
def test_one_time_for_all_is_the_same_time_each(fourier):
    model = trained(fourier=fourier)
    x, t = torch.randn(7, 2), torch.rand(7)
    rows = torch.cat([model(x[i : i + 1], t[i]) for i in range(7)])
    torch.testing.assert_close(model(x, t), rows)
    assert (model(x, torch.tensor(0.2)) - model(x, torch.tensor(0.7))).abs().max() > 1e-3


def test_keeps_float64():
    model = trained(fourier=4).double()
    x = torch.randn(3, 2, dtype=torch.float64)
    assert model(x, torch.tensor(0.5, dtype=torch.float64)).dtype == torch.float64
    assert model(x, torch.tensor(0.5)).dtype == torch.float64  # whatever the clock's dtype


def test_every_weight_gets_a_gradient_once_it_has_moved():
    model = trained(labels=3, fourier=4)
    model(torch.randn(30, 2), torch.rand(30), torch.arange(30) % 3).square().sum().backward()
    assert all(weight.grad.abs().max() > 0 for weight in model.parameters())


def test_labels_tell_rows_apart():
    model = trained(labels=3)
    x, t, y = torch.zeros(3, 2), torch.tensor(0.5), torch.tensor([0, 1, 0])
    value = model(x, t, y)
    assert torch.equal(value[0], value[2])
    assert (value[0] - value[1]).abs().max() > 1e-3


def test_learns_a_field_that_depends_on_place_time_and_label():
    signs = torch.tensor([1.0, -1.0])

    def loss(model, generator):
        x = torch.randn(256, 2, generator=generator)
        t = torch.rand(256, generator=generator)
        y = torch.randint(2, (256,), generator=generator)
        truth = (signs[y] * torch.cos(2 * t)).unsqueeze(1) * x
        return (model(x, t, y) - truth).square().mean()

    torch.manual_seed(0)
    run = fit(MLP(width=32, depth=2, labels=2), loss, steps=300, lr=1e-2, progress=False)
    assert run.history.losses[0] > 0.3
    assert run.history.losses[-20:].mean() < 0.02


def test_time_features_are_cosines_of_two_clocks():
    t = torch.tensor([[0.0, 0.5], [1.0, 0.25]], dtype=torch.float64)
    features = TimeFeatures(4).double()(t)
    assert features.shape == (2, 2, 8)
    for s, row in zip(t.flatten().tolist(), features.flatten(0, 1).tolist(), strict=True):
        tau = math.log(1.02 / (1.02 - s)) / math.log(1.02 / 0.02)
        expected = [math.cos(math.pi * k * clock) for clock in (s, tau) for k in range(4)]
        assert row == pytest.approx(expected, abs=1e-6)  # π k is float32
    # Both clocks run from 0 to 1: their last features are 1 at the start, cos(3π) at the end.
    assert features[0, 0, [3, 7]].tolist() == pytest.approx([1, 1])
    assert features[1, 0, [3, 7]].tolist() == pytest.approx([-1, -1])


def test_fourier_features_make_a_gaussian_kernel():
    """Their mean product is E cos(w · (x - y)) = exp(-scale² |x - y|² / 2)."""
    torch.manual_seed(0)
    features = FourierFeatures(2, 20_000, 3.0)
    x, y = torch.tensor([0.1, 0.2]), torch.tensor([0.3, -0.1])
    product = (features(x) * features(y)).sum().item() / 20_000
    assert abs(product - math.exp(-9 * 0.13 / 2)) < 4 / math.sqrt(2 * 20_000)
    assert not list(features.parameters())


@pytest.mark.parametrize(
    ("x", "t", "y", "message"),
    [
        (torch.zeros(5, 3), torch.tensor(0.5), None, r"expected \(..., 2\)"),
        (torch.zeros(2), torch.tensor(0.5), None, r"expected \(batch, 2\)"),
        (torch.zeros(0, 2), torch.tensor(0.5), None, "at least one point"),
        (torch.zeros(5, 2), torch.zeros(5, 1), None, r"t has shape \(5, 1\)"),
        (torch.zeros(5, 2), torch.zeros(4), None, r"t has shape \(4,\)"),
        (torch.zeros(5, 2), torch.zeros(5), torch.zeros(5, dtype=torch.int64), "an MLP without"),
    ],
)
def test_wrong_shapes_are_refused(x, t, y, message):
    with pytest.raises(ValueError, match=message):
        MLP(dim=2, width=8)(x, t, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y is NoneType"),
        (torch.zeros(4), "y is torch.float32"),
        (torch.zeros(3, dtype=torch.int64), r"y is torch.int64 \(3,\); .* shape \(4,\)"),
        (torch.tensor([0, 1, 2, 3]), "labels from 0 to 3; expected 0 to 2"),
        (torch.tensor([0, -1, 2, 1]), "labels from -1 to 2"),
    ],
)
def test_wrong_labels_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        MLP(width=8, labels=3)(torch.zeros(4, 2), torch.tensor(0.5), y)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"dim": 0}, "dim"),
        ({"width": 0}, "width"),
        ({"depth": 0}, "depth"),
        ({"labels": 0}, "labels"),
        ({"fourier": -1}, "fourier"),
        ({"fourier": 2, "scale": 0.0}, "scale"),
    ],
)
def test_settings_outside_their_range_are_refused(settings, name):
    with pytest.raises(ValueError, match=f"{name} is"):
        MLP(**settings)
