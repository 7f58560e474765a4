"""Differently written right answers to Lab 2, as students would pass them to `check`.

For instructors, never released: the tests run every check against them. A right answer that a
check refuses is a bug in the check; add it here when a student finds one.
"""

import math

import numpy as np
import torch
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    Normal,
)
from torch.func import grad, jacrev, vmap

from course_lib.checks import Check, lab2
from course_lib.distributions import Chessboard, GaussianMixture
from course_lib.networks import MLP
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear
from course_lib.shapes import expand_time
from course_lib.simulate import euler_maruyama_step
from course_lib.training import fit

__all__ = ["RIGHT_ANSWERS"]


def letters(letter: str) -> list[tuple[str]]:
    """A choice, as people type it."""
    return [(letter,), (f" {letter.upper()} ",), (f"({letter})",), (f"( {letter.upper()} ).",)]


# Exercises 1 to 4: paths


def square_root_by_powers(t):
    return t, (1 - t) ** 0.5, torch.ones_like(t), -0.5 * (1 - t) ** -0.5


def square_root_in_a_list(t):
    beta = (1 - t).sqrt()
    return [1.0 * t, beta, 0 * t + 1, -1 / 2 / beta]


def square_root_by_autograd(t):
    t = t.clone().requires_grad_()
    alpha, beta = t * 1, torch.sqrt(1 - t)
    (alpha_dot,) = torch.autograd.grad(alpha.sum(), t)
    (beta_dot,) = torch.autograd.grad(beta.sum(), t)
    return alpha, beta, alpha_dot, beta_dot


def square_root_by_loop(t):
    roots = torch.tensor([math.sqrt(1 - s) for s in t.flatten().tolist()]).to(t).view_as(t)
    return t, (1 - t).sqrt(), t.new_ones(t.shape), -1 / (2 * roots)


def cosine_in_float32_constants(t):
    angle = torch.acos(torch.zeros(1)).item() * t  # π/2, rounded to float32
    quarter = torch.tensor(math.pi / 2)
    return angle.sin(), angle.cos(), quarter * angle.cos(), -quarter * angle.sin()


def cosine_by_shift(t):
    alpha, beta = torch.sin(torch.pi * t / 2), torch.sin(torch.pi * (1 - t) / 2)
    return alpha, beta, torch.pi * beta / 2, -torch.pi * alpha / 2


def cosine_by_autograd(t):
    t = t.clone().requires_grad_()
    values = (math.pi / 2 * t).sin(), (math.pi / 2 * t).cos()
    return *values, *(torch.autograd.grad(v.sum(), t, retain_graph=True)[0] for v in values)


def path_by_expand(schedule, z, t, noise):
    alpha, beta, *_ = schedule(t)
    return expand_time(alpha, z) * z + expand_time(beta, z) * noise


def path_by_view(schedule, z, t, noise):
    alpha, beta = [v.view(-1, 1) for v in schedule(t)[:2]]
    return alpha * z + beta * noise


def path_of_columns(schedule, z, t, noise):
    alpha, beta, _, _ = schedule(t)
    return torch.stack([alpha * z[:, i] + beta * noise[:, i] for i in range(z.shape[1])], dim=1)


def path_with_einsum(schedule, z, t, noise):
    alpha, beta, *_ = (v.expand(len(z)) for v in schedule(t))
    return torch.einsum("b,bd->bd", alpha, z) + torch.einsum("b,bd->bd", beta, noise)


def velocity_by_noise(schedule, x, z, t):
    alpha, beta, alpha_dot, beta_dot = schedule(expand_time(t, x))
    noise = (x - alpha * z) / beta
    return alpha_dot * z + beta_dot * noise


def velocity_about_the_centre(schedule, x, z, t):
    a, b, da, db = [torch.as_tensor(v).reshape(-1, 1).expand_as(x) for v in schedule(t)]
    return torch.addcmul(da * z, db / b, x - a * z)


