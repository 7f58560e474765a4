"""Attacks on the machine: time, memory, processes, disk, output."""

from attack import EITHER, RIGHT, Attack

__all__ = ["RESOURCES"]

EULER = (("euler-step", RIGHT["euler-step"]),)

ENDLESS_LOOP = """
begin('a loop')
while True: pass
"""

STUBBORN_LOOP = """
begin('a loop that swallows interrupts')
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True: pass
"""

MEMORY = """
import mmap
def take(size):
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x8000  # MAP_POPULATE
    return mmap.mmap(-1, size, flags=flags)
begin('memory')
held = [take(2**26) for _ in range(60)]
time.sleep(5)
print('ATTACK-SUCCEEDED held', len(held) / 16, 'GiB')
"""

MEMORY_OF_MANY = """
import mmap
def take(size):
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x8000  # MAP_POPULATE
    return mmap.mmap(-1, size, flags=flags)
begin('memory of many processes')
for _ in range(20):
    if os.fork() == 0:
        held = take(2**27)
        time.sleep(30)
        os._exit(0)
time.sleep(5)
print('ATTACK-SUCCEEDED')
"""

MEMORY_THAT_HIDES = """
import mmap
def take(size):
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x8000  # MAP_POPULATE
    return mmap.mmap(-1, size, flags=flags)
begin('memory of a process that cannot be read')
libc.prctl(4, 0, 0, 0, 0)
held = [take(2**26) for _ in range(40)]
time.sleep(5)
print('ATTACK-SUCCEEDED held', len(held) / 16, 'GiB')
"""

MEMORY_IN_SOCKETS = """
def fill():
    held = []
    try:
        while True:
            for one in (pair := socket.socketpair()):
                one.setblocking(False)
                try:
                    while one.send(b'x' * 2**16): pass
                except BlockingIOError: pass
            held.append(pair)
    except OSError: return held
def available():
    with open('/proc/meminfo') as file:
        return next(int(l.split()[1]) for l in file if l.startswith('MemAvail')) / 2**20
before = available()
begin('memory in sockets')
children = []
for _ in range(16):
    if (child := os.fork()) == 0:
        held = fill()
        time.sleep(30)
        os._exit(0)
    children.append(child)
time.sleep(5)
print('ATTACK-SUCCEEDED held', before - available(), 'GiB')
for child in children: os.kill(child, 9), os.waitpid(child, 0)
"""

SHARED_MEMORY = """
def fill(path):
    with open(path, 'wb') as file:
        for _ in range(70): file.write(bytes(2**20))
        file.flush()
    return path
def fill_all(folder):
    try:
        for i in range(30): open(f'{folder}/fill{i}', 'wb').write(bytes(2**24))
        return folder
    finally:
        for name in os.listdir(folder):
            if name.startswith('fill'): os.unlink(f'{folder}/{name}')
attempt('one large file', lambda: fill('/dev/shm/fill'))
attempt('shared memory', lambda: fill_all('/dev/shm'))
attempt('memfd', lambda: os.memfd_create('x'))
attempt('System V memory', lambda: called(libc.shmget(0, 2**20, 0o1600)))
attempt('locked memory', lambda: called(libc.mlockall(3)))
"""

FORK_BOMB = """
begin('a fork bomb')
def bomb():
    while True:
        try:
            os.fork()
        except OSError: pass
if os.fork() == 0:
    os.setsid()
    bomb()
time.sleep(30)
"""

TOO_MANY_PROCESSES = """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def forked(most):
    children = []
    try:
        while len(children) < most:
            if (child := os.fork()) == 0:
                os.setsid()
                time.sleep(20)
                os._exit(0)
            children.append(child)
        return len(children)
    finally:
        for child in children: os.kill(child, 9)
attempt('200 processes', lambda: forked(200))
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
"""

BUSY_PROCESSES = """
begin('busy processes')
children = []
for _ in range(50):
    if (child := os.fork()) == 0:
        os.setsid()
        while True: pass
    children.append(child)
time.sleep(3)
for child in children: os.kill(child, 9), os.waitpid(child, 0)
"""

DISK = """
def fill(path, size, count):
    made = []
    try:
        for i in range(count):
            with open(f'{path}{i}', 'wb') as file:
                made.append(file.name)
                file.write(bytes(size))
        return path, count
    finally:
        for name in made: os.unlink(name)
attempt('a huge file', lambda: fill('/tmp/huge', 100 * 2**20, 1))
attempt('a sparse file', lambda: os.truncate(os.open('/tmp/s', os.O_CREAT | 2), 2**40) or 1)
attempt('large files', lambda: fill('/tmp/home/large', 30 * 2**20, 20))
for place in ('/', '/usr/', '/dev/', '/var/tmp/', '/run/'):
    attempt(f'files in {place}', lambda: fill(place + 'x', 1, 1))
"""

