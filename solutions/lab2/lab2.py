# %% [markdown]
# # Lab 2 · Flow matching and score matching
#
# In Lab 1 somebody gave you the arrows. Now you make them. You begin with a path for a single data point, add up the paths of all of them, and prove to yourself that the sum does what it should. Then a network learns the arrows from examples, and you measure how wrong it is, because this time the truth is known.
#
# **At the end you can**
#
# - write down a path from noise to data, and the velocity and the score that belong to it;
# - say why the arrow of a whole data set is an average, and which average;
# - test a field with the continuity equation, and a drift with the Fokker–Planck equation;
# - train a flow by conditional flow matching, say what its loss can and cannot reach, and sample from it with and without noise;
# - turn a velocity into a score and back, and say where that breaks.
#
# **Time:** 3 to 4 hours; after Part C is a good place for a break. **Builds on:** Lab 1, conditional probability, gradients in PyTorch.
#
# **Source:** Holderrieth & Erives, *An Introduction to Flow Matching and Diffusion Models*, sections 3 and 4. Equations are cited as Notes (16). Slips in print that touch this lab are collected in the course's `docs/errata.md`.
#
# Later cells use your earlier answers. If you are stuck, define the function with what the library has, and go on; the check will not count it.
#
# <details><summary>What the library has</summary>
#
# | yours | the library's, with `path = GaussianPath(Linear())` |
# |---|---|
# | `square_root`, `cosine` | `SquareRoot()`, `Cosine()` |
# | `sample_path(schedule, z, t, noise)` | `path.sample(z, t, noise)` |
# | `conditional_velocity(schedule, x, z, t)` | `path.conditional_velocity(x, z, t)`, the score likewise |
# | `posterior_weights`, `marginal_velocity`, `marginal_score` | `responsibilities(x, t)`, `velocity(x, t)`, `score(x, t)` of `Marginal(path, five_modes)`, or of `Marginal(path, Empirical(points))` for single points |
# | `score_from_velocity(schedule, u, x, t)` and back | `path.convert(u, x, t, given="velocity", wanted="score")` |
# | `sde_sample` | `simulate(SDE(drift, sigma), x, times, noise=noise).final` |
#
# </details>

# %%
try:
    from course_lib.checks import check, lab2, progress
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

from course_lib import plots
from course_lib.distributions import Chessboard, Circles, Gaussian, GaussianMixture
from course_lib.metrics import chessboard_violations, energy_distance
from course_lib.networks import MLP
from course_lib.oracles import Marginal
from course_lib.paths import Cosine, GaussianPath, Linear
from course_lib.processes import ODE
from course_lib.shapes import expand_time
from course_lib.simulate import Trajectory, heun_step, rk4_step, simulate, time_grid
from course_lib.training import budget, fit
from course_lib.widgets import FlowTrainer, PathExplorer, ScoreExplorer

_ = torch.manual_seed(0)  # the same figures for everyone
torch.set_num_threads(1)  # networks as small as these are fastest on one core

# %% [markdown]
# # Part A · One seat
#
# A theatre before the show. Somebody stands anywhere in the foyer, a random place $\epsilon\sim\mathcal N(0,I)$, and has a ticket for one seat, $z$. At $t=0$ she is at $\epsilon$, at $t=1$ she sits on $z$. In between she is at a mixture of the two, Notes (17):
#
# $$x_t = \alpha_t z + \beta_t\epsilon, \qquad \alpha_0=\beta_1=0,\quad \alpha_1=\beta_0=1 .$$
#
# $\alpha_t$ says how much of the seat is in her place by now, $\beta_t$ how much of the foyer is left. The two functions are the *schedule*. In this course time always runs from noise at 0 to data at 1; some texts run it the other way, and some write $\sigma_t$ for $\beta_t$.
#
# Seen over all $\epsilon$, the crowd with tickets for the same seat is Gaussian at every moment. This is the *conditional path*, Notes (16):
#
# $$p_t(\cdot\mid z) = \mathcal N(\alpha_t z,\ \beta_t^2 I).$$

# %% [markdown]
# ### Exercise 1 · Two schedules
#
# The simplest schedule is *linear*, $\alpha_t=t$, $\beta_t=1-t$: under this one, and only under this one, she walks straight and at a steady pace. Write two others, each with its derivatives in time, $\dot\alpha_t$ and $\dot\beta_t$: the velocity will need them.
#
# - *square root*: $\alpha_t=t$, $\beta_t=\sqrt{1-t}$
# - *cosine*: $\alpha_t=\sin\frac{\pi t}2$, $\beta_t=\cos\frac{\pi t}2$


