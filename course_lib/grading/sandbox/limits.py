"""What a hand-in may use of the machine."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MIB", "Limits"]

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """Limits on one hand-in. Times are in seconds, sizes in bytes.

    Attributes:
        cell: Wall time of one cell.
        notebook: Wall time of the whole notebook.
        cpu: CPU time of one process; the kernel is killed beyond it.
        address_space: What one process may map; beyond it Python raises MemoryError.
        memory: What all processes together may hold; beyond it the hand-in is stopped.
        processes: Processes and threads.
        files: Open files of one process.
        file_size: One file.
        scratch: All files in the scratch directory together; also those in shared memory.
        sockets: Open sockets of all processes together; what lies in them is counted nowhere.
        entries: Files and folders in the scratch directory; also those in shared memory.
        output: What the notebook may print and display, all cells together.
        message: One message from the kernel; holds the largest answer that a check hands over.
    """

    cell: float = 60.0
    notebook: float = 600.0
    cpu: int = 900
    address_space: int = 6144 * MIB
    memory: int = 3072 * MIB
    processes: int = 128
    files: int = 512
    file_size: int = 64 * MIB
    scratch: int = 256 * MIB
    sockets: int = 512
    entries: int = 20_000
    output: int = 32 * MIB
    message: int = 96 * MIB
