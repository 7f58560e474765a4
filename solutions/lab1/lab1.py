# %% [markdown]
# # Lab 1 · Simulating ODEs and SDEs
#
# A generative model turns noise into data by letting it move. A *flow* moves it along arrows. A *diffusion* moves it along arrows and shakes it on the way. In this lab you write the few lines that do the moving, and you find out how far they can be trusted.
#
# **At the end you can**
#
# - simulate ordinary differential equations, and stochastic ones whose noise does not depend on the place, and say what the step size does to the error;
# - build Brownian motion, the Ornstein–Uhlenbeck process and Langevin dynamics from noise;
# - tell a simulation's own bias from the process that it stands for;
# - sample from a density of which you know only the slope, and say when that fails.
#
# **Time:** 2 to 3 hours. **Builds on:** vectors, derivatives, the Gaussian distribution, some PyTorch.
#
# **Source:** Holderrieth & Erives, *An Introduction to Flow Matching and Diffusion Models*, section 2 and Remark 16. Equations are cited as Notes (4).
#
# ### How a lab works
#
# Each exercise has three cells: the question, a cell for your answer, and a check. Run the check as often as you like. It draws fresh numbers each time, and when something is wrong it tries to say what. A question that asks for a prediction wants your honest guess *before* you run the experiment below it; change it afterwards if you were wrong.
#
# Stay in torch: later, gradients will flow through the functions that you write here. Where a *number* is asked for, a Python number or a tensor of shape `()` will do.
#
# Later cells use your earlier answers. If you are stuck, go on all the same: leave out `step=…` in a call of `simulate`, and the library's own step runs.

# %%
try:
    from course_lib.checks import check, lab1, progress
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
from course_lib.distributions import Gaussian, GaussianMixture
from course_lib.processes import ODE, SDE, LinearODE, OrnsteinUhlenbeck
from course_lib.simulate import Trajectory, simulate, time_grid
from course_lib.training import budget
from course_lib.widgets import LangevinExplorer, ProcessExplorer, SolverExplorer

_ = torch.manual_seed(0)  # the same figures for everyone

# %% [markdown]
# # Part A · Following arrows
#
# Drop a leaf on a river. At each place and moment the water has a speed and a direction. The leaf has no will of its own: it goes where the water goes.
#
# The water is a *velocity field* $u_t(x)$: give it a place $x$ and a time $t$, and it returns an arrow. The leaf's path $X_t$ obeys an *ordinary differential equation* (ODE), Notes (1):
#
# $$\frac{\mathrm d}{\mathrm dt} X_t = u_t(X_t), \qquad X_0 = x_0 .$$
#
# The map from where a leaf starts to where it is at time $t$ is called the *flow*, $\psi_t(x_0)$. For most fields nobody can write it down. For a linear field $u_t(x) = -\Theta x$ one can: $\psi_t(x_0) = e^{-\Theta t}x_0$, which for a number $\Theta=\theta$ is Notes (3). We start with such a field, because then we know the truth.

# %%
spiral = LinearODE([[0.5, 3.0], [-3.0, 0.5]])  # the matrix is Θ: with u = -Θx, 0.5 pulls inwards
plots.vector_field(spiral.velocity)


# %% [markdown]
# ### Exercise 1 · The Euler step
#
# Look at the arrow where you stand, walk along it for a short time $h$, look again. That is Euler's method, Notes (4):
#
# $$X_{t+h} = X_t + h\,u_t(X_t).$$
#
# Write one step. `velocity` is a function: `velocity(x, t)` returns an arrow for each row of `x`.


# %%
def euler_step(velocity, x, t, h):
    """Move the points x from time t to time t + h by one Euler step.

    Args:
        velocity: a function of (x, t) that returns a tensor shaped like x.
        x: points, shape (batch, dim).
        t: the time, shape ().
        h: the step size, a number.

    Returns:
        The points at time t + h, shape (batch, dim).
    """
    ### BEGIN SOLUTION
    return x + h * velocity(x, t)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Call `velocity` once, at `x` and `t`. Return a new tensor; leave `x` as it is.
#
# </details>

# %%
check(lab1.EulerStep, euler_step)

# %% [markdown]
# Your step drives the simulation below: `simulate` calls it once for each step. Six leaves start on a circle and take 20 steps from $t=0$ to $t=1$. The dashed lines are the truth.

# %%
angles = torch.arange(6) * math.pi / 3
start = 1.5 * torch.stack([angles.cos(), angles.sin()], dim=1)
truth = simulate(spiral, start, time_grid(100), step="exact")
walk = simulate(spiral, start, time_grid(20), step=euler_step)
plots.vector_field(spiral.velocity, walk, exact=truth, title="Euler, 20 steps")


# %% [markdown]
# Change 20 to 6 and run the cell again. With long steps the leaves are thrown out of the spiral: each step follows the tangent, and the tangent of a curve leads outwards.

# %% [markdown]
# ### Exercise 2 · The Heun step
#
# Euler trusts the arrow at the start for the whole step. Better: take the Euler step as a *guess*, look at the arrow there, and walk along the average of the two. This is Heun's method, Notes §2.1:
#
# $$X'_{t+h} = X_t + h\,u_t(X_t), \qquad X_{t+h} = X_t + \frac h2\bigl(u_t(X_t) + u_{t+h}(X'_{t+h})\bigr).$$