# %%
def square_root(t):
    """The schedule α = t, β = √(1 - t), for times of any shape, below 1.

    Returns:
        (alpha, beta, alpha_dot, beta_dot), each a tensor shaped like t.
    """
    ### BEGIN SOLUTION
    beta = torch.sqrt(1 - t)
    return t, beta, torch.ones_like(t), -0.5 / beta
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.ones_like(t)` is a tensor of ones of t's shape, and `torch.sqrt`, `torch.sin` take tensors of any shape. By the chain rule the derivative of $\sqrt{g(t)}$ is $\dot g/(2\sqrt g)$, and that of $\sin(ct)$ is $c\cos(ct)$.
#
# </details>

# %%
check(lab2.SquareRootSchedule, square_root)


# %%
def cosine(t):
    """The schedule α = sin(πt/2), β = cos(πt/2). Arguments and result as in `square_root`."""
    ### BEGIN SOLUTION
    angle, rate = math.pi / 2 * t, math.pi / 2
    return torch.sin(angle), torch.cos(angle), rate * torch.cos(angle), -rate * torch.sin(angle)
    ### END SOLUTION


# %%
check(lab2.CosineSchedule, cosine)

# %%
linear = Linear()  # the library's: linear(t) returns the same four things as yours
clock = torch.linspace(0, 0.95, 39)
plots.curves(
    clock,
    {
        "linear": linear(clock)[3],
        "square root": square_root(clock)[3],
        "cosine": cosine(clock)[3],
    },
    xlabel="time $t$",
    ylabel=r"$\dot\beta_t$",
    title="How fast the noise leaves",
)

# %% [markdown]
# The square root is in a hurry at the end: $\dot\beta_t\to-\infty$ as $t\to1$. Whoever evaluates it at $t=1$ gets an infinity. Keep that in mind for the end of this lab.

# %% [markdown]
# ### Exercise 2 · A point on the path
#
# Every row of the batch has a seat, a noise and *a time of its own*: later the network must learn all times at once. So `t` has the shape `(batch,)`, and `z` the shape `(batch, dim)`. `expand_time(t, z)` reshapes `t` so that the two multiply row by row. A `t` of shape `()`, one time for all, it leaves as it is.


# %%
def sample_path(schedule, z, t, noise):
    """Points of the conditional path, Notes (17).

    Args:
        schedule: a function of t that returns (alpha, beta, alpha_dot, beta_dot).
        z: data points, shape (batch, dim).
        t: times, shape () or (batch,).
        noise: standard normal numbers, shape (batch, dim).

    Returns:
        x_t, shape (batch, dim).
    """
    ### BEGIN SOLUTION
    alpha, beta, _, _ = schedule(expand_time(t, z))
    return alpha * z + beta * noise
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `alpha, beta, alpha_dot, beta_dot = schedule(expand_time(t, z))`. All four then broadcast against `z`.
#
# </details>

# %%
check(lab2.SamplePath, sample_path)

# %% [markdown]
# A thousand people with a ticket for the same seat, $z=(1.5, 1)$:

# %%
foyer = torch.randn(1000, 2)
seat = torch.tensor([1.5, 1.0]).expand(1000, 2)
moments = torch.tensor([0.0, 0.25, 0.5, 0.75, 0.95])
crowd = torch.stack([sample_path(linear, seat, t, foyer) for t in moments])
plots.snapshots(Trajectory(moments, crowd), extent=4.5)


# %% [markdown]
# ### Exercise 3 · The conditional velocity
#
# Which arrow moves a person at $x$ at time $t$ who has a ticket for $z$? On her way $x_t=\alpha_tz+\beta_t\epsilon$ her velocity is $\dot\alpha_tz+\dot\beta_t\epsilon$. But an arrow may depend only on where she *is*, not on where she came from. From where she is, one can tell: $\epsilon=(x-\alpha_tz)/\beta_t$. Put it in, and get Notes (21):
#
# $$u_t(x\mid z) = \Bigl(\dot\alpha_t-\frac{\dot\beta_t}{\beta_t}\alpha_t\Bigr)z+\frac{\dot\beta_t}{\beta_t}x .$$


# %%
def conditional_velocity(schedule, x, z, t):
    """The velocity that moves the crowd with tickets for z, Notes (21).

    Args:
        schedule: a function of t that returns (alpha, beta, alpha_dot, beta_dot).
        x: where they are, shape (batch, dim).
        z: their seats, shape (batch, dim).
        t: times below 1, shape () or (batch,).

    Returns:
        Arrows, shape (batch, dim).
    """
    ### BEGIN SOLUTION
    alpha, beta, alpha_dot, beta_dot = schedule(expand_time(t, x))
    return alpha_dot * z + beta_dot / beta * (x - alpha * z)
    ### END SOLUTION


# %%
check(lab2.ConditionalVelocity, conditional_velocity)

# %%
walk = simulate(
    ODE(lambda x, t: conditional_velocity(cosine, x, seat[: len(x)], t)),
    foyer[:40],
    time_grid(100, end=0.99),
)
plots.vector_field(
    lambda x, t: conditional_velocity(cosine, x, seat[:1].expand(len(x), 2), t),
    walk,
    t=0.5,
    extent=4.0,
    title="Cosine schedule: arrows at t = 0.5",
)

# %% [markdown]
# Under the linear schedule these paths would be straight. Under the cosine they bend; but at each moment, by construction, the crowd is $\mathcal N(\alpha_tz,\beta_t^2I)$.
#
# ### Exercise 4 · The conditional score
#
# The score of Lab 1, $\nabla\log p$, now has a clock. For the Gaussian $\mathcal N(\alpha_tz,\beta_t^2I)$ you know it, Notes (28):
#
# $$\nabla\log p_t(x\mid z) = -\frac{x-\alpha_tz}{\beta_t^2}.$$


# %%
def conditional_score(schedule, x, z, t):
    """The score of the conditional path, Notes (28). Arguments as in `conditional_velocity`."""
    ### BEGIN SOLUTION
    alpha, beta, _, _ = schedule(expand_time(t, x))
    return (alpha * z - x) / beta**2
    ### END SOLUTION


# %%
check(lab2.ConditionalScore, conditional_score)

# %% [markdown]
# # Part B · The whole theatre
#
# Now everybody has a ticket for some seat, drawn from the data: $z\sim p_{\text{data}}$. The crowd as a whole moves along the *marginal path*, Notes (14),
#
# $$p_t(x)=\int p_t(x\mid z)\,p_{\text{data}}(z)\,\mathrm dz ,$$
#
# from the foyer, $p_0=\mathcal N(0,I)$, to the seats, $p_1=p_{\text{data}}$.
#
# At the door stands an usher with a pile of arrows. He sees where a person is. He cannot see her ticket. What should his arrow at $x$ be? The *average of the arrows of all those who come by here at this moment*, Notes (19):
#
# $$u_t(x)=\int u_t(x\mid z)\,\frac{p_t(x\mid z)\,p_{\text{data}}(z)}{p_t(x)}\,\mathrm dz=\mathbb E\bigl[u_t(x\mid z)\,\big|\,x_t=x\bigr].$$
#
# The fraction is Bayes' rule: the probability of the ticket $z$, *given that she is at $x$ at time $t$*. It is called the *posterior*; $p_{\text{data}}(z)$, before one has looked where she is, is the *prior*. The same sentence with scores in place of arrows is Notes (27).
#
# **Prediction.** The linear path, and eight equally likely seats on a circle around $(1, \tfrac12)$. It is $t=0$, and a particle is at $x$, close to one of the eight. Where does the marginal arrow $u_0(x)$ point?
#
# - (a) To the seat nearest to $x$.
# - (b) To the origin.
# - (c) To a seat drawn at random, another one each time.
# - (d) To the mean of all eight seats.

# %%
### BEGIN SOLUTION
first_arrow = "d"
### END SOLUTION

# %%
check(lab2.PredictFirstArrow, first_arrow)

# %% [markdown]
# ### Exercise 5 · The marginal velocity of a mixture
#
# Let the data be a mixture of $k$ round Gaussians, $p_{\text{data}}=\sum_jw_j\,\mathcal N(m_j,s_j^2I)$. Think of blocks of seats: block $j$ is around $m_j$, has the width $s_j$, and sells the share $w_j$ of the tickets. With $s_j=0$ a block is a single seat.
#
# Someone with a ticket for block $j$ is at $x_t=\alpha_tz+\beta_t\epsilon$ with both $z$ and $\epsilon$ Gaussian. Variances add:
#
# $$x_t\mid j\ \sim\ \mathcal N(\alpha_tm_j,\ v_jI),\qquad v_j=\alpha_t^2s_j^2+\beta_t^2 .$$
#
# So the probability of block $j$, given the place, is
#
# $$r_j(x)=\frac{w_j\,\mathcal N(x;\alpha_tm_j,v_jI)}{\sum_iw_i\,\mathcal N(x;\alpha_tm_i,v_iI)} .$$
#
# You wrote this softmax in Lab 1, without a clock.


# %%
def posterior_weights(schedule, x, t, means, stds, weights):
    """The probability of each component of the data, given x_t = x.

    Args:
        schedule: a function of t that returns (alpha, beta, alpha_dot, beta_dot).
        x: points, shape (batch, dim).
        t: times, shape () or (batch,).
        means, stds, weights: of the mixture, shapes (k, dim), (k,), (k,); a std may be 0.

    Returns:
        Probabilities, shape (batch, k); each row sums to 1.
    """
    ### BEGIN SOLUTION
    alpha, beta, _, _ = schedule(expand_time(t, x))  # () or (batch, 1)
    variance = alpha**2 * stds**2 + beta**2  # broadcasts to (batch, k)
    offset = x[:, None, :] - alpha[..., None] * means
    log_density = -offset.square().sum(dim=2) / (2 * variance)
    log_density = log_density - x.shape[1] / 2 * variance.log()
    return torch.softmax(weights.log() + log_density, dim=1)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Begin with `schedule(expand_time(t, x))`, and stay with logarithms, as in Lab 1. With `t` of shape (batch,), `alpha` then has the shape (batch, 1), and `alpha**2 * stds**2 + beta**2` the shape (batch, k). To subtract `alpha * means` from `x[:, None, :]`, `alpha` wants one axis more: `alpha[..., None]`. The same lines work for `t` of shape (). Recall $\log\mathcal N(x;m,vI)=-\frac{|x-m|^2}{2v}-\frac d2\log v+\text{const}$.
#
# </details>

# %%
check(lab2.PosteriorWeights, posterior_weights)

# %% [markdown]
# How do these weights change with time? The particle of the prediction, and its eight seats:

# %%
angles = torch.arange(8) * math.pi / 4
eight = torch.tensor([1.0, 0.5]) + 1.5 * torch.stack([angles.cos(), angles.sin()], dim=1)
probe, moments = torch.tensor([[0.1, 1.4]]), torch.tensor([0.0, 0.4, 0.7])
seats = (eight, torch.zeros(8), torch.full((8,), 1 / 8))
shares = torch.cat([posterior_weights(linear, probe, t, *seats) for t in moments])
arrows = [conditional_velocity(linear, probe.expand(8, 2), eight, t) for t in moments]
plots.marginal_arrow(probe[0].expand(3, 2), eight, shares, torch.stack(arrows), times=moments)

# %% [markdown]
# At $t=0$ the place says nothing about the ticket, and every seat counts alike: the arrow leads to the mean of the data. As time passes the usher learns more and more. At the end he is certain.
#
# A block moves too: its centre is at $\alpha_tm_j$, and its width $\sqrt{v_j}$ changes. Picture the ticket holders of a block as stretched along with its width:
#
# $$u_j(x)=\dot\alpha_tm_j+\frac{\tfrac12\dot v_j}{v_j}(x-\alpha_tm_j),\qquad \tfrac12\dot v_j=\alpha_t\dot\alpha_ts_j^2+\beta_t\dot\beta_t .$$
#
# It is the average that we want. Within a block, velocity and place are jointly Gaussian, so the mean velocity at $x$ is linear in $x$, with the slope covariance / variance; and the covariance of $\dot\alpha_tz+\dot\beta_t\epsilon$ with $\alpha_tz+\beta_t\epsilon$ is $\dot\alpha_t\alpha_ts_j^2+\dot\beta_t\beta_t$.
#
# For $s_j=0$ that is (21), line for line. Now average: $u_t(x)=\sum_jr_j(x)\,u_j(x)$.


# %%
def marginal_velocity(schedule, x, t, means, stds, weights):
    """The marginal velocity of a mixture, Notes (19). Arguments as in `posterior_weights`.

    Returns:
        Arrows, shape (batch, dim).
    """
    ### BEGIN SOLUTION
    alpha, beta, alpha_dot, beta_dot = schedule(expand_time(t, x))
    variance = alpha**2 * stds**2 + beta**2
    stretch = (alpha * alpha_dot * stds**2 + beta * beta_dot) / variance
    offset = x[:, None, :] - alpha[..., None] * means
    arrows = alpha_dot[..., None] * means + stretch[..., None] * offset
    r = posterior_weights(schedule, x, t, means, stds, weights)
    return (r[:, :, None] * arrows).sum(dim=1)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Each block's arrow is a vector, so all together have the shape (batch, k, dim). What has the shape (batch, k) wants an axis at the end before it multiplies them, `[..., None]`. Then sum over the blocks, `dim=1`.
#
# </details>

# %%
check(lab2.MarginalVelocity, marginal_velocity)


# %% [markdown]
# ### Exercise 6 · The marginal score
#
# The same average with scores, Notes (27). The score of block $j$ is $-(x-\alpha_tm_j)/v_j$.


# %%
def marginal_score(schedule, x, t, means, stds, weights):
    """The marginal score of a mixture, Notes (27). Arguments as in `posterior_weights`.

    Returns:
        Arrows, shape (batch, dim).
    """
    ### BEGIN SOLUTION
    alpha, beta, _, _ = schedule(expand_time(t, x))
    variance = alpha**2 * stds**2 + beta**2
    offset = x[:, None, :] - alpha[..., None] * means
    r = posterior_weights(schedule, x, t, means, stds, weights)
    return -((r / variance)[:, :, None] * offset).sum(dim=1)
    ### END SOLUTION


# %%
check(lab2.MarginalScore, marginal_score)

# %% [markdown]
# Does the usher's average really bring the crowd to the seats? Let people follow *your* marginal arrows, and compare with the true density of each moment, in grey. `Marginal` is the library's own version of Part B. The data are Lab 1's `near_modes`.

# %%
five_modes = GaussianMixture.ring(
    modes=5, radius=2.0, std=0.6, weights=[0.35, 0.15, 0.25, 0.10, 0.15]
)
path = GaussianPath(linear)
truth = Marginal(path, five_modes)
five_stds = torch.full((5,), 0.6)
flow = ODE(
    lambda x, t: marginal_velocity(linear, x, t, five_modes.means, five_stds, five_modes.weights)
)
walk = simulate(flow, torch.randn(2000, 2), time_grid(100), step=heun_step, record=5)
plots.snapshots(walk, truth)

# %% [markdown]
# Five seats, some sought after more than others; on the left with one ticket for all, on the right as it is. Your functions move the pink particles. Drag the probe. **Find out:** on the linear path, where does its arrow lead at $t=0$, wherever you put it? Put it nearer to one seat than to all others: at which $t$ is its ticket as good as known, and under which schedule first? (The seats have no width, so what your functions make of $s>0$ does not show here.)

# %%
PathExplorer(velocity=marginal_velocity, weights=posterior_weights)

# %% [markdown]
# Nobody in this crowd ever had a ticket. Each follows the average arrow, and still at every moment the crowd as a whole is where the ticket holders would be.

# %% [markdown]
# # Part C · Two equations that decide
#
# A picture convinces, an equation decides. Think of the crowd as a fluid: people do not appear or vanish, they only walk. Where more walk in than out, the density grows. That is the *continuity equation*, Notes (24):
#
# $$\partial_tp_t(x)=-\operatorname{div}(p_tu_t)(x),\qquad \operatorname{div}u=\sum_i\frac{\partial u_i}{\partial x_i} .$$
#
# A field $u_t$ moves $p_0$ along $p_t$ if and only if this holds at every place and time (Notes, Theorem 12).
#
# ### Exercise 7 · The continuity equation
#
# Divide by $p_t$. With $\partial_tp=p\,\partial_t\log p$, $\nabla p=p\nabla\log p$ and the product rule $\operatorname{div}(pu)=p\operatorname{div}u+u\cdot\nabla p$, what is left needs only the logarithm of the density:
#
# $$\underbrace{\partial_t\log p_t+\operatorname{div}u_t+u_t\cdot\nabla\log p_t}_{\text{residual}}=0 .$$
#
# Compute the residual by automatic differentiation, for any density and field that depend on $x$ and $t$.


# %%
def continuity_residual(log_density, velocity, x, t):
    """∂_t log p + div u + u·∇log p: zero everywhere if u moves p along its path.

    Args:
        log_density: a function of (x, t) that returns shape (batch,).
        velocity: a function of (x, t) that returns shape (batch, dim).
        x: points, shape (batch, dim).
        t: times, shape (batch,).

    Returns:
        The residual at each point, shape (batch,).
    """
    ### BEGIN SOLUTION
    x, t = x.detach().requires_grad_(), t.detach().requires_grad_()
    slope, growth = torch.autograd.grad(log_density(x, t).sum(), (x, t))
    u = velocity(x, t)
    divergence = torch.zeros_like(t)
    for i in range(x.shape[1]):
        (row,) = torch.autograd.grad(u[:, i].sum(), x, retain_graph=True)
        divergence = divergence + row[:, i]
    return (growth + divergence + (u * slope).sum(dim=1)).detach()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Make copies that record gradients: `x = x.detach().requires_grad_()`, the same for `t`. `torch.autograd.grad(y.sum(), x)` gives, for a `y` of shape (batch,), the gradient of each row's own value, because row i of `y` depends on row i of `x` alone. For the divergence take the components one after another: the gradient of `u[:, i].sum()`, and of it column `i`. After the first, autograd wants `retain_graph=True`.
#
# </details>

# %%
check(lab2.ContinuityResidual, continuity_residual)

# %% [markdown]
# Now let it judge. The exact pair, then the same field broken in two ways. (In float64, so that a zero looks like one.)

# %%
n = 200
t = 0.05 + 0.9 * torch.rand(n, dtype=torch.float64)
x = truth.sample(n, t).double()
centre = five_modes.weights @ five_modes.means
fields = {
    "exact": truth.velocity,
    "of another schedule": Marginal(GaussianPath(Cosine()), five_modes).velocity,
    "prior weights": lambda x, t: (centre - x) / (1 - t)[:, None],
}
for name, field in fields.items():
    residual = continuity_residual(truth.log_prob, field, x, t)
    print(f"{name:30s} largest residual {residual.abs().max():.1e}")

# %% [markdown]
# The last is the field of an usher who never looks: he sends everybody to the mean of the data, as if all tickets were as likely here as anywhere.
#
# **Prediction.** A round Gaussian cloud in the plane that shrinks, $p_t=\mathcal N(0,v_tI)$, with the velocity of Exercise 5. Which change of the velocity leaves *every* $p_t$ as it is?
#
# - (a) Add a constant wind, $(0.1,\,0)$.
# - (b) Add a rotation around the origin, $(-x_2,\,x_1)$.
# - (c) Double it.
# - (d) None: the path determines its velocity.

# %%
### BEGIN SOLUTION
unchanged = "b"
### END SOLUTION

# %%
check(lab2.PredictUnchanged, unchanged)

# %% [markdown]
# See for yourself, with your own residual.

# %%
cloud = Marginal(path, Gaussian([0.0, 0.0], 0.25))
quarter_turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
changes = {
    "wind": lambda u, x: u + torch.tensor([0.1, 0.0]),
    "rotation": lambda u, x: u + x @ quarter_turn,  # x @ quarter_turn is (-x_2, x_1)
    "double": lambda u, x: 2 * u,
}
for name, change in changes.items():
    for law, what in ((cloud, "round cloud"), (truth, "five modes")):
        residual = continuity_residual(
            law.log_prob, lambda x, t, law=law, c=change: c(law.velocity(x, t), x), x, t
        )
        print(f"{what} with {name:10s} largest residual {residual.abs().max():.1e}")


# %% [markdown]
# So the path does not determine the field: many fields move the same crowd, and (19) is one of them.
#
# ### Exercise 8 · Shaking that changes nothing
#
# Lab 1 ended with the hiker in the fog, who drifts uphill and stumbles, and so keeps a density $p$ as it is. Give the same to our crowd: let everybody follow the usher's arrow, *and* stumble, *and* drift uphill on the density of the moment. Notes (25):
#
# $$\mathrm dX_t=\Bigl[u_t(X_t)+\frac{\sigma_t^2}2\nabla\log p_t(X_t)\Bigr]\mathrm dt+\sigma_t\,\mathrm dW_t .$$


# %%
def sde_drift(velocity, score, sigma, x, t):
    """The drift of Notes (25).

    Args:
        velocity, score: functions of (x, t) that return shape (batch, dim).
        sigma: the diffusion coefficient, a function of t; the result is shaped like t.
        x: points, shape (batch, dim).
        t: times, shape () or (batch,).

    Returns:
        The drift, shape (batch, dim).
    """
    ### BEGIN SOLUTION
    return velocity(x, t) + expand_time(sigma(t), x) ** 2 / 2 * score(x, t)
    ### END SOLUTION


# %%
check(lab2.SDEDrift, sde_drift)

# %% [markdown]
# Why it works: the noise of an SDE spreads the density like heat, and the *Fokker–Planck equation* adds that to the continuity equation, Notes (30):
#
# $$\partial_tp_t=-\operatorname{div}(p_t\,\text{drift}_t)+\frac{\sigma_t^2}2\Delta p_t .$$
#
# Since $\Delta p=\operatorname{div}(\nabla p)=\operatorname{div}(p\nabla\log p)$, the uphill part of the drift takes away what the noise adds.
#
# **Prediction.** Data in one dimension, $\mathcal N(0, 0.5^2)$. You start with $\mathcal N(0,1)=p_0$ and follow (25) without any error from $t=0$ to $t=1$: with σ = 0, then with σ = 1, then with σ = 2. What happens to the variance at $t=1$?
#
# - (a) It grows by $\sigma^2$.
# - (b) It grows, but by less than $\sigma^2$, because the score pulls back.
# - (c) It is $0.5^2$ for all three.
# - (d) It shrinks: the score gathers the particles.

# %%
### BEGIN SOLUTION
variance_prediction = "c"
### END SOLUTION

# %%
check(lab2.PredictVariance, variance_prediction)


# %% [markdown]
# For this data set all can be computed. The path is $p_t=\mathcal N(0,v_t)$ with $v_t=\alpha_t^2s^2+\beta_t^2$, so velocity and score are multiples of $x$, and the drift is $c_tx$. A linear SDE $\mathrm dX=c_tX\,\mathrm dt+\sigma\,\mathrm dW$ changes its variance $V$ at the rate
#
# $$\dot V=2c_tV+\sigma^2 .$$
#
# The first term is the drift stretching the cloud, the second the noise. Find $c_t$ from Exercises 5, 6 and 8 (one block, $m=0$), and write the rate.


# %%
def variance_rate(schedule, variance, t, data_std, sigma):
    """dV/dt under Notes (25), for data N(0, data_std²) in one dimension.

    Args:
        schedule: a function of t that returns (alpha, beta, alpha_dot, beta_dot).
        variance: V, the variance of the particles now; it need not be the path's own.
        t: the time, shape ().
        data_std: s, a number.
        sigma: the diffusion coefficient, a number.

    Returns:
        The rate, shaped like `variance`.
    """
    ### BEGIN SOLUTION
    alpha, beta, alpha_dot, beta_dot = schedule(t)
    path_variance = alpha**2 * data_std**2 + beta**2
    stretch = (alpha * alpha_dot * data_std**2 + beta * beta_dot) / path_variance
    c = stretch - sigma**2 / (2 * path_variance)
    return 2 * c * variance + sigma**2
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Two different variances are at work: $v_t$, that of the path, is in the velocity and in the score; $V$, that of the particles, is multiplied by $2c_t$. They are equal only if all goes well.
#
# </details>

# %%
check(lab2.VarianceRate, variance_rate)

# %%
times = time_grid(200)
followed = {}
for begin, name in ((1.0, "right start"), (0.2, "wrong start")):
    for sigma in (0.0, 1.0, 2.0):
        rate = ODE(lambda v, t, sigma=sigma: variance_rate(linear, v, t, 0.5, sigma))
        walk = simulate(rate, torch.tensor([begin]), times, step=rk4_step, record=21)
        followed[f"{name}, σ = {sigma:.0f}"] = walk.states[:, 0]
clock = walk.times
followed["exact"] = 0.25 * clock**2 + (1 - clock) ** 2
plots.curves(clock, followed, exact=["exact"], xlabel="time $t$", ylabel="variance")

# %% [markdown]
# Started at the right variance, 1, all three follow the exact curve. Started at a wrong one, 0.2, the flow carries the mistake along to the end. The stumbling hikers forget it, the faster the more they stumble. Remember that: it is one reason why people sample with noise at all.
#
# *A good place for a break.*

# %% [markdown]
# # Part D · Learning the arrows
#
# For pictures nobody knows the average over all data. But we can draw a ticket, draw a place in the foyer, draw a moment, and look at *one* arrow: $u_t(x\mid z)$. Show many such single arrows to a network and punish it for the squared difference. To be right on average, it has to answer with the average. Notes (44), on a Gaussian path:
#
# $$\mathcal L_{\text{CFM}}(\theta)=\mathbb E_{t,\,z,\,\epsilon}\Bigl[\bigl|u^\theta_t(x_t)-(\dot\alpha_tz+\dot\beta_t\epsilon)\bigr|^2\Bigr],\qquad x_t=\alpha_tz+\beta_t\epsilon .$$
#
# This is *conditional flow matching* (CFM).
#
# ### Exercise 9 · The loss
#
# The squared length of a vector is a *sum* over its coordinates; the expectation becomes a *mean* over the batch. (Summary 23 of the Notes prints the target with $\beta_t\epsilon$; it is $\dot\beta_t\epsilon$.)


# %%
def cfm_loss(model, schedule, z, t, noise):
    """The conditional flow matching loss, Notes (44) with (46) and (47).

    Args:
        model: a function of (x, t) that returns a tensor shaped like x.
        schedule: a function of t that returns (alpha, beta, alpha_dot, beta_dot).
        z: data points, shape (batch, dim).
        t: times, shape (batch,).
        noise: standard normal numbers, shape (batch, dim).

    Returns:
        The loss, a tensor of shape ().
    """
    ### BEGIN SOLUTION
    _, _, alpha_dot, beta_dot = schedule(expand_time(t, z))
    target = alpha_dot * z + beta_dot * noise
    prediction = model(sample_path(schedule, z, t, noise), t)
    return (prediction - target).square().sum(dim=1).mean()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `sample_path` makes $x_t$. Call the model once, as `model(x_t, t)`, with `t` of shape (batch,). Then `.square().sum(dim=1).mean()`.
#
# </details>

# %%
check(lab2.CFMLoss, cfm_loss)

# %% [markdown]
# ### Exercise 10 · The floor
#
# **Prediction.** An infinitely large network, trained for ever on the five modes. Where does the CFM loss go?
#
# - (a) To 0: such a network can hit every target.
# - (b) To 0 under the linear schedule, whose paths are straight; to a positive number under a curved one.
# - (c) To a positive number: how much the targets that share one $x$ and one $t$ differ from each other.
# - (d) To the mean squared length of the targets: on average they cancel.

# %%
### BEGIN SOLUTION
floor_prediction = "c"
### END SOLUTION

# %%
check(lab2.PredictFloor, floor_prediction)


# %% [markdown]
# Two people at the same place have different tickets, so their arrows differ, and one answer cannot fit both. What remains of the loss is the *conditional variance* of the arrow. For $n$ equally likely seats $z_i$ it is, at one place and time,
#
# $$\sum_ir_i(x)\,\bigl|u_t(x\mid z_i)-u_t(x)\bigr|^2 .$$
#
# Write its mean over a batch of places. Your functions of Part B do most of it: a seat is a block of width 0.


# %%
def loss_floor(schedule, x, t, points):
    """The part of the CFM loss that no model can remove, at the given places and times.

    Args:
        schedule: a function of t that returns (alpha, beta, alpha_dot, beta_dot).
        x: points of the path, shape (batch, dim).
        t: times below 1, shape (batch,).
        points: the data, all equally likely, shape (n, dim).

    Returns:
        The mean over the batch, a tensor of shape ().
    """
    ### BEGIN SOLUTION
    n = len(points)
    seats = (points, points.new_zeros(n), points.new_full((n,), 1 / n))
    r = posterior_weights(schedule, x, t, *seats)
    mean = marginal_velocity(schedule, x, t, *seats)
    arrows = [conditional_velocity(schedule, x, z.expand_as(x), t) for z in points]
    spread = torch.stack([(u - mean).square().sum(dim=1) for u in arrows], dim=1)
    return (r * spread).sum(dim=1).mean()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# A seat is a block of width 0, so `posterior_weights` and `marginal_velocity` take `points` as means, zeros as stds, and equal weights 1/n. `conditional_velocity(schedule, x[:, None, :], points, t)` gives all arrows at once, shape (batch, n, dim).
#
# </details>

# %%
check(lab2.LossFloor, loss_floor)

# %% [markdown]
# On the linear path $u_t(x\mid z)-u_t(x)=(z-\mathbb E[z\mid x])/(1-t)$. So for the five modes the floor is the mean, over $t$ and $x_t$, of the posterior variance of $z$ divided by $(1-t)^2$. The library knows that variance:

# %%
t = torch.rand(50_000, dtype=torch.float64)
floor = (truth.posterior_variance(truth.sample(len(t), t), t) / (1 - t) ** 2).mean().item()
print(f"no model has a CFM loss below {floor:.2f} on the five modes")


# %% [markdown]
# ### Exercise 11 · Why it works all the same
#
# Learning from single tickets looks like cheating: we *want* the loss against the average arrow, Notes (41), $\mathcal L_{\text{FM}}=\mathbb E|u^\theta_t(x_t)-u_t(x_t)|^2$, and we *train* on another. Theorem 18 says that the two differ by a constant, so that their gradients are equal. Verify it to the last digit, where sums replace expectations: one dimension, one moment, a grid of places, three seats.
#
# `joint[a, i]` is the probability to be at place $x_a$ with a ticket for seat $z_i$. Everything else follows from it: $p(x_a)=\sum_i\text{joint}_{ai}$, and the average arrow at $x_a$ weighs seat $i$ by $\text{joint}_{ai}/p(x_a)$.


# %%
def exact_losses(model_velocity, conditional_velocity, joint):
    """The CFM loss and the FM loss as exact sums.

    Args:
        model_velocity: what the model answers at each place, shape (n_x,).
        conditional_velocity: the arrow at each place for each seat, shape (n_x, n).
        joint: the probability of each place with each seat, shape (n_x, n), summing to 1.

    Returns:
        (cfm, fm), two tensors of shape ().
    """
    ### BEGIN SOLUTION
    cfm = (joint * (model_velocity[:, None] - conditional_velocity) ** 2).sum()
    place = joint.sum(dim=1)
    average = (joint * conditional_velocity).sum(dim=1) / place
    fm = (place * (model_velocity - average) ** 2).sum()
    return cfm, fm
    ### END SOLUTION


# %%
check(lab2.ExactLosses, exact_losses)

# %%
moment = 0.5
places = torch.linspace(-4, 4, 200, dtype=torch.float64)[:, None]
seats = torch.tensor([-2.0, 0.5, 1.5], dtype=torch.float64)
joint = torch.softmax((-((places - moment * seats) ** 2) / (2 * (1 - moment) ** 2)).flatten(), 0)
joint, arrows = joint.reshape(200, 3), (seats - places) / (1 - moment)
place = joint.sum(dim=1, keepdim=True)
average = (joint * arrows).sum(dim=1, keepdim=True) / place
print(f"the floor at this moment: {(joint * (arrows - average) ** 2).sum():.12f}")
for _ in range(3):
    theta = torch.randn(3, dtype=torch.float64, requires_grad=True)
    answer = theta[0] + theta[1] * places[:, 0] + theta[2] * places[:, 0].sin()
    cfm, fm = exact_losses(answer, arrows, joint)
    by_cfm, by_fm = (torch.autograd.grad(loss, theta, retain_graph=True)[0] for loss in (cfm, fm))
    print(f"CFM {cfm:7.3f}   FM {fm:7.3f}   CFM − FM {cfm - fm:.12f}")
    print("   largest difference of the gradients:", (by_cfm - by_fm).abs().max().item())

# %% [markdown]
# Three random models: the losses differ, their difference is always the same number, the floor at this moment, and the gradients agree to rounding. A low CFM loss says nothing by itself. Only its distance from the floor does, and in real life nobody knows the floor.

# %% [markdown]
# ### Exercise 12 · Train, and measure
#
# Here we do know the truth. So first a number for how wrong a learned field is: the length of the error, relative to the length of the truth, both as root mean squares over all points,
#
# $$\sqrt{\frac{\operatorname{mean}|v-v^*|^2}{\operatorname{mean}|v^*|^2}} .$$


# %%
def relative_error(learned, exact):
    """How far the arrows `learned` are from `exact`, both of shape (n, dim), as a number."""
    ### BEGIN SOLUTION
    return ((learned - exact).square().mean() / exact.square().mean()).sqrt().item()
    ### END SOLUTION


# %%
check(lab2.RelativeError, relative_error)


# %% [markdown]
# Now train. `fit(model, loss, steps=…)` is the loop: it calls `loss(model, generator)` again and again and improves the model. (It takes about a quarter of a minute; the `lr` is how boldly it steps.) You write what one call of the loss does: draw a batch of 1,024 data points with `five_modes.sample(1024, generator)`, a uniform time in $[0,1]$ for *each of them*, standard normal noise, and hand all to your `cfm_loss` with the `linear` schedule.


# %%
def mixture_loss(model, generator):
    """The CFM loss of the model on a fresh batch of the five modes; all draws use `generator`."""
    ### BEGIN SOLUTION
    z = five_modes.sample(1024, generator)
    t = torch.rand(1024, generator=generator)
    noise = torch.randn(1024, 2, generator=generator)
    return cfm_loss(model, linear, z, t, noise)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.rand` draws uniform numbers, `torch.randn` normal ones. Both take `generator=generator`: with it, the same seed gives the same training.
