"""GuidanceExplorer beside what can be worked out otherwise."""

import numpy as np
import pytest
import torch

from course_lib.guidance import guided
from course_lib.processes import ODE
from course_lib.simulate import rk4_step, simulate, time_grid
from course_lib.widgets import GuidanceExplorer, labelled
from course_lib.widgets.demo import MOST_MB
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.guidance_explorer import FINE, PARTICLES, STEPS
from course_lib.widgets.labelled import CLASS_OF, DATA, EXACT, LABELS
from course_lib.widgets.scene import Arrows, Image, Points, packed


def guided_velocity(velocity, x, t, y, w, null_label):
    """As Lab 3 asks for."""
    unguided = velocity(x, t, torch.full_like(y, null_label))
    return unguided + w * (velocity(x, t, y) - unguided)


def shown(guided=None, **values):
    explorer = GuidanceExplorer(guided, **values)
    return explorer.scene(**explorer.start)


def layers(scene, kind, color=None, panel=0):
    found = [layer for layer in scene.panels[panel].layers if isinstance(layer, kind)]
    return [layer for layer in found if color in (None, layer.color)]


def moments(label=None):
    """Mean, and root mean squared distance from it, of the mixture or of one label of it."""
    weights = DATA.weights if label is None else DATA.weights * (label == CLASS_OF)
    weights = weights / weights.sum()
    mean = weights @ DATA.means
    trace = DATA.covariances.diagonal(dim1=-2, dim2=-1).sum(-1)
    return mean, (weights @ (trace + (DATA.means - mean).square().sum(1))).sqrt().item()


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("w", [0.0, 3.0, 8.0])
def test_the_crowd_is_that_of_the_exact_guided_flow(label, w):
    scene = shown(label=label, w=w)
    (crowd,) = layers(scene, Points, "simulated")
    assert crowd.xy.shape == (STEPS + 1, PARTICLES, 2)
    y = torch.full((PARTICLES,), LABELS.index(label))
    field = ODE(guided(EXACT.velocity, y, w))
    finely = simulate(field, crowd.xy[0], time_grid(40), step=rk4_step, record=STEPS + 1)
    assert torch.allclose(scene.times, finely.times)
    assert (crowd.xy - finely.states).norm(dim=-1).max() < 0.03  # a quarter of a dot


def test_the_noise_is_the_same_for_all_values():
    starts = [layers(shown(label=y, w=w), Points)[0].xy[0] for y in "AC" for w in (0.0, 8.0)]
    assert all(torch.equal(start, starts[0]) for start in starts)


def test_the_tilt_has_the_guided_score():
    x = torch.randn(50, 2, dtype=torch.float64).requires_grad_()
    (score,) = torch.autograd.grad(labelled.log_tilt(x, 0, 3.0).sum(), x)
    x = x.detach()
    y = torch.zeros(50, dtype=torch.long)
    assert torch.allclose(score, -2 * EXACT.score(x, 1.0) + 3 * EXACT.score(x, 1.0, y))


@pytest.mark.parametrize("label", LABELS)
def test_the_tilt_is_the_conditional_law_at_1_and_the_marginal_law_at_0(label):
    y = LABELS.index(label)
    for w, truth in ((0.0, EXACT.at(1.0)), (1.0, EXACT.at(1.0, y=y))):
        difference = labelled.log_tilt(FINE.double(), y, w) - truth.log_prob(FINE.double())
        assert difference.std() < 1e-5
    asked, tilted = (shown(label=label, w=1.0).panels[k].layers[0] for k in (1, 2))
    assert isinstance(asked, Image)
    assert (asked.values.int() - tilted.values.int()).abs().max() <= 1  # of 255 levels


@pytest.mark.parametrize("label", LABELS)
def test_moments_of_densities_on_the_grid(label):
    y = LABELS.index(label)
    for w, (mean, spread) in ((0.0, moments()), (1.0, moments(y))):
        law = labelled.law(FINE, labelled.log_tilt(FINE, y, w).exp(), y)
        assert torch.allclose(law.mean, mean, atol=2e-3)
        assert law.spread == pytest.approx(spread, abs=2e-3)


def test_moments_of_particles():
    law = labelled.law_of_points(torch.tensor([[-2.0, 0.0], [-2.0, 0.0], [1.5, 0.9]]), 0)
    assert law.mean.tolist() == pytest.approx([-2.5 / 3, 0.3])
    assert law.spread == pytest.approx((2 / 9 * (3.5**2 + 0.9**2)) ** 0.5)
    assert law.share == pytest.approx(2 / 3)  # the third is in the middle of B


def test_guidance_keeps_farther_from_other_labels_and_closer_together_than_both_densities():
    scene = shown(label="B", w=4.0)
    end = labelled.law_of_points(layers(scene, Points, "simulated")[0].xy[-1], 1)
    tilt = labelled.law(FINE, labelled.log_tilt(FINE, 1, 4.0).exp(), 1)
    mean, spread = moments(1)
    others = moments()[0]
    assert end.spread < tilt.spread < spread
    assert (end.mean - others).norm() > (tilt.mean - others).norm() > (mean - others).norm()


