"""The checks of Lab 2, Flow matching and score matching, in the order of the lab."""

from course_lib.checks.lab2.conversions import (
    PredictBreaks,
    ScoreFromVelocity,
    VelocityFromScore,
)
from course_lib.checks.lab2.equations import (
    ContinuityResidual,
    PredictUnchanged,
    PredictVariance,
    SDEDrift,
    VarianceRate,
)
from course_lib.checks.lab2.losses import (
    CFMLoss,
    ExactLosses,
    LossFloor,
    NoiseLoss,
    PredictFloor,
    ScoreLoss,
    ScoreWeight,
)
from course_lib.checks.lab2.marginals import (
    MarginalScore,
    MarginalVelocity,
    PosteriorWeights,
    PredictFirstArrow,
)
from course_lib.checks.lab2.paths import (
    ConditionalScore,
    ConditionalVelocity,
    CosineSchedule,
    SamplePath,
    SquareRootSchedule,
)
from course_lib.checks.lab2.sampling import (
    CirclesToChessboard,
    FlowSample,
    LinearPathLoss,
    PredictSigma,
    SDESample,
)
from course_lib.checks.lab2.training import RelativeError, TrainedVelocity

__all__ = [  # noqa: RUF022 (the order of the lab)
    "SquareRootSchedule",
    "CosineSchedule",
    "SamplePath",
    "ConditionalVelocity",
    "ConditionalScore",
    "PredictFirstArrow",
    "PosteriorWeights",
    "MarginalVelocity",
    "MarginalScore",
    "ContinuityResidual",
    "PredictUnchanged",
    "SDEDrift",
    "PredictVariance",
    "VarianceRate",
    "CFMLoss",
    "PredictFloor",
    "LossFloor",
    "ExactLosses",
    "RelativeError",
    "TrainedVelocity",
    "ScoreLoss",
    "NoiseLoss",
    "ScoreWeight",
    "VelocityFromScore",
    "ScoreFromVelocity",
    "PredictBreaks",
    "SDESample",
    "PredictSigma",
    "FlowSample",
    "LinearPathLoss",
    "CirclesToChessboard",
]
