import contextlib
import functools
import math
import signal
import sys
import threading
import time
import warnings

import pytest
import torch

from course_lib import simulate
from course_lib.checks.guard import StudentError, guarded, is_stub
from course_lib.distributions import GaussianMixture
from course_lib.processes import Langevin


def fault_of(call, seconds=5.0):
    with pytest.raises(StudentError) as caught:
        guarded(call, seconds)
    return caught.value.fault


def test_a_result_is_handed_through():
    assert guarded(lambda: 42, 1.0) == (42, set())


def test_an_exception_names_the_students_line():
    def student():
        return 1 / 0  # the culprit

    fault = fault_of(student)
    assert fault.name == "exception"
    assert fault.message == "Your code raised ZeroDivisionError: division by zero"
    assert "of student: return 1 / 0" in fault.detail


def test_the_line_is_the_students_even_where_the_library_raises():
    def student():
        return simulate.time_grid(-1)

    assert "simulate.time_grid(-1)" in fault_of(student).detail


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: math.sqrt(torch.ones(3)), "torch.sqrt and torch.sin take tensors"),
        (lambda: torch.ones(3).item(), "one number is wanted"),
        (lambda: torch.sqrt(2), "got a plain number"),
        (lambda: torch.sqrt(stub), "call it, like f(t)"),
        (lambda: stub**2, "call it, like f(t)"),
        (lambda: torch.ones(3) * stub, "call it, like f(t)"),
    ],
)
def test_an_exception_that_puzzles_gets_a_word_more(call, words):
    fault = fault_of(call)
    assert fault.name == "exception"
    assert words in fault.message


def stub():
    raise NotImplementedError


def test_a_stub_is_not_written():
    fault = fault_of(stub)
    assert fault.name == "not-written"
    assert "raise NotImplementedError" in fault.message
    assert fault_of(lambda: sorted([2, 1], key=lambda _: stub())).name == "not-written"


def error_of(call):
    with pytest.raises(NotImplementedError) as caught:
        call()
    return caught.value


def test_only_the_students_own_raise_is_a_stub():
    assert is_stub(error_of(stub))
    assert not is_stub(error_of(lambda: torch.nn.Module()(1)))  # torch's Python
    assert not is_stub(error_of(lambda: torch.ones(2, device="meta").cpu()))  # torch's C++
    law = Langevin(GaussianMixture.ring())
    no_law = lambda: law.transition(torch.ones(1, 2), 1.0)  # noqa: E731
    assert not is_stub(error_of(no_law))  # the library
    assert fault_of(no_law).name == "exception"
    assert not is_stub(ValueError())


def forever():
    while True:
        pass


@pytest.mark.parametrize("call", [forever, lambda: time.sleep(30)], ids=["loop", "sleep"])
def test_a_hang_is_stopped(call):
    began = time.monotonic()
    fault = fault_of(call, seconds=0.2)
    assert fault.name == "hang"
    assert "0.2 s" in fault.message
    assert time.monotonic() - began < 2


def test_a_loop_that_swallows_the_interrupt_gives_way_later():
    swallowed = []

    def stubborn():
        while True:
            try:
                time.sleep(30)
            except BaseException:
                swallowed.append(1)
                if len(swallowed) > 2:
                    raise

    assert fault_of(stubborn, seconds=0.1).name == "hang"
    assert len(swallowed) == 3


def test_the_users_own_interrupt_passes():
    with pytest.raises(KeyboardInterrupt):
        guarded(lambda: signal.raise_signal(signal.SIGINT), 5.0)


def test_no_interrupt_comes_after_the_call():
    before = threading.active_count()
    for _ in range(30):  # the call ends as its time does
        with contextlib.suppress(StudentError):
            guarded(lambda: time.sleep(0.01), 0.01)
    time.sleep(0.2)  # an interrupt that came late would end this test
    assert threading.active_count() <= before


def test_exit_is_a_fault():
    assert fault_of(sys.exit).name == "exception"
    assert "exit()" in fault_of(lambda: sys.exit(3)).message


def test_stderr_goes_to_stdout(capsys):
    def student():
        print("out")
        print("err", file=sys.stderr)
        warnings.warn("careful", stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_, **__: print(message, file=sys.stderr)
        guarded(student, 5.0)
    captured = capsys.readouterr()
    assert captured.out.split() == ["out", "err", "careful"]
    assert captured.err == ""


alias = simulate.euler_step


@pytest.mark.parametrize(
    "forwarding",
    [
        simulate.euler_step,
        alias,
        functools.partial(simulate.euler_step),
        lambda *args: simulate.euler_step(*args),
        lambda velocity, x, t, h: alias(h=h, t=t, x=x, velocity=velocity),
    ],
    ids=["itself", "alias", "partial", "wrapped", "keywords"],
)
def test_forwarding_is_noticed(forwarding):
    x = torch.ones(2, 2)
    call = lambda: forwarding(lambda x, t: x, x, torch.tensor(0.0), 0.1)  # noqa: E731
    assert guarded(call, 5.0, (simulate.euler_step,))[1] == {"euler_step"}
    assert guarded(call, 5.0, (simulate.heun_step,))[1] == set()


def test_the_profiler_is_put_back():
    before = sys.getprofile()
    with pytest.raises(StudentError):
        guarded(lambda: 1 / 0, 5.0, (simulate.euler_step,))
    assert sys.getprofile() is before
