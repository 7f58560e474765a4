"""Right answers to Lab 3, written differently, as students would pass them to `check`.

For instructors, never released: the tests run every check against them. A right answer that a
check refuses is a bug in the check; add it here when a student finds one.
"""

import functools
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.checks.lab3 import blocks, images, unet
from course_lib.checks.lab3.batch import DigitLoss
from course_lib.checks.lab3.digits import HandedInDigits, TrainedDigits
from course_lib.checks.lab3.failures import WhichCauseA, WhichCauseB
from course_lib.checks.lab3.guidance import (
    DropLabels,
    GuidedCFMLoss,
    GuidedSDEStep,
    GuidedVelocity,
    OtherConvention,
)
from course_lib.checks.lab3.sweep import BestScale, FeatureSpread, PredictSweep
from course_lib.checks.lab3.tilt import GuidedStd, PredictTilt, TiltStd
from course_lib.datasets import MNIST
from course_lib.networks import UNet
from course_lib.networks.weights import load_weights
from course_lib.noise import normal, uniform
from course_lib.shapes import expand_time
from course_lib.simulate import euler_maruyama_step

__all__ = ["RIGHT_ANSWERS"]


def letters(letter):
    return [(letter,), (f" {letter.upper()} ",), (f"({letter})",), (f"( {letter.upper()} ).",)]


def images_by_expand(z, t, noise):
    t = expand_time(t, z)
    return t * z + (1 - t) * noise


def images_by_view(z, t, noise):
    t = t.view(-1, 1, 1, 1)
    return noise + t * (z - noise)


def images_by_lerp(z, t, noise):
    return torch.lerp(noise, z, t[:, None, None, None])


def images_by_einsum(z, t, noise):
    return torch.einsum("b,bchw->bchw", t, z) + torch.einsum("b,bchw->bchw", 1 - t, noise)


def images_by_loop(z, t, noise):
    return torch.stack([s * image + (1 - s) * e for s, image, e in zip(t, z, noise, strict=True)])


def features_by_broadcast(t, frequencies):
    angles = 2 * torch.pi * t[:, None] * frequencies[None, :]
    return 2**0.5 * torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)


def features_by_outer(t, frequencies):
    angles = torch.outer(t, 2 * math.pi * frequencies)
    return math.sqrt(2) * torch.hstack([angles.cos(), angles.sin()])


def features_filled_in(t, frequencies):
    n = len(frequencies)
    features = t.new_zeros(len(t), 2 * n)
    for i, f in enumerate(frequencies):
        features[:, i] = (2 * math.pi * f * t).cos()
        features[:, n + i] = (2 * math.pi * f * t).sin()
    return features * 2**0.5


def features_by_complex_numbers(t, frequencies):
    turns = torch.exp(2j * math.pi * t.unsqueeze(1) * frequencies)
    return torch.tensor(2.0).sqrt() * torch.cat((turns.real, turns.imag), 1)


def film_by_chunk(h, scale_shift):
    scale, shift = scale_shift[:, :, None, None].chunk(2, dim=1)
    return h * (1 + scale) + shift


def film_by_slices(h, scale_shift):
    width = h.shape[1]
    scale, shift = scale_shift[:, :width], scale_shift[:, width:]
    return h + h * scale.unsqueeze(-1).unsqueeze(-1) + shift.unsqueeze(-1).unsqueeze(-1)


def film_by_view(h, scale_shift):
    batch, width = h.shape[:2]
    scale, shift = scale_shift.view(batch, 2, width, 1, 1).unbind(1)
    return torch.addcmul(shift, h, scale + 1)


def film_by_einsum(h, scale_shift):
    scale, shift = scale_shift.split(h.shape[1], dim=1)
    return torch.einsum("bchw,bc->bchw", h, 1 + scale) + expand_like(shift, h)


def expand_like(v, h):
    return v.reshape(*v.shape, 1, 1).expand_as(h)


class ResidualBlock(nn.Module):
    """The layers as the lab gives them."""

    def __init__(self, width, condition):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.film = nn.Linear(condition, 2 * width)
        self.norm2 = nn.GroupNorm(8, width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)


class BlockByFunctions(ResidualBlock):
    def forward(self, h, c):
        inner = self.conv1(F.silu(self.norm1(h)))
        inner = film_by_chunk(self.norm2(inner), self.film(c))
        return h + self.conv2(F.silu(inner))