# %%
def heun_step(velocity, x, t, h):
    """Move the points x from time t to time t + h by one Heun step.

    Args and result as in `euler_step`.
    """
    ### BEGIN SOLUTION
    first = velocity(x, t)
    second = velocity(x + h * first, t + h)
    return x + h / 2 * (first + second)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The guess is a place *and* a time: its arrow is `velocity(guess, t + h)`. The step itself still begins at `x`.
#
# </details>

# %%
check(lab1.HeunStep, heun_step)

# %%
walk = simulate(spiral, start, time_grid(20), step=heun_step)
plots.vector_field(spiral.velocity, walk, exact=truth, title="Heun, 20 steps")

# %% [markdown]
# ### Exercise 3 · How fast does the error shrink?
#
# Both methods improve with smaller steps. The question is how fast.
#
# **Prediction.** You halve the step size. What happens to the error at $t=1$?
#
# - (a) For both methods it halves.
# - (b) Euler's halves, Heun's falls to a quarter.
# - (c) Euler's falls to a quarter, Heun's to an eighth.
# - (d) Nothing: there are twice as many steps to err in.

# %%
### BEGIN SOLUTION
order_prediction = "b"
### END SOLUTION

# %%
check(lab1.PredictOrder, order_prediction)


# %% [markdown]
# Now measure it. Walk from $t=0$ to $t=1$ in `n_steps` equal steps and compare with the true flow.
#
# Count the steps with care. From 0 to 1 there are $n$ steps of $1/n$; step $i$ begins at $t=i/n$, for $i=0,\dots,n-1$. (The loops of the Notes' Algorithms 1 and 2, $i=1,\dots,n-1$, take one step too few and stop at $1-h$.)


# %%
def endpoint_error(step, velocity, flow, x, n_steps):
    """How far a simulation from t = 0 to t = 1 ends from the truth, at worst.

    Args:
        step: a function like `euler_step`.
        velocity: a function of (x, t).
        flow: the true flow, a function of (x, t): where the points x are after a time t.
        x: where the points start, shape (batch, dim).
        n_steps: the number of steps.

    Returns:
        The largest Euclidean distance between a simulated and a true end point, a number.
    """
    ### BEGIN SOLUTION
    h = 1 / n_steps
    end = x
    for i in range(n_steps):
        end = step(velocity, end, torch.tensor(i * h), h)
    return (end - flow(x, 1.0)).norm(dim=1).max().item()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Keep the start: `flow(x, 1.0)` needs the points before they moved. `(a - b).norm(dim=1)` gives a distance for each row. The time of a step can be a float or a tensor.
#
# </details>

# %%
check(lab1.EndpointError, endpoint_error)


# %% [markdown]
# If the error is $C\,h^p$, then $\log(\text{error}) = \log C + p \log h$: a straight line of slope $p$. The slope $p$ is the *order of convergence*. Fit the line by least squares: with $a=\log h$ and $b=\log(\text{error})$,
#
# $$p = \frac{\sum_i (a_i-\bar a)(b_i-\bar b)}{\sum_i (a_i-\bar a)^2}.$$


# %%
def convergence_order(step_sizes, errors):
    """The slope of the least-squares line through log(error) against log(h).

    Args:
        step_sizes: shape (n,), positive.
        errors: shape (n,), positive.

    Returns:
        The slope, a number.
    """
    ### BEGIN SOLUTION
    a, b = step_sizes.log(), errors.log()
    a = a - a.mean()
    return ((a * (b - b.mean())).sum() / (a * a).sum()).item()
    ### END SOLUTION


# %%
check(lab1.ConvergenceOrder, convergence_order)

# %% [markdown]
# Your four functions together. Were you right?

# %%
exact_start = start.double()
step_counts = [8, 16, 32, 64, 128, 256]
errors = {
    name: [endpoint_error(step, spiral.velocity, spiral.flow, exact_start, n) for n in step_counts]
    for name, step in {"Euler": euler_step, "Heun": heun_step}.items()
}
sizes = torch.tensor([1 / n for n in step_counts])
print(
    {name: round(float(convergence_order(sizes, torch.tensor(e))), 2) for name, e in errors.items()}
)
plots.convergence(sizes, errors)

# %% [markdown]
# Heun looks at two arrows a step, Euler at one. So at equal cost Heun has steps twice as long. With 16 looks in all its error is already 4 times smaller than Euler's; with 256 looks, 64 times. In this course the arrow will be a neural network, and looking at it will be the whole cost.
#
# Below is a spiral that runs inwards, with your Heun step in pink beside a solver of your choice. (Space plays, the arrow keys go from frame to frame.) **Find out:** with 4 steps, which solver throws the particles *outwards*? How many steps must Euler take to be as near to the truth as your Heun is with 8? The tide turns to and fro: does your step keep its slope there?
#
# (A widget keeps the functions that it was given. After a change of yours, or when the notebook is opened again, run its cell again.)

# %%
SolverExplorer(step=heun_step)


# %% [markdown]
# ### What a flow is for
#
# So far six leaves. Now a whole cloud of them, drawn from a Gaussian: this is the recipe of every flow model (Notes, Algorithm 1). Draw $X_0$ from a simple distribution, follow the arrows until $t=1$, and look at what the cloud has become. The arrows below pull each leaf towards $x_1=-1$ or $x_1=1$, whichever is nearer.


# %%
def two_pools(x, t):
    return torch.stack([4 * x[:, 0] - 4 * x[:, 0] ** 3, -x[:, 1]], dim=1)


cloud = simulate(ODE(two_pools), 0.7 * torch.randn(2000, 2), time_grid(100), step=heun_step)
plots.snapshots(cloud)


