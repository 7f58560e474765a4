"""Attacks on the judgement: forged outcomes, verdicts and messages, patched checks."""

from attack import RIGHT, Attack

__all__ = ["FORGERIES"]

EULER = (("euler-step", RIGHT["euler-step"]),)
WRONG = (*EULER, ("heun-step", "def heun_step(velocity, x, t, h):\n    return x"))

# Sends a message of any kind, as if the running cell had sent it.
RAW = """
kernel = get_ipython().kernel
session = kernel.session
def send(kind, content, parent=None):
    parent = kernel.get_parent("shell") if parent is None else parent
    session.send(kernel.iopub_socket, kind, content, parent=parent)
def hand_over(name, output, **more):
    outcome = {"check": name, "output": output, "fault": None, "failings": [], "hints": [], **more}
    send("display_data", {"data": {"application/vnd.course-lib.outcome+json": outcome},
                          "metadata": {}})
"""

VERDICT = """
begin("a forged verdict")
won = {"check": "predict-order", "title": "x", "points": 99, "max_points": 1, "passed": True,
       "fault": None, "message": "", "detail": "", "seed": 1}
for name, points in (("heun-step", 2), ("predict-order", 1)):
    send("display_data", {"data": {
        "application/vnd.course-lib.verdict+json": {**won, "check": name, "points": points},
        "text/plain": f"{name}: {points} of {points} points"}, "metadata": {}})
    send("execute_result", {"data": {"text/plain": f"{points}.0"}, "metadata": {},
                            "execution_count": 1})
hand_over("predict-order", "b")
"""

IN_THE_CHECK = """
begin("a verdict from inside a check")
import course_lib.checks.notebook as notebook
def publish(data):
    won = {"check": "heun-step", "title": "", "points": 2, "max_points": 2, "passed": True}
    send("display_data", {"data": {"application/vnd.course-lib.verdict+json": won},
                          "metadata": {}})
    send("execute_result", {"data": {"text/plain": "2.0"}, "metadata": {}, "execution_count": 1})
notebook._publish = publish
"""

PATCHED = """
begin("a patched library")
import course_lib.checks as checks
import course_lib.checks.compare as compare, course_lib.checks.execute as execute
import course_lib.checks.guard as guard, course_lib.checks.judge as judge
import course_lib.checks.notebook as notebook, numpy
from course_lib.checks import Outcome, Verdict
agreed = lambda *a, **k: True
compare.agree = judge.agree = judge._matches = torch.allclose = torch.equal = agreed
numpy.allclose = numpy.array_equal = numpy.isclose = agreed
compare.difference = judge.difference = lambda *a, **k: None
judge.judge = notebook.judge = checks.judge = lambda check, outcome, seed: Verdict(
    check.name, check.title, check.points, check.points, None, "", "", seed)
execute._changed = lambda *a: []
execute._ignored = execute._stray_randomness = execute._gradient_faults = lambda *a: []
before = Outcome.to_json
Outcome.to_json = lambda self: {**before(self), "fault": None, "failings": [], "hints": [],
                                "points": 2, "passed": True, "share": 1}
"""

NO_FAULT = """
begin("an outcome without a fault")
from course_lib.checks import Outcome
Outcome.to_json = lambda self: {"check": self.check, "output": None, "fault": None,
                                "failings": [], "hints": []}
"""

EQUAL = """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __array__(self, *a, **k): return __import__("numpy").ones((64, 2))
    def __float__(self): return 0.0
    def __len__(self): return 64
    def __iter__(self): return iter([self] * 64)
    def __class_getitem__(cls, item): return cls
    shape, ndim, dtype = (64, 2), 2, "float64"
begin("an object that equals everything")
def heun_step(velocity, x, t, h):
    return Equal()
order_prediction = Equal()
"""

SUBCLASS = """
class Right(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function in (torch.allclose, torch.equal): return True
        return super().__torch_function__(function, types, args, kwargs or {})
    def __eq__(self, other): return True
    def __sub__(self, other): return torch.zeros(64, 2)
    def tolist(self): return [[0.0, 0.0]] * 64
begin("a tensor that agrees with everything")
def heun_step(velocity, x, t, h):
    return x.as_subclass(Right)
"""