def velocity_by_finite_differences(schedule, x, z, t):
    a, b, *_ = (v.unsqueeze(-1) for v in schedule(t))
    noise, h = (x - a * z) / b, 1e-4

    def place(s):
        a, b, _, _ = (v.unsqueeze(-1) for v in schedule(s))
        return a * z + b * noise

    return (8 * (place(t + h) - place(t - h)) - place(t + 2 * h) + place(t - 2 * h)) / (12 * h)


def conditional_score_by_distribution(schedule, x, z, t):
    alpha, beta = (expand_time(v, x) for v in schedule(t)[:2])
    x = x.clone().requires_grad_()
    log_p = Normal(alpha * z, beta).log_prob(x).sum()
    return torch.autograd.grad(log_p, x)[0]


def conditional_score_by_noise(schedule, x, z, t):
    alpha, beta, *_ = schedule(t.reshape(-1, 1))
    return -((x - alpha * z) / beta) / beta


def conditional_score_by_precision(schedule, x, z, t):
    alpha, beta, *_ = schedule(t)
    precision = (beta**-2).expand(len(x))
    return precision[:, None] * (alpha.expand(len(x))[:, None] * z - x)


# Exercises 5 and 6: marginals


def moments(schedule, x, t, means, stds):
    """Centres (batch, k, dim) and variances (batch, k) of the components at time t."""
    alpha, beta, *_ = (v.reshape(-1, 1) for v in schedule(t))
    variance = (alpha * stds).square() + beta.square()
    return (alpha[..., None] * means).expand(len(x), -1, -1), variance.expand(len(x), -1)


def weights_by_logsumexp(schedule, x, t, means, stds, weights):
    centre, variance = moments(schedule, x, t, means, stds)
    log_p = Normal(centre, variance.sqrt()[..., None]).log_prob(x[:, None]).sum(-1)
    log_joint = weights.log() + log_p
    return torch.exp(log_joint - log_joint.logsumexp(dim=1, keepdim=True))


def weights_by_distributions(schedule, x, t, means, stds, weights):
    centre, variance = moments(schedule, x, t, means, stds)
    modes = Independent(Normal(centre, variance.sqrt()[..., None]), 1)
    return Categorical(logits=weights.log() + modes.log_prob(x.unsqueeze(1))).probs


def weights_by_loop(schedule, x, t, means, stds, weights):
    alpha, beta, *_ = schedule(t)
    logs = []
    for m, s, w in zip(means, stds, weights, strict=True):
        variance = alpha**2 * s**2 + beta**2
        squares = ((x - expand_time(alpha, x) * m) ** 2).sum(dim=1)
        log_p = -squares / (2 * variance) - x.shape[1] / 2 * torch.log(2 * torch.pi * variance)
        logs.append(torch.log(w) + log_p)
    logs = torch.stack(logs, dim=1)
    shares = torch.exp(logs - logs.max(dim=1, keepdim=True).values)
    return shares / shares.sum(dim=1, keepdim=True)


def weights_by_expanding_the_square(schedule, x, t, means, stds, weights):
    alpha, beta = (expand_time(v, x) for v in schedule(t)[:2])
    variance = alpha**2 * stds**2 + beta**2
    squares = (x**2).sum(-1, keepdim=True) - 2 * alpha * x @ means.T + alpha**2 * (means**2).sum(-1)
    logits = weights.log() - 0.5 * x.shape[1] * variance.log() - 0.5 * squares / variance
    return torch.nn.functional.softmax(logits, dim=-1)


def marginal_velocity_by_noise_and_data(schedule, x, t, means, stds, weights):
    """α̇ E[z|x] + β̇ E[ε|x]."""
    a, b, da, db = (expand_time(v, x) for v in schedule(t))
    r = weights_by_logsumexp(schedule, x, t, means, stds, weights)
    centre, variance = moments(schedule, x, t, means, stds)
    gain = (a * stds**2 / variance)[..., None]
    z = (r[..., None] * (means + gain * (x[:, None] - centre))).sum(1)
    return da * z + db * (x - a * z) / b


def marginal_velocity_by_loop(schedule, x, t, means, stds, weights):
    r = weights_by_loop(schedule, x, t, means, stds, weights)
    a, b, da, db = (expand_time(v, x) for v in schedule(t))
    u = torch.zeros_like(x)
    for k in range(len(means)):
        rate = (a * da * stds[k] ** 2 + b * db) / (a**2 * stds[k] ** 2 + b**2)
        u = u + r[:, k : k + 1] * (da * means[k] + rate * (x - a * means[k]))
    return u


