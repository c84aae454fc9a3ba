"""Whatever a student's code does, only answers earn points, and the next student gets what is theirs."""

import ast
from pathlib import Path

import pytest

from graders.autograde import Cell
from graders.autograde.sandbox.view import ENVIRONMENT
from graders.checks import EXERCISES, exercises

from .conftest import answer, check, exercise_cells, extra, graded, submission

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HEAD = next(exercise for exercise in EXERCISES if exercise.id == "build-head")
WRONG = HEAD.wrong["swapped-sizes"]
FIRST = exercises("01-transfer-learning")


@pytest.fixture(autouse=True)
def the_next_student_is_fine(worker):
    yield
    outcome = graded(worker, *exercise_cells(HEAD, HEAD.right["own_module"]))
    assert (outcome.points, outcome.message) == (1, "")


FORGERIES = {
    "a check of its own": """
import sys, types
graders, checks = types.ModuleType('graders'), types.ModuleType('graders.checks')
check_build_head = checks.check_build_head = lambda head: None
sys.modules |= {'graders': graders, 'graders.checks': checks}
""",
    "comparisons that hold": """
import torch, numpy as np
torch.allclose = torch.equal = torch.isclose = lambda *_, **__: True
np.allclose = np.testing.assert_allclose = lambda *_, **__: True
assert_ = isinstance = lambda *_: True
""",
    "exceptions that say nothing": """
import builtins
builtins.AssertionError = builtins.Exception = type('Quiet', (BaseException,), {})
""",
    "asserts taken out": """
import builtins, sys
own = compile
builtins.compile = lambda *_, **__: own('0', '', 'exec')
sys.flags = type('Flags', (), {'optimize': 2})()
""",
    "an early end": """
import atexit, os, sys
atexit.register(lambda: os._exit(0))
sys.excepthook = lambda *_: None
""",
    "another server": """
import gc
nothing = {'error': None, 'value': b'N', 'args': [], 'kwargs': {}, 'graph': 0, 'modules': None}
for thing in gc.get_objects():
    if type(thing).__name__ == 'Student':
        thing._call = lambda request: nothing
""",
    "a report of its own": """
import os, struct
from graders.autograde.codec import encode
outcome = {'grade_id': 'check-build-head', 'points': 1.0, 'completed': True, 'assertions': 9, 'message': '',
           'mistake': '', 'trust': 'values'}
said = encode({'outcome': outcome})
for descriptor in range(3, 64):
    try:
        os.write(descriptor, struct.pack('<I', len(said)) + said)
    except OSError:
        pass
""",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_wrong_answer_stays_wrong(worker, forgery):
    evidence = worker.grade(submission(extra(forgery), *exercise_cells(HEAD, forgery + WRONG)))
    assert evidence.status != "grader-failed"
    assert [outcome.points for outcome in evidence.checks] == [0]


def test_a_module_that_says_it_is_right_is_asked_for_scores(worker):
    source = (
        "class Head(nn.Linear):\n    def __eq__(self, other):\n        return True\n"
        "    __hash__ = nn.Module.__hash__\n"
        "    def parameters(self, recurse=True):\n        return iter([nn.Parameter(torch.ones(3))])\n\n"
        "def build_head(hidden_size, num_classes):\n    head = Head(num_classes, hidden_size)\n"
        "    head.__dict__['in_features'] = hidden_size\n    return head\n"
    )
    assert graded(worker, *exercise_cells(HEAD, source)).points == 0


# What ends, hangs or fills up; run beside a right answer, whose points it may cost, but nobody else's.
NUISANCES = {
    "exit": "import os\nos._exit(0)",
    "sys.exit": "import sys\nsys.exit(0)",
    "kill all": "import os\nos.kill(-1, 9)",
    "kill the parents": "import os\nfor pid in (os.getppid(), 1):\n    os.kill(pid, 9)",
    "kill itself": "import os\nos.kill(os.getpid(), 9)",
    "crash": "import ctypes\nctypes.string_at(0)",
    "garbage": "import os\nfor link in range(3, 64):\n    try: os.write(link, b'\\xff' * 999)\n"
    "    except OSError: pass",
    "hang up": "import os\nos.closerange(0, 256)",
    "memory": "held = [bytearray(1 << 20) for _ in range(100_000)]",
    "tensors": "held = torch.ones(10**11)",
    "many processes' memory": "import os\nfor _ in range(8):\n    if os.fork() == 0:\n        break\n"
    "held = [bytes([1]) * (1 << 20) for _ in range(200)]\nwhile True: pass",
    "disk": "import itertools\nfor number in itertools.count():\n"
    "    open(str(number), 'wb').write(b'x' * (1 << 20))",
    "one file": "with open('/tmp/x', 'wb') as file:\n    while True: file.write(b'x' * (1 << 20))",
    "output": "for _ in range(10**5): print('x' * 1000)",
    "recursion": "def f(): return f()\nf()",
    "threads": "import threading\ndef spin():\n    while True: pass\n"
    "threading.Thread(target=spin, daemon=True).start()",
    "a network": "import socket\nsocket.create_connection(('127.0.0.1', 22))",
    "a machine's socket": "import socket\nsocket.socket(40, socket.SOCK_STREAM)",
    "input": "input()",
    "new namespaces": "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0",
    "a mount": "import ctypes\nassert ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0",
    "a higher limit": "import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (4096, 4096))",
}


@pytest.mark.parametrize("nuisance", NUISANCES.values(), ids=NUISANCES)
def test_a_nuisance_costs_at_most_its_author(limited, nuisance):
    with limited(memory_bytes=600 << 20, file_bytes=8 << 20) as worker:
        evidence = worker.grade(submission(extra(nuisance), *exercise_cells(HEAD, HEAD.right["own_module"])))
    assert evidence.status in ("graded", "student-failed"), evidence
    assert len(evidence.checks) == 1
    assert len(evidence.output) <= worker.limits.output_bytes
    if evidence.status == "student-failed":
        assert evidence.checks[0].message == evidence.reason != ""


def test_memory_is_watched_while_one_cell_follows_the_other(limited):
    children = (
        "import os, signal, time\nfor _ in range(8):\n    if os.fork() == 0:\n        time.sleep(1)\n"
        "        held = [bytes([1]) * (1 << 20) for _ in range(200)]\n        signal.pause()"
    )
    with limited(memory_bytes=600 << 20) as worker:
        evidence = worker.grade(
            submission(extra(children), *[extra("time.sleep(0.005)")] * 800, check("assert 1"))
        )
    assert evidence.status == "student-failed" and "memory" in evidence.reason


@pytest.mark.parametrize(
    "endless",
    ["import os, signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
     "while True:\n    try: os.fork()\n    except OSError: pass",
     "import signal\nfor number in range(1, 32):\n    try: signal.signal(number, signal.SIG_IGN)\n"
     "    except OSError: pass\n"
     "while True:\n    try:\n        while True: pass\n    except BaseException: pass"],
    ids=["fork bomb", "stubborn loop"],
)  # fmt: skip
def test_what_does_not_end_is_ended(limited, endless):
    with limited(cell_s=2) as worker:
        evidence = worker.grade(submission(answer(endless), check("assert 1")))
    assert evidence.status == "student-failed"
    assert "longer than 2 seconds" in evidence.reason
    assert [outcome.points for outcome in evidence.checks] == [0]


ENDLESS = {
    "loop": "while True: pass",
    "sleep": "import time\ntime.sleep(1000)",
    "await": "import asyncio\nawait asyncio.Event().wait()",
}


@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS)
def test_a_cell_that_does_not_end_is_interrupted_and_costs_no_more_than_itself(limited, endless):
    cells = (
        answer(endless + "\ndef f(): return 1"),
        check("assert f() == 1"),
        *exercise_cells(HEAD, HEAD.right["one_linear"]),
    )
    with limited(cell_s=2) as worker:
        evidence = worker.grade(submission(*cells))
    assert [outcome.points for outcome in evidence.checks] == [0, 1]
    assert "stopped with TookTooLong: it was interrupted after 2 seconds." in evidence.checks[0].message
    assert evidence.output.endswith("TookTooLong: it was interrupted after 2 seconds\n")


