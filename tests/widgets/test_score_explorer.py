"""ScoreExplorer: one crowd with noise and without, as long as the score is the right one."""

import numpy as np
import pytest
import torch

from course_lib.metrics import energy_distance
from course_lib.widgets import ScoreExplorer
from course_lib.widgets.demo import MOST_MB
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.five_modes import (
    MODES,
    TRUTH,
    energy_ratio,
    mean_square,
    mean_square_chance,
    variance,
)
from course_lib.widgets.scene import Arrows, Lines, Points, packed
from course_lib.widgets.score_explorer import CHANCE, COARSE, PARTICLES, SHORT


def scene(explorer, **values):
    return explorer.scene(**explorer.checked({**explorer.start, **values}))


def layers(panel, kind):
    return [item for item in panel.layers if isinstance(item, kind)]


def ratios(shown):
    """Energy ratios (compared,) of ODE and SDE over time."""
    return [np.asarray(line.xy)[0, :, 1] for line in layers(shown.panels[2], Lines)[2:4]]


def verdicts(shown):
    return [r.value for r in shown.readouts if isinstance(r.value, str)]


def exact_crowd(t, seed, n=PARTICLES):
    return TRUTH.sample(n, t, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("t", [0.0, 0.5, 1.0])
def test_the_exact_mean_square_is_that_of_samples(t):
    sampled = exact_crowd(t, 0, 200_000).square().sum(1).mean().item()
    assert mean_square(torch.tensor(t)).item() == pytest.approx(sampled, rel=0.01)


@pytest.mark.parametrize("t", [0.0, 0.5, 1.0])
def test_the_energy_ratio_of_exact_samples_is_1_on_average_and_hardly_ever_above_4(t):
    crowds = torch.stack([exact_crowd(t, seed) for seed in range(400)])
    found = torch.cat([energy_ratio(c, torch.full((25,), t)) for c in crowds.split(25)])
    assert found.mean().item() == pytest.approx(1.0, abs=4 * found.std().item() / 400**0.5)
    assert (found > CHANCE).double().mean() < 0.02  # 0.004 in 10,000 crowds


def test_the_energy_ratio_is_the_library_s_distance_to_a_large_sample():
    t = 0.5
    crowd = 1.6 * exact_crowd(t, 0)
    among = energy_distance(exact_crowd(t, 1, 5000), exact_crowd(t, 2, 5000)).baseline * 2500
    distance = energy_distance(crowd, exact_crowd(t, 3, 20_000))
    found = energy_ratio(crowd[None], torch.tensor([t])).item() * among / PARTICLES
    assert found == pytest.approx(distance.value, abs=3 * distance.standard_error)
    assert distance.standard_error < 0.1 * distance.value


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.0])
def test_with_the_exact_score_all_have_the_same_marginals(sigma):
    shown = scene(ScoreExplorer(), sigma=sigma, n=160)
    assert verdicts(shown) == ["not seen", "not seen"]
    for ratio in ratios(shown):
        assert ratio.max() < CHANCE


def test_without_noise_the_sde_is_the_ode_whatever_the_score():
    for which in ("exact", "half of it", "of an earlier time"):
        ode, sde = (
            layers(p, Points)[0].xy
            for p in scene(ScoreExplorer(), which=which, sigma=0.0).panels[:2]
        )
        assert np.allclose(ode, sde, atol=1e-4), which


@pytest.mark.parametrize("which", ["half of it", "of an earlier time"])
def test_a_wrong_score_moves_the_marginals_and_the_more_noise_the_more(which):
    little, much = (scene(ScoreExplorer(), which=which, sigma=s, n=160) for s in (0.5, 3.0))
    assert ratios(little)[1].max() < ratios(much)[1].max()
    assert ratios(much)[1].max() > 2 * CHANCE
    assert verdicts(much)[0] == "not seen"
    assert verdicts(much)[1].startswith("seen, t = ")