def marginal_velocity_by_einsum(schedule, x, t, means, stds, weights):
    r = weights_by_distributions(schedule, x, t, means, stds, weights)
    a, b, da, db = (v.expand(len(x))[:, None] for v in schedule(t))
    half_rate = (2 * a * da * stds**2 + 2 * b * db) / (2 * (a**2 * stds**2 + b**2))
    offset = x.unsqueeze(1) - torch.einsum("bo,kd->bkd", a, means)
    own = torch.einsum("bo,kd->bkd", da, means) + torch.einsum("bk,bkd->bkd", half_rate, offset)
    return torch.einsum("bk,bkd->bd", r, own)


def marginal_velocity_from_the_score(schedule, x, t, means, stds, weights):
    a, b, da, db = (expand_time(v, x) for v in schedule(t))
    s = marginal_score_by_autograd(schedule, x, t, means, stds, weights)
    return (b**2 * da / a - db * b) * s + da / a * x


def marginal_score_by_autograd(schedule, x, t, means, stds, weights):
    centre, variance = moments(schedule, x, t, means, stds)
    modes = Independent(Normal(centre, variance.sqrt()[..., None]), 1)
    mixture = MixtureSameFamily(Categorical(weights.expand(len(x), -1)), modes)
    x = x.clone().requires_grad_()
    return torch.autograd.grad(mixture.log_prob(x).sum(), x)[0]


def marginal_score_by_matrix_product(schedule, x, t, means, stds, weights):
    r = weights_by_expanding_the_square(schedule, x, t, means, stds, weights)
    alpha, beta = (expand_time(v, x) for v in schedule(t)[:2])
    pull = r / (alpha**2 * stds**2 + beta**2)
    return alpha * (pull @ means) - pull.sum(dim=1, keepdim=True) * x


def marginal_score_by_loop(schedule, x, t, means, stds, weights):
    r = weights_by_loop(schedule, x, t, means, stds, weights)
    alpha, beta = (expand_time(v, x) for v in schedule(t)[:2])
    return sum(
        r[:, [k]] * (alpha * m - x) / (alpha**2 * s**2 + beta**2)
        for k, (m, s) in enumerate(zip(means, stds, strict=True))
    )


# Exercises 7 and 8: equations


def residual_by_loop(log_density, velocity, x, t):
    x = x.detach().requires_grad_(True)
    t = t.detach().requires_grad_(True)
    score, change = torch.autograd.grad(log_density(x, t).sum(), (x, t), create_graph=True)
    u = velocity(x, t)
    divergence = 0
    for i in range(x.shape[1]):
        divergence = divergence + torch.autograd.grad(u[:, i].sum(), x, create_graph=True)[0][:, i]
    return change + divergence + (u * score).sum(dim=1)


def residual_by_functional_transforms(log_density, velocity, x, t):
    jacobian = vmap(jacrev(velocity))(x, t)
    score, change = vmap(grad(log_density, argnums=(0, 1)))(x, t)
    divergence = torch.einsum("bii->b", jacobian)
    return change + divergence + torch.einsum("bd,bd->b", velocity(x, t), score)


def residual_by_the_full_jacobian(log_density, velocity, x, t):
    """The Jacobian of the whole batch; no point depends on another."""
    jacobian = torch.autograd.functional.jacobian(lambda x: velocity(x, t), x)
    t = t.clone().requires_grad_()
    x.requires_grad = True
    log_density(x, t).backward(torch.ones_like(t))
    return torch.einsum("bibi->b", jacobian) + t.grad + torch.linalg.vecdot(velocity(x, t), x.grad)


def residual_by_the_product(log_density, velocity, x, t):
    """div(p u) / p by differentiating the product, and ∂_t p / p."""
    x.requires_grad_(True)
    t = t.clone().requires_grad_(True)
    p = log_density(x, t).exp()
    u = velocity(x, t)
    total = torch.autograd.grad(p.sum(), t, retain_graph=True)[0]
    for i in range(x.shape[1]):
        total = total + torch.autograd.grad((p * u[:, i]).sum(), x, retain_graph=True)[0][:, i]
    return total / p