#
# </details>

# %%
run = fit(MLP(dim=2), mixture_loss, steps=budget(full=2000, quick=400), lr=0.01)
plots.training(run.history, floor=floor)

# %% [markdown]
# The loss sinks to the floor and stays there. (A single batch can be lucky and lie below; the floor bounds the mean.) After a few hundred steps the curve looks finished, and yet the field is not: a training of only 400 steps ends at the same height, with twice the relative error. What is left of it is squared before it enters the loss, and drowns in the noise of the floor.
#
# `fit` also keeps a running average of the weights, which is steadier than the weights themselves: `run.model` is the network with those. Hand in your trained network.

# %%
### BEGIN SOLUTION
trained = run.model
### END SOLUTION

# %%
check(lab2.TrainedVelocity, trained)

# %%
clock = torch.linspace(0.05, 0.95, 19)
errors = []
for t in clock:
    x = truth.sample(4000, t)
    errors.append(relative_error(trained(x, t).detach(), truth.velocity(x, t)))
plots.curves(clock, {"learned velocity": errors}, xlabel="time $t$", ylabel="relative error")

# %%
plots.fields({"learned": trained, "exact": truth.velocity}, background=truth)

# %% [markdown]
# Watch your own loss at work. Choose the data, or draw your own, and press *Train*. (It trains beside the notebook: *Stop* ends it, and interrupting the kernel does not.) **Before you do:** the loss will stand still after a second. Will the arrows stop getting better then as well? Afterwards drag the time: when is the error largest, and how do the exact arrows look then? (The floor is that of the sum over coordinates, averaged over points. A loss of half of it is a mean over coordinates: the same arrows on another scale. And a loss on its floor proves nothing by itself: the arrows decide.)

