"""Where hand-ins run: one interface, bubblewrap behind it, and no protection if one insists.

isolation = open_isolation("bubblewrap")
with isolation.start(place) as process, Kernel(place, process) as kernel:
    kernel.run("print('hello')", seconds=10)
"""

from course_lib.grading.sandbox.isolation import Isolation, Place, Process, SandboxError
from course_lib.grading.sandbox.limits import Limits

__all__ = [
    "ISOLATIONS", "Isolation", "Limits", "Place", "Process", "SandboxError", "open_isolation",
]  # fmt: skip

ISOLATIONS = ("bubblewrap", "bubblewrap, cold", "none")


def open_isolation(name: str) -> Isolation:
    """An isolation by its name: `bubblewrap`, the same with a cold start each time, or `none`.

    Raises:
        ValueError: If there is none of that name.
        SandboxError: If it cannot be had here; says why.
    """
    if name not in ISOLATIONS:
        raise ValueError(f"There is no isolation {name!r}. There are: {', '.join(ISOLATIONS)}.")
    if name == "none":
        from course_lib.grading.sandbox.unprotected import Unprotected

        return Unprotected()
    from course_lib.grading.sandbox.bubblewrap import Bubblewrap

    return Bubblewrap(warm=name == "bubblewrap")