# %% [markdown]
# One cloud has become two. Nobody wrote down where the leaves should end; the arrows did that. A generative model is such a field of arrows, learned so that the last picture looks like the data.
#
# Two facts about flows, Theorem 3 of the Notes. From each place there is only one way on, so paths never cross. And one can walk back: follow the arrows backwards, and the two pools become the Gaussian cloud again.

# %% [markdown]
# # Part B · Shaking
#
# Under a microscope a grain of pollen in still water never rests. Water molecules hit it from all sides, and it jitters. No arrow leads it. Its path is a *Brownian motion* $W_t$: it starts at 0, and in a time $h$ it moves by a Gaussian jump of variance $h$, independent of all that was before. From one moment to the next, Notes (5):
#
# $$W_{t+h} = W_t + \sqrt h\,\epsilon_t, \qquad \epsilon_t \sim \mathcal N(0, I).$$
#
# Variances of independent jumps add up, standard deviations do not. Hence the root: four jumps of a quarter of the time must together have the variance of one.

# %% [markdown]
# ### Exercise 4 · Brownian paths
#
# In this course a function that needs noise *takes the noise as an argument*. So it has one right answer, and you can run it twice and get the same.


# %%
def brownian_paths(noise, h):
    """Brownian paths that start at 0, made from standard normal noise.

    Args:
        noise: standard normal numbers, shape (n_steps, batch, dim).
        h: the time between two points of a path, a number.

    Returns:
        The paths at times 0, h, 2h, …, shape (n_steps + 1, batch, dim).
    """
    ### BEGIN SOLUTION
    jumps = math.sqrt(h) * noise
    return torch.cat([torch.zeros_like(noise[:1]), jumps.cumsum(dim=0)])
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `cumsum(dim=0)` is a running sum along the first axis. `torch.cat` puts tensors behind one another; `torch.zeros_like(noise[:1])` is a first row of zeros with the right shape and dtype.
#
# </details>

# %%
check(lab1.BrownianPaths, brownian_paths)

# %%
n_steps, n_paths = 200, budget(full=5000, quick=2000)
times = time_grid(n_steps)
paths = brownian_paths(torch.randn(n_steps, n_paths, 1), h=1 / n_steps)
plots.paths(Trajectory(times, paths), band=lambda t: (0 * t, t.sqrt()), title="Brownian motion")

# %% [markdown]
# (`budget` makes experiments smaller where nobody watches, as in the grader.) The band is the exact mean ± 2 standard deviations. It opens like $\sqrt t$: steeply at first, then ever more slowly.
#
# **Prediction.** Take two times $s<t$. On the same path, $W_s$ and $W_t$ are not independent. What is their covariance?
#
# - (a) $t-s$
# - (b) $s\,t$
# - (c) $\max(s,t)$
# - (d) $\min(s,t)$

# %%
### BEGIN SOLUTION
covariance_prediction = "d"
### END SOLUTION

# %%
check(lab1.PredictCovariance, covariance_prediction)


# %% [markdown]
# Estimate it from paths. $W$ has mean 0, so the covariance of $W_s$ and $W_t$ is the average of the product $W_s W_t$ over the paths.


# %%
def path_covariance(paths):
    """The covariance of W at every pair of times, estimated from paths of mean 0.

    Args:
        paths: shape (n_times, n_paths).

    Returns:
        The average over the paths of the products, shape (n_times, n_times).
    """
    ### BEGIN SOLUTION
    return paths @ paths.T / paths.shape[1]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# One matrix product does all pairs at once.
#
# </details>

# %%
check(lab1.PathCovariance, path_covariance)

# %%
times = time_grid(20)
paths = brownian_paths(torch.randn(20, n_paths, 1), h=1 / 20)
exact = torch.minimum(times[:, None], times)
plots.covariance(path_covariance(paths[:, :, 0]), exact, times)


# %% [markdown]
# ### Exercise 5 · The Euler–Maruyama step
#
# Now both together: arrows and shaking. An equation for $\mathrm dX_t/\mathrm dt$ will not do: in a time $h$ the shaking moves the point by about $\sqrt h$, and $\sqrt h/h$ grows without bound as $h\to0$. A Brownian path has no speed. So one writes down the small moves themselves. A *stochastic differential equation* (SDE) is, Notes (7),
#
# $$\mathrm dX_t = u_t(X_t)\,\mathrm dt + \sigma_t\,\mathrm dW_t .$$
#
# Read it as an instruction for a very short time $h$: walk along the *drift* $u_t$ for the time $h$, then add a Brownian jump, scaled by the *diffusion coefficient* $\sigma_t \ge 0$. Taken at its word with a finite $h$, it is the Euler–Maruyama method, Notes (9):
#
# $$X_{t+h} = X_t + h\,u_t(X_t) + \sqrt h\,\sigma_t\,\epsilon_t .$$
#
# An SDE has no flow map any more: from one place there are many ways on.
#
# (In the Notes' line the root may look as if it reached over $\sigma_t$. It covers $h$ alone; their Algorithm 2 has it clearly.)


# %%
def euler_maruyama_step(drift, diffusion, x, t, h, noise):
    """Move the points x from time t to time t + h by one Euler–Maruyama step.

    Args:
        drift: a function of (x, t) that returns a tensor shaped like x.
        diffusion: a function of t that returns the coefficient sigma, a number.
        x: points, shape (batch, dim).
        t: the time, shape ().
        h: the step size, a number.
        noise: standard normal numbers, shaped like x.

    Returns:
        The points at time t + h, shape (batch, dim).
    """
    ### BEGIN SOLUTION
    return x + h * drift(x, t) + math.sqrt(h) * diffusion(t) * noise
    ### END SOLUTION


