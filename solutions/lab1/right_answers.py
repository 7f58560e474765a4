"""Right answers to Lab 1, written differently, as students would pass them to `check`.

For instructors, never released: the tests run every check against them. A right answer that a
check refuses is a bug in the check; add it here when a student finds one.
"""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from course_lib.checks import Check, lab1

__all__ = ["RIGHT_ANSWERS"]


def letters(letter: str) -> list[tuple[str]]:
    """A choice, as people type it."""
    return [(letter,), (f" {letter.upper()} ",), (f"({letter})",), (f"( {letter.upper()} ).",)]


def euler_in_place_on_a_clone(velocity, x, t, h):
    moved = x.clone()
    moved += velocity(x, t) * h
    return moved


def euler_by_coordinate(velocity, x, t, h):
    arrows = velocity(x, t)
    return torch.stack([x[:, i] + h * arrows[:, i] for i in range(x.shape[1])], dim=-1)


class EulerAsClass:
    def __call__(self, velocity, x, t, h=0.1, *rest):
        return torch.lerp(x, x + velocity(x, t), h)


class EulerAsModule(torch.nn.Module):
    def forward(self, *args):
        velocity, x, t, h = args
        return torch.add(x, velocity(x, t), alpha=h)


def heun_from_the_guess(velocity, x, t, h):
    guess = x + h * velocity(x, t)
    return (x + guess + h * velocity(guess, t + h)) / 2


def heun_as_a_mean(velocity, x, t, h):
    arrows = [velocity(x, t)]
    arrows.append(velocity(x + arrows[0] * h, torch.as_tensor(t + h)))
    return x + h * torch.stack(arrows).mean(dim=0)


def error_with_a_running_clock(step, velocity, flow, x, n_steps):
    start, t, h = x.clone(), 0.0, 1.0 / n_steps
    while t < 1 - h / 2:
        x = step(velocity, x, t, h)
        t += h
    return max(math.dist(a, b) for a, b in zip(x.tolist(), flow(start, 1).tolist(), strict=True))


def error_on_a_grid(step, velocity, flow, x, n_steps):
    grid = torch.linspace(0, 1, n_steps + 1, dtype=x.dtype)
    end = x
    for now, later in pairwise(grid):
        end = step(velocity, end, now, later - now)
    return torch.linalg.vector_norm(end - flow(x, torch.tensor(1.0)), dim=-1).amax()


def error_from_squares(step, velocity, flow, x, n_steps):
    end = x
    for i in range(n_steps):
        end = step(velocity, end, torch.full((), i / n_steps), torch.tensor(1 / n_steps))
    return float((end - flow(x, 1.0)).square().sum(1).max().sqrt())


def slope_by_least_squares(step_sizes, errors):
    design = torch.stack([step_sizes.log(), torch.ones_like(step_sizes)], dim=1)
    return torch.linalg.lstsq(design, errors.log()[:, None]).solution[0]


def slope_by_covariance(step_sizes, errors):
    covariance = torch.cov(torch.stack([step_sizes.log2(), errors.log2()]))
    return covariance[0, 1] / covariance[0, 0]


def slope_by_numpy(step_sizes, errors):
    return np.polyfit(np.log10(step_sizes.numpy()), np.log10(errors.numpy()), 1)[0]


def paths_by_loop(noise, h):
    w = torch.zeros_like(noise[0])
    path = [w]
    for jump in noise:
        w = w + math.sqrt(h) * jump
        path.append(w)
    return torch.stack(path)


def paths_in_place(noise, h):
    n, *rest = noise.shape
    path = torch.zeros(n + 1, *rest, dtype=noise.dtype)
    for i in range(n):
        path[i + 1] = path[i] + h**0.5 * noise[i]
    return path


def paths_by_matrix(noise, h):
    n = len(noise)
    below = torch.ones(n + 1, n, dtype=noise.dtype).tril(-1)
    return torch.einsum("ij,jbd->ibd", below, noise) * torch.sqrt(torch.tensor(h))


def covariance_by_loop(paths):
    n_times, n_paths = paths.shape
    covariance = torch.empty(n_times, n_times, dtype=paths.dtype)
    for i in range(n_times):
        for j in range(n_times):
            covariance[i, j] = (paths[i] * paths[j]).sum() / n_paths
    return covariance


def euler_maruyama_in_two_moves(drift, diffusion, x, t, h, noise):
    walked = x + drift(x, t) * h
    return walked + diffusion(t) * (h**0.5 * noise)


def euler_maruyama_with_a_float32_root(drift, diffusion, x, t, h, noise):
    return x + h * drift(x, t) + torch.sqrt(torch.tensor(h)) * diffusion(t) * noise


