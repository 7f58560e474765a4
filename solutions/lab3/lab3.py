# %% [markdown]
# # Lab 3 · Digits to order
#
# In Lab 2 a network learned to walk a crowd of points to a chessboard. Now the crowd are images, and you may ask for one: *a seven, please*. You build the network, train it in three minutes without a GPU, and learn the trick that nearly every image generator uses to be obeyed.
#
# **At the end you can**
#
# - use the paths and losses of Lab 2 on images, without changing a formula;
# - build a U-Net that is told the time and the label, and say what each of its parts is for;
# - train one network with and without labels at once, and steer it by classifier-free guidance;
# - say what guidance samples, and what it does not;
# - judge a generator: does it obey, does it vary, and is it close to the real thing?
#
# **Time:** 3 to 4 hours, three minutes of them training; after Part B is a good place for a break. **Builds on:** Lab 2, convolutions in PyTorch (`nn.Conv2d`).
#
# **Source:** Holderrieth & Erives, *An Introduction to Flow Matching and Diffusion Models*, section 5. Equations are cited as Notes (70). Slips in print that touch this lab are collected in the course's `docs/errata.md`.
#
# Later cells use your earlier answers. If you are stuck, take what the library has, and go on; most checks notice, and give no points for it.
#
# <details><summary>What the library has</summary>
#
# | yours | the library's |
# |---|---|
# | `sample_path(z, t, noise)` | `GaussianPath(Linear()).sample(z, t, noise)` |
# | `time_features`, `ResidualBlock`, `UNet` | the same names in `course_lib.networks` |
# | `drop_labels(y, u, rate, null_label)` | `drop_labels(y, rate, null_label, u)` of `course_lib.guidance` |
# | `guided_velocity` | `guided(network, y, w)` of `course_lib.guidance`: a function of `(x, t)` |
# | a trained network | `digit_generator()` of `course_lib.pretrained` |
#
# </details>


# %%
try:
    from course_lib.checks import check, lab3, progress
except ModuleNotFoundError as missing:
    raise SystemExit(
        f"{missing}: the course library is not installed in this notebook's Python.\n"
        "In a copy of the course, run   %pip install -e ../..\n"
        "On Colab or elsewhere, run     %pip install git+ADDRESS   with your course's git address.\n"
        "Then restart the kernel and run this cell again."
    ) from None

# %%
import math

import torch
from torch import nn
from torch.nn import functional as F

from course_lib import plots
from course_lib.datasets import MNIST
from course_lib.distributions import GaussianMixture
from course_lib.metrics import digit_features, digit_quality
from course_lib.networks.weights import save_weights
from course_lib.noise import normal, uniform
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear
from course_lib.pretrained import digit_generator, digit_judge
from course_lib.processes import ODE
from course_lib.simulate import Trajectory, midpoint_step, simulate, time_grid
from course_lib.training import budget, fit
from course_lib.widgets import DigitExplorer, GuidanceExplorer, NoiseScrubber

_ = torch.manual_seed(0)  # the same figures for everyone who runs the cells in order

# %% [markdown]
# # Part A · An image is a point
#
# A grey image of 28 × 28 pixels is 784 numbers: a point in 784 dimensions. Nothing else is new. A set of images is a cloud of points, and the straight path of Lab 2 leads a noise image to a digit as it led a person from the foyer to a seat.
#
# The data are MNIST: 60,000 handwritten digits, each with its label, the digit that was meant. Here pixels run from −1, drawn black, to 1, drawn white; what lies outside is drawn like the nearer end.

# %%
digits = MNIST()
z, y = digits.sample(40, torch.Generator().manual_seed(1))
print(z.shape, y.shape, y.dtype)
plots.images(z, labels=y.tolist())

# %% [markdown]
# ### Exercise 1 · The path on images
#
# The linear path, Notes (17) with $\alpha_t=t$ and $\beta_t=1-t$:
#
# $$x_t=t\,z+(1-t)\,\epsilon .$$
#
# Each image of the batch has a time of its own. `t` has shape `(batch,)`, `z` has shape `(batch, 1, height, width)`. Mind how they meet: PyTorch lines shapes up from the *right*, so a plain `t * z` would give each *column* of pixels a time of its own, if it runs at all. In Lab 2 `expand_time` took care of that. Here do it by hand.


# %%
def sample_path(z, t, noise):
    """Images on the linear path, Notes (17).

    Args:
        z: images, shape (batch, 1, height, width).
        t: times, shape (batch,).
        noise: standard normal numbers, shaped like z.

    Returns:
        x_t, shaped like z.
    """
    ### BEGIN SOLUTION
    t = t[:, None, None, None]
    return t * z + (1 - t) * noise
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `t[:, None, None, None]` and `t.view(-1, 1, 1, 1)` both have shape `(batch, 1, 1, 1)`.
#
# </details>

# %%
check(lab3.PathOnImages, sample_path)

# %%
clock = torch.linspace(0, 1, 9)
noise = torch.randn(4, 1, 28, 28)
stations = [sample_path(z[:4], t.expand(4), noise) for t in clock]
plots.image_path(Trajectory(clock, torch.stack(stations)), n=4)

# %% [markdown]
# Your eye finds the digit at about $t=0.3$. A network finds it too, and must say at each $t$ which way to go: the target is $z-\epsilon$, the velocity along the path.
#
# Here is a network that has learned this; it comes with the course. At every $t$ it guesses the clean image: the mean of all images that could have led to this noise. Drag the time. **Find out:** at which $t$ does its guess become this digit, and is no longer an average of digits? Then tell it *another* digit: until when is that one read in all three guesses?