# %%
FlowTrainer(loss=cfm_loss)

# %% [markdown]
# # Part E · Scores
#
# For an SDE we need the score as well. It can be learned in the same way, from single tickets: the target is the conditional score, which on a Gaussian path is $-\epsilon/\beta_t$, because $x_t-\alpha_tz=\beta_t\epsilon$. This is *denoising score matching*, Notes (61):
#
# $$\mathcal L_{\text{CSM}}(\theta)=\mathbb E_{t,z,\epsilon}\Bigl[\Bigl|s^\theta_t(x_t)+\frac\epsilon{\beta_t}\Bigr|^2\Bigr].$$
#
# ### Exercise 13 · Two losses and the weight between them


# %%
def score_loss(model, schedule, z, t, noise):
    """The denoising score matching loss, Notes (61). Arguments as in `cfm_loss`."""
    ### BEGIN SOLUTION
    _, beta, _, _ = schedule(expand_time(t, z))
    prediction = model(sample_path(schedule, z, t, noise), t)
    return (prediction + noise / beta).square().sum(dim=1).mean()
    ### END SOLUTION


# %%
check(lab2.ScoreLoss, score_loss)


# %% [markdown]
# As $t\to1$ the noise that is left, $\beta_t$, goes to 0, and this target grows without bound. A remedy of the first diffusion models: let the network predict the noise itself, $\epsilon^\theta_t(x_t)\approx\epsilon$, and read the score off it, $s=-\epsilon^\theta/\beta_t$ (Notes, Remark 21 and Algorithm 4).