# %%
check(lab1.EulerMaruyamaStep, euler_maruyama_step)

# %% [markdown]
# The spiral again, now in choppy water. Every leaf starts at the same place.

# %%
choppy = SDE(spiral.velocity, lambda t: 0.4)
same_start = torch.tensor([[1.5, 0.0]]).repeat(6, 1)
walk = simulate(choppy, same_start, time_grid(200), step=euler_maruyama_step)
plots.vector_field(spiral.velocity, walk, title="The spiral with noise, σ = 0.4")


# %% [markdown]
# # Part C · A dog on a leash
#
# A dog on an elastic leash is tied to a pole at 0. It runs about at random; the farther it strays, the harder the leash pulls. This is the *Ornstein–Uhlenbeck process* (OU), Notes (8):
#
# $$\mathrm dX_t = -\theta X_t\,\mathrm dt + \sigma\,\mathrm dW_t .$$
#
# $\theta>0$ is the stiffness of the leash, $\sigma$ the temper of the dog. It is the most useful SDE there is: one can solve it with pencil and paper, so every simulation can be held against the truth.

# %% [markdown]
# ### Exercise 6 · Drift, diffusion, and the exact law
#
# First the two coefficients.
#
# A warning from published labs: the diffusion coefficient is a *number*, $\sigma$. It is not noise. Where it returns $\sigma$ times random numbers, the step multiplies two Gaussians. The variance comes out right and the law is wrong.


# %%
def ou_drift(x, t, theta):
    """The drift of the OU process at the points x, shaped like x."""
    ### BEGIN SOLUTION
    return -theta * x
    ### END SOLUTION


def ou_diffusion(t, sigma):
    """The diffusion coefficient of the OU process at time t, a number."""
    ### BEGIN SOLUTION
    return sigma
    ### END SOLUTION


# %%
check(lab1.OrnsteinUhlenbeckCoefficients, ou_drift, ou_diffusion)


# %% [markdown]
# Now the exact law. Where is the dog a time $\tau$ after it was seen at $x$?
#
# Without noise it would be at $e^{-\theta\tau}x$, as in Notes (3). Each jump of the noise fades in the same way: a jump made at the time $s$ has faded by the factor $e^{-\theta(\tau-s)}$ at the time $\tau$. So
#
# $$X_\tau = e^{-\theta\tau} x + \sigma\int_0^\tau e^{-\theta(\tau-s)}\,\mathrm dW_s .$$
#
# This is Gaussian. Independent jumps add their variances, and a jump over $\mathrm ds$ has the variance $\mathrm ds$. With $r=\tau-s$, the age of a jump,
#
# $$\text{mean} = e^{-\theta\tau} x, \qquad \text{variance} = \sigma^2\int_0^\tau e^{-2\theta r}\,\mathrm dr .$$
#
# Do the integral, then write both down.


# %%
def ou_transition(x, elapsed, theta, sigma):
    """The exact law of the OU process a time `elapsed` after it was at x.

    Args:
        x: where it was, shape (batch, dim).
        elapsed: the time since then, a number.
        theta, sigma: the parameters, numbers.

    Returns:
        The mean, shape (batch, dim), and the standard deviation, a number.
    """
    ### BEGIN SOLUTION
    mean = math.exp(-theta * elapsed) * x
    variance = sigma**2 * (1 - math.exp(-2 * theta * elapsed)) / (2 * theta)
    return mean, math.sqrt(variance)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# $\int_0^\tau e^{-cr}\,\mathrm dr = (1-e^{-c\tau})/c$, here with $c=2\theta$. Test your formula: for $\tau\to0$ the variance must vanish like $\sigma^2\tau$, as for Brownian motion. The standard deviation is the root of the variance.
#
# </details>

# %%
check(lab1.OrnsteinUhlenbeckTransition, ou_transition)

# %% [markdown]
# Paths from your step and your coefficients; the band from your exact law. All dogs start at 3. By time 4 their mean is down to 0.05: they have forgotten where they came from.

# %%
theta, sigma = 1.0, 1.0
ou = SDE(lambda x, t: ou_drift(x, t, theta), lambda t: ou_diffusion(t, sigma))
x0 = torch.full((n_paths, 1), 3.0)
walk = simulate(ou, x0, time_grid(400, end=6.0), step=euler_maruyama_step)


def exact_band(times):
    laws = [ou_transition(x0[:1], t.item(), theta, sigma) for t in times]
    return torch.stack([m.squeeze() for m, _ in laws]), torch.tensor([s for _, s in laws])


plots.paths(walk, band=exact_band, title="Ornstein–Uhlenbeck, θ = 1, σ = 1")

# %% [markdown]
# Take the dog into your own hands: its start $x_0$, the leash θ, the temper σ. In pink go your step and your law, beside the course's. **Find out** with the sliders: which of the three does not matter in the end, and which change the spread in which the dog ends up? What do you have to do to σ to make up for a leash four times as stiff? Then make the step long: does the crowd still follow your law?

# %%
ProcessExplorer(step=euler_maruyama_step, transition=ou_transition)


