"""The picture of Lab 3's U-Net: it says what the network does, and can be read."""

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from course_lib import plots
from course_lib.networks import UNet


@pytest.fixture(scope="module")
def figure():
    fig = plots.unet_diagram()
    fig.draw_without_rendering()
    return fig


def texts(figure):
    return [t for t in figure.findobj(Text) if t.get_text() and t.get_visible()]


def test_all_text_is_legible_and_none_overlaps(figure):
    assert plt.get_fignums() == []
    assert figure.get_size_inches()[0] <= 10.8
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts(figure)]
    assert all(t.get_fontsize() >= 9 for t in texts(figure))
    for i, (text, place) in enumerate(boxes):
        assert figure.bbox.padded(1).count_contains([place.min, place.max]) == 2, text
        for other, there in boxes[:i]:
            assert not place.padded(-1).overlaps(there.padded(-1)), (text, other)


def test_names_of_layers_fit_their_boxes(figure):
    (ax,) = figure.axes
    boxes = [p.get_window_extent() for p in ax.patches if isinstance(p, FancyBboxPatch)]
    names = [t for t in ax.texts if t.get_gid() == "layer"]
    assert len(names) == len(boxes)
    for name, box in zip(names, boxes, strict=True):
        place = name.get_window_extent()
        assert box.count_contains([place.min, place.max]) == 2, name.get_text()


def test_the_shapes_are_those_of_the_network(figure):
    network, seen = UNet(), {}
    for name in ("stem", "fine_down", "down", "coarse.0", "coarse.1", "up", "fine_up", "head"):
        network.get_submodule(name).register_forward_hook(
            lambda layer, args, result, name=name: seen.update({name: result.shape[1:]})
        )
    network.merge.register_forward_hook(
        lambda layer, args, result: seen.update(joined=args[0].shape[1:], merge=result.shape[1:])
    )
    network.stem.register_forward_pre_hook(
        lambda layer, args: seen.update(pixel_unshuffle=args[0].shape[1:])
    )
    velocity = network(torch.zeros(1, 1, 28, 28), torch.zeros(1), torch.zeros(1, dtype=torch.long))
    shapes = [(1, 28, 28), velocity.shape[1:], *seen.values()]
    wanted = sorted(" × ".join(map(str, shape)) for shape in shapes)
    written = [t.get_text().split(": ")[-1] for t in texts(figure)]
    assert sorted(text for text in written if text.count("×") == 2) == wanted


def test_there_is_a_sentence_for_those_who_cannot_see_it(figure):
    assert plots.alt_text(figure).startswith("Figure; the U-Net: on the way down")