def test_cells_that_no_exercise_needs_leave_time_for_those_that_one_does(limited):
    endless = [extra("while True: pass")] * 3  # which would take all there is
    with limited(cell_s=1, total_s=4) as worker:
        evidence = worker.grade(submission(*endless, *exercise_cells(HEAD, HEAD.right["one_linear"])))
    assert evidence.checks[0].points == 1


def test_a_call_that_does_not_answer_ends_its_check_alone(limited):
    with limited(cell_s=1) as worker:
        cells = (
            answer("def f():\n    while True: pass"),
            check("try:\n    f()\nexcept Exception: pass\nassert f() == 1"),
            *exercise_cells(HEAD, HEAD.right["one_linear"]),
        )
        evidence = worker.grade(submission(*cells))
    assert [outcome.points for outcome in evidence.checks] == [0, 1]
    assert "does not end" in evidence.checks[0].message


def test_a_call_that_does_not_answer_in_a_cell_of_the_lesson_is_no_fault_of_the_graders(limited):
    cells = answer("def f():\n    while True: pass"), Cell("setup", "", "x = f()")
    with limited(cell_s=1) as worker:
        evidence = worker.grade(submission(*cells, *exercise_cells(HEAD, HEAD.right["one_linear"])))
    assert (evidence.status, evidence.checks[0].points) == ("graded", 1)
    assert evidence.notes == (
        "A cell of the lesson stopped because code of yours that it called took too long.",
    )