# %% [markdown]
# ### Exercise 7 · The source says N(0, σ²). Is it so?
#
# Example 6 of the Notes says that for $t\to\infty$ the OU process "converges towards a Gaussian distribution $\mathcal N(0,\sigma^2)$". The caption of their Figure 3 says $\mathcal N(0,\frac{\sigma^2}{2\theta})$. They cannot both be right. Decide.
#
# **By derivation.** Let $v$ be the variance of $X_t$ (mean 0). In a short time $h$,
#
# $$X_{t+h} = (1-\theta h) X_t + \sqrt h\,\sigma\,\epsilon .$$
#
# Take the variance of both sides. Drop what is of order $h^2$. What is the rate $\mathrm dv/\mathrm dt$?


# %%
def variance_rate(variance, theta, sigma):
    """The rate of change dv/dt of the variance of the OU process.

    Args:
        variance: the variance now, any shape.
        theta, sigma: the parameters, numbers.

    Returns:
        dv/dt, shaped like variance.
    """
    ### BEGIN SOLUTION
    return -2 * theta * variance + sigma**2
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# $\operatorname{Var}(aX+b\epsilon)=a^2\operatorname{Var}X+b^2$ for independent $X$ and $\epsilon$. And $(1-\theta h)^2 = 1-2\theta h+\theta^2h^2$.
#
# </details>

# %%
check(lab1.VarianceRate, variance_rate)

# %% [markdown]
# **By experiment.** Wait for a long time and look. We take $\theta=2$: for $\theta=\frac12$ both claims would look the same.

# %%
theta, sigma = 2.0, 1.0
ou = SDE(lambda x, t: ou_drift(x, t, theta), lambda t: ou_diffusion(t, sigma))
late = simulate(
    ou, torch.zeros(20_000, 1), time_grid(500, end=5.0), step=euler_maruyama_step, record=1
)
candidates = {  # Gaussian(mean, variance)
    "N(0, σ²)": Gaussian([0.0], sigma**2),
    "N(0, σ²/θ)": Gaussian([0.0], sigma**2 / theta),
    "N(0, σ²/2θ)": Gaussian([0.0], sigma**2 / (2 * theta)),
}
plots.histogram({name: late.final for name in candidates}, candidates)

# %% [markdown]
# **Your verdict.** For $t\to\infty$ the OU process
#
# - (a) has no limit: its variance grows for ever;
# - (b) converges to $\mathcal N(0,\sigma^2)$, as Example 6 says;
# - (c) converges to $\mathcal N(0,\frac{\sigma^2}{2\theta})$, as Figure 3 says;
# - (d) converges to $\mathcal N(0,\frac{\sigma^2}{\theta})$: both are wrong.

# %%
### BEGIN SOLUTION
limit_verdict = "c"
### END SOLUTION

# %%
check(lab1.OrnsteinUhlenbeckLimit, limit_verdict)


# %% [markdown]
# ### Exercise 8 · A simulation has a law of its own
#
# A simulation with a finite step is not the process. It is another process, and this one too can be solved. One Euler–Maruyama step of OU is
#
# $$X \leftarrow (1-\theta h)X + \sqrt h\,\sigma\,\epsilon .$$
#
# If the simulation has settled, one more step leaves its variance $v$ as it is: $v = (1-\theta h)^2 v + h\sigma^2$, this time with nothing dropped. Solve for $v$.


# %%
def simulated_variance(theta, sigma, h):
    """The variance to which Euler–Maruyama with step h settles on the OU process, a number."""
    ### BEGIN SOLUTION
    return sigma**2 / (2 * theta - theta**2 * h)
    ### END SOLUTION


# %%
check(lab1.SimulatedVariance, simulated_variance)


# %% [markdown]
# Each step multiplies $X$ by $1-\theta h$. If that factor is larger than 1 in absolute value, the simulation does not settle: every step throws it farther out. How long may a step be?


# %%
def largest_stable_step(theta):
    """The step size at which Euler–Maruyama on the OU process begins to explode, a number."""
    ### BEGIN SOLUTION
    return 2 / theta
    ### END SOLUTION


# %%
check(lab1.LargestStableStep, largest_stable_step)

# %% [markdown]
# Now the measurement against your two formulas. The dotted line is the true process. Each simulation takes 60 steps of its size.

# %%
theta, sigma = 1.0, 1.0
ou = OrnsteinUhlenbeck(theta, sigma)
sizes = torch.linspace(0.1, 1.9, 13)
measured = [
    simulate(
        ou, torch.zeros(20_000, 1), h * torch.arange(61), step=euler_maruyama_step, record=1
    ).final.var()
    for h in sizes
]
plots.curves(
    sizes,
    {
        "measured": measured,
        "your formula": [simulated_variance(theta, sigma, h.item()) for h in sizes],
        "true process": [sigma**2 / (2 * theta)] * len(sizes),
    },
    exact=("your formula", "true process"),
    xlabel="step size h",
    ylabel="stationary variance",
    marks={"explodes": largest_stable_step(theta)},
)

# %% [markdown]
# At $h=0.5$ nothing looks wrong: no jagged path, no warning. And yet the variance is a third too large. A biased simulation looks just like a good one; you need a truth to hold it against.
#
# And this is how it looks below and above the limit:

# %%
walks = {}
for h in (0.5, 1.9, 2.1):
    walk = simulate(ou, torch.ones(50, 1), h * torch.arange(41), step=euler_maruyama_step)
    walks[f"θh = {h:g}"] = Trajectory(torch.arange(41), walk.states)
plots.paths(walks, xlabel="number of steps")

