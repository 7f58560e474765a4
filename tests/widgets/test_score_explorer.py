"""ScoreExplorer: one crowd with noise and without, as long as the score is the right one."""

import numpy as np
import pytest
import torch

from course_lib.widgets import ScoreExplorer
from course_lib.widgets.scene import packed
from course_lib.widgets.score_explorer import MODES, TRUTH


def scene(explorer, **values):
    return explorer.scene(**explorer.checked({**explorer.start, **values}))


def squares(**values):
    """Mean squares (frames,) of ODE, SDE and the exact law."""
    return [np.asarray(r.value) for r in scene(ScoreExplorer(), **values).readouts]


def test_the_exact_mean_square_is_that_of_samples():
    _, _, exact = squares()
    for frame, t in ((0, 0.0), (20, 0.5), (40, 1.0)):
        x = TRUTH.sample(200_000, torch.tensor(t), generator=torch.Generator().manual_seed(0))
        assert x.square().sum(1).mean().item() == pytest.approx(exact[frame], rel=0.01)
    assert exact[0] == pytest.approx(2.0)


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.0])
def test_with_the_exact_score_all_have_the_same_marginals(sigma):
    ode, sde, exact = squares(sigma=sigma, n=160)
    assert ode == pytest.approx(exact, rel=0.12)  # 700 particles: a standard error of 3 %
    assert sde == pytest.approx(exact, rel=0.12)


def test_without_noise_the_sde_is_the_ode_whatever_the_score():
    for which in ("exact", "half of it", "of an earlier time"):
        ode, sde, _ = squares(sigma=0.0, which=which)
        assert sde == pytest.approx(ode, rel=1e-5)


def test_a_score_of_half_the_size_leaves_the_crowd_too_wide_and_noise_makes_it_worse():
    little = squares(which="half of it", sigma=0.5, n=160)[1][-1]
    much = squares(which="half of it", sigma=3.0, n=160)[1][-1]
    exact = squares()[2][-1]
    assert exact < little < much
    assert much > 1.15 * exact


def test_few_steps_with_much_noise_miss_the_law():
    few, many = squares(sigma=4.0, n=20)[1][-1], squares(sigma=4.0, n=160)[1][-1]
    exact = squares()[2][-1]
    assert abs(many - exact) < abs(few - exact)


def test_your_score_stands_in_its_place():
    def my_score(x, t):
        return TRUTH.score(x, t)

    explorer = ScoreExplorer(score=my_score)
    assert explorer.start["which"] == "yours"
    theirs, ours = scene(explorer), scene(explorer, which="exact")
    assert np.allclose(theirs.readouts[1].value, ours.readouts[1].value, rtol=1e-5)
    assert ("yours", "dot", "SDE, my_score") in theirs.legend


@pytest.mark.parametrize(
    ("score", "sentence"),
    [(lambda x, t: x[:, :1], "returned shape"), (lambda x: x, "raised TypeError")],
)
def test_a_wrong_function_is_a_sentence(score, sentence):
    with pytest.raises(ValueError, match=sentence):
        scene(ScoreExplorer(score=score))


def test_no_function_is_refused():
    with pytest.raises(ValueError, match=r"expected a function of \(x, t\)"):
        ScoreExplorer(score=3)


def test_the_density_is_that_of_the_mixture():
    image = np.asarray(scene(ScoreExplorer()).panels[0].layers[0].values)[-1].astype(float)
    height, width = image.shape
    heaviest = MODES.means[MODES.weights.argmax()]
    row, column = np.unravel_index(image.argmax(), image.shape)
    found = [7.2 * column / (width - 1) - 3.6, 7.2 * row / (height - 1) - 3.6]
    assert found == pytest.approx(heaviest.tolist(), abs=0.2)


@pytest.mark.parametrize("which", ["exact", "half of it", "of an earlier time"])
@pytest.mark.parametrize("sigma", [0.0, 4.0])
@pytest.mark.parametrize("n", [20, 160])
def test_every_end_of_every_slider(which, sigma, n):
    spec, arrays = packed(scene(ScoreExplorer(), which=which, sigma=sigma, n=n))
    assert spec["frames"] == len(spec["times"]) <= 41
    assert sum(map(len, arrays)) < 500_000
