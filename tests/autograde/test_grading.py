"""Graded from outside, every program of the catalogue gets its points, or the message of its mistake."""

import pytest

from graders.autograde import Cell, Evidence
from graders.checks import EXERCISES

from .conftest import answer, check, exercise_cells, extra, graded, submission

pytestmark = pytest.mark.slow

MISTAKES = [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.mistakes]
RIGHT = [(exercise, name) for exercise in EXERCISES for name in exercise.right]


@pytest.mark.parametrize(
    ("exercise", "name"), RIGHT, ids=[f"{exercise.id}-{name}" for exercise, name in RIGHT]
)
def test_a_right_program_gets_its_points(worker, exercise, name):
    program = exercise.right[name]
    outcome = graded(worker, *exercise_cells(exercise, program), seed=len(program))
    assert (outcome.points, outcome.best, outcome.message) == (exercise.points, exercise.points, "")
    assert outcome.completed and outcome.assertions >= 1


@pytest.mark.parametrize(
    ("exercise", "mistake"), MISTAKES, ids=[f"{exercise.id}-{mistake.id}" for exercise, mistake in MISTAKES]
)
def test_a_mistake_gets_its_message_and_no_points(worker, exercise, mistake):
    program = exercise.wrong[mistake.id]
    outcome = graded(worker, *exercise_cells(exercise, program), seed=len(program))
    assert (outcome.points, outcome.completed, outcome.mistake) == (0, False, mistake.id)
    assert outcome.message == f"{mistake.message}\nTry: {mistake.hints[0]}"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_an_unanswered_exercise_says_so(worker, exercise):
    names = "\n".join(f"def {name}(*args):\n    raise NotImplementedError" for name in exercise.functions)
    assert "is not written yet" in graded(worker, *exercise_cells(exercise, names)).message


def test_checks_that_judge_a_model_say_that_effects_were_judged(worker):
    by_id = {exercise.id: exercise for exercise in EXERCISES}
    for id, trust in (("set-dial", "effects"), ("pick", "values")):
        program = next(iter(by_id[id].right.values()))
        assert graded(worker, *exercise_cells(by_id[id], program)).trust == trust


def test_an_assert_of_any_author_counts(worker):
    outcome = graded(
        worker,
        answer("def double(x):\n    return 2 * x\n\nsize = 4"),
        check("import numpy as np\nassert double(3) == 6\nfor x in range(3):\n    assert double(x) == x + x\n"
              "np.testing.assert_allclose(double(0.5), 1.0)\nassert size == 4"),
    )  # fmt: skip
    assert (outcome.points, outcome.assertions) == (3.0, 6)


def test_an_assert_that_fails_earns_nothing_and_its_source_stays_hidden(worker):
    outcome = graded(
        worker, answer("def double(x):\n    return x"), check("secret = 6\nassert double(3) == secret")
    )
    assert (outcome.points, outcome.message) == (0, "This check failed.")
    outcome = graded(
        worker, answer("def double(x):\n    return x"), check("assert double(3) == 6, 'Twice 3 is 6.'")
    )
    assert outcome.message == "Twice 3 is 6."


@pytest.mark.parametrize(
    ("source", "why"),
    [("assert 1 + 1 == 2", "called nothing of the student's"), ("double(3)", "compared nothing")],
)
def test_a_check_that_proves_nothing_gives_no_points_and_tells_the_teacher(worker, source, why):
    evidence = worker.grade(submission(answer("def double(x):\n    return 2 * x"), check(source)))
    assert evidence.checks[0].points == 0
    assert any(why in note for note in evidence.notes)


def test_a_check_that_is_broken_is_no_fault_of_the_student(worker):
    for broken in ("assert 1 / 0", "this is no Python"):
        evidence = worker.grade(submission(answer("x = 1"), check(broken)))
        assert (evidence.status, evidence.checks) == ("grader-failed", ())
        assert "check" in evidence.reason


