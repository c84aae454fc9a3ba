"""`tlcourse grade` on a class: points, messages, and what nbgrader's own tools make of them."""

import json
import re
from html import unescape

import pytest
import quick
from classroom import BEST, BY_ID, RIGHT, UNIT, Classroom, programs, wrong
from ledger import attempts, grades, ledger
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers

from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import find_assignment
from graders.autograde.records import GradingError

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

HTML = "<script>alert(1)</script><img src=x onerror=alert(1)>"
ESCAPES = "\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07"


def own_cells(*sources: str):
    """A change that puts cells of the student's own at the start, in the middle and at the end."""

    def change(notebook: dict) -> None:
        for number, source in enumerate(sources):
            cell = {
                "cell_type": "code",
                "source": source,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            notebook["cells"].insert(number * len(notebook["cells"]) // max(1, len(sources) - 1), cell)

    return change


def noisy(id: str) -> str:
    """A right answer that warns, prints and shows a bar on the way."""
    prints = "import sys, warnings\nprint('hello')\nprint('bar', file=sys.stderr)\nwarnings.warn('careful')\n"
    body = re.sub(
        r"(def \w+\(.*\):\n)", r"\1    print('called'); warnings.warn('called')\n", RIGHT[id], count=1
    )
    return prints + body


def drop(id: str):
    def change(notebook: dict) -> None:
        cells = notebook["cells"]
        notebook["cells"] = [
            one for one in cells if one["metadata"].get("nbgrader", {}).get("grade_id") != id
        ]

    return change


# Each with what it is worth. Those who did right get everything, whatever else their notebook does.
FAIR = {
    "plain": (RIGHT, None),
    "noisy": ({id: noisy(id) for id in RIGHT}, None),
    "slow": (RIGHT | {"build-head": f"import time\ntime.sleep(1.5)\n{RIGHT['build-head']}"}, None),
    "own-cells": (RIGHT, own_cells("before = 1", "before + 1", "1 / 0", "print(before)")),
    "check-deleted": (RIGHT, drop("check-build-head")),
    "windows": ({id: source.replace("\n", "\r\n") for id, source in RIGHT.items()}, None),
    "marked": (
        RIGHT | {"build-head": f"# {HTML}\nprint('{HTML}')\nprint('{ESCAPES}')\n{RIGHT['build-head']}"},
        None,
    ),
}
UNREADABLE = {
    "no-json": (b'{"cells": [', "not JSON"),
    "no-cells": (b"[]", "no list of cells"),
    "empty": (b"", "empty file"),
}


@pytest.fixture(scope="module")
def graded(whole, tmp_path_factory) -> Classroom:
    """A class graded once, with its feedback."""
    room = whole.copy(tmp_path_factory.mktemp("graded") / "course")
    for student, (answers, change) in FAIR.items():
        room.hand_in(student, answers, change)
    for student, (content, _) in UNREADABLE.items():
        room.put(student, content)
    room.put("no-notebook", b"my dog ate it", "notes.txt")
    room.hand_in("one-mistake", wrong("freeze-backbone", "statistics-drift"))
    room.hand_in("one-missing", RIGHT, drop("build-head"))
    room.hand_in("nothing", {})
    for number in range(4):
        room.hand_in(f"made-up-{number}", programs(number)[0])
    room.said = room.grade("--workers", "2", "--json")
    room.feedback_said = room.nbgrader("generate_feedback", UNIT)
    return room


@pytest.mark.parametrize("student", FAIR)
def test_who_did_right_gets_everything(graded, student):
    assert graded.xp()[student] == BEST


def test_everybody_gets_what_their_programs_are_worth(graded):
    xp = graded.xp()
    assert {number: xp[f"made-up-{number}"] for number in range(4)} == {
        number: programs(number)[1] for number in range(4)
    }
    assert (xp["one-mistake"], xp["nothing"]) == (BEST - 2, 0)


def test_a_missing_answer_costs_its_exercise_and_says_so(graded):
    assert graded.xp()["one-missing"] == BEST - BY_ID["build-head"].points
    assert "one-missing: The cell `build-head` is missing from what was handed in." in graded.said
    assert "is missing from what was handed in" in plain(graded.feedback("one-missing"))


@pytest.mark.parametrize("student", UNREADABLE)
def test_what_cant_be_read_is_nothing_with_a_reason_and_costs_nobody_else(graded, student):
    reason = UNREADABLE[student][1]
    assert graded.xp()[student] == 0
    assert re.search(rf"^{student}: .*{reason}", graded.said, re.M)
    assert reason in plain(graded.feedback(student))


def test_a_folder_without_a_notebook_has_its_own_row(graded):
    assert graded.xp()["no-notebook"] == 0
    assert f"no-notebook: {UNIT}.ipynb was not handed in" in graded.said


def test_every_cell_has_a_grade_and_nobody_has_to_grade_by_hand(graded):
    rows = ledger(graded.address)["grades"]
    assert len(rows) == len(BY_ID) * len(graded.xp())
    assert all(auto is not None and not by_hand for *_, auto, _, _, by_hand in rows)


def test_feedback_is_made_without_a_warning(graded):
    assert "WARNING" not in graded.feedback_said


def test_feedback_names_the_mistake(graded):
    message = next(one.message for one in BY_ID["freeze-backbone"].mistakes if one.id == "statistics-drift")
    assert message[:60] in plain(graded.feedback("one-mistake"))


def test_pictures_and_messages_fit_and_hints_can_be_seen_to_open_in_feedback_and_formgrader(graded):
    exporter = HTMLExporter(
        config=open_course(graded.folder).config,
        template_name="formgrade",
        extra_template_basedirs=[handlers.template_path],
    )
    about = {"student": "plain", "base_url": "", "index": 0, "total": 1}
    page, _ = exporter.from_notebook_node(graded.autograded("plain"), about)
    for html in (graded.feedback("plain"), page):
        style = " ".join(re.findall(r"<style[^>]*>(.*?)</style>", html, re.S))
        assert all(
            rule in style
            for rule in (
                "max-width: 100%; height: auto",
                "pre-wrap",
                "display: list-item",
                ".panel-heading { height: auto !important; overflow: hidden",
            )
        )


def test_feedback_has_nothing_of_a_students_but_text(graded):
    html = graded.feedback("marked")
    assert "alert(1)" in html and HTML not in html and "<img src=x" not in html
    assert "\x1b" not in html and "red" in plain(html)


def test_running_it_again_grades_nothing_twice(graded):
    before, times = ledger(graded.address), attempts(graded.address)
    files = {path: path.stat().st_mtime_ns for path in graded.folder.glob("autograded/*/*/*.ipynb")}
    said = graded.grade()
    assert f"0 graded, {len(times)} graded before" in said and "is older than the grades" not in said
    assert (ledger(graded.address), attempts(graded.address)) == (before, times)
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_feedback_of_earlier_grades_is_told_until_it_is_renewed(graded, tmp_path):
    room = graded.copy(tmp_path / "course")
    room.hand_in("nothing", RIGHT)
    command = f"`nbgrader generate_feedback {UNIT} --force --student nothing`"
    assert command in room.grade()
    assert command in room.grade()  # though nothing was graded
    room.nbgrader(*command.strip("`").split()[1:])
    assert "is older than the grades" not in room.grade()
    assert f"Score: {BEST:.1f} / {BEST:.1f}" in plain(room.feedback("nothing"))


def test_the_summary_counts_named_mistakes_cell_by_cell(graded):
    said = graded.said
    summary = json.loads(said[said.index("{") : said.rindex("}") + 1])
    cells = {cell["cell"]: cell for cell in summary["cells"]}
    drift = [one for one in cells["check-freeze-backbone"]["mistakes"] if one["id"] == "statistics-drift"]
    assert drift[0]["students"] >= 1 and "batch" in drift[0]["message"].lower()
    assert len(summary["students"]) == len(graded.xp())
    assert {one["id"]: one["score"] for one in summary["students"]} == graded.xp()
    page = (graded.folder / "grading" / f"{UNIT}.html").read_text()
    assert "statistics-drift" in page and "//" not in re.sub(r"<script>.*?</script>", "", page, flags=re.S)


def test_a_summary_that_cant_be_written_gets_a_sentence_and_the_grades_are_there(room):
    room.hand_in("ada", quick.RIGHT)
    (room.folder / "grading").write_text("a file where the folder should be")
    said = room.grade(status=1)
    assert "The summary cannot be written to" in said and "Traceback" not in said
    assert room.xp() == {"ada": quick.BEST}


COMPOSED, DECOMPOSED = "ren\u00e9e", "rene\u0301e"


def test_one_name_is_one_student_in_every_form_of_unicode(room, grade):
    room.hand_in(DECOMPOSED, quick.RIGHT)  # a file system of macOS
    grade()
    assert room.xp() == {COMPOSED: quick.BEST}
    room.hand_in(COMPOSED, quick.RIGHT)
    said = room.grade("--student", DECOMPOSED)
    assert "Two folders have this name" in said and "0 graded, 1 graded before" in said
    assert room.xp() == {COMPOSED: quick.BEST}


def test_a_students_id_is_spelled_as_the_gradebook_spells_it(room, grade):
    room.nbgrader("db", "student", "add", DECOMPOSED)
    room.hand_in(COMPOSED, quick.RIGHT)
    grade()
    assert room.xp() == {DECOMPOSED: quick.BEST}


@pytest.mark.parametrize("given", ["01", f"{UNIT}/", f"source/{UNIT}", UNIT])
def test_an_assignment_is_found_by_its_number_and_by_its_folder(room, given):
    assert find_assignment(open_course(room.folder), given) == UNIT


@pytest.mark.parametrize("given", ["", "..", "1", "01-transfer", "07"])
def test_an_assignment_that_is_not_there_is_told_with_those_that_are(room, given):
    with pytest.raises(GradingError, match=f"no unit '{given}'.*Expected one of {UNIT}"):
        find_assignment(open_course(room.folder), given)


def test_a_folder_that_is_not_a_course_is_called_so(tmp_path):
    with pytest.raises(GradingError, match="is not a course folder.*--course"):
        find_assignment(open_course(tmp_path), UNIT)


def test_a_course_folder_that_cant_be_written_to_gets_a_sentence(room):
    (room.folder / ".tlcourse-grade.lock").mkdir()  # stands in the way, also of an administrator
    said = room.grade(status=1)
    assert "cannot be written to" in said and "Traceback" not in said


# Of these two made-up students each exercise is answered rightly by one and wrongly by the other.
BOTH_WAYS = (4, 9)


def test_the_grades_are_stock_nbgraders_on_honest_submissions(whole, tmp_path, grade_in):
    answers, others = (programs(number)[0] for number in BOTH_WAYS)
    assert all(
        (answers[id] in one.right.values()) != (others[id] in one.right.values()) for id, one in BY_ID.items()
    )
    stock, ours = whole.copy(tmp_path / "stock"), whole.copy(tmp_path / "ours")
    for room in (stock, ours):
        for number in BOTH_WAYS:
            room.hand_in(f"student-{number}", programs(number)[0])
        room.hand_in("nothing", {})
    stock.nbgrader("autograde", UNIT)
    grade_in(ours)
    assert ours.xp() == {"nothing": 0} | {f"student-{number}": programs(number)[1] for number in BOTH_WAYS}
    assert grades(ours.address) == grades(stock.address)


def test_where_nothing_holds_code_apart_it_refuses_or_marks_every_grade(room, grade):
    """A machine of a kind on which the grader knows no isolation, as the system call `uname` tells it."""
    elsewhere = ("setarch", "linux32")
    room.hand_in("ada", quick.RIGHT)
    before = grades(room.address)
    said = room.grade(under=elsewhere, status=1)
    assert "Students' code cannot be isolated here" in said and "--unsafe-no-isolation" in said
    assert grades(room.address) == before
    said = room.grade("--unsafe-no-isolation", under=elsewhere)
    assert "is not isolated: every grade is marked as such" in said
    assert room.xp() == {"ada": quick.BEST}
    assert [row[8] for row in ledger(room.address)["audit"]] == ["none"]
    assert {row[2] for row in ledger(room.address)["comments"]} == {"Graded without isolation."}
    assert "Graded without isolation" in room.autograded("ada").cells[0].source
    assert "Not isolated." in (room.folder / "grading" / f"{UNIT}.html").read_text()
    grade()  # here there is isolation: what was graded without it is graded again
    assert ledger(room.address)["audit"][-1][8] != "none"
    assert {row[2] for row in ledger(room.address)["comments"]} == {None}


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())