# %% [markdown]
# ### Exercise 9 · Four dogs, how many laws?
#
# Four OU processes:
#
# | | P | Q | R | S |
# |---|---|---|---|---|
# | θ | 0.5 | 2 | 0.5 | 4.5 |
# | σ | 1 | 2 | 2 | 3 |
#
# A stiff leash relaxes quickly, within a time of about $1/\theta$. So we film each dog for a time $4/\theta$ and play all films at the same length: time is measured in units of $1/\theta$. Lengths stay as they are.
#
# **Prediction.** Which pictures then show the same law?
#
# - (a) P, Q and S; R differs
# - (b) Q and R, because they share σ
# - (c) P and R, because they share θ
# - (d) all four, once time is rescaled

# %%
### BEGIN SOLUTION
collapse_prediction = "a"
### END SOLUTION

# %%
check(lab1.PredictCollapse, collapse_prediction)

# %%
dogs = {"P": (0.5, 1.0), "Q": (2.0, 2.0), "R": (0.5, 2.0), "S": (4.5, 3.0)}
films = {}
for name, (theta, sigma) in dogs.items():
    dog = OrnsteinUhlenbeck(theta, sigma)
    walk = simulate(dog, torch.zeros(2000, 1), time_grid(200, end=4 / theta), step="exact")
    films[name] = Trajectory(walk.times * theta, walk.states)
plots.collapse(films, title="Time in units of 1/θ", xlabel="time $θt$")


# %% [markdown]
# Put $s=\theta t$ into Notes (8): a time $\mathrm ds$ is $\theta\,\mathrm dt$, and a jump over $\mathrm dt$ is $1/\sqrt\theta$ times one over $\mathrm ds$. The equation becomes $\mathrm dX = -X\,\mathrm ds + \frac{\sigma}{\sqrt\theta}\,\mathrm dW_s = -X\,\mathrm ds + \sqrt{2D}\,\mathrm dW_s$. Only one number is left, $D=\frac{\sigma^2}{2\theta}$. It is a variance, so it sets a length, $\sqrt D$. Measure lengths in that unit too, and *every* OU process becomes the same one.


# %%
def rescale(times, states, theta, sigma):
    """Measure time in units of 1/theta and length in units of √D, D = sigma² / (2 theta).

    Args:
        times: shape (n_times,).
        states: shape (n_times, batch, dim).
        theta, sigma: the parameters of the process, numbers.

    Returns:
        The rescaled times and the rescaled states, shaped like the given ones.
    """
    ### BEGIN SOLUTION
    length = math.sqrt(sigma**2 / (2 * theta))
    return times * theta, states / length
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# A time measured in a unit is the time *divided* by the unit. Dividing by $1/\theta$ is multiplying by $\theta$.
#
# </details>

# %%
check(lab1.CollapsePaths, rescale)

# %%
films = {}
for name, (theta, sigma) in dogs.items():
    dog = OrnsteinUhlenbeck(theta, sigma)
    walk = simulate(dog, torch.zeros(2000, 1), time_grid(200, end=4 / theta), step="exact")
    films[name] = Trajectory(*rescale(walk.times, walk.states, theta, sigma))
plots.collapse(films, title="Time in units of 1/θ, length in units of √D", xlabel="time $θt$")

# %% [markdown]
# # Part D · Sampling by shaking
#
# So far we had a process and asked for its law. Now turn it round: given a law, find a process that ends up there.
#
# Think of a hiker in thick fog who wants to be on high ground. He cannot see the summits. He feels only the slope under his feet, and he stumbles about. He drifts uphill, but each stumble may take him over a ridge. After a long time he has been everywhere, and most often where the ground is high.
#
# The slope of the *logarithm* of a density is called the *score*, $\nabla\log p(x)$. It needs no normalising constant. Most of this course is about learning it. Here we can still write it down.

# %%
far_modes = GaussianMixture.ring(
    modes=5, radius=3.0, std=0.35, weights=[0.35, 0.15, 0.25, 0.10, 0.15]
)
near_modes = GaussianMixture.ring(
    modes=5, radius=2.0, std=0.6, weights=[0.35, 0.15, 0.25, 0.10, 0.15]
)
plots.density(near_modes, score=True, title="A density and its score")


# %% [markdown]
# ### Exercise 10 · The score of a Gaussian mixture
#
# A mixture of $k$ round Gaussians in $d$ dimensions has the density $p(x)=\sum_j w_j\,\mathcal N(x; m_j, s_j^2 I)$. Its score is
#
# $$\nabla\log p(x) = \sum_j r_j(x)\,\frac{m_j-x}{s_j^2}, \qquad r_j(x) = \frac{w_j\,\mathcal N(x; m_j, s_j^2I)}{\sum_i w_i\,\mathcal N(x; m_i, s_i^2I)} .$$
#
# Each component pulls towards its mean. How loud its voice is depends on where you stand: $r_j(x)$ is the probability that a particle found at $x$ came from component $j$, its *responsibility*.
#
# One trap. At $|x|=1000$ a density with $s=1$ is about $e^{-500000}$, which the computer rounds to 0, and $0/0$ is not a number. Work with logarithms. Responsibilities are a *softmax* of $\log w_j + \log\mathcal N(x;m_j,s_j^2I)$, and `torch.softmax` is safe. Recall $\log\mathcal N(x;m,s^2I) = -\frac{|x-m|^2}{2s^2} - d\log s + \text{const}$.


