"""What a notebook of this course has no use for, by name, and how to say so."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["ATTRIBUTES", "Rule", "is_patched", "named_rule", "string_rules"]

Rule = tuple[str, str]  # the kind of evidence, and what the code does

_FRAMES = ("reaches-out", "looks at the frames of the code that called it")
_OBJECTS = ("reaches-out", "looks through all objects of the process")
_MEMORY = ("reaches-out", "works on the process's memory")
_PROCESSES = ("reaches-out", "starts or stops processes")
_NETWORK = ("reaches-out", "opens network connections")
_TRACING = ("patches", "sets or removes the tracing by which checks notice a forwarded answer")
_TIMERS = ("patches", "handles the signal that stops a call that hangs")
_EXIT = ("patches", "leaves code to run when the kernel ends")
_MOCK = ("patches", "exchanges parts of other modules")
_SHELL = ("patches", "changes how the notebook's kernel runs cells or sends their outputs")
_MACHINERY = ("reaches-out", "uses the inside of the checks or of the grader")
_BUILTINS = ("patches", "reaches into Python's builtins")

# By dotted name; a module stands for all that is in it.
_NAMES: dict[str, Rule] = {
    "ctypes": _MEMORY,
    "cffi": _MEMORY,
    "mmap": _MEMORY,
    "gc.get_objects": _OBJECTS,
    "gc.get_referrers": _OBJECTS,
    "gc.get_referents": _OBJECTS,
    "sys.setprofile": _TRACING,
    "sys.settrace": _TRACING,
    "sys.monitoring": _TRACING,
    "threading.setprofile": _TRACING,
    "threading.setprofile_all_threads": _TRACING,
    "threading.settrace": _TRACING,
    "threading.settrace_all_threads": _TRACING,
    "sys.addaudithook": _TRACING,
    "sys._getframe": _FRAMES,
    "sys._getframemodulename": _FRAMES,
    "sys._current_frames": _FRAMES,
    "inspect.stack": _FRAMES,
    "inspect.trace": _FRAMES,
    "inspect.currentframe": _FRAMES,
    "inspect.getouterframes": _FRAMES,
    "inspect.getinnerframes": _FRAMES,
    "traceback.walk_stack": _FRAMES,
    "os._exit": _PROCESSES,
    "os.abort": _PROCESSES,
    "os.kill": _PROCESSES,
    "os.killpg": _PROCESSES,
    "os.fork": _PROCESSES,
    "os.forkpty": _PROCESSES,
    "os.system": _PROCESSES,
    "os.popen": _PROCESSES,
    "os.posix_spawn": _PROCESSES,
    "os.posix_spawnp": _PROCESSES,
    "os.startfile": _PROCESSES,
    "pty": _PROCESSES,
    "subprocess": _PROCESSES,
    "multiprocessing.Process": _PROCESSES,
    "multiprocessing.Pool": _PROCESSES,
    "multiprocessing.get_context": _PROCESSES,
    "multiprocessing.connection": _PROCESSES,
    "multiprocessing.context": _PROCESSES,
    "multiprocessing.managers": _PROCESSES,
    "multiprocessing.pool": _PROCESSES,
    "multiprocessing.process": _PROCESSES,
    "multiprocessing.shared_memory": _PROCESSES,
    "asyncio.create_subprocess_exec": _PROCESSES,
    "asyncio.create_subprocess_shell": _PROCESSES,
    "socket": _NETWORK,
    "socketserver": _NETWORK,
    "asyncio.open_connection": _NETWORK,
    "signal": _TIMERS,
    "faulthandler": _TIMERS,
    "atexit": _EXIT,
    "unittest.mock": _MOCK,
    "mock": _MOCK,
    "importlib.reload": _MOCK,
    "IPython.core": _SHELL,
    "ipykernel": _SHELL,
    "builtins.__dict__": _BUILTINS,
    "course_lib.grading": _MACHINERY,
    "course_lib.checks.outcome": _MACHINERY,
    "course_lib.checks.verdict": _MACHINERY,
    "course_lib.checks.execute": _MACHINERY,
    "course_lib.checks.guard": _MACHINERY,
    "course_lib.checks.judge": _MACHINERY,
    "course_lib.checks.plain": _MACHINERY,
    "course_lib.checks.rng": _MACHINERY,
    "course_lib.checks.registry": _MACHINERY,
    "course_lib.checks.choice.seal": _MACHINERY,
    "course_lib.checks.notebook.GRADING_SEED": _MACHINERY,
    "course_lib.checks.notebook.bundle": _MACHINERY,
}
_STARTS = ("os.exec", "os.spawn")  # os.execv, os.execve, …
_HARMLESS = ("IPython.core.display", "IPython.core.pylabtools")

# By the name of an attribute, whatever it is an attribute of.
ATTRIBUTES: dict[str, Rule] = {
    **dict.fromkeys(("f_back", "f_globals", "f_locals", "f_builtins", "tb_frame"), _FRAMES),
    **dict.fromkeys(("gi_frame", "cr_frame", "ag_frame"), _FRAMES),
    **dict.fromkeys(("__globals__", "__closure__", "cell_contents", "__code__"), _FRAMES),
    "__subclasses__": _OBJECTS,
    **dict.fromkeys(("set_custom_exc", "showtraceback", "_showtraceback"), _SHELL),
    **dict.fromkeys(("ast_transformers", "input_transformers_post"), _SHELL),
    **dict.fromkeys(("input_transformers_cleanup", "display_pub", "displayhook"), _SHELL),
    **dict.fromkeys(("register_post_execute", "user_global_ns", "builtin_trap"), _SHELL),
}

# By what a string says.
_STRINGS: tuple[tuple[re.Pattern[str], Rule], ...] = (
    (re.compile(r"COURSE_GRADING"), ("reaches-out", "names the seed of the grader")),
    (
        re.compile(r"application/vnd\.course-lib"),
        ("reaches-out", "names the form in which checks hand over outcomes and verdicts"),
    ),
    (
        re.compile(r"(^|[\s'\"=])/proc(/|$)"),
        ("reaches-out", "reads what the system says of processes"),
    ),
    (
        re.compile(r"^__torch_(function|dispatch)__$"),
        ("agrees-with-all", "names __torch_function__"),
    ),
)

# The modules, and their classes, whose attributes a notebook has no reason to set.
_PATCHED = (
    "course_lib",
    "torch",
    "numpy",
    "builtins",
    "math",
    "random",
    "inspect",
    "dis",
    "json",
    "time",
    "threading",
    "types",
    "signal",
    "IPython",
    "ipykernel",
    "zmq",
    "sys.modules",
    "sys.displayhook",
    "sys.excepthook",
    "sys.meta_path",
    "sys.path_hooks",
)
_UNPATCHED = ("torch.backends",)  # switches that people do set


def named_rule(path: str) -> Rule | None:
    """The rule for a dotted name, if there is one."""
    if path.startswith(_STARTS):
        return _PROCESSES
    if any(path == word or path.startswith(f"{word}.") for word in _HARMLESS):
        return None
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        rule = _NAMES.get(".".join(parts[:length]))
        if rule is not None:
            return rule
    return None


def is_patched(path: str) -> bool:
    """Whether a notebook has no reason to set an attribute of this name."""

    def inside(word: str) -> bool:
        return path == word or path.startswith(f"{word}.")

    return any(map(inside, _PATCHED)) and not any(map(inside, _UNPATCHED))


def string_rules(text: str) -> Iterator[tuple[Rule, str]]:
    """The rules for what a string says, each with the words that matched."""
    for pattern, rule in _STRINGS:
        match = pattern.search(text[:100_000])
        if match:
            yield rule, match[0].strip()