def test_a_call_that_does_not_hear_is_ended(limited):
    with limited(cell_s=1) as worker:
        cells = (
            answer(
                "import signal\ndef f():\n    signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
                "    while True: pass"
            ),
            check("assert f() == 1"),
            check("assert 1", grade_id="next"),
        )
        evidence = worker.grade(submission(*cells))
    assert [outcome.points for outcome in evidence.checks] == [0, 0]
    assert "does not end" in evidence.checks[0].message
    assert (
        evidence.checks[1].message
        == "This check was not reached because your code was stopped earlier. See `check`."
    )


LOOK = """
import glob, os, sys
from pathlib import Path
import tlwidgets

course = Path(tlwidgets.__file__).parents[1]
print(sorted(os.environ))
print(os.listdir('.'), os.listdir('/tmp'), glob.glob('/proc/[0-9]*'))
ours = ('graders', 'course', 'docs', 'tests', 'tlwidgets')
print(sorted(path.name for path in course.iterdir() if path.name in ours))
print([name for name in sys.modules if name.startswith('graders.checks')])
for attempt in (lambda: __import__('graders.checks'), lambda: Path(tlwidgets.__file__).write_text('')):
    try:
        attempt()
    except (ImportError, OSError) as error:
        print(type(error).__name__)
"""


def test_a_student_sees_python_the_toolkit_and_experiments_and_nothing_else(worker, tmp_path):
    (tmp_path / "answers.txt").write_text("42")
    look = f"{LOOK}print(Path({str(tmp_path)!r}).exists())"
    lines = worker.grade(submission(extra(look), check("assert 1"))).output.splitlines()
    added = set(ast.literal_eval(lines[0])) - set(ENVIRONMENT)  # by what was imported
    assert all(name.startswith(("LC_", "OMP_", "GOMP_", "KMP_", "TORCH")) for name in added)
    # In the folders to write in there is nothing, but for the way to a course that lies in /tmp itself.
    way = [ROOT.relative_to("/tmp").parts[0]] if ROOT.is_relative_to("/tmp") else []
    assert lines[1] in (f"{way} {way} ['/proc/2']", f"{way} {way} []")  # where a container forbids /proc
    assert lines[2:] == ["['course', 'tlwidgets']", "[]", "ModuleNotFoundError", "OSError", "False"]


SEARCH = """
import re

def there(pattern):
    found = 0
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb') as memory:
        for line in maps.read().splitlines():
            ends, flags = line.split()[:2]
            start, end = (int(place, 16) for place in ends.split('-'))
            if 'w' in flags and '[v' not in line:
                memory.seek(start)
                found += len(re.findall(pattern, memory.read(end - start)))
    return found > 0

# Patterns that do not match themselves.
patterns = b'swapped[-]sizes', b'check[_]build_head', b'marker[_]in_check', b'OMP_WAIT[_]POLICY'
print(*map(there, patterns))
"""


def test_no_answer_is_in_the_memory_of_a_students_process(worker):
    """Neither the catalogue nor test cells; a word of the toolkit's is, or the search would prove nothing."""
    test = "from graders.checks import check_build_head\nmarker_in_check = 1\nassert f() == 1"
    cells = answer("def f():\n    return 1"), check(test, grade_id="before"), extra(SEARCH)
    evidence = worker.grade(submission(*cells))
    assert (evidence.checks[0].points, evidence.output) == (3.0, "False False False True\n")


