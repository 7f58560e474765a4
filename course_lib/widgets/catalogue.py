"""All widgets, in the order of the course: the pages of `course demo`."""

from __future__ import annotations

from collections.abc import Mapping

from course_lib.widgets.digit_explorer import DigitExplorer
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.flow_trainer import FlowTrainer
from course_lib.widgets.guidance_explorer import GuidanceExplorer
from course_lib.widgets.langevin_explorer import LangevinExplorer
from course_lib.widgets.noise_scrubber import NoiseScrubber
from course_lib.widgets.path_explorer import PathExplorer
from course_lib.widgets.process_explorer import ProcessExplorer
from course_lib.widgets.score_explorer import ScoreExplorer
from course_lib.widgets.solver_explorer import SolverExplorer

__all__ = ["CATALOGUE"]

CATALOGUE: Mapping[str, type[Explorer]] = {
    "process": ProcessExplorer,
    "solver": SolverExplorer,
    "langevin": LangevinExplorer,
    "path": PathExplorer,
    "score": ScoreExplorer,
    "flow": FlowTrainer,
    "guidance": GuidanceExplorer,
    "digits": DigitExplorer,
    "noise": NoiseScrubber,
}