# %%
def mixture_score(x, means, stds, weights):
    """The score of a mixture of round Gaussians, finite however far away x is.

    Args:
        x: points, shape (batch, dim).
        means: shape (k, dim).
        stds: standard deviations, shape (k,).
        weights: shape (k,), positive, summing to 1.

    Returns:
        The gradient of log p at x, shape (batch, dim).
    """
    ### BEGIN SOLUTION
    pull = means - x[:, None, :]  # (batch, k, dim)
    log_density = -pull.square().sum(dim=2) / (2 * stds**2) - x.shape[1] * stds.log()
    responsibilities = torch.softmax(weights.log() + log_density, dim=1)
    return (responsibilities[:, :, None] * pull / stds[:, None] ** 2).sum(dim=1)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `means - x[:, None, :]` has shape (batch, k, dim): for every point the vector to every mean. Its squared length is a sum over `dim=2`. The softmax runs over the components, `dim=1`. Before you sum, the responsibilities need a third axis: `r[:, :, None]`.
#
# </details>

# %%
check(lab1.MixtureScore, mixture_score)


# %% [markdown]
# ### Exercise 11 · Langevin dynamics
#
# Drift uphill, stumble, in the right proportion, Notes (31):
#
# $$\mathrm dX_t = \frac{\sigma^2}{2}\nabla\log p(X_t)\,\mathrm dt + \sigma\,\mathrm dW_t .$$
#
# If $X_0\sim p$, then $X_t\sim p$ at all times; started elsewhere, it moves towards $p$ (Notes, Remark 16). In the next exercise you check it for a Gaussian.


# %%
def langevin_drift(score, x, sigma):
    """The drift of Langevin dynamics.

    Args:
        score: a function of x that returns a tensor shaped like x.
        x: points, shape (batch, dim).
        sigma: the diffusion coefficient, a number.

    Returns:
        The drift at x, shape (batch, dim).
    """
    ### BEGIN SOLUTION
    return sigma**2 / 2 * score(x)
    ### END SOLUTION


# %%
check(lab1.LangevinDrift, langevin_drift)


# %% [markdown]
# ### Exercise 12 · The dog is a hiker
#
# OU is Langevin dynamics in disguise. The score of $\mathcal N(0, s^2)$ is $-x/s^2$. Write down the Langevin drift for it, and compare it with the leash $-\theta x$.
#
# Then translate both ways, with the same σ on both sides. Which normal distribution does OU with $(\theta,\sigma)$ sample? (It must be the one of Exercise 7.) And which stiffness θ makes OU sample $\mathcal N(0,s^2)$?


# %%
def ou_to_langevin(theta, sigma):
    """The standard deviation s of the normal distribution that OU(theta, sigma) samples."""
    ### BEGIN SOLUTION
    return sigma / math.sqrt(2 * theta)
    ### END SOLUTION


def langevin_to_ou(target_std, sigma):
    """The stiffness theta of the OU process that samples N(0, target_std²) with noise sigma."""
    ### BEGIN SOLUTION
    return sigma**2 / (2 * target_std**2)
    ### END SOLUTION


# %%
check(lab1.OrnsteinUhlenbeckAsLangevin, ou_to_langevin, langevin_to_ou)


# %% [markdown]
# Back to the five modes. Everything in the next cell is yours: the step, the drift, the score. The particles start spread out wide and know nothing of the modes. (`record=5` keeps five of the states, evenly spaced.)


# %%
def langevin(mixture, std, sigma=1.0):
    """Langevin dynamics for a mixture whose modes all have the width std."""
    stds = torch.full((len(mixture.means),), std)
    return SDE(
        lambda x, t: langevin_drift(
            lambda y: mixture_score(y, mixture.means, stds, mixture.weights), x, sigma
        ),
        lambda t: sigma,
    )


wide_start = 1.5 * torch.randn(2000, 2)
walk = simulate(
    langevin(near_modes, 0.6),
    wide_start,
    time_grid(200, end=2.0),
    step=euler_maruyama_step,
    record=5,
)
plots.snapshots(walk, near_modes)


# %% [markdown]
# ### Exercise 13 · Is the cloud right?
#
# It looks right. But does the mode of weight 0.35 hold 35 % of the particles? Count them. Each particle belongs to the mode whose mean is nearest.