# %%
NoiseScrubber()

# %% [markdown]
# # Part B · The network
#
# In Lab 2 a multilayer perceptron took the two coordinates of a point. It could take 784 as well, but it would have to learn from scratch that pixels have neighbours. A *convolution* knows: it looks at each pixel's surroundings, and does the same everywhere.
#
# Think of somebody who restores a painting. She steps back to see what it shows. She steps up to paint the detail. And she keeps photographs of what she saw close up. That is a *U-Net*: downwards to fewer and larger pixels, upwards again, and *skips* across, the photographs. All the while she must know two things: how much dirt is still on the canvas ($t$), and what it is meant to show ($y$).
#
# ### Exercise 2 · A clock with many hands
#
# A network does badly with one plain number $t$. To tell 0.31 from 0.37 it would have to see a difference in the second decimal. A clock shows time by hands: of a slow one you read the hour, of a quicker one the minute. Give each hand $i$ a random speed $f_i$ (standard normal, drawn once: the quickest of 16 makes about two turns), and write down where it points, with a factor that makes the mean square 1:
#
# $$\phi(t)=\sqrt2\,\bigl[\cos 2\pi f_1t,\dots,\cos 2\pi f_nt,\ \sin 2\pi f_1t,\dots,\sin 2\pi f_nt\bigr].$$
#
# These are *random Fourier features*. (In Lab 2 the library made features of time for you.)


# %%
def time_features(t, frequencies):
    """Random Fourier features of time: all the cosines, then all the sines.

    Args:
        t: times, shape (batch,).
        frequencies: shape (n,).

    Returns:
        Features, shape (batch, 2n).
    """
    ### BEGIN SOLUTION
    angles = 2 * math.pi * t[:, None] * frequencies
    return math.sqrt(2) * torch.cat([angles.cos(), angles.sin()], dim=1)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `t[:, None] * frequencies` has shape `(batch, n)`: every time with every speed. `torch.cat([a, b], dim=1)` puts two such tables side by side.
#
# </details>

# %%
check(lab3.FourierTimeFeatures, time_features)

# %% [markdown]
# ### Exercise 3 · A mixing desk
#
# How does one tell a convolution the time and the label? Turn both into one vector $c$, the *condition*. Then let $c$ work a mixing desk: it has a slider for every channel, which makes that channel louder or softer (*scale*) and lifts or lowers it (*shift*). The Notes (§5.2.2) add a shift only. With a scale too, $c$ can also switch a channel off.
#
# The number of channels is called the *width* of a network. A layer `film` turns $c$ into $2\cdot$`width` numbers for each image: first the scales of all channels, then their shifts. A scale of 0 means "leave it as it is", so multiply by $1+$ scale.


# %%
def scale_and_shift(h, scale_shift):
    """h · (1 + scale) + shift, channel by channel.

    Args:
        h: features, shape (batch, channels, rows, columns).
        scale_shift: shape (batch, 2 * channels); the first half are the scales.

    Returns:
        Features, shaped like h.
    """
    ### BEGIN SOLUTION
    scale, shift = scale_shift[:, :, None, None].chunk(2, dim=1)
    return h * (1 + scale) + shift
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `a.chunk(2, dim=1)` cuts a tensor into two halves along its second dimension.
#
# </details>

# %%
check(lab3.ScaleAndShift, scale_and_shift)


# %% [markdown]
# ### Exercise 4 · A residual block
#
# The network is built from blocks of one kind. A block does not replace what it gets. It works out a *correction* and adds it:
#
# $$h\;+\;\text{conv}_2\Bigl(\text{silu}\bigl(\underbrace{\text{norm}_2(\text{conv}_1(\text{silu}(\text{norm}_1(h))))}_{\text{then scale and shift by } c}\bigr)\Bigr)$$
#
# So the way from the input to the output is always open, and so is the way back for gradients. The layers are given. Before training, `conv2` is zero: a new block does nothing, and learns from there. Write `forward`. (`F.silu` is $x\cdot\text{sigmoid}(x)$, a smooth ReLU. A `GroupNorm` brings the channels of an image, in 8 groups, to mean 0 and variance 1.)


# %%
class ResidualBlock(nn.Module):
    def __init__(self, width, condition):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.film = nn.Linear(condition, 2 * width)
        self.norm2 = nn.GroupNorm(8, width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, h, c):
        """Features h (batch, width, ...) and conditions c (batch, condition) to features like h."""
        ### BEGIN SOLUTION
        u = self.conv1(F.silu(self.norm1(h)))
        u = scale_and_shift(self.norm2(u), self.film(c))
        return h + self.conv2(F.silu(u))
        ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Keep `h` for the sum at the end, and give the inner state a name of its own. `self.film(c)` are the numbers that your `scale_and_shift` wants.
#
# </details>

# %%
check(lab3.ResidualBlockForward, ResidualBlock)


# %% [markdown]
# ### Exercise 5 · Down and up
#
# Here are all the layers of the network, from top to bottom in the order of their use. `F.pixel_unshuffle(x, 2)` comes before `stem`: it makes each square of 2 × 2 pixels one place with four channels. No number is lost, and every convolution from here on has a quarter of the places to visit.


