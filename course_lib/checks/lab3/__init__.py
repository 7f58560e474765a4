"""The checks of Lab 3, Digits to order, in the order of the lab."""

from course_lib.checks.lab3.batch import DigitLoss
from course_lib.checks.lab3.blocks import ResidualBlockForward, ScaleAndShift
from course_lib.checks.lab3.digits import HandedInDigits, TrainedDigits
from course_lib.checks.lab3.failures import WhichCauseA, WhichCauseB
from course_lib.checks.lab3.failures import failure as failure  # the lab shows its pictures
from course_lib.checks.lab3.guidance import (
    DropLabels,
    GuidedCFMLoss,
    GuidedSDEStep,
    GuidedVelocity,
    OtherConvention,
)
from course_lib.checks.lab3.images import FourierTimeFeatures, PathOnImages
from course_lib.checks.lab3.sweep import BestScale, FeatureSpread, PredictSweep
from course_lib.checks.lab3.tilt import GuidedStd, PredictTilt, TiltStd
from course_lib.checks.lab3.unet import PredictShapes, PredictSkip, UNetForward

FILES = {"digits.safetensors": 4 * 2**20}  # what belongs to a hand-in, with its largest size

__all__ = [  # noqa: RUF022 (the order of the lab)
    "PathOnImages",
    "FourierTimeFeatures",
    "ScaleAndShift",
    "ResidualBlockForward",
    "PredictShapes",
    "UNetForward",
    "PredictSkip",
    "DropLabels",
    "GuidedCFMLoss",
    "GuidedVelocity",
    "OtherConvention",
    "GuidedSDEStep",
    "PredictTilt",
    "GuidedStd",
    "TiltStd",
    "DigitLoss",
    "TrainedDigits",
    "HandedInDigits",
    "FeatureSpread",
    "PredictSweep",
    "BestScale",
    "WhichCauseA",
    "WhichCauseB",
]
