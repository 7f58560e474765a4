"""`check` and `progress`: what a lab's cells call."""

from __future__ import annotations

import os
import secrets
import sys
from typing import Any

from course_lib.checks.base import Check
from course_lib.checks.card import card, progress_card
from course_lib.checks.execute import execute
from course_lib.checks.guard import is_stub
from course_lib.checks.judge import expected_and_got, judge
from course_lib.checks.outcome import OUTCOME_MIME, Outcome
from course_lib.checks.registry import checks_of, labs_with_checks
from course_lib.checks.rng import derive_seed
from course_lib.checks.verdict import VERDICT_MIME, Verdict

__all__ = ["GRADING_SEED", "CheckFailed", "check", "progress", "show_errors_kindly"]

GRADING_SEED = "COURSE_GRADING_SEED"
_verdicts: dict[tuple[str, str], Verdict] = {}
_latest_lab: list[str] = []


class CheckFailed(Exception):
    """An answer did not pass. Raised so that stock nbgrader scores the cell; shown as one line."""

    def __init__(self, verdict: Verdict):
        super().__init__(f"{verdict.title}: {verdict.score}. {verdict.message}")
        self.verdict = verdict

    def _render_traceback_(self) -> list[str]:
        return [f"{self.verdict.title}: not yet ({self.verdict.score})"]


def check(which: type[Check], *args: Any, seed: int | None = None) -> float | None:
    """Check an answer and show the verdict as a card.

    Args:
        which: The check, such as `EulerStep`.
        *args: The answer: the function, number or letter that the exercise asked for.
        seed: Draws the same inputs as a verdict's `seed`. The default is fresh inputs.

    Returns:
        None for a right answer; the points for a partly right one (nbgrader reads them).

    Raises:
        CheckFailed: If the answer earns nothing.
        ValueError: If `which` is not a check.
    """
    if not (isinstance(which, type) and issubclass(which, Check)):
        raise ValueError(f"The first argument should be a check, and {which!r} came.")
    the_check = which()
    grading = os.environ.get(GRADING_SEED)
    if grading is not None:
        outcome = execute(the_check, args, derive_seed(int(grading), the_check.name))
        _publish(
            {OUTCOME_MIME: outcome.to_json(), "text/plain": f"{the_check.title}: answer collected"}
        )
        return None
    seed = secrets.randbelow(2**31) if seed is None else seed
    outcome = execute(the_check, args, seed)
    verdict = judge(the_check, outcome, seed)
    lab = which.__module__.removeprefix("course_lib.checks.").split(".")[0]
    _verdicts[lab, the_check.name] = verdict
    if lab in labs_with_checks():  # not a check that somebody wrote in a notebook
        _latest_lab[:] = [lab]
    _publish(bundle(verdict, _picture(the_check, outcome, seed, verdict)))
    if verdict.points == 0:
        raise CheckFailed(verdict)
    return None if verdict.passed else verdict.points


def progress(lab: str | None = None) -> None:
    """Draw what is done in this lab, with points.

    Args:
        lab: Its name; the default is the lab of the latest check.

    Raises:
        ValueError: If no lab is named and no check has run yet.
    """
    if lab is None and not _latest_lab:
        raise ValueError('No check has run in this notebook yet. Name the lab: progress("lab1").')
    lab = lab or _latest_lab[0]
    rows = [(c().title, _verdicts.get((lab, name)), c.points) for name, c in checks_of(lab).items()]
    words = [str(v).splitlines()[0] if v else f"○ {title}" for title, v, _ in rows]
    _publish({"text/html": progress_card(rows), "text/plain": "\n".join(words)})


def bundle(verdict: Verdict, picture: bytes | None = None, styled: bool = True) -> dict[str, Any]:
    """The verdict in every form that a notebook may want."""
    return {
        "text/plain": str(verdict),
        "text/html": card(verdict, picture, styled),
        VERDICT_MIME: verdict.to_json(),
    }


def _picture(the_check: Check, outcome: Outcome, seed: int, verdict: Verdict) -> bytes | None:
    if verdict.passed or _shell() is None:
        return None
    pair = expected_and_got(the_check, outcome, seed)
    if pair is None:
        return None
    from course_lib import plots

    return plots.png(plots.answer_against_expected(*pair))


def _publish(data: dict[str, Any]) -> None:
    if _shell() is None:
        print(data["text/plain"])
        return
    from IPython.display import display

    display(data, raw=True)


def _shell() -> Any:
    """The notebook's IPython shell, None in a plain Python program."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module else None
    return shell if shell is not None and hasattr(shell, "kernel") else None


def show_errors_kindly() -> None:
    """In a notebook, show an unwritten exercise as one sentence instead of a stack trace."""
    shell = _shell()
    if shell is None:
        return

    def not_written(
        shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: Any = None
    ) -> list[str]:
        if is_stub(error):
            lines = [
                f"Not written yet: {error}"
                if str(error)
                else "Something this cell needs is not written yet."
            ]
        elif "ellipsis" in str(error).lower():  # an answer that still is `...`
            lines = [
                "Something this cell needs is not written yet: an answer above is still `...`."
            ]
        else:
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
            return []
        shell._showtraceback(NotImplementedError, error, lines)
        return lines

    shell.set_custom_exc((NotImplementedError, TypeError, AttributeError, ValueError), not_written)
