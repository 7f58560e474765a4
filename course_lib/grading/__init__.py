"""`course grade`: from a folder of hand-ins to a gradebook, feedback pages and a table of scores.

    collect → restore → run, in a sandbox → judge → nbgrader's gradebook → feedback, scores

`execute` runs a hand-in and brings home what it computed; `judge`, in the grader's own process,
gives the points; `batch` does that for many at a time, and `session` alone writes anything down.
nbgrader keeps the grades, so formgrader and its exporters work as ever.
"""

import sys

# jsonschema, which nbformat needs, would build a parser of international web addresses when it is
# imported: most of a second in each of the grader's processes, and notebooks hold no such thing.
if "jsonschema" not in sys.modules:
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
