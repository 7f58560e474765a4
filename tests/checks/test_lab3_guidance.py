"""The exact fields that the checks on guidance draw, beside the oracle's."""

import pytest
import torch

from course_lib.checks.lab3.guidance import _exact
from course_lib.distributions import Empirical, GaussianMixture
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear

F64 = torch.float64
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])
Y = torch.tensor([0, 1, 2, 3, 3, 1, 2, 0])  # 3 is the null label


def normals(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


@pytest.mark.parametrize("t", [0.3, torch.tensor(0.6, dtype=F64), torch.linspace(0.1, 0.9, 8)])
@pytest.mark.parametrize("wanted", ["velocity", "score"])
@pytest.mark.parametrize("shape", [(2,), (1, 3, 3)])
def test_fields_of_the_checks_are_the_exact_ones(wanted, shape, t):
    means, x = normals(6, *shape), normals(8, *shape, seed=1)
    variances = torch.zeros(6, dtype=F64)
    data = Empirical(means, LABELS)
    if shape == (2,):
        variances = torch.linspace(0.2, 0.8, 6, dtype=F64)
        data = GaussianMixture(means, variances)
    truth = getattr(Marginal(GaussianPath(Linear()), data, LABELS), wanted)
    t = t.double() if isinstance(t, torch.Tensor) else t
    labelled = truth(x, t, Y.clamp(max=2))
    null = (Y == 3).reshape(-1, *(1,) * len(shape))
    expected = torch.where(null, truth(x, t), labelled)
    got = _exact(means, variances, LABELS, 3, wanted)(x, t, Y)
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("y", [None, 3, Y.double(), Y[:, None]])
def test_labels_that_a_network_would_not_take(y):
    field = _exact(normals(6, 2), torch.ones(6), LABELS, 3, "score")
    with pytest.raises(ValueError, match="expected"):
        field(normals(8, 2), 0.5, y)