def test_the_same_seed_gives_the_same_hidden_inputs_and_another_gives_others(worker):
    def inputs(seed: int) -> str:
        cells = (
            answer("def f(x):\n    raise ValueError(x)"),
            check("import random\nassert f(random.random()) == 1"),
        )
        return graded(worker, *cells, seed=seed).message

    assert inputs(1) == inputs(1) != inputs(2)


def test_a_missing_answer_says_why_it_is_missing(worker):
    outcome = graded(worker, answer("def double(x)\n    return 2 * x"), check("assert double(3) == 6"))
    assert outcome.points == 0
    assert "`double` is not defined" in outcome.message and "SyntaxError" in outcome.message


def test_what_printed_is_in_the_evidence_as_plain_text(worker):
    evidence = worker.grade(submission(answer("print('seen \\x1b[31mred\\x1b[0m')"), check("assert 1")))
    assert evidence.output == "seen red\n"


def test_a_check_sees_the_lessons_own_helpers_not_the_students(worker):
    setup = "import torch\ndef close(a, b):\n    return abs(a - b) < 0.1\nstart = None"
    cells = (
        answer("def close(a, b):\n    return True\n\nstart = 5\n\ndef f(x):\n    return 100"),
        check("assert close(f(1), 1)", grade_id="check-f"),
        check("assert start == 5", grade_id="check-start"),
    )
    helper, data = worker.grade(submission(*cells, setup=setup)).checks
    assert (helper.points, data.points) == (0, 3.0)


def test_cells_before_a_crash_keep_their_points(worker):
    cells = (
        answer("def f(x):\n    return x"), check("assert f(1) == 1", grade_id="first"),
        extra("import os\nos._exit(3)"), check("assert f(1) == 1", grade_id="second"),
    )  # fmt: skip
    evidence = worker.grade(submission(*cells))
    assert evidence.status == "student-failed" and "exit status 3" in evidence.reason
    assert [outcome.points for outcome in evidence.checks] == [3.0, 0.0]
    assert evidence.checks[1].message == evidence.reason


def test_evidence_says_what_it_took(worker):
    evidence = worker.grade(submission(answer("x = 1"), check("assert x == 1")))
    assert isinstance(evidence, Evidence)
    assert evidence.wall_s > 0 and evidence.cpu_s > 0
    assert evidence.isolation == worker.isolation


def test_what_was_expected_is_not_told_by_a_librarys_own_words(worker):
    test = "import numpy as np\nnp.testing.assert_allclose(f(1), 4321.5)"
    outcome = graded(worker, answer("def f(x):\n    return 1.0"), check(test))
    assert (outcome.points, outcome.message) == (0, "This check failed.")


def test_data_of_the_lesson_can_not_be_replaced_but_placeholders_are_there_to_be(worker):
    cells = (
        answer("def f(x):\n    return 0\n\nexpected = [0]\nyours = 5"),
        extra("expected = [0]"),
        check("assert [f(1)] == expected", grade_id="expected"),
        check("assert yours == 5", grade_id="yours"),
    )
    evidence = worker.grade(submission(*cells, setup="expected = [1]\nyours = ..."))
    assert [outcome.points for outcome in evidence.checks] == [0, 3.0]


SETUPS = {
    "a call of theirs that stops": "value = f(1)\nRIGHT = 4",
    "a call of theirs that stops, with PyTorch": "value = f(torch.ones(1))\n"
    "RIGHT = torch.ones(1).sum().item() + 3",
    "a call of theirs that stops, with data of the lesson": "data = [4]\nvalue = f(data)\nRIGHT = data[0]",
    "a call of theirs that stops, and helpers": "value = f([a for a in 'xy'])\ndef helper(a): return f(a)\n"
    "more = helper(1)\n"
    "RIGHT = [a for a in range(5)][-1]",
    "an object that cannot be looked at": "def helper(odd): return odd\nRIGHT = helper(4)",
    "a magic": "%%capture shown\nRIGHT = 4",
    "a magic's answer": "shown = get_ipython().getoutput('ls')\nRIGHT = 4",
}


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
def test_what_a_cell_of_the_lesson_makes_without_the_student_is_not_theirs_to_make(worker, setup):
    """They could stop it in the checker alone, by counting calls."""
    stops = (
        "calls = 0\ndef f(x):\n    global calls\n    calls += 1\n    if calls > 1: raise ValueError\n"
        "    return 5\n"
    )
    cells = (
        answer(stops + "class get_ipython:\n    def captured(self): return 0\ndef g(): return 5"),
        answer(
            "a = helper = more = 5\nclass Odd:\n    def __call__(self): pass\n"
            "    def __getattr__(self, name): 1 / 0\nodd = Odd()"
        ),
        Cell("setup", "", setup),
        extra("RIGHT = 5"),
        check("assert g() == RIGHT"),
    )
    assert graded(worker, *cells).points == 0
    assert graded(worker, answer("def f(x): return 5\ndef g(): return 4"), *cells[2:]).points == 3.0