# %%
def mode_shares(x, means):
    """The share of the points that are nearest to each mode.

    Args:
        x: points, shape (batch, dim).
        means: the modes' centres, shape (k, dim).

    Returns:
        Shares that sum to 1, shape (k,), of x's dtype.
    """
    ### BEGIN SOLUTION
    nearest = torch.cdist(x, means).argmin(dim=1)
    counts = torch.bincount(nearest, minlength=len(means))
    return counts.to(x.dtype) / len(x)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.cdist(x, means)` holds the distance from each point to each mode. `torch.bincount(labels, minlength=k)` counts labels; without `minlength` an empty last mode would be missing.
#
# </details>

# %%
check(lab1.ModeShares, mode_shares)


# %% [markdown]
# How far are two lists of shares apart? The *total variation* is the share of particles that would have to move to another mode:
#
# $$\mathrm{TV}(p,q) = \tfrac12\sum_j |p_j - q_j| .$$


# %%
def total_variation(p, q):
    """Half the sum of the absolute differences of two lists of shares, a number.

    Args:
        p, q: shape (k,), each summing to 1.
    """
    ### BEGIN SOLUTION
    return (p - q).abs().sum().item() / 2
    ### END SOLUTION


# %%
check(lab1.TotalVariation, total_variation)

# %%
shares = mode_shares(walk.final, near_modes.means)
print(
    "weights:", near_modes.weights.numpy().round(2), " shares at time 2:", shares.numpy().round(2)
)
print("total variation:", round(float(total_variation(shares, near_modes.weights)), 3))

# %% [markdown]
# (The modes overlap a little. Counted by the nearest mode, even a perfect sample is 0.017 away from the weights.)
#
# Each mode is filled well, and yet the heaviest has too few: from the wide start every particle first fell into the nearest mode. To get the weights right, particles must change modes.

# %% [markdown]
# A harder landscape is `far_modes`: the same five weights, but narrow modes far apart. From one mode to the middle of the valley between it and the next it is 5 standard deviations.
#
# **Prediction.** All particles start at the mode at the top, which has the weight 0.15. The time is 10, about 40 times what one mode needs to settle. Where are they at the end?
#
# - (a) On all modes, in shares close to the weights.
# - (b) Still on the mode where they started.
# - (c) Spread evenly over the five modes.
# - (d) On their mode and its two neighbours.

# %%
### BEGIN SOLUTION
mixing_prediction = "b"
### END SOLUTION

# %%
check(lab1.PredictMixing, mixing_prediction)

# %%
top = far_modes.means[1] + 0.35 * torch.randn(2000, 2)
late = simulate(
    langevin(far_modes, 0.35),
    top,
    time_grid(budget(full=1000, quick=250), end=10.0),
    step=euler_maruyama_step,
    record=5,
)
plots.snapshots(late, far_modes)

# %% [markdown]
# Put a number on it: the total variation between the mode shares at the end, `late.final`, and the true weights, `far_modes.weights`.

# %%
### BEGIN SOLUTION
far_distance = total_variation(mode_shares(late.final, far_modes.means), far_modes.weights)
### END SOLUTION

# %%
check(lab1.FarModesDistance, far_distance)

# %% [markdown]
# How far apart is too far? Two modes, and all particles begin in the left one, which should keep 30 % of them. (Close together the modes overlap, and a little more than 30 % of the target lies on the left: that is what "exact" says.) Your drift and your score move the pink ones, beside the course's. **Find out:** up to which distance $d$ do the shares come right by $t=20$? Does a larger σ help beyond that? Then make the step long: what becomes of the spread, and what of the shares? (A larger σ asks for a smaller step: the note under the picture says how far off yours settles.)

# %%
LangevinExplorer(drift=langevin_drift, score=mixture_score, sigma=0.8)

# %% [markdown]
# This is why sampling a picture by Langevin dynamics from one fixed density does not work: pictures are modes, and very far apart. The way out, and the subject of the next labs, is to move through a whole *path* of densities, from one where the hiker can go anywhere to the one that we want.
#
# For `near_modes` patience is enough. Hand in a good sample of it, made by your own Langevin dynamics: at least 1,000 points (2,000 are better). You choose the start, σ, the step and the time. The check measures two things against the truth: the shares of the modes, and how tightly the points sit around them.

# %%
### BEGIN SOLUTION
dynamics = langevin(near_modes, 0.6, sigma=1.0)
clock = time_grid(budget(full=3000, quick=800), end=30.0)
five_mode_sample = simulate(dynamics, wide_start, clock, step=euler_maruyama_step, record=1).final
### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Start from `wide_start` and give the particles several times longer than above. `time_grid(n_steps, end=…)` sets both the time and the step, which is the time divided by the number of steps. Too long a step makes the clouds too wide (Exercise 8). Hand in the points, `.final`, not the whole trajectory.
#
# </details>

# %%
check(lab1.FiveModeSample, five_mode_sample)

# %%
measured = {
    "at time 2": mode_shares(walk.final, near_modes.means),
    "your sample": mode_shares(five_mode_sample, near_modes.means),
}
plots.mode_weights(near_modes.weights, measured)

# %% [markdown]
# # What you have done

# %%
progress("lab1")

# %% [markdown]
# You can now follow arrows and shake on the way, and you know what a step costs:
#
# - Euler errs by $O(h)$ at the end, Heun by $O(h^2)$ for twice the looks at the arrows.
# - A Brownian jump over $h$ has the scale $\sqrt h$; what two times share is the walk up to the earlier one.
# - A simulation with a step has a law of its own. On OU its variance is $\sigma^2/(2\theta-\theta^2h)$, and beyond $\theta h=2$ it explodes.
# - OU settles to $\mathcal N(0,\sigma^2/2\theta)$, and up to units of time and length there is only one OU process.
# - Langevin dynamics needs nothing but the score, and all the time in the world if the modes are far apart.
#
# ### For the curious
#
# - **The order of noise.** Drive two simulations of OU, with steps $h$ and $h/2$, by the *same* Brownian path (add the jumps in pairs). How does the distance between them shrink? For noise that does not depend on $x$, Euler–Maruyama is better than its reputation.
# - **Heat, then cool.** Sample `far_modes` with the modes widened to a large `std` first, and shrink it in ten stages. How many steps do the right shares need now? You have invented annealed Langevin sampling.
# - **σ is only a clock.** Double σ in Langevin dynamics and divide the time by four. Why is the law at the end the same? What if you only halve it?
#
# ### Further reading
#
# - Holderrieth & Erives, *An Introduction to Flow Matching and Diffusion Models*, section 2; Remark 16 for Langevin dynamics.
# - Lai et al., *The Principles of Diffusion Models*, Appendix A: differential equations and their solvers.
# - Higham, *An Algorithmic Introduction to Numerical Simulation of Stochastic Differential Equations*, SIAM Review 43 (2001): ten short programs.
