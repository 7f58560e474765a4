"""Plots of images: the very pixels, in their places; verdicts marked; and what w changes."""

from __future__ import annotations

import io
import math
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axis import Tick
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from course_lib import plots
from course_lib.plots.mosaic import GAP
from course_lib.plots.style import EXACT, SIMULATED, WARNING

RUST = np.round(255 * np.array(to_rgb(WARNING))).astype(np.uint8)


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def shades(x):
    """What should be drawn of images (..., h, w) in [-1, 1]: 0 to 255."""
    return np.round(127.5 * (1 + np.clip(np.asarray(x, dtype=np.float64), -1, 1))).astype(np.uint8)


def canvas(fig: Figure):
    return np.asarray(fig.axes[0].images[0].get_array())


def texts(fig: Figure, gid: str):
    return [t for t in fig.axes[0].texts if t.get_gid() == gid]


def notes(fig: Figure) -> str:
    found = [t.get_text() for ax in fig.axes for t in ax.texts if t.get_gid() == "note"]
    return " ".join(found).replace("\n", " ")


def draw_quickly(fig: Figure):
    fig.set_layout_engine("none")  # measures no text
    fig.draw_without_rendering()


def way(times=11, batch=3, side=28):
    t = torch.linspace(0.0, 1.0, times)
    return SimpleNamespace(times=t, states=noise(times, batch, 1, side, side))


SCALES = [0.0, 4.0, 1.0, 2.0]
MEASURES = {
    "accuracy": [0.1, 0.99, 0.9, 0.97],
    "diversity": [9.0, 5.0, 8.0, 7.0],
    "Fréchet distance": [40.0, 6.0, 4.0, 2.5],
}
REAL = {"accuracy": 0.995, "Fréchet distance": 0.8}


def normal(mean, std):
    return lambda x: torch.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