# %%
def noise_loss(model, schedule, z, t, noise):
    """The noise prediction loss. Arguments as in `cfm_loss`; the model returns a noise."""
    ### BEGIN SOLUTION
    prediction = model(sample_path(schedule, z, t, noise), t)
    return (prediction - noise).square().sum(dim=1).mean()
    ### END SOLUTION


# %%
check(lab2.NoiseLoss, noise_loss)


# %% [markdown]
# Take one network that predicts noise, and read it as a score. Sample by sample, its score loss is its noise loss times a weight that depends on $t$ alone. Which?


# %%
def score_weight(schedule, t):
    """w in: score loss = w × noise loss, for one sample at time t; shaped like t."""
    ### BEGIN SOLUTION
    return 1 / schedule(t)[1] ** 2
    ### END SOLUTION


# %%
check(lab2.ScoreWeight, score_weight)

# %%
clock = torch.linspace(0.02, 0.98, 25)
z, noise = five_modes.sample(4000), torch.randn(4000, 2)
losses = {"score loss": [], "noise loss": []}
for t in clock:
    t = t.expand(4000)
    losses["score loss"].append(score_loss(truth.score, linear, z, t, noise))
    losses["noise loss"].append(noise_loss(truth.noise, linear, z, t, noise))
plots.curves(
    clock, losses, logy=True, xlabel="time $t$", ylabel="loss", title="The loss of perfect models"
)

