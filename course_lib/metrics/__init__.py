"""Metrics: orders of convergence, shares of samples, distances between samples, digits judged.

>>> import torch
>>> x, y = torch.randn(2, 1000, 2, generator=torch.Generator().manual_seed(0))
>>> print(energy_distance(x, y))
0.0046 ± 0.003 (two samples of one law: 0.0035)
"""

from course_lib.metrics.convergence import convergence_order
from course_lib.metrics.digits import (
    DigitQuality,
    class_accuracy,
    digit_features,
    digit_quality,
    frechet_distance,
)
from course_lib.metrics.distance import SampleDistance
from course_lib.metrics.energy import energy_distance
from course_lib.metrics.shares import chessboard_violations, mode_weights, total_variation
from course_lib.metrics.wasserstein import sliced_wasserstein

__all__ = [
    "DigitQuality",
    "SampleDistance",
    "chessboard_violations",
    "class_accuracy",
    "convergence_order",
    "digit_features",
    "digit_quality",
    "energy_distance",
    "frechet_distance",
    "mode_weights",
    "sliced_wasserstein",
    "total_variation",
]