NAMED = {"$p(x|y)$": normal(0.0, 1.0), "tilted": normal(0.0, 0.5)}
EVERY_FIGURE = {
    "images": lambda: plots.images(noise(100, 1, 28, 28), title="A grid of a hundred"),
    "one image": lambda: plots.images(noise(1, 28, 28)),
    "images with verdicts": lambda: plots.images(
        noise(23, 1, 28, 28), labels=torch.arange(23), expected=torch.arange(23) % 20, title="Read",
    ),
    "verdicts on large images": lambda: plots.images(
        noise(9, 200, 300), labels=list("abcdefghi"), expected=list("abcdefghh")
    ),
    "image_rows": lambda: plots.image_rows(
        {"w = 0": noise(5, 1, 28, 28), "null label mishandled": noise(14, 1, 28, 28)}, title="Rows"
    ),
    "image_path": lambda: plots.image_path(way(), title="From noise to digit"),
    "image_path of many times": lambda: plots.image_path(way(101), n=2, at=24),
    "sweep": lambda: plots.sweep(SCALES, MEASURES, real=REAL, title="What guidance changes"),
    "histogram with named densities": lambda: plots.histogram(
        {"w = 1": torch.randn(99), "w = 3": torch.randn(99)}, {"w = 1": NAMED, "w = 3": NAMED},
        extent=(-4, 4),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EVERY_FIGURE)
def test_every_figure_is_labelled_without_overlaps_and_fits_a_notebook(name):
    torch.manual_seed(0)
    fig = EVERY_FIGURE[name]()
    assert plt.get_fignums() == []
    assert fig.get_size_inches()[0] <= 10.8
    sentence = plots.alt_text(fig)
    assert sentence.startswith("Figure")
    assert len(sentence) > 20
    assert "$" not in sentence
    fig.draw_without_rendering()
    # Of numbers along an axis, matplotlib keeps some beyond its end, and draws those within.
    numbers = {t for ax in fig.axes if not ax.images for t in ax.findobj(Tick)}
    hidden = {text for tick in numbers for text in tick.findobj(Text)}
    written = [t for t in fig.findobj(Text) if t.get_text() and t.get_visible()]
    written = [t for t in written if t not in hidden]
    assert all(t.get_fontsize() >= 9 for t in written)
    boxes = [(t.get_text(), t.get_window_extent()) for t in written]
    for i, (text, place) in enumerate(boxes):
        assert place.x0 >= -1, text
        assert place.y0 >= -1, text
        assert place.x1 <= fig.bbox.x1 + 1, text
        assert place.y1 <= fig.bbox.y1 + 1, text
        for other, there in boxes[:i]:
            assert not place.padded(-1).overlaps(there.padded(-1)), (text, other)


# --- the pixels ----------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(n=st.integers(1, 12), columns=st.integers(1, 5), h=st.integers(3, 30), w=st.integers(3, 30))
def test_each_image_is_in_its_place_row_by_row_with_white_between(n, columns, h, w):
    x = noise(n, 1, h, w)
    drawn = canvas(plots.images(x, columns=columns))
    zoom = (drawn.shape[1] - GAP) // min(n, columns) - GAP
    assert zoom % w == 0
    zoom //= w
    expected = np.full_like(drawn, 255)
    for i in range(n):
        top = GAP + i // columns * (zoom * h + GAP)
        left = GAP + i % columns * (zoom * w + GAP)
        pixels = shades(x[i, 0]).repeat(zoom, 0).repeat(zoom, 1)
        expected[top : top + zoom * h, left : left + zoom * w] = pixels[..., None]
    np.testing.assert_array_equal(drawn, expected)


@pytest.mark.parametrize("figure", [
    lambda: plots.images(noise(12, 1, 28, 28), columns=5),
    lambda: plots.images(noise(7, 28, 28), labels=range(7), title="Sharp"),
    lambda: plots.image_rows({"a name": noise(4, 28, 28)}),
    lambda: plots.image_path(way(), n=2),
])  # fmt: skip
def test_a_saved_picture_has_the_very_pixels_of_the_images(figure):
    fig = figure()
    expected = canvas(fig)
    height, width = expected.shape[:2]
    picture = plt.imread(io.BytesIO(plots.png(fig)))
    picture = np.round(255 * picture[..., :3]).astype(np.uint8)
    # Captions are written between images: compare the first row, found by its own pixels.
    first = expected[: GAP + 28]
    places = [
        (i, j)
        for i in range(picture.shape[0] - height + 1)
        for j in range(picture.shape[1] - width + 1)
        if np.array_equal(picture[i : i + len(first), j : j + width], first)
    ]
    assert len(places) == 1


def test_values_beyond_the_range_are_clipped_and_any_float_type_is_drawn():
    x = torch.tensor([[[-7.0, -1.0], [0.0, 1e30]]])
    for dtype in (torch.bfloat16, torch.float32, torch.float64):
        drawn = canvas(plots.images(x.to(dtype, copy=True).requires_grad_()))[GAP:-GAP, GAP:-GAP, 0]
        np.testing.assert_array_equal(np.unique(drawn), [0, 128, 255])
        assert drawn[0, 0] == 0
        assert drawn[-1, -1] == 255
    np.testing.assert_array_equal(
        canvas(plots.images(x)), canvas(plots.images(np.asarray(x)[:, None]))
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_pixels_that_are_no_numbers_have_the_colour_of_a_warning_and_are_counted(value):
    x = noise(4, 1, 6, 6)
    x[1, 0, 2, 3] = value
    x[3] = value
    fig = plots.images(x)
    assert "2 of 4 images have pixels that are NaN or infinite" in notes(fig)
    rusty = (canvas(fig) == RUST).all(-1).sum()
    zoom = ((canvas(fig).shape[0] - 2 * GAP) // 6) ** 2
    assert rusty == 37 * zoom
    assert "a: 2 of 4" in notes(plots.image_rows({"a": x, "b": x[:1]}))
    walk = SimpleNamespace(times=[0.0, 1.0, 2.0, 3.0], states=x[:, None])
    assert "2 of 4 images" in notes(plots.image_path(walk, at=4))


def test_of_very_many_images_the_first_are_drawn():
    fig = plots.images(noise(1, 4, 4).expand(1234, 4, 4), columns=40)
    assert notes(fig) == "the first 400 of 1234 images"
    rows = plots.image_rows({"a": noise(300, 4, 4), "b": noise(9, 4, 4)}, columns=20)
    assert notes(rows) == "a: the first 200 of 300 images"


# --- verdicts, names, times ----------------------------------------------------------------------


def test_a_wrong_verdict_has_a_sign_a_colour_and_a_frame():
    verdicts = torch.tensor([3, 1, 7, 2, 2])
    fig = plots.images(noise(5, 28, 28), columns=3, labels=verdicts, expected=[3, 1, 2, 2, 9])
    captions = texts(fig, "caption")
    assert [t.get_text() for t in captions] == ["3", "1", "✗ 7", "2", "✗ 2"]
    assert [t.get_color() for t in captions] == [EXACT, EXACT, WARNING, EXACT, WARNING]
    assert notes(fig) == "✗ 2 of 5 are not what was expected"
    drawn = canvas(fig)
    for i, t in enumerate(captions):
        x, y = map(int, t.xy)  # the middle of the image's lower edge, below its frame
        framed = (drawn[y - 1, x] == RUST).all()
        assert framed == (i in (2, 4))
    plain = plots.images(noise(5, 28, 28), labels=verdicts)
    assert [t.get_text() for t in texts(plain, "caption")] == ["3", "1", "7", "2", "2"]
    assert not (canvas(plain) == RUST).all(-1).any()
    assert notes(plots.images(noise(5, 28, 28), labels=verdicts, expected=verdicts)) == ""


def test_rows_have_their_names_and_entries_wrap():
    fig = plots.image_rows({"w = 0": noise(4, 28, 28), "w = 1": noise(9, 28, 28)}, columns=4)
    names = [t.get_text() for t in fig.axes[0].get_yticklabels()]
    assert names == ["w = 0", "", "w = 1", ""]
    assert "rows of images: w = 0, w = 1" in plots.alt_text(fig)
    places = fig.axes[0].get_yticks()
    assert places[1] - places[0] > places[2] - places[1]  # a wider gap between two entries


def test_a_path_has_a_row_for_each_image_and_a_column_for_each_time():
    walk = way(times=11, batch=3)
    fig = plots.image_path(walk, n=2, at=(0.0, 0.52, 1.0))
    assert [t.get_text() for t in texts(fig, "mark")] == ["$t$ = 0", "$t$ = 0.5", "$t$ = 1"]
    drawn = canvas(fig)
    zoom = ((drawn.shape[1] - GAP) // 3 - GAP) // 28
    pixels = drawn[GAP + zoom // 2 :: zoom * 28 + GAP, GAP + zoom // 2 :: zoom * 28 + GAP, 0]
    np.testing.assert_array_equal(pixels, shades(walk.states[[0, 5, 10], :2, 0, 0, 0]).T)
    assert "2 images, a row each, at times t = 0, t = 0.5, t = 1" in plots.alt_text(fig)
    assert len(texts(plots.image_path(walk, at=4), "mark")) == 4


# --- the sweep -----------------------------------------------------------------------------------


def test_a_sweep_has_a_panel_and_a_scale_for_each_measure_and_marks_the_best():
    fig = plots.sweep(SCALES, MEASURES, real=REAL)
    assert [ax.get_title() for ax in fig.axes] == list(MEASURES)
    assert len({ax.get_ylim() for ax in fig.axes}) == 3
    for ax, (name, values) in zip(fig.axes, MEASURES.items(), strict=True):
        lines = {line.get_color(): line for line in ax.lines}
        curve = lines[SIMULATED]
        np.testing.assert_array_equal(curve.get_xdata(), [0, 1, 2, 4])
        np.testing.assert_array_equal(curve.get_ydata(), np.take(values, [0, 2, 3, 1]))
        assert (EXACT in lines) == (name in REAL)
        assert any(list(line.get_xdata()) == [2.0, 2.0] for line in ax.lines)
    star = fig.axes[2].lines[-1]
    assert (star.get_marker(), *star.get_xydata()[0]) == ("*", 2.0, 2.5)
    shown = [text.get_text() for text in fig.legends[0].get_texts()]
    assert shown == ["least Fréchet distance: 2.5 at $w$ = 2", "real data"]


def test_a_sweep_need_not_give_the_best_away():
    fig = plots.sweep(SCALES, MEASURES, mark=False)
    assert not fig.legends
    assert all(line.get_marker() == "o" for ax in fig.axes for line in ax.lines)


def test_distances_over_decades_have_a_logarithmic_axis():
    frechet = {name: values for name, values in MEASURES.items() if name.startswith("F")}
    assert plots.sweep(SCALES, frechet).axes[0].get_yscale() == "log"
    assert plots.sweep(SCALES[1:], {"Fréchet distance": [6, 4, 2.5]}).axes[0].get_yscale() == (
        "linear"
    )
    assert plots.sweep(SCALES, {"accuracy": [0.01, 1, 1, 1]}).axes[0].get_yscale() == "linear"


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e308])
def test_no_value_stops_a_sweep_and_a_lost_one_is_not_the_best(value):
    fig = plots.sweep([0, 1, 2], {"Fréchet distance": [value, 3, 4], "a": [value] * 3},
                      real={"a": value})  # fmt: skip
    draw_quickly(fig)
    assert "1 left out: NaN or infinite" in notes(fig)
    assert "3 left out" in notes(fig)
    assert fig.legends[0].get_texts()[0].get_text().endswith("3 at $w$ = 1")
    draw_quickly(plots.sweep([0, 1], {"Fréchet distance": [value] * 2}))


# --- several exact densities ---------------------------------------------------------------------


def test_several_named_densities_differ_in_their_dashes():
    samples = torch.randn(500, 1, generator=torch.Generator().manual_seed(1))
    fig = plots.histogram(samples, NAMED, extent=(-3.0, 5.0))
    (ax,) = fig.axes
    assert ax.get_xlim() == (-3.0, 5.0)
    for line, density in zip(ax.lines, NAMED.values(), strict=True):
        x = torch.as_tensor(line.get_xdata())
        np.testing.assert_allclose(line.get_ydata(), density(x), rtol=1e-4, atol=1e-30)
        assert line.get_color() == EXACT
    assert len({line.get_linestyle() for line in ax.lines}) == 2
    assert [t.get_text() for t in fig.legends[0].get_texts()] == ["samples", *NAMED]


def test_a_name_looks_alike_in_all_panels_and_the_highest_panel_is_not_cut():
    peaks = {"w = 1": {"a": normal(0.0, 1.0), "b": normal(0.0, 0.1)},
             "w = 3": {"b": normal(0.0, 0.05)}}  # fmt: skip
    fig = plots.histogram({name: torch.randn(99) for name in peaks}, peaks, extent=(-3, 3))
    left, right = (ax.lines for ax in fig.axes)
    assert left[1].get_linestyle() == right[0].get_linestyle() != left[0].get_linestyle()
    low, high = fig.axes[0].get_ylim()
    assert low == 0
    assert high >= right[0].get_ydata().max()


# --- bad input -----------------------------------------------------------------------------------

DIGITS = noise(4, 1, 28, 28)
REFUSED = {
    "coloured": (
        lambda: plots.images(noise(4, 3, 8, 8)),
        r"x must have shape \(n, 1, h, w\) or \(n, h, w\), got \(4, 3, 8, 8\)",
    ),
    "one without a batch": (lambda: plots.images(noise(8, 8)), r"got \(8, 8\)"),
    "a list": (lambda: plots.images([1.0]), "got list"),
    "grey values": (
        lambda: plots.images((DIGITS * 100).to(torch.uint8)),
        r"-1 \(paper\) to 1 \(ink\), got torch.uint8: grey values g .* g / 127.5 - 1",
    ),
    "empty batch": (lambda: plots.images(DIGITS[:0]), r"x is empty \(shape \(0, 1, 28, 28\)\)"),
    "complex": (lambda: plots.images(DIGITS * 1j), "real numbers, got Tensor of torch.complex64"),
    "columns": (lambda: plots.images(DIGITS, columns=0), "at least 1, got 0"),
    "columns of rows": (lambda: plots.image_rows({"a": DIGITS}, columns=0), "at least 1, got 0"),
    "labels": (
        lambda: plots.images(DIGITS, labels=torch.arange(3)),
        r"labels must be 4 captions, one for each image, got \(3,\)",
    ),
    "labels of two axes": (lambda: plots.images(DIGITS, labels=DIGITS[0, 0, :3]), r"got \(3, 28\)"),
    "expected alone": (lambda: plots.images(DIGITS, expected=[1, 2, 3, 4]), "without labels"),
    "expected's length": (
        lambda: plots.images(DIGITS, labels=[1, 2, 3, 4], expected=[1]),
        r"expected must be 4 captions, .* got \(1,\)",
    ),
    "no rows": (lambda: plots.image_rows({}), "empty dict"),
    "rows of what": (lambda: plots.image_rows(DIGITS), "rows must be a dict .*, got Tensor"),
    "rows of another size": (
        lambda: plots.image_rows({"a": DIGITS, "b": noise(4, 8, 8)}),
        r"rows\['b'\] must hold images of shape \(28, 28\) .* got \(8, 8\)",
    ),
    "no path": (lambda: plots.image_path(DIGITS), "must be a Trajectory"),
    "path of points": (
        lambda: plots.image_path(SimpleNamespace(times=[0.0], states=noise(1, 9, 2))),
        r"shape \(1, batch, 1, h, w\), one for each of its 1 times, got \(1, 9, 2\)",
    ),
    "path of coloured images": (
        lambda: plots.image_path(SimpleNamespace(times=[0.0], states=noise(1, 2, 3, 8, 8))),
        r"\(n, 1, h, w\)",
    ),
    "no image of a path": (lambda: plots.image_path(way(), n=0), "at least 1 image, got 0"),
    "late": (lambda: plots.image_path(way(), at=[2.0]), r"lie in \[0, 1\]"),
    "scales": (lambda: plots.sweep([math.nan], {"a": [1.0]}), "scales must be finite"),
    "measures": (lambda: plots.sweep([1.0], [1.0]), "must be a dict, got list"),
    "no measure": (lambda: plots.sweep([1.0], {}), "empty dict"),
    "length": (lambda: plots.sweep([1.0], {"a": [1, 2]}), r"measures\['a'\] must have 1 entries"),
    "real what": (
        lambda: plots.sweep([1.0], {"a": [1]}, real={"b": 1.0}),
        r"real has entries for \['b'\], expected some of \['a'\]",
    ),
    "extent": (
        lambda: plots.histogram(torch.randn(9), extent=(1.0, -1.0)),
        r"extent must be \(low, high\) with low < high, got \(1.0, -1.0\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_says_what_came_and_what_was_expected(name):
    call, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        call()