# %%
class Layers(nn.Module):
    def __init__(self, widths=(32, 64), condition=64, labels=10, size=28):
        super().__init__()
        fine, coarse = widths
        self.register_buffer("frequencies", torch.randn(16))  # the hands of the clock
        self.time = nn.Sequential(
            nn.Linear(32, condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        self.label = nn.Embedding(
            labels + 1, condition
        )  # one vector per label; 10 is for "not told", see Part C
        self.stem = nn.Conv2d(4, fine, 3, padding=1)
        self.fine_down = ResidualBlock(fine, condition)
        self.down = nn.Conv2d(fine, coarse, 2, stride=2)  # 2 × 2 places become one
        self.sketch = nn.Embedding(labels + 1, coarse * (size // 4) ** 2)
        self.coarse = nn.ModuleList(ResidualBlock(coarse, condition) for _ in range(2))
        self.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)  # and one becomes 2 × 2
        self.merge = nn.Conv2d(2 * fine, fine, 1)  # of what comes up and the skip
        self.fine_up = ResidualBlock(fine, condition)
        self.norm = nn.GroupNorm(8, fine)
        self.head = nn.Conv2d(fine, 4, 3, padding=1)
        for layer in (self.sketch, self.head):  # these begin as zero
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.head.bias)


# %% [markdown]
# The label enters twice. Its vector works the mixing desks, which are the same at every place. But where in the image does a 7 have its stroke? For that the network learns, for each label, a *sketch*: a number for each channel and place of the coarse level, 7 × 7.
#
# A batch of 16 digits goes in, `(16, 1, 28, 28)`. Follow it on paper. What is its shape
#
# 1. after the first `pixel_unshuffle`,
# 2. after `stem`,
# 3. after `down`,
# 4. after `up`,
# 5. when the channels of what came up and those of the skip are joined, before `merge`,
# 6. at the very end, after `F.pixel_shuffle(..., 2)` has put the pixels back?

# %%
### BEGIN SOLUTION
shapes = [
    (16, 4, 14, 14),
    (16, 32, 14, 14),
    (16, 64, 7, 7),
    (16, 32, 14, 14),
    (16, 64, 14, 14),
    (16, 1, 28, 28),
]
### END SOLUTION

# %% [markdown]
# <details><summary>What to write</summary>
#
# A list of six tuples of numbers, such as `(16, 1, 28, 28)`. The names of the layers: `nn.Embedding(n, d)` is a table of `n` vectors that are learned; `nn.ConvTranspose2d` with `2, stride=2` makes each place into 2 × 2.
#
# </details>

# %%
check(lab3.PredictShapes, shapes)

# %% [markdown]
# Here is the whole of it: down on the left, up on the right. Channels come first, then rows and columns. The blue blocks are told the condition $c$.

# %%
plots.unet_diagram()


# %% [markdown]
# ### Exercise 6 · The U-Net
#
# Put it together.
#
# - The condition: `time` of your features of `t`, plus `label` of `y`.
# - Unshuffle the pixels, `stem`, `fine_down`. What comes out is kept: it is the skip.
# - `down`. Add the sketch of `y`, viewed in the shape of what is there. Then both blocks of `coarse`.
# - `up`. Join the channels of what came up and of the skip, in this order, and `merge`.
# - `fine_up`, `norm`, silu, `head`, and shuffle the pixels back.
#
# Every block gets the condition.


# %%
class UNet(Layers):
    def forward(self, x, t, y):
        """The velocity at images x (batch, 1, 28, 28), times t (batch,) and labels y (batch,)."""
        ### BEGIN SOLUTION
        c = self.time(time_features(t, self.frequencies)) + self.label(y)
        h = skip = self.fine_down(self.stem(F.pixel_unshuffle(x, 2)), c)
        h = self.down(h)
        h = h + self.sketch(y).view_as(h)
        for block in self.coarse:
            h = block(h, c)
        h = self.merge(torch.cat([self.up(h), skip], dim=1))
        h = self.fine_up(h, c)
        return F.pixel_shuffle(self.head(F.silu(self.norm(h))), 2)
        ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `self.sketch(y)` has 64 · 7 · 7 numbers a row; `.view_as(h)` puts them in the shape of `h`. `self.coarse` is a list: `for block in self.coarse: h = block(h, c)`. `torch.cat([a, b], dim=1)` joins channels.
#
# </details>

# %%
check(lab3.UNetForward, UNet)

# %%
new = UNet()
print(f"{sum(w.numel() for w in new.parameters()):,} weights; before training it says:")
print(new(z, torch.rand(40), y).std())

# %% [markdown]
# It starts from 0 everywhere, and can only get better.
#
# **What is the skip for?** Cut it: put zeros in its place. Train this network and the whole one for 400 steps each, with `fit` as in Lab 2. Which part of the target $z-\epsilon$ does the cut one predict much worse by then?
#
# - (a) The digit: the label reaches the result through the skip.
# - (b) The coarse part: the mean brightness of each 4 × 4 pixels.
# - (c) The fine part: how a pixel differs from its neighbours, above all its noise.
# - (d) Nothing: the coarse level has 7 · 7 · 64 = 3,136 numbers, four times as many as the image, so all of it gets through.

# %%
### BEGIN SOLUTION
skip_prediction = "c"
### END SOLUTION

# %%
check(lab3.PredictSkip, skip_prediction)

# %% [markdown]
# # Part C · Digits to order
#
# Back to the theatre of Lab 2, which now has ten blocks of seats, one for each digit. The usher at the door sees where you are, not your ticket, and his arrow is the average over all tickets that come by: that is $u_t(x)$. A second usher is told your *block*. She averages over the tickets for that block alone. Her arrow is the *guided* velocity $u_t(x\mid y)$, and following her leads to $p_{\text{data}}(\cdot\mid y)$: sevens, if $y=7$.
#
# Learning her arrows takes one change to Lab 2's loss, Notes (64): draw the image together with its label, and tell the network the label. The path and the target do not know about labels at all.
#
# You will want both ushers soon. Must you train two networks? No: add one more label, the *null label* $\varnothing$, which means "not told". In training, cover each label with probability η (papers and code say *drop*). Then $u_t(x\mid\varnothing)$ is the first usher's arrow, and a single network has learned both, Notes (68).
#
# ### Exercise 7 · Cover some labels
#
# Chance is an argument, as always: `u` holds a uniform number in $[0,1)$ for each label. Where it is below `rate`, the label is covered.


# %%
def drop_labels(y, u, rate, null_label):
    """The labels, some of them covered; Notes (69).

    Args:
        y: labels, shape (batch,), int64. They belong to the data set: leave them as they are.
        u: uniform numbers in [0, 1), shape (batch,).
        rate: the probability η of covering a label.
        null_label: the number that stands for "not told".

    Returns:
        Labels, shape (batch,), int64.
    """
    ### BEGIN SOLUTION
    return torch.where(u < rate, null_label, y)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.where(condition, a, b)` takes from `a` where the condition holds and from `b` elsewhere, into a new tensor. Either may be a plain number.
#
# </details>

# %%
check(lab3.DropLabels, drop_labels)


# %% [markdown]
# ### Exercise 8 · The loss
#
# All of it together, Notes (68): draw $(z,y)$, $t$ and $\epsilon$; make $x_t$; cover some labels; compare what the network says with the velocity of the path,
#
# $$\mathcal L = \mathbb E\,\bigl\|u^\theta_t(x_t\mid y)-(z-\epsilon)\bigr\|^2 .$$
#
# Take the mean over the pixels too, not their sum: then the number does not depend on the size of the images. (In print, Algorithm 5 has two letters exchanged in its target; `docs/errata.md`.)


# %%
def guided_cfm_loss(model, z, y, t, noise, u, rate, null_label):
    """The flow matching loss with covered labels, Notes (68), as a mean over the pixels.

    Args:
        model: a function of (x, t, y) that returns a tensor shaped like x.
        z, noise: images and standard normal numbers, shape (batch, 1, height, width).
        y: labels, shape (batch,).
        t: times, shape (batch,).
        u, rate, null_label: as in `drop_labels`.

    Returns:
        The loss, a tensor of shape ().
    """
    ### BEGIN SOLUTION
    prediction = model(sample_path(z, t, noise), t, drop_labels(y, u, rate, null_label))
    return (prediction - (z - noise)).square().mean()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Call your own `sample_path` and `drop_labels`. `.square().mean()` of the difference is a mean over everything.
#
# </details>

# %%
check(lab3.GuidedCFMLoss, guided_cfm_loss)


# %% [markdown]
# ### Exercise 9 · Exaggerate
#
# How does one draw a caricature? Look at an average face and at this face. Where they differ, make it differ *more*. With $w=1$ it is a portrait, with $w=3$ a caricature.
#
# *Classifier-free guidance* does this to arrows. The first usher's arrow is the average face, the second one's is this face, and $w$, the *guidance scale*, says how much to exaggerate, Notes (70):
#
# $$\tilde u_t(x\mid y) = (1-w)\,u_t(x\mid\varnothing)+w\,u_t(x\mid y) = u_t(x\mid\varnothing)+w\,\bigl(u_t(x\mid y)-u_t(x\mid\varnothing)\bigr).$$
#
# Why would one want that? A network that learns for three minutes does not listen well: asked for a 7, it now and then writes a 1 or a 9. With $w>1$ it is told more loudly.


# %%
def guided_velocity(velocity, x, t, y, w, null_label):
    """The velocity of classifier-free guidance, Notes (70).

    Args:
        velocity: a function of (x, t, y), with y of shape (batch,), that returns arrows like x.
        x: states, shape (batch, ...).
        t: the time, shape () or (batch,).
        y: labels, shape (batch,).
        w: the guidance scale, a number.
        null_label: the label that means "not told".

    Returns:
        Arrows shaped like x.
    """
    ### BEGIN SOLUTION
    unguided = velocity(x, t, torch.full_like(y, null_label))
    return unguided + w * (velocity(x, t, y) - unguided)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.full_like(y, 3)` has the shape and type of `y`, and is 3 everywhere. Which number is wanted here is an argument.
#
# </details>

# %%
check(lab3.GuidedVelocity, guided_velocity)

# %% [markdown]
# Some papers count from another zero: $(1+w')\,s(x\mid y)-w'\,s(x\mid\varnothing)$, where $w'=0$ means no exaggeration. Such a paper recommends $w'=1.5$. Which $w$ is this here?

# %%
### BEGIN SOLUTION
same_scale = 2.5
### END SOLUTION

# %%
check(lab3.OtherConvention, same_scale)


# %% [markdown]
# ### Exercise 10 · With noise
#
# The same trick works on scores, Notes (77): $\tilde s_t=(1-w)\,s_t(x\mid\varnothing)+w\,s_t(x\mid y)$. With it one samples by the SDE of Lab 2,
#
# $$\mathrm dX_t=\Bigl[\tilde u_t(X_t\mid y)+\frac{\sigma_t^2}{2}\,\tilde s_t(X_t\mid y)\Bigr]\mathrm dt+\sigma_t\,\mathrm dW_t .$$
#
# Say you have scores only. Velocity and score are one prediction in two languages (Lab 2, Part E). On the linear path Notes (65) and (66) become
#
# $$u_t(x) = \frac{x+(1-t)\,s_t(x)}{t},$$
#
# and because the weights $1-w$ and $w$ add up to one, the guided score gives the guided velocity by the same formula. Write one Euler–Maruyama step.


# %%
def guided_sde_step(score, x, t, h, y, w, sigma, noise, null_label):
    """One Euler-Maruyama step of the guided SDE, with a score in place of a velocity.

    Args:
        score: a function of (x, t, y) that returns a tensor like x.
        x: states, shape (batch, ...).
        t, h: the time, above 0, and the length of the step.
        y: labels, shape (batch,).
        w: the guidance scale.
        sigma: the diffusion coefficient at time t, a number.
        noise: standard normal numbers, shaped like x.
        null_label: the label that means "not told".

    Returns:
        The states at t + h, shaped like x.
    """
    ### BEGIN SOLUTION
    s = guided_velocity(score, x, t, y, w, null_label)  # scores mix as velocities do
    u = (x + (1 - t) * s) / t
    return x + h * (u + sigma**2 / 2 * s) + h**0.5 * sigma * noise
    ### END SOLUTION


# %%
check(lab3.GuidedSDEStep, guided_sde_step)

# %% [markdown]
# ### Exercise 11 · What does guidance sample?
#
# By Bayes' rule $w$ multiplies the gradient of $\log p_t(y\mid x)$, Notes (67). So one might think that the samples follow the density in which $p(y\mid x)$ is raised to the power $w$, the *tilted* density
#
# $$p^{(w)}(x)\;\propto\; p(x)\,p(y\mid x)^w\;\propto\; p(x)^{1-w}\,p(x\mid y)^w .$$
#
# **Prediction.** One dimension, two classes, $\mathcal N(-1,\tfrac14)$ and $\mathcal N(1,\tfrac14)$. You ask for the one on the right. Both velocities are exact, and $w=3$. What do the samples of the guided flow follow?
#
# - (a) They follow $p(x\mid y)$: the fields are exact.
# - (b) They follow the tilted density: the guided score is the gradient of its logarithm.
# - (c) Neither: they lie farther from the other class than both, and closer together.
# - (d) Neither: they lie farther from the other class than both, and farther apart, since the arrows are longer.

# %%
### BEGIN SOLUTION
tilt_prediction = "c"
### END SOLUTION

# %%
check(lab3.PredictTilt, tilt_prediction)

# %% [markdown]
# Look. With $y=0$ for the left class, $y=1$ for the right one and $2$ for "not told", your function is called as it will be for digits.

# %%
classes = GaussianMixture([[-1.0], [1.0]], 0.25)
exact = Marginal(GaussianPath(Linear()), classes)
right = torch.ones(4000, dtype=torch.long)


def two_classes(x, t, y):
    """The exact velocity, guided by y where y is not 2."""
    told = exact.velocity(x, t, y.clamp(max=1))
    return torch.where(y[:, None] == 2, exact.velocity(x, t), told)


def tilted(x, w=3.0):
    """The tilted density at points x (n,)."""
    grid = torch.linspace(-6, 6, 2001)
    p, p_right = classes.log_prob, exact.at(1.0, y=1).log_prob
    log = [w * p_right(v[:, None]) + (1 - w) * p(v[:, None]) for v in (x, grid)]
    return log[0].exp() / log[1].exp().sum() / (grid[1] - grid[0])


# %%
walks = {
    f"w = {w}": simulate(
        ODE(lambda x, t, w=w: guided_velocity(two_classes, x, t, right, w, null_label=2)),
        torch.randn(4000, 1),
        time_grid(50),
        step=midpoint_step,
        record=1,
    ).final
    for w in (1, 3)
}
plots.histogram(
    walks,
    {name: {"$p(x|y)$": exact.at(1.0, y=1), "tilted, w = 3": tilted} for name in walks},
    extent=(-1.5, 3.5),
)

# %% [markdown]
# A caricature indeed: at $w=3$ the samples keep away from the other class, and they are more alike than they should be.
#
# The same in the plane, with your `guided_velocity` beside the exact flow. **Find out:** slide $w$. Where does the crowd go, and does the tilted density go there too? Label A has two modes. From which $w$ on is the inner one empty?

# %%
GuidanceExplorer(guided_velocity)

# %% [markdown]
# For Gaussians you can work it out on paper. Let all data be $\mathcal N(0,S^2)$ and those with your label $\mathcal N(0,s^2)$. On the linear path, data of standard deviation $s$ are a crowd of standard deviation $s_t=\sqrt{t^2s^2+(1-t)^2}$ at time $t$. In a Gaussian crowd everybody keeps their place in the order, so distances from the middle grow as $s_t$ does:
#
# $$u_t(x\mid y) = \frac{\dot s_t}{s_t}\,x = \Bigl(\frac{\mathrm d}{\mathrm dt}\log s_t\Bigr)\,x ,$$
#
# and the same with $S_t$ for the unguided velocity. Guidance mixes these two rates with the weights $w$ and $1-w$, and along a path $\frac{\mathrm d}{\mathrm dt}\log x_t$ equals the mixed rate. Integrate from 0 to $t$. Which standard deviation has the crowd at time $t$?


# %%
def guided_std(s, S, w, t):
    """The standard deviation of the guided flow at each time, on the linear path from N(0, 1).

    Args:
        s: standard deviation of the data with the label y, a number.
        S: standard deviation of all data, a number.
        w: the guidance scale, a number.
        t: times, shape (n,).

    Returns:
        Standard deviations, shape (n,).
    """
    ### BEGIN SOLUTION
    s_t = torch.sqrt(t**2 * s**2 + (1 - t) ** 2)
    S_t = torch.sqrt(t**2 * S**2 + (1 - t) ** 2)
    return s_t**w * S_t ** (1 - w)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The integral of $\frac{\mathrm d}{\mathrm dt}\log s_t$ from 0 to $t$ is $\log s_t-\log s_0$, and $s_0=S_0=1$. Sums of logarithms are logarithms of products.
#
# </details>

# %%
check(lab3.GuidedStd, guided_std)

# %% [markdown]
# And the tilted density? In the exponent of $\mathcal N(0,s^2)$ stands $-\frac{x^2}{2s^2}$. Multiply the two densities, each raised to its power, and read off the new standard deviation.


# %%
def tilt_std(s, S, w):
    """The standard deviation of the density proportional to N(0, s²)^w N(0, S²)^(1 - w)."""
    ### BEGIN SOLUTION
    return (w / s**2 + (1 - w) / S**2) ** -0.5
    ### END SOLUTION


# %%
check(lab3.TiltStd, tilt_std)

# %% [markdown]
# In Lab 2 noise on the way changed nothing: every σ gave the same $p_1$. Is that so here? Take $S=1$, $s=\tfrac12$ and $w=3$, and your own steps of Exercise 10.


# %%
def gaussian_score(x, t, y):
    """The exact score: std 1/2 where y is 1, std 1 where it is 0, which here means "not told"."""
    return -x / (t**2 * torch.where(y == 1, 0.25, 1.0) + (1 - t) ** 2)[:, None]


def noisy_std(sigma, n=4000, n_steps=800):
    """The standard deviation of the points to which the guided SDE with w = 3 leads."""
    x, h = torch.randn(n, 1), 0.99 / n_steps
    for i in range(n_steps):
        t, noise = 0.01 + i * h, torch.randn(n, 1)
        x = guided_sde_step(gaussian_score, x, t, h, right[:n], 3.0, sigma, noise, null_label=0)
    return x.std().item()


# %%
sigmas = torch.tensor([0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0])
plots.curves(
    sigmas,
    {
        "guided SDE": [noisy_std(float(sigma)) for sigma in sigmas],
        "guided flow": [guided_std(0.5, 1.0, 3.0, torch.ones(1)).item()] * len(sigmas),
        "tilted density": [tilt_std(0.5, 1.0, 3.0)] * len(sigmas),
    },
    exact=["guided flow", "tilted density"],
    joined=True,
    xlabel="$\\sigma$",
    ylabel="standard deviation",
)

# %% [markdown]
# Now noise matters. Lab 2's freedom needs a score that *belongs* to the flow, the gradient of the log density of its own crowd. The guided score belongs to another crowd, the tilted one of that moment; the more noise, the more it has its way, and with very much of it the samples do follow the tilt. So $\tilde u$ and $\tilde s$ with $w\ne1$ define many samplers, each with a law of its own. In print you will find "guidance samples the tilted density". Without noise it does not.

# %% [markdown]
# # Part D · Three minutes
#
# ### Exercise 12 · Train
#
# One training step takes 64 digits with their labels, a time and a noise image for each, and uniform numbers to cover labels by: one label in ten. All of it is drawn from `generator`. `uniform(shape, z, generator)` and `normal(shape, z, generator)` draw numbers of the type, and on the device, of `z`: the shapes are `(64,)` and `z.shape`.


# %%
def digit_loss(model, generator):
    """The guided flow matching loss on a fresh batch of 64 digits."""
    z, y = digits.sample(64, generator)
    ### BEGIN SOLUTION
    t, u = uniform((64,), z, generator), uniform((64,), z, generator)
    noise = normal(z.shape, z, generator)
    return guided_cfm_loss(model, z, y, t, noise, u, rate=0.1, null_label=10)
    ### END SOLUTION


# %%
check(lab3.DigitLoss, digit_loss)

# %% [markdown]
# Three minutes on two processor cores; with a GPU it gets further in the same time. (What `"muon"` is stands below. `budget` takes the second of its two values where a quick run is asked for, as in the grader. The stop button ends the training early and keeps what was learned.) Stretch your legs.

# %%
device = "cuda" if torch.cuda.is_available() else "cpu"
plan = budget(full={"seconds": 180}, quick={"steps": 80})
run = fit(UNet().to(device), digit_loss, optimizer="muon", lr=6e-3, **plan)
plots.training(run.history)

# %% [markdown]
# `run.model` is the network with the average of its last weights. Name it `trained`, and bring it back to the processor: `.cpu()`.

# %%
### BEGIN SOLUTION
trained = run.model.cpu()
### END SOLUTION

# %%
check(lab3.TrainedDigits, trained)

# %% [markdown]
# The loss flattens out far from zero, as it did in Lab 2: nobody can tell $z-\epsilon$ from $x_t$ exactly. What counts is what it writes.
#
# To sample, follow your guided velocity. Six steps by the midpoint rule are enough: half a step to look ahead, then a whole one with the arrow found there. The sampler has one time for the whole batch; the network wants one for each image, hence `expand`.


# %%
def write(network, y, w, noise, n_steps=6):
    """The way from noise images (batch, 1, 28, 28) to the digits y (batch,), by midpoint steps."""

    def velocity(x, t):
        return guided_velocity(network, x, t.expand(len(x)), y, w, null_label=10)

    with torch.no_grad():
        return simulate(ODE(velocity), noise, time_grid(n_steps), step=midpoint_step)


# %% [markdown]
# Who says whether they are good? A *judge*: a network that recognises 99.6 % of the digits in MNIST's test set, and that comes with the course. Below each digit stands what it reads. The share of digits read as what was ordered is the *accuracy*.
#
# Accuracy does not see everything. A network that knew one perfect 7 would score full marks on sevens. So there is a second measure. The judge turns an image into 64 features. Fit a Gaussian to the features of MNIST's test set and another to those of the written digits: the *Fréchet distance* of the two is 0 only if their means and their covariances agree. With few images it is not 0 even for real ones, by the luck of the draw. So the line below also has the distance of *as many real digits*.

# %%
order = torch.arange(10).repeat_interleave(budget(full=10, quick=2))
written = write(trained, order, 2.0, torch.randn(len(order), 1, 28, 28)).final
print(digit_quality(written, order))
guess = digit_judge()(written).argmax(1)
plots.images(written, labels=guess.tolist(), expected=order.tolist())

# %% [markdown]
# Each row holds one order. A hundred digits are few: expect about 2, for yours and for real ones alike. (Yours may even do better by a little, since they come in exactly ten of each kind.)

# %% [markdown]
# How does an image come about?

# %%
journey = write(trained, torch.arange(6), 2.0, torch.randn(6, 1, 28, 28), n_steps=8)
plots.image_path(journey)

# %% [markdown]
# Now play with your own network; the noise stays the same while you slide. **Find out:** raise $w$ from 0. When are all digits read as asked, and what do they lose beyond that? With how few steps do they still look written?

# %%
DigitExplorer(trained)

# %% [markdown]
# <details><summary>Why three minutes are enough</summary>
#
# - **Few places.** Unshuffled, an image has 14 × 14 places, and half of the work is done on 7 × 7.
# - **Small batches, many steps.** On a CPU a batch of 64 costs a quarter of one of 250. Four small steps learn more than a large one. (With still smaller ones the noise of the gradients would tell at the end.)
# - **Told where.** The sketches say where the ink of a label goes. Without them the network has to work it out from the borders.
# - **Muon.** Adam scales each weight's step by itself. *Muon* takes the weights of a layer as a matrix and steps equally far in all its directions, also in those in which gradients are small. Here it needs about half as many steps.
# - **Large steps at first, none at last.** The learning rate falls to 0 like a cosine, and the weights are averaged over the last steps.
#
# `docs/why-it-is-fast.md` of the course has each choice with its measured effect.
#
# </details>
#
# ### Exercise 13 · Hand in your digits
#
# Save the weights of your network beside this notebook, and hand in both files. The grader loads the weights into your `UNet`, draws noise that nobody has seen, writes 200 digits with $w=2$, and looks at accuracy (all points from 95 %) and Fréchet distance (all points up to 4). There are points for less, too. (A `.safetensors` file holds numbers and nothing else. A pickle, as `torch.save` writes it, can run programs on the computer of whoever opens it.)

# %%
if budget(full=True, quick=False):  # a quick run, as in the grader, keeps the file that you made
    save_weights(trained, "digits.safetensors")

# %% [markdown]
# The file holds numbers, not the network that they belong to. So hand over a network too, as `blank`: a new and untrained one of your own, `UNet()`. The check loads the numbers into it. (It takes a few seconds.)

# %%
### BEGIN SOLUTION
blank = UNet()
### END SOLUTION

# %%
check(lab3.HandedInDigits, blank, "digits.safetensors")

# %% [markdown]
# # Part E · How loud?
#
# From here on everybody uses the same network, one with your wiring that was trained a little longer and comes with the course. First a measure for what accuracy misses.
#
# ### Exercise 14 · Accuracy, diversity, and both
#
# *Diversity*: how much do the sevens differ from each other? Take the judge's features of all sevens, and their variance: for each feature the mean squared distance from its mean over the sevens (divided by $n$, not $n-1$), added up over the features. Then average over the digits that occur. More is not always better: a 2 among the sevens also raises it. The aim is the value that real digits have.


# %%
def spread(features, y):
    """The variance of the features within a class, summed over features, mean over the classes.

    Args:
        features: shape (batch, d).
        y: labels, shape (batch,). Not every digit need occur.

    Returns:
        A number.
    """
    ### BEGIN SOLUTION
    classes = [features[y == digit] for digit in y.unique()]
    variances = [members.var(dim=0, correction=0).sum() for members in classes]
    return torch.stack(variances).mean().item()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `y.unique()` are the labels that occur, `features[y == 7]` the features of the sevens, and `.var(dim=0, correction=0)` divides by $n$.
#
# </details>

# %%
check(lab3.FeatureSpread, spread)

# %% [markdown]
# **Prediction.** Let $w$ grow from 0 to 8. What happens?
#
# - (a) Accuracy and diversity both rise, and the Fréchet distance falls.
# - (b) Accuracy rises and diversity falls. The Fréchet distance is least at w = 1: only there do the samples follow $p(x\mid y)$.
# - (c) Accuracy rises and diversity falls. The Fréchet distance is least in between, somewhat above w = 1.
# - (d) Accuracy rises and diversity falls. The Fréchet distance falls as long as the accuracy rises.

# %%
### BEGIN SOLUTION
sweep_prediction = "c"
### END SOLUTION

# %%
check(lab3.PredictSweep, sweep_prediction)

# %%
network = digit_generator()
ten = torch.arange(10)
same_noise = torch.randn(10, 1, 28, 28)
rows = {f"w = {w}": write(network, ten, w, same_noise).final for w in (0, 1, 2, 4, 8)}
plots.image_rows(rows)

# %% [markdown]
# Each column begins with the same noise. Now the numbers, on real digits first: drawn at random, since the first and the second half of the test digits were written by different people and are not alike. (The sweep takes up to a minute.)

# %%
real, real_y = MNIST("test").sample(2000, torch.Generator().manual_seed(0))
real_spread = spread(digit_features(real), real_y)
print(f"real digits: diversity {real_spread:.1f}")

# %%
scales = budget(full=[0, 1, 1.5, 2, 3, 4, 8], quick=[0, 2, 8])
n = budget(full=500, quick=40)
ordered, noise = torch.arange(n) % 10, torch.randn(n, 1, 28, 28)
measures = {"accuracy": [], "diversity": [], "Fréchet distance": []}
for w in scales:
    images = write(network, ordered, w, noise).final
    quality = digit_quality(images, ordered)
    measures["accuracy"].append(quality.accuracy)
    measures["diversity"].append(spread(digit_features(images), ordered))
    measures["Fréchet distance"].append(quality.frechet)
plots.sweep(scales, measures, real={"diversity": real_spread}, mark=False)

# %% [markdown]
# At which of these scales is the Fréchet distance least?

# %%
### BEGIN SOLUTION
best_scale = 1.5
### END SOLUTION

# %%
check(lab3.BestScale, best_scale)

# %% [markdown]
# At $w=0$ the label is ignored: one digit in ten is right by luck. At $w=1$ the network alone is not good enough; some guidance makes its digits more like real ones. Its digits are too varied there, since some belong to no kind. Then accuracy has no more to win, diversity falls below that of real digits, and the distance grows again: a real crowd of sevens is more varied than a row of model sevens.
#
# ### Exercise 15 · What went wrong here?
#
# Two people had digits written, and each made one mistake. Ordered were 0 to 9, a column each. Look down the columns: what is too much, what is missing, and where?

# %%
many = torch.arange(10).repeat(5)
noise = torch.randn(50, 1, 28, 28, generator=torch.Generator().manual_seed(7))
plots.images(lab3.failure("a", many, noise), title="Picture A")

# %% [markdown]
# - (a) The network was trained too little.
# - (b) All images were drawn from the same noise.
# - (c) $w$ is far too high.
# - (d) For "no label" the program uses label 0.
# - (e) Labels were never covered in training, so the null label means nothing to the network.

# %%
### BEGIN SOLUTION
cause_a = "c"
### END SOLUTION

# %%
check(lab3.WhichCauseA, cause_a)

# %%
plots.images(lab3.failure("b", many, noise), title="Picture B")

# %% [markdown]
# The same list. (Here $w$ is 6.)
#
# - (a) The network was trained too little.
# - (b) All images were drawn from the same noise.
# - (c) $w$ is far too high.
# - (d) For "no label" the program uses label 0.
# - (e) Labels were never covered in training, so the null label means nothing to the network.

# %%
### BEGIN SOLUTION
cause_b = "d"
### END SOLUTION

# %%
check(lab3.WhichCauseB, cause_b)

# %% [markdown]
# # What you have done

# %%
progress("lab3")

# %% [markdown]
# You have built a generator that writes what you order:
#
# - An image is a point; paths, targets and losses are those of Lab 2.
# - A U-Net looks from afar and from close by, and its skips carry what is fine. Time and label work its channels like a mixing desk.
# - The null label lets one network learn the guided and the unguided velocity together.
# - Classifier-free guidance exaggerates the difference of the two. It pays for obedience with diversity. What it samples is neither $p(x\mid y)$ nor, without noise, the tilted density.
# - Two numbers judge a generator better than one.
#
# ### For the curious
#
# - **Guidance in part of the time.** Guide only for $t$ in some interval. Early or late: when does the label matter? Measure accuracy and diversity.
# - **Fewer steps.** How few Heun steps can you take before the judge notices? And Euler steps, for as many calls of the network?
# - **With noise.** Sample by the SDE, with your `guided_velocity` and `GaussianPath(Linear()).convert`, and a σ that fades.
# - **Negative prompts.** Put another digit in place of the null label: a 7, and emphatically not a 1. For which pairs does it help?
# - **Halves.** Mix two labels: $\frac12 u(x\mid 3)+\frac12 u(x\mid 8)$. What is written?
#
# ### Further reading
#
# - Holderrieth & Erives, *An Introduction to Flow Matching and Diffusion Models*, section 5.
# - Ho & Salimans, *Classifier-Free Diffusion Guidance* (2022), in whose convention $w'=w-1$.
# - Ronneberger et al., *U-Net* (2015); Perez et al., *FiLM* (2018), the mixing desk; Heusel et al. (2017), the Fréchet distance in a classifier's features.
# - Lai et al., *The Principles of Diffusion Models*, chapter 8, with time running the other way; `docs/notation.md` of the course translates.