# %% [markdown]
# These are the losses of the *exact* score and the *exact* noise: the floors. With uniform times, a network trained on the score loss would spend its whole effort on the last moments; the mean over all times is even infinite. At each time both losses have the same minimiser. The weight between them decides which times a finite network cares about.


# %% [markdown]
# ### Exercise 14 · Velocity to score and back
#
# Do we need two networks? On a Gaussian path, no. Velocity, score, noise and data all say the same thing about $x$: knowing one of $z$ and $\epsilon$ *on average*, you know the other, because $x=\alpha_tz+\beta_t\epsilon$. Notes (54) and (55):
#
# $$u=\Bigl(\beta_t^2\frac{\dot\alpha_t}{\alpha_t}-\dot\beta_t\beta_t\Bigr)s+\frac{\dot\alpha_t}{\alpha_t}x,\qquad s=\frac{\alpha_tu-\dot\alpha_tx}{\beta_t^2\dot\alpha_t-\alpha_t\dot\beta_t\beta_t} .$$


# %%
def velocity_from_score(schedule, s, x, t):
    """The velocity that belongs to the score s at (x, t), Notes (54); shapes as x."""
    ### BEGIN SOLUTION
    alpha, beta, alpha_dot, beta_dot = schedule(expand_time(t, x))
    rate = alpha_dot / alpha
    return (beta**2 * rate - beta * beta_dot) * s + rate * x
    ### END SOLUTION