def drift_by_variance(velocity, score, sigma, x, t):
    variance = sigma(t).square()
    return velocity(x, t) + 0.5 * expand_time(variance, x) * score(x, t)


def drift_by_product(velocity, score, sigma, x, t):
    strength = sigma(t).reshape(-1, 1)
    return velocity(x, t) + strength * strength * score(x, t) / 2


def drift_with_one_t_each(velocity, score, sigma, x, t):
    t = t.expand(len(x))
    return torch.addcmul(velocity(x, t), sigma(t)[:, None] ** 2, score(x, t), value=0.5)


def rate_in_three_lines(schedule, variance, t, data_std, sigma):
    alpha, beta, alpha_dot, beta_dot = schedule(t)
    marginal = (alpha * data_std) ** 2 + beta**2
    velocity = (alpha * alpha_dot * data_std**2 + beta * beta_dot) / marginal
    return 2 * (velocity - sigma**2 / (2 * marginal)) * variance + sigma**2


def rate_from_the_relative_gap(schedule, variance, t, data_std, sigma):
    alpha, beta, alpha_dot, beta_dot = schedule(t)
    s = torch.tensor(data_std, dtype=torch.float64)
    exact = alpha.square() * s.square() + beta.square()
    exact_rate = 2 * alpha * alpha_dot * s.square() + 2 * beta * beta_dot
    return exact_rate * variance / exact + sigma * sigma * (1 - variance / exact)


def rate_by_autograd(schedule, variance, t, data_std, sigma):
    """c is half of d log V/dt, less σ²/2V."""
    t = t.clone().requires_grad_()
    alpha, beta, *_ = schedule(t)
    exact = alpha**2 * data_std**2 + beta**2
    (growth,) = torch.autograd.grad(exact.log().sum(), t)
    return growth * variance - sigma**2 / exact.detach() * variance + sigma**2


def rate_as_numbers(schedule, variance, t, data_std, sigma):
    a, b, da, db = (float(v) for v in schedule(t))
    c = (a * da * data_std**2 + b * db - sigma**2 / 2) / (a**2 * data_std**2 + b**2)
    return 2 * c * variance + sigma**2


# Exercises 9 to 16


def cfm_by_the_conditional_velocity(model, schedule, z, t, noise):
    alpha, beta, alpha_dot, beta_dot = (value[:, None] for value in schedule(t))
    x = alpha * z + beta * noise
    error = model(x, t) - (alpha_dot - beta_dot / beta * alpha) * z - beta_dot / beta * x
    return torch.einsum("bd,bd->b", error, error).mean()


def cfm_by_mse_loss(model, schedule, z, t, noise):
    a, b, da, db = schedule(t.view(-1, 1))
    error = torch.nn.functional.mse_loss(model(a * z + b * noise, t), da * z + db * noise)
    return z.shape[1] * error


def floor_by_posterior_variance(schedule, x, t, points):
    alpha, beta, alpha_dot, beta_dot = schedule(t)
    centre = alpha[:, None, None] * points
    logits = -0.5 * (x[:, None] - centre).square().sum(-1) / beta[:, None] ** 2
    r = torch.exp(logits - torch.logsumexp(logits, dim=1, keepdim=True))
    variance = r @ points.square().sum(-1) - (r @ points).square().sum(-1)
    return ((alpha_dot - alpha * beta_dot / beta) ** 2 * variance).mean()


def floor_by_second_moments(schedule, x, t, points):
    a, b, da, db = (expand_time(value, x[:, None]) for value in schedule(t))
    seats = Independent(Normal(a * points, b.expand(-1, *points.shape)), 1)
    r = Categorical(logits=seats.log_prob(x[:, None])).probs[..., None]
    arrows = da * points + db / b * (x[:, None] - a * points)
    return ((r * arrows**2).sum(dim=1) - (r * arrows).sum(dim=1) ** 2).sum() / len(x)