def test_arrows_are_the_fields_and_their_mixture():
    for w, same in ((0.0, "untold"), (1.0, "told")):
        arrows = {a.only: a.by for a in layers(shown(w=w), Arrows)}
        assert arrows.keys() == {"told", "untold", "mixed"}
        assert torch.allclose(arrows["mixed"], arrows[same], atol=1e-6)
        assert not torch.allclose(arrows["told"], arrows["untold"], atol=1e-2)
        assert max(by.norm(dim=-1).max() for by in arrows.values()) < 0.8 + 1e-5


def test_a_network_s_velocity_knows_the_null_label():
    x, t = torch.randn(6, 2), torch.tensor(0.4)
    mixed = torch.tensor([0, 3, 1, 3, 2, 3])
    rows = labelled.velocity(x, t, mixed)
    assert torch.equal(rows[1::2], EXACT.velocity(x, t)[1::2])
    assert torch.equal(rows[::2], EXACT.velocity(x, t, torch.tensor([0, 0, 1, 0, 2, 0]))[::2])
    assert torch.equal(labelled.velocity(x, t, torch.full((6,), 3)), EXACT.velocity(x, t))


def test_the_reader_s_own_function_beside_the_truth():
    scene = shown(guided_velocity, w=2.0)
    (truth,), (theirs,) = layers(scene, Points, "simulated"), layers(scene, Points, "yours")
    assert torch.allclose(truth.xy, theirs.xy, atol=1e-4)
    assert scene.readouts[-1].value.max() < 1e-4
    assert ("yours", "dot", "guided_velocity: particles and arrows") in scene.legend
    assert scene.error == ""


def test_another_convention_is_seen():
    def other(velocity, x, t, y, w, null_label):
        return guided_velocity(velocity, x, t, y, w + 1, null_label)

    scene = shown(other, w=2.0)
    (theirs,) = layers(scene, Points, "yours")
    (right,) = layers(shown(w=3.0), Points, "simulated")
    assert torch.allclose(theirs.xy, right.xy, atol=1e-4)
    assert scene.readouts[-1].value[-1] > 0.3


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda *args, **named: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda *args, **named: None, "returned None"),
        (
            lambda velocity, x, *args, **named: x[:, :1],
            "returned shape (600, 1); expected (600, 2)",
        ),
        (lambda velocity, x, *args, **named: x * float("nan"), "returned NaN"),
        (lambda velocity, x, t, y, w, null_label: velocity(x, t, y + 7), "raised ValueError"),
        (
            lambda velocity, x, t, y, w, null_label: velocity(x, t, null_label),
            "y is an int; expected labels of shape (600,)",
        ),
        (
            lambda x, t: x,
            "<lambda> takes (x, t); expected a function of (velocity, x, t, y, w, null_label)",
        ),
    ],
)
def test_a_bad_function_is_told_in_words_and_the_truth_is_still_shown(function, words):
    scene = shown(function)
    assert words in scene.error
    assert not layers(scene, Points, "yours")
    assert torch.equal(layers(scene, Points)[0].xy, layers(shown(), Points)[0].xy)
    packed(scene)


def inner(w, label="A"):
    """Shares at the inner mode: of the crowd, and of the tilted density."""
    after = [r.value for r in shown(w=w, label=label).readouts][3:]
    return [float(words.removesuffix("%")) / 100 for words in after]


@pytest.mark.parametrize(("w", "share"), [(0.0, 0.13), (1.0, 0.13 / 0.33)])
def test_without_guidance_the_inner_mode_has_its_weight(w, share):
    crowd, tilted = inner(w)
    assert crowd == pytest.approx(tilted, abs=0.06)  # both are samples of the same law
    assert tilted == pytest.approx(share, abs=0.05)  # but for where modes overlap


def test_guidance_empties_the_inner_mode_which_the_tilted_density_keeps():
    crowd, tilted = inner(6.0)
    assert crowd < 0.005
    assert tilted > 0.2
    assert inner(6.0, "B") == []


@pytest.mark.parametrize("end", [0, -1])
def test_every_control_at_both_ends(end):
    explorer = GuidanceExplorer(guided_velocity)
    for control in explorer.controls:
        ends = {"slider": lambda c: (c.low, c.high), "choice": lambda c: c.options}
        value = ends.get(control.kind, lambda c: (False, True))(control)[end]
        spec, arrays = packed(explorer.scene(**{**explorer.start, control.name: value}))
        assert spec["frames"] == STEPS + 1
        assert all(np.frombuffer(a, np.uint8).size for a in arrays)


def test_what_is_no_function_is_said_beside_the_exact_flow():
    explorer = GuidanceExplorer(3)
    scene = explorer.scene(**explorer.start)
    assert scene.error.startswith("guided is an int; expected a function of (velocity, x, t, y, w")
    assert len(layers(scene, Points, "simulated")) == 1


def test_particles_that_leave_the_picture_are_counted():
    def far(velocity, x, t, y, w, null_label):
        return 20 + 0 * x

    scene = shown(far)
    assert scene.readouts[-1].label == "yours outside at t = 1"
    assert scene.readouts[-1].value == str(PARTICLES)
    (arrows,) = layers(scene, Arrows, "yours")
    assert arrows.by.shape == (STEPS + 1, 81, 2)


def test_a_value_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="w is 9; expected 0 to 8"):
        GuidanceExplorer(w=9)


def test_the_frozen_page_is_small():
    assert len(frozen(GuidanceExplorer(), {})) < MOST_MB * 1e6