# %%
check(lab2.VelocityFromScore, velocity_from_score)


# %%
def score_from_velocity(schedule, u, x, t):
    """The score that belongs to the velocity u at (x, t), Notes (55); shapes as x."""
    ### BEGIN SOLUTION
    alpha, beta, alpha_dot, beta_dot = schedule(expand_time(t, x))
    return (alpha * u - alpha_dot * x) / (beta**2 * alpha_dot - alpha * beta * beta_dot)
    ### END SOLUTION


# %%
check(lab2.ScoreFromVelocity, score_from_velocity)

# %% [markdown]
# **Prediction.** Take the linear schedule. Where do the two formulas break?
#
# - (a) Both at $t=1$, where no noise is left.
# - (b) (54) at $t=0$, (55) at $t=1$.
# - (c) (54) at $t=1$, (55) at $t=0$.
# - (d) Nowhere: each undoes the other.

# %%
### BEGIN SOLUTION
breaks = "b"
### END SOLUTION

# %%
check(lab2.PredictBreaks, breaks)


# %% [markdown]
# The first breaks for a reason: at $t=0$ the score of $\mathcal N(0,I)$ is $-x$, whatever the data are; it holds no information about where to go. The second breaks because $\beta_t$ stands below. On the linear path an error of the velocity is multiplied by $t/(1-t)$: the score is excellent at the start and useless at the end. See it in your trained network:


# %%
def learned_score(x, t):
    return score_from_velocity(linear, trained(x, t), x, t).detach()


clock = torch.linspace(0.02, 0.98, 25)
errors = {"velocity": [], "score, from the velocity": []}
for t in clock:
    x = truth.sample(4000, t)
    errors["velocity"].append(relative_error(trained(x, t).detach(), truth.velocity(x, t)))
    errors["score, from the velocity"].append(
        relative_error(learned_score(x, t), truth.score(x, t))
    )
plots.curves(clock, errors, logy=True, xlabel="time $t$", ylabel="relative error")

# %% [markdown]
# # Part F · Sampling
#
# ### Exercise 15 · With and without noise
#
# A velocity and a score, however they were found, give you a whole family of samplers: (25) with any $\sigma_t\ge0$; with $\sigma=0$ it is the flow. Write the Euler–Maruyama loop. Step $i$ goes from `times[i]` to `times[i + 1]` and uses `noise[i]`.


# %%
def sde_sample(velocity, score, sigma, x, times, noise):
    """Simulate Notes (25) by Euler–Maruyama, and return where the particles end.

    Args:
        velocity, score: functions of (x, t) that return shape (batch, dim).
        sigma: the diffusion coefficient, a function of t.
        x: the start, shape (batch, dim).
        times: shape (n + 1,), increasing.
        noise: standard normal numbers, shape (n, batch, dim).

    Returns:
        The points at times[-1], shape (batch, dim).
    """
    ### BEGIN SOLUTION
    for i in range(len(times) - 1):
        t, h = times[i], times[i + 1] - times[i]
        drift = sde_drift(velocity, score, sigma, x, t)
        x = x + h * drift + h.sqrt() * sigma(t) * noise[i]
    return x
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The length of step $i$ is `h = times[i + 1] - times[i]`, and there are `len(times) - 1` steps. Use your `sde_drift`. Make a new `x` in each step: `x += …` would change the start that was passed in.
#
# </details>

# %%
check(lab2.SDESample, sde_sample)

# %% [markdown]
# By Theorem 13 every σ gives the same $p_1$. But a simulation takes finite steps.
#
# **Prediction.** The *exact* velocity and the *exact* score, 20 steps, and σ grows from 0 to 4. What happens to the samples?
#
# - (a) Up to a σ of about 2 they get no worse. Beyond, they get worse and worse.
# - (b) Nothing: by Theorem 13 every σ has the same marginals.
# - (c) They get better and better, however large σ is: noise mends the errors of earlier steps.
# - (d) They gather more and more tightly at the modes, because the score pulls with σ²/2.

# %%
### BEGIN SOLUTION
sigma_prediction = "a"
### END SOLUTION

# %%
check(lab2.PredictSigma, sigma_prediction)

# %% [markdown]
# Measure it. The *energy distance* between two samples is twice the mean distance between points of different samples, minus the mean distances within each. For equal distributions it is 0, but for the luck of the draw: two true samples lie around the dashed line below, easily a factor of 2 off. (All runs use the same start and the same noise, so that you compare like with like.)


# %%
n = budget(full=4000, quick=1000)
reference, start = five_modes.sample(n), torch.randn(n, 2)