def exact_losses_by_conditionals(model_velocity, conditional_velocity, joint):
    place = joint.sum(1, keepdim=True)
    average = (joint / place * conditional_velocity).sum(1)
    cfm = torch.sum(joint * (conditional_velocity - model_velocity.unsqueeze(1)) ** 2)
    return [cfm, place.squeeze(1) @ (model_velocity - average).square()]


def exact_losses_by_the_floor(model_velocity, conditional_velocity, joint):
    place = torch.einsum("xi->x", joint)
    average = torch.einsum("xi,xi->x", joint, conditional_velocity) / place
    floor = (joint * (conditional_velocity - average[:, None]) ** 2).sum()
    fm = (place * (model_velocity - average).pow(2)).sum()
    return fm + floor, fm


def exact_losses_by_loop(model_velocity, conditional_velocity, joint):
    cfm = fm = 0
    for f, arrows, row in zip(model_velocity, conditional_velocity, joint, strict=True):
        cfm = cfm + sum(p * (f - u) ** 2 for p, u in zip(row, arrows, strict=True))
        fm = fm + row.sum() * (f - torch.dot(row, arrows) / row.sum()) ** 2
    return cfm, fm


def error_by_norms(learned, exact):
    return torch.linalg.norm(learned - exact) / torch.linalg.norm(exact)


def error_by_numpy(learned, exact):
    gap, size = (learned - exact).numpy(), exact.numpy()
    return np.sqrt(np.square(gap).sum(1).mean() / np.square(size).sum(1).mean())


def error_by_loop(learned, exact):
    above = sum(math.dist(a, b) ** 2 for a, b in zip(learned.tolist(), exact.tolist(), strict=True))
    return math.sqrt(above / sum(math.hypot(*b) ** 2 for b in exact.tolist()))


def score_loss_by_the_conditional_score(model, schedule, z, t, noise):
    alpha, beta, *_ = schedule(t[:, None])
    x = alpha * z + beta * noise
    return (model(x, t) + (x - alpha * z) / beta**2).norm(dim=1).square().mean()


def score_loss_as_weighted_noise(model, schedule, z, t, noise):
    alpha, beta = (value.unsqueeze(-1) for value in schedule(t)[:2])
    each = (beta * model(alpha * z + beta * noise, t) + noise).square().sum(-1)
    return torch.mean(each / beta.squeeze(-1) ** 2)


def score_loss_by_autograd(model, schedule, z, t, noise):
    alpha, beta = (expand_time(value, z) for value in schedule(t)[:2])
    x = (alpha * z + beta * noise).requires_grad_()
    log_density = Normal(alpha * z, beta.expand_as(z)).log_prob(x).sum()
    error = model(x, t) - torch.autograd.grad(log_density, x)[0]
    return (error**2).sum() / len(z)


def noise_loss_by_hand(model, schedule, z, t, noise):
    a, b = schedule(expand_time(t, z))[:2]
    error = noise - model(a * z + b * noise, t)
    return (error * error).sum() / error.shape[0]


def noise_loss_by_cdist(model, schedule, z, t, noise):
    a, b, *_ = (torch.diag(value) for value in schedule(t))
    return torch.nn.PairwiseDistance(eps=0)(model(a @ z + b @ noise, t), noise).pow(2).mean()


def velocity_through_data_and_noise(schedule, s, x, t):
    alpha, beta, alpha_dot, beta_dot = (expand_time(value, x) for value in schedule(t))
    noise = -beta * s
    return alpha_dot * (x - beta * noise) / alpha + beta_dot * noise


def velocity_by_log_rates(schedule, s, x, t):
    a, b, da, db = schedule(t.expand(len(x))[:, None])
    return da / a * (x + b.square() * s) - b * db * s


def score_through_the_noise(schedule, u, x, t):
    a, b, da, db = (expand_time(value, x) for value in schedule(t))
    return -(da * x - a * u) / (da * b - a * db) / b


