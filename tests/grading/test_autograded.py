"""What stock nbgrader reads after grading: points and messages, and nothing that students should not see."""

from html.parser import HTMLParser

import nbformat
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from nbformat import v4
from nbgrader.utils import determine_grade, is_grade

from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import load_assignment
from graders.autograde.records import CheckOutcome, Evidence
from graders.autograde.results.notebook import UNSAFE, autograded_notebook, points_by_cell
from graders.autograde.submission.notebook import parse_notebook
from graders.autograde.submission.rebuild import rebuild
from graders.autograde.text import escape_markdown, strip_control_characters, visible_source

HIDDEN = "assert taste() == 'very good'  # a secret"


def graded_cell(cell, id: str, **kind) -> nbformat.NotebookNode:
    usual = {"grade": False, "solution": False, "locked": False, "task": False}
    cell.metadata.nbgrader = {"schema_version": 3, "grade_id": id, **usual, **kind}
    return cell


@pytest.fixture(scope="module")
def soup(tmp_path_factory):
    """A lesson with hidden tests, and an answer in words that a person grades."""
    root = tmp_path_factory.mktemp("soup")
    (root / "source" / "soup").mkdir(parents=True)
    stub = "def taste():\n    ### BEGIN SOLUTION\n    return 'very good'\n    ### END SOLUTION"
    test = f"assert taste()\n### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS"
    cells = [
        graded_cell(v4.new_code_cell(stub), "taste", solution=True),
        graded_cell(v4.new_code_cell(test), "check-taste", grade=True, locked=True, points=4),
        graded_cell(v4.new_markdown_cell("Your thoughts"), "words", grade=True, solution=True, points=2),
    ]
    nbformat.write(v4.new_notebook(cells=cells), root / "source" / "soup" / "soup.ipynb")
    return load_assignment(open_course(root), "soup")


def hand_in(soup, **answers: str):
    notebook = nbformat.reads(soup.lessons[0].release, as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.nbgrader.grade_id, cell.source)
    return rebuild(soup, soup.lessons[0], parse_notebook("soup", nbformat.writes(notebook).encode()), "ada")


def evidence(points: float, message: str = "", **more) -> Evidence:
    outcome = CheckOutcome("check-taste", points, 4.0, True, 1, message)
    return Evidence("graded", "", (outcome,), **{"isolation": "namespaces", **more})


def text_of(notebook) -> str:
    return nbformat.writes(notebook)


def test_hidden_tests_run_and_are_not_shown(soup):
    rebuilt = hand_in(soup, taste="def taste():\n    return 'good'")
    assert HIDDEN in next(cell.source for cell in rebuilt.submission.cells if cell.kind == "test")
    assert "a secret" not in text_of(autograded_notebook(soup.lessons[0], rebuilt, evidence(0, "Not so.")))
    assert "a secret" not in text_of(autograded_notebook(soup.lessons[0], None, evidence(0, "Not so.")))


@pytest.mark.parametrize("points", [0.0, 0.5, 1.0, 2.75, 4.0])
def test_nbgrader_finds_the_points_of_the_evidence(soup, points):
    rebuilt = hand_in(soup)
    notebook = autograded_notebook(
        soup.lessons[0], rebuilt, evidence(points, "" if points == 4 else "Partly.")
    )
    nbformat.validate(notebook)
    (check,) = [cell for cell in notebook.cells if is_grade(cell) and cell.cell_type == "code"]
    assert determine_grade(check) == (points, 4.0)
    assert points_by_cell(notebook, rebuilt, soup.lessons[0])["check-taste"] == points


def test_a_check_without_evidence_has_no_points(soup):
    rebuilt = hand_in(soup)
    notebook = autograded_notebook(
        soup.lessons[0], rebuilt, Evidence("student-failed", "It ran too long.", ())
    )
    assert points_by_cell(notebook, rebuilt, soup.lessons[0])["check-taste"] == 0
    assert "It ran too long." in text_of(notebook)


def test_an_answer_in_words_waits_for_a_person_unless_there_is_none(soup):
    for answers, expected in (({"words": "I like it"}, None), ({}, 0)):
        rebuilt = hand_in(soup, **answers)
        notebook = autograded_notebook(soup.lessons[0], rebuilt, evidence(4))
        assert points_by_cell(notebook, rebuilt, soup.lessons[0]) == {"check-taste": 4, "words": expected}
    assert points_by_cell(notebook, None, soup.lessons[0])["words"] == 0


def test_words_keep_their_markdown_and_lose_their_scripts(soup):
    rebuilt = hand_in(soup, words="**bold** <script>alert(1)</script> <b onclick='alert(1)'>x</b>")
    notebook = autograded_notebook(soup.lessons[0], rebuilt, evidence(4))
    source = notebook.cells[-1].source
    assert "**bold**" in source and "<script" not in source and "onclick" not in source