def euler_maruyama_by_scale(drift, diffusion, x, t, h, noise):
    moved = x.clone()
    moved.add_(drift(x, t), alpha=h)
    return moved + (h * diffusion(t) ** 2) ** 0.5 * noise


def transition_by_expm1(x, elapsed, theta, sigma):
    rate = torch.as_tensor(-2 * theta * elapsed)
    variance = -torch.expm1(rate) * sigma**2 / (2 * theta)
    return x * torch.exp(rate / 2), variance.sqrt()


def transition_with_e(x, elapsed, theta, sigma):
    fade = math.e ** (-theta * elapsed)
    return [fade * x, sigma * ((1 - fade**2) / (2 * theta)) ** 0.5]


def transition_by_quadrature(x, elapsed, theta, sigma):
    r = torch.linspace(0, elapsed, 2001, dtype=torch.float64)
    variance = sigma**2 * torch.trapezoid(torch.exp(-2 * theta * r), r)
    return x / math.exp(theta * elapsed), float(variance) ** 0.5


def variance_by_iteration(theta, sigma, h):
    v = 0.0
    for _ in range(2000):
        v = (1 - theta * h) ** 2 * v + h * sigma**2
    return v


def variance_in_float32(theta, sigma, h):
    theta, sigma, h = torch.tensor([theta, sigma, h])
    return sigma.square() / theta / (2 - theta * h)


def score_by_autograd(x, means, stds, weights):
    modes = Independent(Normal(means, stds[:, None]), 1)
    mixture = MixtureSameFamily(Categorical(weights), modes)
    x = x.clone().requires_grad_()
    return torch.autograd.grad(mixture.log_prob(x).sum(), x)[0]


def score_by_logsumexp(x, means, stds, weights):
    offset = x.unsqueeze(1) - means.unsqueeze(0)
    log_joint = torch.log(weights) + Normal(0.0, stds[:, None]).log_prob(offset).sum(-1)
    r = torch.exp(log_joint - torch.logsumexp(log_joint, dim=1, keepdim=True))
    return -torch.einsum("bk,bkd,k->bd", r, offset, stds**-2)


def score_by_loop(x, means, stds, weights):
    logs = [
        math.log(w) - x.shape[1] * math.log(s) - (x - m).norm(dim=1) ** 2 / (2 * s**2)
        for m, s, w in zip(means, stds, weights, strict=True)
    ]
    top = torch.stack(logs).amax(dim=0)
    voices = [torch.exp(log - top) for log in logs]
    score = torch.zeros_like(x)
    for voice, m, s in zip(voices, means, stds, strict=True):
        score += (voice / sum(voices))[:, None] * (m - x) / s**2
    return score


def shares_by_loop(x, means):
    counts = [0] * len(means)
    for point in x:
        counts[int((means - point).square().sum(dim=1).argmin())] += 1
    return torch.tensor(counts, dtype=x.dtype) / len(x)


def shares_by_one_hot(x, means):
    nearest = (x[:, None] - means).norm(dim=-1).argmin(dim=-1)
    return torch.nn.functional.one_hot(nearest, len(means)).to(x.dtype).mean(dim=0)


def shares_by_comparison(x, means):
    nearest = torch.cdist(x, means).argmin(1)
    return torch.stack([(nearest == k).double().mean() for k in range(len(means))])


FIVE_MODES = lab1.FiveModeSample.target()


def langevin_run(n=2000, h=0.02, n_steps=2500, sigma=1.2):
    """A plain Langevin run in float32 from a wide start, with its own noise and its own loop."""
    generator = torch.Generator().manual_seed(1)
    means, weights = FIVE_MODES.means.float(), FIVE_MODES.weights.float()
    x = 3 * torch.randn(n, 2, generator=generator)
    for _ in range(n_steps):
        offset = means - x[:, None]
        r = torch.softmax(weights.log() - offset.square().sum(-1) / 0.72, dim=1)
        score = torch.einsum("bk,bkd->bd", r, offset) / 0.36
        noise = torch.randn(n, 2, generator=generator)
        x = x + h * sigma**2 / 2 * score + h**0.5 * sigma * noise
    return x


