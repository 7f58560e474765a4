"""Widgets: Python computes a scene once, a small canvas engine plays it and scrubs through it.

Each is an `Explorer`. As the last expression of a cell it shows itself; `course demo` shows all.
"""

from course_lib.widgets.catalogue import CATALOGUE
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

__all__ = [
    "CATALOGUE",
    "DigitExplorer",
    "Explorer",
    "FlowTrainer",
    "GuidanceExplorer",
    "LangevinExplorer",
    "NoiseScrubber",
    "PathExplorer",
    "ProcessExplorer",
    "ScoreExplorer",
    "SolverExplorer",
]
