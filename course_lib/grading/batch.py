"""Many hand-ins at once, on the cores of this machine or on a cluster, with the same code.

Everything goes through `concurrent.futures.Executor`. A worker that dies (of a full machine, say)
takes nobody else's grade with it: what it and its neighbours were at is tried again, one by one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import forkserver
from typing import Any

from course_lib.grading.record import library_digest
from course_lib.grading.sandbox import warm_parent
from course_lib.grading.work import Graded, Job, grade_one
from course_lib.notebooks.course import CourseError

__all__ = ["Pool", "grade_all", "open_pool"]

AHEAD = 2  # jobs for each worker, so that none waits for the next


@dataclass(frozen=True)
class Pool:
    """Where hand-ins are graded.

    Attributes:
        make: Gives an executor; called again when the last one broke.
        workers: How many hand-ins run at a time.
        parent: The socket of this machine's warm parent, empty if there is none.
    """

    make: Callable[[], Executor]
    workers: int
    parent: str = ""


@contextlib.contextmanager
def open_pool(workers: int, isolation: str, scheduler: str = "") -> Iterator[Pool]:
    """Workers on this machine, or on the cluster at `scheduler`. What is slow begins at once.

    Raises:
        CourseError: If the cluster cannot be used.
    """
    if scheduler:
        with _cluster(scheduler) as (make, size):
            yield Pool(make, size)
    else:
        with warm_parent(isolation) as parent, _local(workers) as make:
            yield Pool(make, workers, str(parent or ""))


@contextlib.contextmanager
def _local(workers: int) -> Iterator[Callable[[], Executor]]:
    """Makes executors over processes of this machine; the last one is ended with the context."""
    # a server that has imported everything forks the workers, which works beside threads too
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    if os.name == "posix":
        context.set_forkserver_preload(["course_lib.grading.work"])
        with _safe_path():
            forkserver.ensure_running()  # its imports begin now
    made: list[ProcessPoolExecutor] = []

    def make() -> Executor:
        for pool in made:
            _end(pool)
        made[:] = [ProcessPoolExecutor(workers, context, initializer=_begin)]
        return made[0]

    try:
        yield make
    finally:
        for pool in made:
            _end(pool)


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """What starts here imports nothing from the current folder, which may hold hand-ins."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[tuple[Callable[[], Executor], int]]:
    """An executor over a dask.distributed cluster, and how many workers it has.

    Raises:
        CourseError: If there is none at the address, or a worker has another version of the course.
    """
    try:
        from distributed import Client
    except ImportError:
        raise CourseError(
            "--scheduler needs the package distributed: pip install 'flow-matching-course[cluster]'"
        ) from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError, TimeoutError) as error:
        raise CourseError(f"No scheduler answers at {address}: {error}") from None
    with client:
        try:
            digests = client.run(library_digest)
        except Exception as error:  # dask hands on whatever a worker raised
            raise CourseError(f"The course is not installed on the workers: {error}") from None
        if not digests:
            raise CourseError(f"The scheduler at {address} has no workers.")
        others = [worker for worker, digest in digests.items() if digest != library_digest()]
        if others:
            raise CourseError(f"Another version of the course is installed on {others[0]}.")
        yield (lambda: client.get_executor(pure=False)), len(digests)


def grade_all(jobs: Iterable[Job], make: Callable[[], Executor], workers: int) -> Iterator[Graded]:
    """Grade all jobs, and yield each result as it comes.

    A job whose worker died is tried once more, alone; if that dies too, its result says so.

    Args:
        jobs: What to grade; taken one by one as workers become free.
        make: Gives an executor; called again when the last one broke.
        workers: How many jobs run at a time.
    """
    waiting, executor = iter(jobs), make()
    running: dict[Future[Graded], Job] = {}
    suspects: list[Job] = []
    while True:
        broken = False
        while len(running) < AHEAD * workers and (job := next(waiting, None)) is not None:
            try:
                running[executor.submit(grade_one, job)] = job
            except BrokenProcessPool:
                broken = True
                suspects.append(job)
                break
        if not running and not broken:
            break
        done, _ = wait(running, return_when=FIRST_COMPLETED) if running else (set(), None)
        for future in done:
            job = running.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool:
                broken = True
                suspects.append(job)
            except Exception as error:  # a fault of the grader's own
                yield Graded(job.student, failure=_in_words(error))
        if broken:  # then all that run are lost
            suspects += running.values()
            running.clear()
            executor = make()
    for job in suspects:
        try:
            yield executor.submit(grade_one, job).result()
        except BrokenProcessPool:
            executor = make()
            yield Graded(job.student, failure="the worker died twice over this hand-in")
        except Exception as error:
            yield Graded(job.student, failure=_in_words(error))


def _in_words(error: BaseException) -> str:
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"the grader failed: {first}"


def _begin() -> None:
    """In a new worker: only the grader ends it, and the grader's end is its own."""
    import signal

    from tqdm import tqdm

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(threading.RLock())  # its own is a semaphore, lost when the worker is killed
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=[parent], daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _end(pool: ProcessPoolExecutor) -> None:
    processes = list((pool._processes or {}).values())  # before Python 3.14 there is no other way
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()