def test_what_a_cell_of_the_lesson_makes_of_the_students_is_read_where_it_was_made(worker):
    """An object of theirs is no plain value: the checker can't go on with it, and their process could."""
    cells = (
        answer("class Box:\n    size = 4\ndef box(): return Box()\ndef g(): return 4"),
        Cell("setup", "", "kept = {}\nkept['one'] = box()\nsize = kept['one'].size\nRIGHT = 4"),
        check("assert g() == size == RIGHT"),
    )
    assert graded(worker, *cells).points == 3.0


ODD = {
    "raises": ("return self.parts[name]", "Your code stopped with KeyError"),
    "does not end": ("while True: pass", "Look for a loop that does not end"),
}


@pytest.mark.parametrize(("body", "said"), ODD.values(), ids=ODD)
def test_an_object_that_can_not_be_looked_at_costs_its_check_alone(limited, body, said):
    odd = (
        "class Odd:\n    parts = {}\n    def __call__(self): return 1\n"
        f"    def __getattr__(self, name):\n        {body}\nf = Odd()"
    )
    cells = (
        answer(odd), check("assert f() == 1", grade_id="f"),
        answer("def g(): return 1"), check("assert g() == 1", grade_id="g"),
    )  # fmt: skip
    with limited(cell_s=2) as worker:
        evidence = worker.grade(submission(*cells))
    assert [outcome.points for outcome in evidence.checks] == [0, 3.0]
    assert said in evidence.checks[0].message


def test_a_set_up_that_fails_is_no_fault_of_the_student_nor_theirs_to_replace(worker):
    cells = (
        answer("def f(x):\n    return x\n\ndef close(a, b):\n    return True"),
        check("assert close(f(1), 1)"),
    )
    setup = "open('data of the lesson.csv')\ndef close(a, b):\n    return a == b"
    evidence = worker.grade(submission(*cells, setup=setup))
    assert (evidence.status, evidence.checks) == ("grader-failed", ())


def test_an_answer_of_the_wrong_kind_costs_the_student_and_nobody_else(worker):
    outcome = graded(worker, answer("def size():\n    return 4"), check("assert size + 1 == 5"))
    assert outcome.points == 0 and "TypeError" in outcome.message


def test_a_check_that_gives_more_than_can_be_sent_is_no_fault_of_the_student(worker):
    test = "try:\n    f(torch.zeros(2**25))\nexcept Exception:\n    raise AssertionError('You are wrong.')"
    evidence = worker.grade(submission(answer("def f(x):\n    return x"), check(test)))
    assert (evidence.status, evidence.checks) == ("grader-failed", ())
    assert "MiB" in evidence.reason


def test_a_student_who_is_gone_in_the_middle_of_a_gradient_is_gone(worker):
    source = (
        "import os\n\nclass Last(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n"
        "        return x * 2\n"
        "    @staticmethod\n    def backward(ctx, gradient):\n        os._exit(5)\n\ndef f(x):\n"
        "    return Last.apply(x)"
    )
    test = (
        "x = torch.ones(2, requires_grad=True)\ntry:\n    f(x).sum().backward()\nexcept Exception:\n"
        "    pass\nassert f is f"
    )
    evidence = worker.grade(submission(answer(source), check(test)))
    assert evidence.status == "student-failed" and "exit status 5" in evidence.reason
    assert evidence.checks[0].points == 0
