"""The checks of Lab 1, Simulating ODEs and SDEs, in the order of the lab."""

from course_lib.checks.lab1.brownian import (
    BrownianPaths,
    EulerMaruyamaStep,
    PathCovariance,
    PredictCovariance,
)
from course_lib.checks.lab1.langevin import (
    FarModesDistance,
    FiveModeSample,
    LangevinDrift,
    MixtureScore,
    ModeShares,
    OrnsteinUhlenbeckAsLangevin,
    PredictMixing,
    TotalVariation,
)
from course_lib.checks.lab1.odes import (
    ConvergenceOrder,
    EndpointError,
    EulerStep,
    HeunStep,
    PredictOrder,
)
from course_lib.checks.lab1.ornstein_uhlenbeck import (
    CollapsePaths,
    LargestStableStep,
    OrnsteinUhlenbeckCoefficients,
    OrnsteinUhlenbeckLimit,
    OrnsteinUhlenbeckTransition,
    PredictCollapse,
    SimulatedVariance,
    VarianceRate,
)

__all__ = [  # noqa: RUF022 (the order of the lab)
    "EulerStep",
    "HeunStep",
    "PredictOrder",
    "EndpointError",
    "ConvergenceOrder",
    "BrownianPaths",
    "PredictCovariance",
    "PathCovariance",
    "EulerMaruyamaStep",
    "OrnsteinUhlenbeckCoefficients",
    "OrnsteinUhlenbeckTransition",
    "VarianceRate",
    "OrnsteinUhlenbeckLimit",
    "SimulatedVariance",
    "LargestStableStep",
    "PredictCollapse",
    "CollapsePaths",
    "MixtureScore",
    "LangevinDrift",
    "OrnsteinUhlenbeckAsLangevin",
    "ModeShares",
    "TotalVariation",
    "PredictMixing",
    "FarModesDistance",
    "FiveModeSample",
]