def score_by_linear_equations(schedule, u, x, t):
    """x = α z + β ε and u = α̇ z + β̇ ε, solved for z and ε at each point."""
    a, b, da, db = (value.expand(len(x)) for value in schedule(t))
    matrix = torch.stack([torch.stack([a, b], -1), torch.stack([da, db], -1)], -2)
    noise = torch.linalg.solve(matrix, torch.stack([x, u], dim=1))[:, 1]
    return -noise / b[:, None]


def sde_by_the_librarys_step(velocity, score, sigma, x, times, noise):
    def drift(x, t):
        return velocity(x, t) + sigma(t) ** 2 / 2 * score(x, t)

    for t, later, jump in zip(times, times[1:], noise, strict=False):
        x = euler_maruyama_step(drift, sigma, x, t, later - t, jump)
    return x


def sde_with_one_time_each(velocity, score, sigma, x, times, noise):
    x, lengths = x.clone(), times.diff().tolist()
    for i, h in enumerate(lengths):
        t = torch.full((len(x),), times[i].item(), dtype=x.dtype)
        strength = sigma(t)[:, None]
        step = h * velocity(x, t) + h * strength.square() * score(x, t) / 2
        x += step + math.sqrt(h) * strength * noise[i]
    return x


def sde_that_keeps_all(velocity, score, sigma, x, times, noise):
    states = [x]
    for i in range(1, len(times)):
        t, h, x = times[i - 1], times[i] - times[i - 1], states[-1]
        drift = torch.add(velocity(x, t), score(x, t), alpha=(sigma(t) ** 2 / 2).item())
        states.append(x + drift * h + sigma(t) * h**0.5 * noise[i - 1])
    return torch.stack(states)[-1]


def linear_loss_by_lerp(model, start, z, t):
    x = torch.lerp(start, z, t[:, None])
    return (model(x, t) - z + start).norm(dim=1).pow(2).mean()


def linear_loss_by_the_way_left(model, start, z, t):
    s = expand_time(t, z)
    x = start + s * (z - start)
    return (model(x, t) - (z - x) / (1 - s)).square().sum(-1).mean()


def linear_loss_through_cfm(model, start, z, t):
    def linear(t):
        return t, 1 - t, torch.ones_like(t), -torch.ones_like(t)

    return cfm_by_the_conditional_velocity(model, linear, z, t, start)


FIVE_MODES = GaussianMixture.ring(
    modes=5, radius=2.0, std=0.6, weights=[0.35, 0.15, 0.25, 0.10, 0.15]
)
TRUTH = Marginal(GaussianPath(Linear()), FIVE_MODES)


def trained_for_a_second():
    """A small network, trained as in the lab, but briefly."""

    def loss(model, generator):
        z, noise = FIVE_MODES.sample(256, generator), torch.randn(256, 2, generator=generator)
        return linear_loss_by_lerp(model, noise, z, torch.rand(256, generator=generator))

    return fit(MLP(dim=2, width=64), loss, steps=300, lr=1e-2, progress=False).model


def follow(velocity, n=2000, n_steps=50):
    """Where a plain Euler loop leads Gaussian noise."""
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for i in range(n_steps):
            x = x + velocity(x, torch.tensor(i / n_steps)) / n_steps
    return x


def shake(sigma=1.0, n=1000, n_steps=50):
    """The exact fields, simulated with noise."""
    noise = torch.randn(n_steps + 1, n, 2, generator=torch.Generator().manual_seed(0))
    times = torch.linspace(0, 1, n_steps + 1)
    return sde_with_one_time_each(
        TRUTH.velocity, TRUTH.score, lambda t: sigma + 0 * t, noise[0], times, noise[1:]
    )


TRAINED = trained_for_a_second()

