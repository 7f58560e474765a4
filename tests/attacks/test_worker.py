"""What a kernel sends is held in the worker's memory: that stays small, and no wait is endless."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel

MOST = 600  # MiB; one answer may have 64, and Python holds a few forms of it

FRAMES = """
print("attack-ran", flush=True)
time.sleep(0.3)
socket, part = kernel.iopub_thread.socket, b"x" * (48 * 2**20)
kernel.iopub_thread.schedule(lambda: socket.send_multipart([b"x"] + [part] * 25, copy=False))
time.sleep(3)
"""
CONTROL = """
print("attack-ran", flush=True)
part = b"x" * (48 * 2**20)
def flood(stream, ident, parent):
    for _ in range(25):
        kernel.control_stream.socket.send_multipart([*ident, part], copy=False)
kernel.control_handlers["interrupt_request"] = flood
while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass
"""
SHELL = """
print("attack-ran", flush=True)
time.sleep(0.3)
ident = kernel.get_parent_ident() if hasattr(kernel, "get_parent_ident") else None
ident = ident or kernel._parent_ident["shell"]
parent, big = kernel.get_parent("shell"), b"x" * (97 * 2**20)
kernel.session.send(kernel.shell_stream, "execute_reply", {}, parent=parent, ident=ident)
idle = {"execution_state": "idle"}
kernel.session.send(kernel.iopub_socket, "status", idle, parent=parent)
kernel.shell_stream.socket.send_multipart([*ident, big], copy=False)
time.sleep(1)
"""
NESTED = """
print("attack-ran", flush=True)
time.sleep(0.3)
content = b'{"data": {"text/plain": [' + b"[]," * 16_000_000 + b'0]}, "metadata": {}}'
parent = kernel.get_parent("shell")
kernel.session.send(kernel.iopub_socket, "display_data", content, parent=parent)
time.sleep(1)
"""


@pytest.mark.parametrize(
    "code", [FRAMES, CONTROL, SHELL, NESTED], ids=["frames", "control", "shell", "nested"]
)
def test_it_stays_small_and_comes_to_an_end(bwrap, tmp_path, code):
    (tmp_path / "code").write_text(code)
    program = Path(__file__).with_name("grade_one_and_measure.py")
    done = subprocess.run(
        [sys.executable, program, tmp_path / "code"], capture_output=True, text=True, timeout=120
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert "attack-ran" in told["said"]
    assert told["MiB"] < MOST
