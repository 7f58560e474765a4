"""One named mistake in each exercise of Lab 1: check -> (the answer cell, the fault's name)."""

__all__ = ["MISTAKEN", "PARTIAL"]

MISTAKEN = {
    "euler-step": (
        "def euler_step(velocity, x, t, h):\n    return x + velocity(x, t)",
        "no-step-size",
    ),
    "heun-step": (
        "def heun_step(velocity, x, t, h):\n"
        "    first = velocity(x, t)\n"
        "    return x + h * (first + velocity(x + h * first, t + h))",
        "no-average",
    ),
    "predict-order": ("order_prediction = 'a'", "chose-a"),
    "endpoint-error": (
        "def endpoint_error(step, velocity, flow, x, n_steps):\n"
        "    h, end = 1 / n_steps, x\n"
        "    for i in range(1, n_steps):\n"
        "        end = step(velocity, end, torch.tensor(i * h), h)\n"
        "    return (end - flow(x, 1.0)).norm(dim=1).max().item()",
        "starts-late",
    ),
    "convergence-order": (
        "def convergence_order(step_sizes, errors):\n"
        "    rise = (errors[-1] / errors[0]).log()\n"
        "    return (rise / (step_sizes[-1] / step_sizes[0]).log()).item()",
        "only-the-ends",
    ),
    "brownian-paths": (
        "def brownian_paths(noise, h):\n"
        "    return torch.cat([torch.zeros_like(noise[:1]), (h * noise).cumsum(0)])",
        "scaled-by-h",
    ),
    "predict-covariance": ("covariance_prediction = '(c)'", "chose-c"),
    "path-covariance": (
        "def path_covariance(paths):\n    return paths @ paths.T",
        "summed-not-averaged",
    ),
    "euler-maruyama-step": (
        "def euler_maruyama_step(drift, diffusion, x, t, h, noise):\n"
        "    return x + h * drift(x, t) + h * diffusion(t) * noise",
        "noise-scaled-by-h",
    ),
    "ornstein-uhlenbeck-coefficients": (
        "def ou_drift(x, t, theta):\n    return -theta * x\n\n"
        "def ou_diffusion(t, sigma):\n    return sigma**2",
        "diffusion-squared",
    ),
    "ornstein-uhlenbeck-transition": (
        "def ou_transition(x, elapsed, theta, sigma):\n"
        "    fade = math.exp(-theta * elapsed)\n"
        "    return fade * x, sigma**2 * (1 - fade**2) / (2 * theta)",
        "variance-for-deviation",
    ),
    "variance-rate": (
        "def variance_rate(variance, theta, sigma):\n    return -theta * variance + sigma**2",
        "shrinks-once",
    ),
    "ornstein-uhlenbeck-limit": ("limit_verdict = 'b'", "chose-b"),
    "simulated-variance": (
        "def simulated_variance(theta, sigma, h):\n    return sigma**2 / (2 * theta)",
        "the-true-variance",
    ),
    "largest-stable-step": (
        "def largest_stable_step(theta):\n    return 1 / theta",
        "where-it-starts-to-overshoot",
    ),
    "predict-collapse": ("collapse_prediction = 'd'", "chose-d"),
    "collapse-paths": (
        "def rescale(times, states, theta, sigma):\n"
        "    return times * theta, states / (sigma**2 / (2 * theta))",
        "divided-by-the-variance",
    ),
    "mixture-score": (
        "def mixture_score(x, means, stds, weights):\n"
        "    pull = means - x[:, None, :]\n"
        "    p = weights * torch.exp(-pull.square().sum(2) / (2 * stds**2)) / stds ** x.shape[1]\n"
        "    r = p / p.sum(dim=1, keepdim=True)\n"
        "    return (r[:, :, None] * pull / stds[:, None] ** 2).sum(dim=1)",
        "underflow",
    ),
    "langevin-drift": (
        "def langevin_drift(score, x, sigma):\n    return sigma**2 * score(x)",
        "no-half",
    ),
    "ornstein-uhlenbeck-as-langevin": (
        "def ou_to_langevin(theta, sigma):\n    return sigma**2 / (2 * theta)\n\n"
        "def langevin_to_ou(target_std, sigma):\n    return sigma**2 / (2 * target_std**2)",
        "variance-for-deviation",
    ),
    "mode-shares": (
        "def mode_shares(x, means):\n"
        "    nearest = torch.cdist(x, means).argmin(dim=1)\n"
        "    return torch.bincount(nearest, minlength=len(means)).to(x.dtype)",
        "counts",
    ),
    "total-variation": (
        "def total_variation(p, q):\n    return (p - q).abs().sum().item()",
        "no-half",
    ),
    "predict-mixing": ("mixing_prediction = 'a'", "chose-a"),
    "far-modes-distance": ("far_distance = 0.15", "weight-of-the-start"),
    "five-mode-sample": (
        "five_mode_sample = GaussianMixture.ring(\n"
        "    modes=5, radius=2.0, std=0.45, weights=[0.35, 0.15, 0.25, 0.10, 0.15]\n"
        ").sample(4000, torch.Generator().manual_seed(1))",
        "too-narrow",
    ),
}

PARTIAL = {"five-mode-sample": 1.5}  # the modes' shares are right, their width is not
