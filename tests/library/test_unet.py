import math

import pytest
import torch
from torch import nn

from course_lib.networks import ResidualBlock, ResidualBlocks, UNet, time_features


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def unet(seed=0, **sizes):
    """A small U-Net whose weights are drawn, so that none of its layers is silent."""
    torch.manual_seed(seed)
    net = UNet(**{"widths": (8, 16), "condition": 12, "size": 8} | sizes).double()
    for weight in net.parameters():
        nn.init.normal_(weight, std=0.3)
    return net


def batch(n=4, channels=1, size=8, seed=0):
    x = torch.randn(n, channels, size, size, generator=gen(seed), dtype=torch.float64)
    t = torch.rand(n, generator=gen(seed + 1), dtype=torch.float64)
    return x, t, torch.arange(n) % 10


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 12), (1, 4), (2, 32)])
def test_result_is_shaped_like_the_images(channels, size):
    x, t, y = batch(3, channels, size)
    assert unet(channels=channels, size=size)(x, t, y).shape == x.shape


def test_starts_as_zero():
    x, t, y = batch(3, size=28)
    assert (UNet()(x.float(), t.float(), y) == 0).all()


def test_a_time_for_all_is_that_time_for_each():
    net, (x, _, y) = unet(), batch()
    expected = net(x, torch.full((4,), 0.3, dtype=torch.float64), y)
    torch.testing.assert_close(net(x, torch.tensor(0.3, dtype=torch.float64), y), expected)
    torch.testing.assert_close(net(x, 0.3, y), expected)


def test_each_image_has_its_own_time_and_label():
    net, (x, t, y) = unet(), batch()
    together = net(x, t, y)
    alone = torch.cat([net(x[i : i + 1], t[i], y[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(together, alone)
    assert not torch.allclose(together, net(x, t.roll(1), y))
    assert not torch.allclose(together, net(x, t, y.roll(1)))


def test_no_label_is_the_null_label():
    net, (x, t, _) = unet(labels=7), batch()
    assert net.null_label == 7
    assert torch.equal(net(x, t), net(x, t, torch.full((4,), 7)))


def test_every_weight_has_a_gradient():
    net, (x, t, y) = unet(), batch(11)
    y = torch.arange(11)
    net(x, t, y).square().sum().backward()
    silent = [name for name, weight in net.named_parameters() if not weight.grad.any()]
    assert silent == []


def test_the_skip_keeps_what_the_coarse_level_loses():
    """With the coarse level cut off, the result still depends on the image."""
    net, (x, t, y) = unet(), batch()
    for weight in net.up.parameters():
        nn.init.zeros_(weight)
    assert not torch.allclose(net(x, t, y), net(x.flip(-1), t, y))


def test_the_sketch_of_a_label_is_added_after_down():
    net, (x, t, y) = unet(), batch()
    seen = []
    net.coarse.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    net.down.register_forward_hook(lambda _, args, h: seen.append(h))
    net(x, t, y)
    before, after = seen
    torch.testing.assert_close(after, before + net.sketch.weight[y].view(4, 16, 2, 2))


def test_the_coarse_level_sees_far():
    """A pixel in a corner of 28×28 moves the middle of the result."""
    net, (x, t, y) = unet(size=28), batch(1, size=28)
    x.requires_grad_()
    net(x, t, y)[0, 0, 14, 14].backward()
    assert (x.grad[0, 0, 4, 4]).abs() > 0
    assert (x.grad[0, 0, 24, 24]).abs() > 0


def test_a_block_is_its_formula():
    torch.manual_seed(0)
    block = ResidualBlock(16, 5).double()
    for weight in block.parameters():
        nn.init.normal_(weight, std=0.3)
    h = torch.randn(3, 16, 6, 4, dtype=torch.float64)
    c = torch.randn(3, 5, dtype=torch.float64)
    scale, shift = block.film(c).view(3, 2, 16, 1, 1).unbind(1)
    silu = lambda u: u * torch.sigmoid(u)  # noqa: E731
    u = block.norm2(block.conv1(silu(block.norm1(h)))) * (1 + scale) + shift
    torch.testing.assert_close(block(h, c), h + block.conv2(silu(u)))


def test_a_new_block_changes_nothing():
    h = torch.randn(2, 8, 4, 4)
    assert torch.equal(ResidualBlock(8, 3)(h, torch.randn(2, 3)), h)


def test_blocks_follow_one_another():
    blocks = ResidualBlocks(2, 8, 3)
    for weight in blocks.parameters():
        nn.init.normal_(weight, std=0.3)
    h, c = torch.randn(2, 8, 4, 4), torch.randn(2, 3)
    torch.testing.assert_close(blocks(h, c), blocks[1](blocks[0](h, c), c))


def test_time_features_are_cosines_then_sines():
    t, f = torch.tensor([0.0, 0.25]), torch.tensor([0.0, 1.0, 2.0])
    r = math.sqrt(2)
    expected = torch.tensor([[r, r, r, 0, 0, 0], [r, 0, -r, 0, r, 0]])
    torch.testing.assert_close(time_features(t, f), expected, atol=1e-6, rtol=0)


def test_time_features_have_mean_square_one():
    features = time_features(torch.rand(20, generator=gen()), torch.randn(16, generator=gen(1)))
    torch.testing.assert_close(features.square().mean(1), torch.ones(20))


def test_weights_keep_their_names():
    """A lab's network and the library's exchange their weights by these names."""
    layers = dict(unet().named_children())
    assert list(layers) == [
        *("time", "label", "stem", "fine_down", "down", "sketch", "coarse", "up", "merge"),
        *("fine_up", "norm", "head"),
    ]
    block = dict(layers["fine_up"].named_children())
    assert list(block) == ["norm1", "conv1", "film", "norm2", "conv2"]
    assert "frequencies" in unet().state_dict()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(x=torch.zeros(4, 1, 8, 12)), r"expected \(batch, 1, 8, 8\)"),
        (dict(x=torch.zeros(4, 2, 8, 8)), r"expected \(batch, 1, 8, 8\)"),
        (dict(x=torch.zeros(4, 64)), r"expected \(batch, 1, 8, 8\)"),
        (dict(x=torch.zeros(0, 1, 8, 8)), "not empty"),
        (dict(x=torch.zeros(4, 1, 8, 8, dtype=torch.int64)), "floating-point"),
        (dict(t=torch.zeros(3)), r"expected \(\) or \(batch,\)"),
        (dict(t=torch.tensor(1.5)), r"expected times in \[0, 1\]"),
        (dict(y=torch.zeros(4)), "expected whole numbers"),
        (dict(y=torch.zeros(3, dtype=torch.int64)), r"shape \(4,\)"),
        (dict(y=torch.full((4,), 11)), "expected 0 to 10"),
        (dict(y=3), "y is int"),
    ],
)
def test_refuses_bad_input(change, words):
    x, t, y = batch()
    with pytest.raises(ValueError, match=words):
        unet()(**dict(x=x, t=t, y=y) | change)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        (dict(widths=(12, 16)), "multiple of 8"),
        (dict(widths=(8, 0)), "width is 0"),
        (dict(channels=0), "channels is 0"),
        (dict(size=0), "size is 0"),
        (dict(size=10), "size is 10; expected a multiple of 4"),
        (dict(labels=0), "labels is 0"),
        (dict(condition=0), "condition is 0"),
    ],
)
def test_refuses_bad_sizes(sizes, words):
    with pytest.raises(ValueError, match=words):
        UNet(**sizes)