RIGHT_ANSWERS: dict[type[Check], list[tuple]] = {
    lab2.SquareRootSchedule: [
        (square_root_by_powers,),
        (square_root_in_a_list,),
        (square_root_by_autograd,),
        (square_root_by_loop,),
    ],
    lab2.CosineSchedule: [
        (cosine_in_float32_constants,),
        (cosine_by_shift,),
        (cosine_by_autograd,),
    ],
    lab2.SamplePath: [
        (path_by_expand,),
        (path_by_view,),
        (path_of_columns,),
        (path_with_einsum,),
    ],
    lab2.ConditionalVelocity: [
        (velocity_by_noise,),
        (velocity_about_the_centre,),
        (velocity_by_finite_differences,),
    ],
    lab2.ConditionalScore: [
        (conditional_score_by_distribution,),
        (conditional_score_by_noise,),
        (conditional_score_by_precision,),
    ],
    lab2.PredictFirstArrow: letters("d"),
    lab2.PosteriorWeights: [
        (weights_by_logsumexp,),
        (weights_by_distributions,),
        (weights_by_loop,),
        (weights_by_expanding_the_square,),
    ],
    lab2.MarginalVelocity: [
        (marginal_velocity_by_noise_and_data,),
        (marginal_velocity_by_loop,),
        (marginal_velocity_by_einsum,),
        (marginal_velocity_from_the_score,),
    ],
    lab2.MarginalScore: [
        (marginal_score_by_autograd,),
        (marginal_score_by_matrix_product,),
        (marginal_score_by_loop,),
    ],
    lab2.ContinuityResidual: [
        (residual_by_loop,),
        (residual_by_functional_transforms,),
        (residual_by_the_full_jacobian,),
        (residual_by_the_product,),
    ],
    lab2.PredictUnchanged: letters("b"),
    lab2.SDEDrift: [(drift_by_variance,), (drift_by_product,), (drift_with_one_t_each,)],
    lab2.PredictVariance: letters("c"),
    lab2.VarianceRate: [
        (rate_in_three_lines,),
        (rate_from_the_relative_gap,),
        (rate_by_autograd,),
        (rate_as_numbers,),
    ],
    lab2.CFMLoss: [
        (cfm_by_the_conditional_velocity,),
        (cfm_by_mse_loss,),
    ],
    lab2.PredictFloor: letters("c"),
    lab2.LossFloor: [(floor_by_posterior_variance,), (floor_by_second_moments,)],
    lab2.ExactLosses: [
        (exact_losses_by_conditionals,),
        (exact_losses_by_the_floor,),
        (exact_losses_by_loop,),
    ],
    lab2.RelativeError: [(error_by_norms,), (error_by_numpy,), (error_by_loop,)],
    lab2.TrainedVelocity: [
        (TRUTH.velocity,),
        (lambda x, t: FIVE_MODES.means[0] + 0 * x + TRUTH.velocity(x, t) - FIVE_MODES.means[0],),
        (TRAINED,),
    ],
    lab2.ScoreLoss: [
        (score_loss_by_the_conditional_score,),
        (score_loss_as_weighted_noise,),
        (score_loss_by_autograd,),
    ],
    lab2.NoiseLoss: [(noise_loss_by_hand,), (noise_loss_by_cdist,)],
    lab2.ScoreWeight: [
        (lambda schedule, t: schedule(t)[1] ** -2,),
        (lambda schedule, t: torch.reciprocal(schedule(t)[1].square()),),
        (lambda schedule, t: torch.stack([1 / schedule(s)[1] ** 2 for s in t]),),
    ],
    lab2.VelocityFromScore: [(velocity_through_data_and_noise,), (velocity_by_log_rates,)],
    lab2.ScoreFromVelocity: [(score_through_the_noise,), (score_by_linear_equations,)],
    lab2.PredictBreaks: letters("b"),
    lab2.SDESample: [
        (sde_by_the_librarys_step,),
        (sde_with_one_time_each,),
        (sde_that_keeps_all,),
    ],
    lab2.PredictSigma: letters("a"),
    lab2.FlowSample: [
        (FIVE_MODES.sample(1000, torch.Generator().manual_seed(0)).double(),),
        (follow(TRAINED),),
        (follow(TRUTH.velocity, n_steps=20),),
        (shake(),),
    ],
    lab2.LinearPathLoss: [
        (linear_loss_by_lerp,),
        (linear_loss_by_the_way_left,),
        (linear_loss_through_cfm,),
    ],
    lab2.CirclesToChessboard: [
        (Chessboard().sample(1000, torch.Generator().manual_seed(0)),),
        (Chessboard(dtype=torch.float64).sample(4000) + 0.1 * torch.randn(4000, 2).double(),),
    ],
}