def test_one_submission_leaves_nothing_for_the_next(worker):
    leave = (
        "import os, sys\nopen('/tmp/left', 'w').write('x')\nsys.left = os.environ['LEFT'] = 'x'\nos.fork()"
    )
    worker.grade(submission(extra(leave), check("assert 1")))
    look = "import os, sys\nprint(os.path.exists('/tmp/left'), hasattr(sys, 'left'), 'LEFT' in os.environ)"
    assert worker.grade(submission(extra(look), check("assert 1"))).output == "False False False\n"


def test_what_is_known_of_hidden_inputs_gets_into_no_later_message(worker):
    """Neither through an error, its class name, a value, a method's name, an inspection, nor a print."""
    cells = (
        answer("kept = []\ndef keep(x):\n    kept.append(x)\n    return x"),
        check("assert keep(1) == 2, f'keep gave {keep(1)}'", grade_id="before"),
        check(
            "assert keep(1) == 1\n### BEGIN HIDDEN TESTS\nassert keep('a secret') == 'a secret'\n"
            "### END HIDDEN TESTS\n"
            "assert keep(1) == 2, f'keep gave {kept}'",
            grade_id="hidden",
        ),
        Cell("solution", "crash", "raise type(kept[-2].replace(' ', '_'), (ValueError,), {})(kept)"),
        check("crash()", grade_id="crash"),
        answer("def error():\n    raise ValueError(kept)\ndef value():\n    return repr(kept)\ndef named():\n"
               "    head = nn.Linear(8, 3)\n"
               "    setattr(head, 'zero_grad', print), setattr(head, 'half', kept)\n"
               "    head.__dict__['_call_impl'] = print\n    return head"),
        check("error()", grade_id="error"),
        check("from graders.checks.running import call\ncall(error, what='error()')", grade_id="called"),
        check("from graders.checks.compare import same\nsame(value(), 'x', 'value()')", grade_id="value"),
        check("assert value() == 'x', f'value() gave {value()}'", grade_id="said"),
        check("assert isinstance(named(), nn.Linear)", grade_id="named"),
        answer("class Odd:\n    def __call__(self): pass\n"
        "    def __getattr__(self, name): raise ValueError(kept)\nodd = Odd()"),
        check("odd()", grade_id="odd"),
        extra("print(kept)\nraise ValueError(kept)"),
    )  # fmt: skip
    evidence = worker.grade(submission(*cells))
    said = {outcome.grade_id: outcome.message for outcome in evidence.checks}
    assert said["before"] == "keep gave 1"
    assert said["hidden"] == "This check failed."
    assert said["error"] == said["called"] == said["odd"] == "Your code stopped with ValueError."
    assert "crash stopped with ValueError." in said["crash"]
    assert "secret" not in repr(evidence)


def test_an_operation_that_takes_hours_ends_as_the_students(limited):
    slow = """
def build_head(hidden_size, num_classes):
    long = nn.Conv1d(1, 1, 4_000_001, padding=4_000_000)
    return nn.Sequential(nn.Unflatten(1, (1, -1)), long, nn.Flatten())
"""
    with limited(cell_s=2, total_s=8) as worker:
        evidence = worker.grade(submission(*exercise_cells(HEAD, slow)))
    assert evidence.status == "student-failed" and "ran longer than 2 seconds" in evidence.reason


def test_a_model_that_is_filled_until_it_can_not_be_sent_is_no_fault_of_the_graders(worker):
    dial = next(exercise for exercise in EXERCISES if exercise.id == "set-dial")
    filled = dial.right["slice_from_the_front"].replace(
        "def set_dial(model, layers):\n",
        "def set_dial(model, layers):\n"
        "    place = f'more{len(model._buffers)}'\n"
        "    model.register_buffer(place, torch.ones(9_000_000), persistent=False)\n",
    )
    evidence = worker.grade(submission(*exercise_cells(dial, filled)))
    assert (evidence.status, evidence.checks[0].points) == ("graded", 0)
    assert "ValueError: a model holds too much to be sent" in evidence.checks[0].message