def quality(velocity, score, sigma, n_steps):
    """The energy distance to the five modes after n_steps steps with σ_t = sigma(t)."""
    noise = torch.randn(n_steps, n, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        end = sde_sample(velocity, score, sigma, start, time_grid(n_steps), noise)
    return float(energy_distance(end, reference))


# %%
by_chance = energy_distance(reference, five_modes.sample(n)).baseline
sigmas = torch.tensor(budget(full=[0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0], quick=[0.0, 2.0, 4.0]))
distances = {
    f"{k} steps": [
        quality(truth.velocity, truth.score, lambda t, s=s: s + 0 * t, k) for s in sigmas
    ]
    for k in (20, 100)
}
distances["two true samples"] = [by_chance] * len(sigmas)
plots.curves(
    sigmas,
    distances,
    exact=["two true samples"],
    logy=True,
    joined=True,
    xlabel="$\\sigma$",
    ylabel="energy distance",
    title="Exact velocity and score",
)

# %% [markdown]
# Start with 20 steps. At σ = 0 the Euler steps make an error of their own, and a little noise forgets it. Beyond σ = 2 the clouds come out too wide: the pull of the score grows like $\sigma^2$, and a step is too long for it. You met this in Lab 1, where a simulated leash kept a variance $1/(1-\theta h/2)$ times too large; here $\theta=\sigma^2/(2v)$. *This error grows with σ, and more steps cure it*: with 100 there is nothing left to see.
#
# Now with your network in place of the truth: a constant σ in 100 and in 400 steps, and in 100 steps $\sigma_t=\sigma\sqrt{1-t}$, which fades out as the data come near.

# %%
plans = {
    "σ, 100 steps": (lambda t, s: s + 0 * t, 100),
    "σ, 400 steps": (lambda t, s: s + 0 * t, 400),
    "σ√(1−t), 100 steps": (lambda t, s: s * (1 - t).sqrt(), 100),
}
distances = {
    name: [quality(trained, learned_score, lambda t, s=s, f=f: f(t, s), k) for s in sigmas]
    for name, (f, k) in plans.items()
}
distances["two true samples"] = [by_chance] * len(sigmas)
plots.curves(
    sigmas,
    distances,
    exact=["two true samples"],
    logy=True,
    joined=True,
    xlabel="$\\sigma$",
    ylabel="energy distance",
    title="Your network",
)

# %% [markdown]
# With a constant σ the harm begins earlier, and more steps make it *worse*. This is not the simulation's error but the network's: the drift takes $\sigma^2/2$ times the learned score, which is useless close to $t=1$ (Exercise 14), and more steps mean more of them there. Let σ fade where the score is bad, and the harm is gone.
#
# Here are single particles, with the score of your network; on the right, how far each crowd is from $p_t$. **Find out:** at which σ is your network's crowd seen to leave $p_t$, and at what time? What if it takes 40 steps and not 160? Take the exact score and σ = 4: how many steps are enough? Then take half of the score, or that of an earlier time: when does it begin to matter, and why not at σ = 0?

# %%
ScoreExplorer(score=learned_score, n=160)

# %% [markdown]
# Hand in a sample of the five modes made by *your network*, as `five_mode_sample`: at least 1,000 points (2,000 are better), without noise or with a σ that fades.

# %%
### BEGIN SOLUTION
flow = ODE(trained)
five_mode_sample = simulate(flow, torch.randn(2000, 2), time_grid(50), step=heun_step).final
### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# `simulate(ODE(trained), start, time_grid(50))` follows the arrows from a start that you draw; hand in its `.final`.
#
# </details>

# %%
check(lab2.FlowSample, five_mode_sample)

# %%
plots.density(five_modes, samples=five_mode_sample)


# %% [markdown]
# ### Exercise 16 · From anywhere to anywhere
#
# Nothing in the theatre asked for a Gaussian foyer. Let people start on two circles, $x_0\sim p_{\text{init}}$, and take their seats on a chessboard, $z\sim p_{\text{data}}$, each pair drawn independently. The straight line between them is the *linear path* (§4.3 of the Notes speaks of such starts, without a formula):
#
# $$x_t=(1-t)\,x_0+t\,z,\qquad \frac{\mathrm d}{\mathrm dt}x_t=z-x_0 .$$
#
# Only the velocity is left: without Gaussian noise there is no formula for a score.


# %%
def linear_path_loss(model, start, z, t):
    """The flow matching loss of the linear path from `start` to `z`.

    Args:
        model: a function of (x, t) that returns a tensor shaped like x.
        start, z: a pair of points in each row, shape (batch, dim).
        t: times, shape (batch,).

    Returns:
        The loss, a tensor of shape ().
    """
    ### BEGIN SOLUTION
    s = expand_time(t, z)
    prediction = model((1 - s) * start + s * z, t)
    return (prediction - (z - start)).square().sum(dim=1).mean()
    ### END SOLUTION


# %%
check(lab2.LinearPathLoss, linear_path_loss)

# %% [markdown]
# A chessboard has sharp edges, and smooth functions of $x$ are slow to make them. So the network is shown waves as well, $\sin$ and $\cos$ of random multiples of $x$; from short waves, edges are easily put together. The network of Exercise 12 had 32 long ones. Here `fourier=64, scale=4` gives it more and shorter ones. (Training takes half a minute.)

# %%
circles, board = Circles(), Chessboard()


def chess_loss(model, generator):
    """The linear path's loss on a fresh batch of 1,024 pairs, from the circles to the board."""
    ### BEGIN SOLUTION
    start, z = circles.sample(1024, generator), board.sample(1024, generator)
    return linear_path_loss(model, start, z, torch.rand(1024, generator=generator))
    ### END SOLUTION


# %%
chess_network = MLP(dim=2, width=128, depth=2, fourier=64, scale=4.0)
chess_run = fit(chess_network, chess_loss, steps=budget(full=3000, quick=400), lr=0.01)
plots.training(chess_run.history)

# %% [markdown]
# Let 4,000 people walk from the circles to the board: `chess_walk` is the whole simulation, `chess_sample` the points where it ends.

# %%
### BEGIN SOLUTION
clock = time_grid(budget(100, 50))
chess_walk = simulate(ODE(chess_run.model), circles.sample(4000), clock, step=heun_step, record=5)
### END SOLUTION
### BEGIN SOLUTION
chess_sample = chess_walk.final
### END SOLUTION

# %%
check(lab2.CirclesToChessboard, chess_sample)

# %%
print(f"{1 - chessboard_violations(chess_sample, board):.1%} on black squares")
plots.snapshots(chess_walk, board)

# %% [markdown]
# # What you have done

# %%
progress("lab2")

# %% [markdown]
# You have built flow matching from one seat to a trained generator:
#
# - A conditional path needs two functions of time, and has its velocity and its score in closed form.
# - The marginal field is the *posterior* average of the conditional ones: at $t=0$ it points to the mean of the data, later to what is likely from here.
# - The continuity equation decides whether a field moves a density along a path. Many fields do. With the score one may shake, too, with any σ.
# - The CFM loss has the right gradient and the wrong value: its floor is the conditional variance.
# - On Gaussian paths velocity, score, noise and data are one prediction in four languages. The translations break at the ends of time.
# - Noise forgets earlier errors. It costs steps, and needs a score that can be trusted.
#
# ### For the curious
#
# - **Which schedule is easiest?** Train with `square_root` and `cosine` in place of `linear`. Compare the relative errors, not the losses: why would comparing the losses be a mistake?
# - **A vanishing start.** Take $\alpha_t=t^2$, $\beta_t=1-t$. The Notes say that (55) works on all of $[0,1)$. Try $t=0$.
# - **Straight paths, bent flow.** Each ticket holder walks straight under the linear schedule. Do the particles of the marginal flow? Plot some, and say why a single Euler step would be a bad idea.
# - **Crossing lines.** In Exercise 16 pairs are drawn independently, and their lines cross. Paths of a flow never cross (Lab 1). What must happen at the crossings?
#
# ### Further reading
#
# - Holderrieth & Erives, *An Introduction to Flow Matching and Diffusion Models*, sections 3 and 4; their proofs of the two equations are in appendix B.
# - Lipman et al., *Flow Matching for Generative Modeling* (2023), and Albergo, Boffi & Vanden-Eijnden, *Stochastic Interpolants* (2023): where the ideas come from.
# - Lai et al., *The Principles of Diffusion Models*, chapters 5 and 6, with time running the other way; `docs/notation.md` of the course translates.