@pytest.mark.parametrize("t", [0.0, 0.4, 1.0])
def test_the_chance_of_the_mean_square_is_that_of_samples(t):
    means = torch.stack([exact_crowd(t, seed).square().sum(1).mean() for seed in range(400)])
    expected = mean_square_chance(torch.tensor(t), PARTICLES).item()
    assert means.std().item() == pytest.approx(expected, rel=4.5 / (2 * 400) ** 0.5)


def test_half_of_the_score_is_seen_by_the_mean_square_where_the_energy_distance_is_small():
    shown = scene(ScoreExplorer(), which="half of it", sigma=1.0)
    assert ratios(shown)[1].max() < CHANCE
    assert verdicts(shown)[1].startswith("seen")


def test_half_of_the_score_leaves_the_crowd_too_wide_and_an_earlier_one_too_narrow():
    def square(which):
        return np.asarray(scene(ScoreExplorer(), which=which, sigma=3.0).readouts[1].value)[-1]

    assert square("of an earlier time") < mean_square(torch.tensor(1.0)) < square("half of it")


def test_few_steps_with_much_noise_miss_the_law_at_the_end_and_many_do_not():
    few, many = (scene(ScoreExplorer(), sigma=4.0, n=n) for n in (20, 160))
    assert ratios(few)[1][-1] > CHANCE > ratios(many)[1][-1]
    assert verdicts(few)[1].endswith("to 1.00")
    assert verdicts(many)[1] == "not seen"


def test_the_paths_of_a_few_are_those_of_the_crowd():
    for panel in scene(ScoreExplorer(), sigma=2.0).panels[:2]:
        (paths,), (crowd, _) = layers(panel, Lines), layers(panel, Points)
        assert paths.growing
        assert torch.equal(paths.xy, crowd.xy[:, : len(paths.xy)].transpose(0, 1))


def test_arrows_are_the_score_times_the_variance_of_a_mode():
    shown = scene(ScoreExplorer())
    (arrows,) = layers(shown.panels[1], Arrows)
    for frame in (0, 18):
        t = shown.times[frame]
        expected = SHORT * variance(t) * TRUTH.score(COARSE, t)
        expected *= (1.2 / expected.norm(dim=1, keepdim=True)).clamp(max=1)
        assert np.allclose(arrows.by[frame], expected, atol=1e-5)
    lengths = arrows.by.norm(dim=-1)
    assert lengths.max() <= 1.2 + 1e-5
    assert lengths[-1].mean() > 0.1  # still seen at the end


def test_your_score_stands_in_its_place():
    def my_score(x, t):
        return TRUTH.score(x, t)

    explorer = ScoreExplorer(score=my_score)
    assert explorer.start["which"] == "yours"
    theirs, ours = scene(explorer), scene(explorer, which="exact")
    assert np.allclose(theirs.readouts[1].value, ours.readouts[1].value, rtol=1e-5)
    assert ("yours", "dot", "SDE with my_score") in theirs.legend
    assert not theirs.error


@pytest.mark.parametrize(
    ("score", "sentence"),
    [
        (lambda x, t: x[:, :1], "<lambda> returned shape (700, 1); expected (700, 2)"),
        (lambda x: x, "<lambda> takes (x); expected a function of (x, t)"),
        (lambda x, t: x / (t < 0.5), "At t = 0.50: <lambda> returned infinite"),
        (lambda x, t: x * float("nan"), "At t = 0.00: <lambda> returned NaN"),
    ],
)
def test_a_wrong_function_is_a_sentence_and_the_rest_is_there(score, sentence):
    shown = scene(ScoreExplorer(score=score))
    assert sentence in shown.error
    assert verdicts(shown) == ["not seen", "–"]
    ode, sde = (torch.as_tensor(layers(p, Points)[0].xy) for p in shown.panels[:2])
    assert ode.isfinite().all()
    assert sde.isnan().all()
    packed(shown)


def test_no_function_is_said():
    assert "score is an int; expected a function of (x, t)" in scene(ScoreExplorer(score=3)).error


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
    assert spec["frames"] == len(spec["times"]) <= 37
    assert sum(map(len, arrays)) < 500_000


def test_a_frozen_page_is_small():
    assert len(frozen(ScoreExplorer(), {})) < MOST_MB * 1e6