RIGHT_ANSWERS: dict[type[Check], list[tuple]] = {
    lab1.EulerStep: [
        (euler_in_place_on_a_clone,),
        (euler_by_coordinate,),
        (EulerAsClass(),),
        (EulerAsModule(),),
        (lambda velocity, *rest: rest[0] + rest[2] * velocity(rest[0], rest[1]),),
    ],
    lab1.HeunStep: [(heun_from_the_guess,), (heun_as_a_mean,)],
    lab1.PredictOrder: letters("b"),
    lab1.EndpointError: [(error_with_a_running_clock,), (error_on_a_grid,), (error_from_squares,)],
    lab1.ConvergenceOrder: [(slope_by_least_squares,), (slope_by_covariance,), (slope_by_numpy,)],
    lab1.BrownianPaths: [(paths_by_loop,), (paths_in_place,), (paths_by_matrix,)],
    lab1.PredictCovariance: letters("d"),
    lab1.PathCovariance: [
        (covariance_by_loop,),
        (torch.cov,),
        (lambda paths: torch.cov(paths, correction=0),),
        (lambda paths: torch.einsum("in,jn->ij", paths, paths) / paths.size(1),),
        (lambda paths: (paths[:, None] * paths[None, :]).mean(dim=-1),),
    ],
    lab1.EulerMaruyamaStep: [
        (euler_maruyama_in_two_moves,),
        (euler_maruyama_with_a_float32_root,),
        (euler_maruyama_by_scale,),
    ],
    lab1.OrnsteinUhlenbeckCoefficients: [
        (lambda x, t, theta: theta * (0 - x), lambda t, sigma: torch.tensor(sigma)),
        (lambda x, *rest: x.mul(-rest[-1]), lambda t, sigma: sigma + 0 * t),
    ],
    lab1.OrnsteinUhlenbeckTransition: [
        (transition_by_expm1,),
        (transition_with_e,),
        (transition_by_quadrature,),
    ],
    lab1.VarianceRate: [
        (lambda variance, theta, sigma: sigma * sigma - theta * variance - theta * variance,),
        (lambda v, theta, sigma: 2 * theta * (sigma**2 / (2 * theta) - v),),
        (lambda v, a, b: torch.tensor([b**2 - 2 * a * each for each in v.tolist()]).to(v),),
    ],
    lab1.OrnsteinUhlenbeckLimit: letters("c"),
    lab1.SimulatedVariance: [
        (variance_by_iteration,),
        (variance_in_float32,),
        (lambda theta, sigma, h: sigma**2 * h / (1 - (1 - theta * h) ** 2),),
    ],
    lab1.LargestStableStep: [
        (partial(torch.true_divide, 2),),
        (lambda theta: torch.tensor(2.0) / theta,),
        (lambda theta: 2 * theta**-1,),
    ],
    lab1.PredictCollapse: letters("a"),
    lab1.CollapsePaths: [
        (lambda t, x, theta, sigma: (t / (1 / theta), x * (2 * theta) ** 0.5 / sigma),),
        (lambda t, x, theta, sigma: [theta * t, x / torch.tensor(sigma**2 / 2 / theta).sqrt()],),
    ],
    lab1.MixtureScore: [(score_by_autograd,), (score_by_logsumexp,), (score_by_loop,)],
    lab1.LangevinDrift: [
        (lambda score, x, sigma: 0.5 * sigma * sigma * score(x),),
        (lambda score, x, sigma: torch.tensor(sigma).square().div(2) * score(x),),
        (lambda score, *rest: score(rest[0]).mul(rest[1] ** 2).div(2),),
    ],
    lab1.ModeShares: [(shares_by_loop,), (shares_by_one_hot,), (shares_by_comparison,)],
    lab1.TotalVariation: [
        (lambda p, q: torch.clamp(p - q, min=0).sum(),),
        (lambda p, q: sum(abs(a - b) for a, b in zip(p.tolist(), q.tolist(), strict=True)) / 2,),
        (lambda p, q: 1 - torch.minimum(p, q).sum().item(),),
    ],
    lab1.PredictMixing: letters("b"),
    lab1.FarModesDistance: [(0.85,), (torch.tensor(0.8500),), (1 - 0.1495,), (np.float32(0.84),)],
    lab1.FiveModeSample: [
        (FIVE_MODES.sample(2000, torch.Generator().manual_seed(0)),),
        (FIVE_MODES.sample(5000, torch.Generator().manual_seed(1)).float(),),
        (langevin_run(),),
    ],
    lab1.OrnsteinUhlenbeckAsLangevin: [
        (
            lambda theta, sigma: (sigma**2 / 2 / theta) ** 0.5,
            lambda target_std, sigma: 0.5 * (sigma / target_std) ** 2,
        ),
        (
            lambda theta, sigma: torch.tensor(sigma**2 / (2 * theta)).sqrt(),
            lambda target_std, sigma: sigma**2 / 2 / np.square(target_std),
        ),
    ],
}