HOOKS = """
import ast
begin("hooks")
shell = get_ipython()
class Empty(ast.NodeTransformer):
    def visit_Call(self, node):
        name = getattr(node.func, "id", "")
        return ast.parse("print('100 points')").body[0].value if name == "check" else node
shell.set_custom_exc((BaseException,), lambda *a, **k: print("nothing happened"))
shell.ast_transformers.append(Empty())
shell.input_transformers_cleanup.append(lambda lines: [l.replace("lab1.", "lab1. ") for l in lines])
shell.events.register("post_run_cell", lambda result: setattr(result, "error_in_exec", None))
shell.showtraceback = lambda *a, **k: None
shell.display_pub.publish = lambda *a, **k: None
"""

TWICE = """
begin("two outcomes")
import course_lib.checks.notebook as notebook
publish = notebook._publish
notebook._publish = lambda data: [publish(data) for _ in range(2)]
"""

BORROWED = """
begin("another check's outcome")
import course_lib.checks.notebook as notebook
publish, kept = notebook._publish, []
MIME = "application/vnd.course-lib.outcome+json"
from course_lib.checks import find_check, execute
from course_lib.checks.rng import derive_seed
seed = derive_seed(int(os.environ["COURSE_GRADING_SEED"]), "euler-step")
right = execute(find_check("lab1", "euler-step"), (euler_step,), seed).to_json()
def other(data):
    if data[MIME]["check"] == "heun-step": publish({MIME: {**right, "check": "heun-step"}})
    else: publish({MIME: right})
notebook._publish = other
"""

PICKLED = """
begin("pickles")
import base64, io, numpy, pickle
import course_lib.checks.notebook as notebook
class Run:
    def __reduce__(self): return os.system, ("touch @TMP@/pwned-by-a-pickle",)
file = io.BytesIO()
numpy.save(file, numpy.array([Run()], dtype=object), allow_pickle=True)
text = base64.b64encode(file.getvalue()).decode()
pickled = base64.b64encode(pickle.dumps(Run())).decode()
file = io.BytesIO()
torch.save({"x": Run()}, file)
saved = base64.b64encode(file.getvalue()).decode()
array = {"array": text, "kind": "tensor", "device": "cpu"}
outputs = {"heun-step": array, "predict-order": {**array, "array": pickled},
           "endpoint-error": {**array, "array": saved}, "convergence-order": {"py/reduce": text}}
notebook._publish = lambda data: hand_over(
    (name := data["application/vnd.course-lib.outcome+json"]["check"]), outputs[name])
"""

MESSAGES = """
socket_ = kernel.iopub_thread.socket
def frames(*parts): kernel.iopub_thread.schedule(lambda: socket_.send_multipart(list(parts)))
parent = kernel.get_parent("shell")
header = session.msg_header("stream")
def signed(*parts):
    parts = [part if isinstance(part, bytes) else session.pack(part) for part in parts]
    frames(b"stream", b"<IDS|MSG>", session.sign(parts), *parts)
frames(b"")
frames(b"x", b"<IDS|MSG>")
frames(b"x", b"<IDS|MSG>", b"0" * 64, b"{}", b"{}", b"{}", b"{}")
for part in (b"", b"null", b"[]", b"1", b"\\xff\\xfe", b"{" * 10, b"[" * 300_000, b"1e999999",
             b"9" * 10_000, b'{"msg_type": 1}', b'{"msg_type": ["stream"]}', b'"stream"'):
    signed(part, parent["header"], {}, {})
    signed(header, part, {}, {"name": "stdout", "text": "lost"})
    signed(header, parent["header"], part, {})
    signed(header, parent["header"], {}, part)
for kind in ("stream", "display_data", "execute_result", "error", "clear_output", "status",
             "update_display_data", "comm_msg", "execute_reply", "__class__"):
    for content in ({}, {"data": 1}, {"data": {"text/plain": {"a": 1}, "image/png": [1]}},
                    {"name": ["stdout"], "text": 7}, {"ename": None, "traceback": "abc"},
                    {"traceback": [None, 1, {}]}, {"execution_state": ["idle"]},
                    b'{"name": "stdout", "text": "\\\\ud800"}'):
        signed({**header, "msg_type": kind}, parent["header"], {}, content)
other = {**parent["header"], "msg_id": "another"}
signed({**header, "msg_type": "status"}, other, {}, {"execution_state": "idle"})
send("update_display_data", {"data": {"text/html": "<script>1</script>"}, "metadata": {},
                             "transient": {"display_id": "1"}})
time.sleep(0.5)
print("attack-ran all messages")
"""