@pytest.mark.parametrize(
    "words",
    [
        "[x](javascript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x]( <java&Tab;script:alert(1)> 'title')",
        "[x][1]\n\n> [1]: javascript:alert(1)",
        "[x](data:text/html,x)",
        "![x](https://a.example/seen)",
        "![x](attachment:picture.png)",
        "![x][1]\n\n[1]: attach&#109;ent:picture.png",
        "$\\href{javascript:alert(1)}{x}$",
        "&#36;\\hre&#102;{javascript:alert(1)}{x}&#36;",
    ],
)
def test_words_fetch_nothing_and_lead_nowhere_but_to_the_web(soup, words):
    notebook = autograded_notebook(soup.lessons[0], hand_in(soup, words=words), evidence(4))
    page = _Shown()
    page.feed(markdown2html_mistune(notebook.cells[-1].source))
    page.close()
    assert "img" not in page.tags and page.links in ([], ["https://a.example/seen"])
    assert "\\href" not in page.text and "x" in page.text


def test_words_keep_links_to_the_web_and_names(soup):
    words = (
        "[a](https://a.example/?b=1&c=2) [b](#place) [c](notes.md 'title') `x[0]` [d][1]\n\n"
        "[1]: https://d.example"
    )
    notebook = autograded_notebook(soup.lessons[0], hand_in(soup, words=words), evidence(4))
    page = _Shown()
    page.feed(markdown2html_mistune(notebook.cells[-1].source))
    page.close()
    assert page.links == ["https://a.example/?b=1&c=2", "#place", "notes.md", "https://d.example"]
    assert "x[0]" in page.text


def test_what_code_said_is_plain_text_and_cut(soup):
    loud = "\x1b[31mred\x1b[0m\x1b]0;title\x07\x00" + "é" * 100_000
    notebook = autograded_notebook(soup.lessons[0], hand_in(soup), evidence(0, loud, output=loud))
    nbformat.validate(notebook)
    for output in (output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs):
        text = output.get("text") or output.evalue
        assert text.startswith("red") and "\x1b" not in text and "title" not in text
        assert len(text.encode()) < 20_000 and "cut here: it was 200,003 bytes long" in text


def test_what_the_grader_noticed_is_said_once(soup):
    (lesson,) = soup.lessons
    rebuilt = rebuild(soup, lesson, parse_notebook("soup", b'{"cells": []}'), "ada")
    notes = rebuilt.submission.notes
    assert notes
    noticed = autograded_notebook(lesson, rebuilt, evidence(0.0, notes=notes)).cells[0].source
    assert all(noticed.count(note) == 1 for note in notes)


def test_grades_without_isolation_are_marked(soup):
    notebook = autograded_notebook(soup.lessons[0], hand_in(soup), evidence(4, isolation="none"))
    assert UNSAFE in notebook.cells[0].source
    assert UNSAFE not in text_of(autograded_notebook(soup.lessons[0], hand_in(soup), evidence(4)))


def test_a_program_that_takes_hours_to_colour_is_cut():
    """Pygments looks from each blank line to the next letter, and from each dot to the next name."""
    assert visible_source("x\n \n\t \n  y \n", 100) == "x\n\n\n  y \n"
    assert visible_source("x" * 100, 100) == "x" * 100
    assert visible_source("." * 20_000, 1000).splitlines() == [
        "." * 1000,
        "# … (cut here: it was 20,000 bytes long)",
    ]


@given(st.text(), st.integers(0, 50))
def test_plain_text_has_no_control_characters_and_its_size(text, limit):
    found = strip_control_characters(text, limit)
    assert not any(ord(sign) < 32 and sign not in "\n\t" or 127 <= ord(sign) < 160 for sign in found)
    assert len(found.partition("\n… (cut here")[0].encode()) <= max(
        limit, len(found.encode()) if limit else 0
    )
    assert strip_control_characters(strip_control_characters(text)) == strip_control_characters(text)


@given(
    st.text(alphabet=st.sampled_from("`$\\(){}[]<>!:/@.*_~|#-+ 1aé&;w"), max_size=30) | st.text(max_size=30)
)
@example("$\\href{https://a.example}{x}$ \\(y\\) \\begin{align}z\\end{align}")
@example("https://a.example www.a.example a@a.example <https://a.example> [x](https://a.example)")
@example("`name``$``$x$`$`$ `a$`")
def test_text_as_markdown_shows_and_starts_nothing(text):
    line = f"x {' '.join(strip_control_characters(text).split())} x"
    page = _Shown()
    page.feed(markdown2html_mistune(escape_markdown(line)))
    page.close()
    assert page.tags <= {"p", "code"}
    assert not set("$\\") & set(page.outside_code)
    assert page.text.replace("`", "").split() == line.replace("`", "").split()


class _Shown(HTMLParser):
    """What a reader sees, what of it is not set as code, and where links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.text, self.outside_code = set(), "", ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attributes if name == "href"]
        self._tag = tag

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        self.text += data
        self.outside_code += data if self._tag != "code" else ""