DISK_OF_SMALL_FILES = """
begin('small files')
count = 0
end = time.monotonic() + 6
while time.monotonic() < end and count < 150_000:
    os.mknod(f'/tmp/home/{count}')
    count += 1
print('ATTACK-SUCCEEDED' * (count > 40_000), count)
"""

PRINTS_A_GIGABYTE = """
begin('printing')
for _ in range(1024): print('x' * 2**20)
"""

SHOWS_A_GIANT = """
begin('a giant message')
from IPython.display import display
display({'text/plain': 'x' * 2**28}, raw=True)
"""

TALKS_OVER_COMMS = """
begin('comms')
from comm import create_comm
line = create_comm(target_name='attack', data={'x': 'y' * 2**20})
for _ in range(300): line.send({'x': 'y' * 2**20})
"""

TINY_MESSAGES = """
begin('tiny messages')
from IPython.display import display
for i in range(20_000):
    print(i, file=(sys.stdout, sys.stderr)[i % 2], flush=True)
    display({'text/plain': '', 'image/png': ''}, raw=True)
"""

ENDLESS_TRACEBACK = """
kernel = get_ipython().kernel
begin('a traceback without end')
fields = {'ename': 'E', 'evalue': '', 'traceback': [''] * 300_000}
kernel.session.send(kernel.iopub_socket, 'error', fields, parent=kernel.get_parent('shell'))
"""

RESOURCES = [
    Attack(
        "endless-loop",
        ENDLESS_LOOP,
        tried=("a loop",),
        reason="1 cell stopped after 6 s",
    ),
    Attack(
        "stubborn-loop",
        STUBBORN_LOOP,
        earned=("euler-step",),
        tried=("a loop that swallows interrupts",),
        status=("cut short",),
        reason="the kernel stopped answering in cell",
    ),
    Attack(
        "memory",
        MEMORY,
        earned=("euler-step",),
        tried=("memory",),
        status=("cut short",),
        reason="GiB of memory in cell",
    ),
    Attack(
        "memory-of-many",
        MEMORY_OF_MANY,
        earned=("euler-step",),
        tried=("memory of many processes",),
        status=("cut short",),
        reason="GiB of memory in cell",
    ),
    Attack(
        "memory-that-hides",
        MEMORY_THAT_HIDES,
        earned=("euler-step",),
        tried=("memory of a process that cannot be read",),
        status=("cut short",),
        reason="memory",
    ),
    Attack(
        "memory-in-sockets",
        MEMORY_IN_SOCKETS,
        answers=EULER,
        earned=("euler-step",),
        tried=("memory in sockets",),
        status=("cut short",),
    ),
    Attack(
        "shared-memory",
        SHARED_MEMORY,
        tried=("one large file", "shared memory", "memfd", "System V memory", "locked memory"),
    ),
    Attack(
        "fork-bomb",
        FORK_BOMB,
        answers=EULER,
        earned=("euler-step",),
        tried=("a fork bomb",),
        status=EITHER,
        reason="1 cell stopped after 6 s",
    ),
    Attack(
        "too-many-processes",
        TOO_MANY_PROCESSES,
        tried=("200 processes",),
    ),
    Attack(
        "busy-processes",
        BUSY_PROCESSES,
        answers=EULER,
        earned=("euler-step",),
        tried=("busy processes",),
        status=EITHER,
    ),
    Attack(
        "disk",
        DISK,
        tried=("a huge file", "a sparse file", "large files", "files in /", "files in /var/tmp/"),
    ),
    Attack(
        "disk-of-small-files",
        DISK_OF_SMALL_FILES,
        answers=EULER,
        earned=("euler-step",),
        tried=("small files",),
        status=("cut short",),
    ),
    Attack(
        "prints-a-gigabyte",
        PRINTS_A_GIGABYTE,
        answers=EULER,
        earned=("euler-step",),
        tried=("printing",),
        status=EITHER,
    ),
    Attack(
        "shows-a-giant",
        SHOWS_A_GIANT,
        answers=EULER,
        earned=("euler-step",),
        tried=("a giant message",),
        status=EITHER,
    ),
    Attack(
        "talks-over-comms",
        TALKS_OVER_COMMS,
        answers=EULER,
        earned=("euler-step",),
        tried=("comms",),
        status=EITHER,
    ),
    Attack(
        "tiny-messages",
        TINY_MESSAGES,
        answers=EULER,
        earned=("euler-step",),
        tried=("tiny messages",),
        status=EITHER,
    ),
    Attack(
        "endless-traceback",
        ENDLESS_TRACEBACK,
        answers=EULER,
        earned=("euler-step",),
        tried=("a traceback without end",),
        status=EITHER,
    ),
]