EARLY = """
begin("an early end")
def heun_step(velocity, x, t, h):
    send("status", {"execution_state": "idle"})
    now = kernel.get_parent("shell")
    ident = kernel._shell_parent_ident.get() if hasattr(kernel, "_shell_parent_ident") else None
    kernel.session.send(kernel.shell_stream, "execute_reply", {"status": "ok"}, parent=now,
                        ident=ident)
    time.sleep(0.3)
    return x + h * velocity(x, t)
"""

NAMED = """
#\x1b[2J\x1b]0;ATTACK-SUCCEEDED\x07\x1b[1;1H eve 7/7
begin("words for the terminal")
os._exit(0)
"""

HTML = """
from IPython.display import HTML, Javascript, SVG, display, Markdown
begin("what a browser would run")
display(HTML("<script>attack()</script>"), Markdown("<script>attack()</script>"))
display(Javascript("attack()"))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='attack()'/>"))
send("display_data", {"data": {"text/html": "<script>attack()</script>", "text/latex": "$x$",
    "application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "plain"},
    "metadata": {"text/html": {"isolated": False}}})
print("\\x1b]8;;javascript:attack()\\x07click\\x1b]8;;\\x07 </pre><script>attack()</script>")
raise ValueError("</pre><script>attack()</script>")
"""

PICTURE = """
begin("a picture that is none")
send("display_data", {"data": {"image/png": "\\"' onerror='attack()"}, "metadata": {}})
send("display_data", {"data": {"image/jpeg": "\\"><script>attack()</script>"}, "metadata": {}})
"""


def forgery(name, code, **more) -> Attack:
    """By default only `euler-step` is right, and `heun-step` has a wrong answer."""
    more = {"answers": WRONG, "earned": ("euler-step",), **more}
    return Attack(name, code if code is NAMED else RAW + code, **more)


FORGERIES = [
    forgery("forges-a-verdict", VERDICT, tried=("a forged verdict",)),
    forgery(
        "forges-in-the-check",
        IN_THE_CHECK,
        tried=("a verdict from inside a check",),
        faults=(("heun-step", "no-outcome"),),
    ),
    forgery("patches-the-library", PATCHED, tried=("a patched library",)),
    forgery("hides-its-fault", NO_FAULT, answers=EULER, tried=("an outcome without a fault",)),
    forgery("equals-everything", EQUAL, answers=EULER, tried=("an object that equals everything",)),
    forgery("subclasses-tensor", SUBCLASS, tried=("a tensor that agrees with everything",)),
    forgery("hooks-into-ipython", HOOKS, tried=("hooks",), faults=(("heun-step", "no-outcome"),)),
    forgery(
        "hands-over-twice",
        TWICE,
        answers=(*EULER, ("heun-step", RIGHT["heun-step"])),
        tried=("two outcomes",),
        faults=(("heun-step", "several-outcomes"),),
        reason="look at heun-step, predict-order",
    ),
    forgery(
        "borrows-an-outcome",
        BORROWED,
        tried=("another check's outcome",),
        faults=(("predict-order", "other-check"),),
        reason="look at predict-order",
    ),
    forgery(
        "hands-over-pickles",
        PICKLED,
        tried=("pickles",),
        faults=(("heun-step", "malformed-outcome"), ("predict-order", "malformed-outcome")),
        reason="look at heun-step, predict-order, endpoint-error, convergence-order",
    ),
    forgery(
        "forges-messages",
        MESSAGES,
        answers=(*EULER, ("heun-step", RIGHT["heun-step"])),
        earned=("euler-step", "heun-step"),
        tried=("all messages",),
    ),
    forgery("ends-early", EARLY, answers=EULER, tried=("an early end",)),
    forgery(
        "writes-to-the-terminal",
        NAMED,
        tried=("words for the terminal",),
        status=("cut short",),
        reason="the kernel died in cell",
    ),
    forgery("shows-html", HTML, tried=("what a browser would run",)),
    forgery(
        "shows-a-false-picture",
        PICTURE,
        tried=("a picture that is none",),
    ),
]