class BlockByHand(ResidualBlock):
    def forward(self, x, condition):
        skip = x
        x = self.norm1(x)
        x = self.conv1(x * torch.sigmoid(x))
        scale, shift = self.film(condition).tensor_split(2, dim=-1)
        x = self.norm2(x)
        x = x * (scale[..., None, None] + 1)
        x = x + shift[..., None, None]
        x = self.conv2(nn.SiLU()(x))
        return skip + x


class BlockInPlace(ResidualBlock):
    def forward(self, h, c):
        change = self.norm1(h)
        change = self.conv1(F.silu(change, inplace=True))
        change = film_by_slices(self.norm2(change), self.film(c))
        change = self.conv2(F.silu(change))
        change += h
        return change


class Blocks(nn.ModuleList):
    def forward(self, h, c):
        for block in self:
            h = block(h, c)
        return h


class Layers(nn.Module):
    """The layers as the lab gives them."""

    def __init__(self, widths=(32, 64), condition=64, labels=10, size=28):
        super().__init__()
        fine, coarse = widths
        self.null_label = labels
        self.register_buffer("frequencies", torch.randn(16))
        self.time = nn.Sequential(
            nn.Linear(32, condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        self.label = nn.Embedding(labels + 1, condition)
        self.stem = nn.Conv2d(4, fine, 3, padding=1)
        self.fine_down = BlockByFunctions(fine, condition)
        self.down = nn.Conv2d(fine, coarse, 2, stride=2)
        self.sketch = nn.Embedding(labels + 1, coarse * (size // 4) ** 2)
        self.coarse = Blocks(BlockByHand(coarse, condition) for _ in range(2))
        self.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)
        self.merge = nn.Conv2d(2 * fine, fine, 1)
        self.fine_up = BlockByFunctions(fine, condition)
        self.norm = nn.GroupNorm(8, fine)
        self.head = nn.Conv2d(fine, 4, 3, padding=1)


class UNetByFunctions(Layers):
    def forward(self, x, t, y):
        c = self.time(features_by_broadcast(t, self.frequencies)) + self.label(y)
        skip = self.fine_down(self.stem(F.pixel_unshuffle(x, 2)), c)
        h = self.down(skip)
        h = self.coarse(h + self.sketch(y).reshape(h.shape), c)
        h = self.fine_up(self.merge(torch.cat([self.up(h), skip], dim=1)), c)
        return F.pixel_shuffle(self.head(F.silu(self.norm(h))), 2)


class UNetStepByStep(Layers):
    def forward(self, images, t, y=None):
        if y is None:
            y = torch.full((len(images),), self.null_label)
        t = t.expand(len(images))
        c = self.label.weight[y] + self.time(features_filled_in(t, self.frequencies))
        h = nn.PixelUnshuffle(2)(images)
        h = self.stem(h)
        h = self.fine_down(h, c)
        kept = [h]
        h = self.down(h)
        h += self.sketch.weight[y].view(len(images), -1, *h.shape[2:])
        for block in self.coarse:
            h = block(h, c)
        h = self.up(h)
        h = self.merge(torch.hstack((h, kept.pop())))
        h = self.fine_up(h, c)
        h = self.norm(h)
        h = self.head(nn.SiLU()(h))
        return nn.PixelShuffle(2)(h)


def measured_shapes():
    """The shapes as hooks see them, for whoever looks before predicting."""
    net, seen = unet.UNet(), {}
    for name in ("stem", "down", "up", "merge"):
        getattr(net, name).register_forward_hook(
            lambda module, args, result, name=name: seen.update(
                {name: (args[0].shape, result.shape)}
            )
        )
    x = torch.zeros(16, 1, 28, 28)
    result = net(x, torch.zeros(16), torch.zeros(16, dtype=torch.long))
    return [
        seen["stem"][0],
        *(seen[name][1] for name in ("stem", "down", "up")),
        seen["merge"][0],
        result.shape,
    ]


NETWORK = {
    images.PathOnImages: [
        (images_by_expand,),
        (images_by_view,),
        (images_by_lerp,),
        (images_by_einsum,),
        (images_by_loop,),
    ],
    images.FourierTimeFeatures: [
        (features_by_broadcast,),
        (features_by_outer,),
        (features_filled_in,),
        (features_by_complex_numbers,),
    ],
    blocks.ScaleAndShift: [
        (film_by_chunk,),
        (film_by_slices,),
        (film_by_view,),
        (film_by_einsum,),
    ],
    blocks.ResidualBlockForward: [
        (BlockByFunctions,),
        (BlockByHand,),
        (BlockInPlace,),
        (BlockByFunctions(16, 12),),
    ],
    unet.PredictShapes: [
        (measured_shapes(),),
        ([tuple(shape) for shape in measured_shapes()],),
        (tuple(list(shape) for shape in measured_shapes()),),
    ],
    unet.UNetForward: [(UNetByFunctions,), (UNetStepByStep,)],
    unet.PredictSkip: letters("c"),
}


def drop_by_where(y, u, rate, null_label):
    return torch.where(u < rate, torch.full_like(y, null_label), y)


def drop_by_masked_fill(y, u, rate, null_label):
    return y.masked_fill(u < rate, null_label)


def drop_by_index(y, u, rate, null_label):
    y = y.clone()
    y[u < rate] = null_label
    return y


def drop_by_arithmetic(y, u, rate, null_label):
    dropped = (u < rate).long()
    return y * (1 - dropped) + null_label * dropped


def drop_by_loop(y, u, rate, null_label):
    pairs = zip(y.tolist(), u.tolist(), strict=True)
    return torch.tensor([null_label if chance < rate else label for label, chance in pairs])


def loss_by_mse(model, z, y, t, noise, u, rate, null_label):
    s = t[:, None, None, None]
    y = drop_by_where(y, u, rate, null_label)
    return torch.nn.functional.mse_loss(model(s * z + (1 - s) * noise, t, y), z - noise)


def loss_image_by_image(model, z, y, t, noise, u, rate, null_label):
    labels, each = drop_by_index(y, u, rate, null_label), []
    for i in range(len(z)):
        x = t[i] * z[i : i + 1] + (1 - t[i]) * noise[i : i + 1]
        error = model(x, t[i : i + 1], labels[i : i + 1]) - (z[i] - noise[i])
        each.append((error**2).mean())
    return sum(each) / len(each)


def loss_by_sums(model, z, y, t, noise, u, rate, null_label):
    x = torch.lerp(noise, z, expand_time(t, z))
    error = z - noise - model(x, t, drop_by_arithmetic(y, u, rate, null_label))
    return error.flatten(1).norm(dim=1).pow(2).sum() / z.numel()


def loss_by_the_way_left(model, z, y, t, noise, u, rate, null_label):
    s = t.view(-1, 1, 1, 1)
    x = noise + s * (z - noise)
    target = (z - x) / (1 - s)
    prediction = model(x, t, drop_by_loop(y, u, rate, null_label))
    return (prediction - target).square().mean(dim=(1, 2, 3)).mean()


def guided_in_two_lines(velocity, x, t, y, w, null_label):
    null = torch.full_like(y, null_label)
    return (1 - w) * velocity(x, t, null) + w * velocity(x, t, y)


def guided_from_the_null(velocity, x, t, y, w, null_label):
    without = velocity(x, t, 0 * y + null_label)
    return without + w * (velocity(x, t, y) - without)


def guided_in_one_batch(velocity, x, t, y, w, null_label):
    labels = torch.cat([y, y.new_full(y.shape, null_label)])
    both = velocity(torch.cat([x, x]), torch.cat([t, t]), labels)
    given, without = both.chunk(2)
    return torch.lerp(without, given, w)


def guided_beyond_the_label(velocity, x, t, y, w, null_label):
    nothing = torch.tensor([null_label] * len(y))
    given = velocity(x, t, y)
    if w == 1:
        return given
    return given + (w - 1) * (given - velocity(x, t, nothing))


def sde_step_as_printed(score, x, t, h, y, w, sigma, noise, null_label):
    s = (1 - w) * score(x, t, torch.full_like(y, null_label)) + w * score(x, t, y)
    u = (x + (1 - t) * s) / t
    return x + h * (u + sigma**2 / 2 * s) + math.sqrt(h) * sigma * noise


def sde_step_by_guided(score, x, t, h, y, w, sigma, noise, null_label):
    s = guided_from_the_null(score, x, t, y, w, null_label)
    a, b = 1 / t, ((1 - t) ** 2 + (1 - t) * t) / t
    drift = a * x + (b + 0.5 * sigma * sigma) * s
    return x + drift * h + sigma * h**0.5 * noise


def sde_step_by_the_librarys(score, x, t, h, y, w, sigma, noise, null_label):
    def drift(x, t):
        s = guided_beyond_the_label(score, x, t, y, w, null_label)
        image = (x + (1 - t) ** 2 * s) / t
        return (image - x) / (1 - t) + sigma**2 / 2 * s

    return euler_maruyama_step(drift, lambda t: sigma, x, t, h, noise)


def sde_step_with_tensors(score, x, t, h, y, w, sigma, noise, null_label):
    """Times one for each point, and the two velocities mixed in place of the scores."""
    time, h = torch.full((len(x),), t, dtype=x.dtype), torch.tensor(h, dtype=x.dtype)
    scores = score(x, time, y), score(x, time, torch.full_like(y, null_label))
    u, u_null = ((x + (1 - t) * s) / t for s in scores)
    noisy = torch.sqrt(h) * sigma * noise
    s = w * scores[0] - (w - 1) * scores[1]
    return x + h * (w * u + (1 - w) * u_null) + h * sigma**2 * s / 2 + noisy


def guided_std_by_powers(s_data, S_data, w, t):
    s, S = ((t**2 * std**2 + (1 - t) ** 2) ** 0.5 for std in (s_data, S_data))
    return s**w * S ** (1 - w)


def guided_std_by_logarithms(s_data, S_data, w, t):
    s = torch.hypot(t * s_data, 1 - t)
    S = torch.hypot(t * S_data, 1 - t)
    return torch.exp(w * s.log() + (1 - w) * S.log())


def guided_std_by_variances(s_data, S_data, w, t):
    v, V = (t * s_data) ** 2 + (1 - t) ** 2, (t * S_data) ** 2 + (1 - t) ** 2
    return torch.sqrt(V * (v / V) ** w)


def guided_std_by_rates(s_data, S_data, w, t):
    """The rates of the two clouds, mixed and integrated from 0 to t by Gauss's rule."""

    def rate(tau, std):
        return (tau * std**2 - (1 - tau)) / (tau**2 * std**2 + (1 - tau) ** 2)

    k = torch.arange(1, 40, dtype=torch.float64)
    off = k / (4 * k**2 - 1).sqrt()
    nodes, vectors = torch.linalg.eigh(torch.diag(off, 1) + torch.diag(off, -1))
    weights = vectors[0] ** 2  # of the mean over [-1, 1]
    tau = t[:, None] * (nodes + 1) / 2
    mixed = w * rate(tau, s_data) + (1 - w) * rate(tau, S_data)
    return (t * (mixed * weights).sum(1)).exp()


def guided_std_by_math(s_data, S_data, w, t):
    widths = []
    for s in t.tolist():
        small, large = math.hypot(s * s_data, 1 - s), math.hypot(s * S_data, 1 - s)
        widths.append(large * (small / large) ** w)
    return torch.tensor(widths, dtype=t.dtype)


def tilt_std_by_precisions(s_data, S_data, w):
    return (w / s_data**2 + (1 - w) / S_data**2) ** -0.5


def tilt_std_in_one_fraction(s_data, S_data, w):
    return s_data * S_data / math.sqrt(w * S_data**2 + (1 - w) * s_data**2)


def tilt_std_as_a_tensor(s_data, S_data, w):
    precision = torch.tensor(w * s_data**-2 - (w - 1) * S_data**-2, dtype=torch.float64)
    return precision.rsqrt()


def tilt_std_by_summing(s_data, S_data, w):
    x = torch.linspace(-20, 20, 20001, dtype=torch.float64)
    p = (-w * x**2 / (2 * s_data**2) - (1 - w) * x**2 / (2 * S_data**2)).softmax(0)
    return (p * x**2).sum().sqrt().item()


GUIDANCE = {
    DropLabels: [
        (drop_by_where,),
        (drop_by_masked_fill,),
        (drop_by_index,),
        (drop_by_arithmetic,),
        (drop_by_loop,),
    ],
    GuidedCFMLoss: [
        (loss_by_mse,),
        (loss_image_by_image,),
        (loss_by_sums,),
        (loss_by_the_way_left,),
    ],
    GuidedVelocity: [
        (guided_in_two_lines,),
        (guided_from_the_null,),
        (guided_in_one_batch,),
        (guided_beyond_the_label,),
    ],
    OtherConvention: [(2.5,), (5 / 2,), (torch.tensor(2.5),), (1 + 1.5,)],
    GuidedSDEStep: [
        (sde_step_as_printed,),
        (sde_step_by_guided,),
        (sde_step_by_the_librarys,),
        (sde_step_with_tensors,),
    ],
    PredictTilt: letters("c"),
    GuidedStd: [
        (guided_std_by_powers,),
        (guided_std_by_logarithms,),
        (guided_std_by_variances,),
        (guided_std_by_rates,),
        (guided_std_by_math,),
    ],
    TiltStd: [
        (tilt_std_by_precisions,),
        (tilt_std_in_one_fraction,),
        (tilt_std_as_a_tensor,),
        (tilt_std_by_summing,),
    ],
}


OWN_DIGITS = Path(__file__).with_name("digits.safetensors")  # what Lab 3 itself trains


def spread_by_loop(features, y):
    total, classes = 0.0, y.unique()
    for k in classes:
        of_k = features[y == k]
        total += ((of_k - of_k.mean(dim=0)) ** 2).sum() / len(of_k)
    return total / len(classes)


def spread_by_var(features, y):
    present = [k for k in range(10) if (y == k).any()]
    return torch.stack([features[y == k].var(dim=0, correction=0).sum() for k in present]).mean()


def spread_by_moments(features, y):
    """E|f|² - |E f|², class by class, as a Python number."""
    values = []
    for k in set(y.tolist()):
        f = features[y == k]
        values.append((f.square().sum(1).mean() - f.mean(0).square().sum()).item())
    return sum(values) / len(values)


def spread_by_covariance(features, y):
    return (
        sum(torch.cov(features[y == k].T, correction=0).trace() for k in y.unique())
        / y.unique().numel()
    )


def spread_by_one_hot(features, y):
    member = torch.nn.functional.one_hot(y, 10).to(features)
    member = member[:, member.sum(0) > 0]
    share = member / member.sum(0)
    centres = share.T @ features
    return (torch.cdist(features, centres).square() * share).sum(0).mean()


@functools.cache
def trained():
    network = UNet()
    load_weights(network, OWN_DIGITS)
    return network


def in_small_batches(x, t, y):
    """Small batches, and the null label as None where all have it."""
    parts = zip(x.split(64), t.split(64), y.split(64), strict=True)
    model = trained()
    return torch.cat(
        [model(*part[:2], None if (part[2] == 10).all() else part[2]) for part in parts]
    )


class TakesLabelsOnly(UNet):
    """A forward of a student's own, that takes a time and a label for each image, and no None."""

    def forward(self, x, t, y):
        assert t.shape == y.shape == x.shape[:1]
        return super().forward(x, t, y)


def digit_loss(model, generator):
    z, y = MNIST().sample(64, generator)
    t, u = uniform((64,), z, generator), uniform((64,), z, generator)
    noise = normal(z.shape, z, generator)
    s = t[:, None, None, None]
    prediction = model(s * z + (1 - s) * noise, t, torch.where(u < 0.1, 10, y))
    return torch.nn.functional.mse_loss(prediction, z - noise)


def digit_loss_by_torch(model, generator):
    noise = torch.randn(64, 1, 28, 28, generator=generator)
    z, y = MNIST().sample(64, generator)
    y[torch.rand(64, generator=generator) < 0.1] = 10
    t = torch.rand(64, generator=generator)
    x = torch.lerp(noise, z, t.view(-1, 1, 1, 1))
    return ((model(x, t, y) + noise - z) ** 2).mean()


DIGITS = {
    DigitLoss: [(digit_loss,), (digit_loss_by_torch,)],
    TrainedDigits: [(trained(),), (in_small_batches,)],
    HandedInDigits: [
        (UNet(), OWN_DIGITS),
        (TakesLabelsOnly, str(OWN_DIGITS)),
    ],
    PredictSweep: letters("c"),
    BestScale: [(1.5,), (3 / 2,), (torch.tensor(1.5),)],
    WhichCauseA: letters("c"),
    WhichCauseB: letters("d"),
    FeatureSpread: [
        (spread_by_loop,),
        (spread_by_var,),
        (spread_by_moments,),
        (spread_by_covariance,),
        (spread_by_one_hot,),
    ],
}

RIGHT_ANSWERS = {**NETWORK, **GUIDANCE, **DIGITS}
