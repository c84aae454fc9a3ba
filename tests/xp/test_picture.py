"""The picture of XP has a bounded size, whatever the class, and shows any name as text."""

import warnings
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from graders.xp import Student, standing
from graders.xp.picture import NAME_WIDTH, _width, draw, short_name

pytestmark = pytest.mark.slow

LONG = "Wolfeschlegelsteinhausenbergerdorff, the Third of Bremen"


def class_of(count: int, name: str = "Student"):
    students = [
        Student(f"s{number}", f"{name} {number}", {"01": (number % 66, 65)}) for number in range(count)
    ]
    return sorted(map(standing, students), key=lambda one: -one.xp)


@pytest.mark.parametrize("count", [0, 1, 7, 40, 41, 120, 121, 1000])
def test_no_class_makes_it_larger_than_a_page(count, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(class_of(count, LONG), tmp_path / "xp.png")
    with Image.open(tmp_path / "xp.png") as picture:
        assert picture.width <= 1800 and picture.height <= 1400
    assert [path.name for path in tmp_path.iterdir()] == ["xp.png"]


def texts(path) -> list[str]:
    return [
        "".join(one.itertext()) for one in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_up_to_120_students_everybody_has_a_bar_with_name_and_xp(tmp_path):
    draw(class_of(120), tmp_path / "xp.svg")
    shown = texts(tmp_path / "xp.svg")
    assert {f"Student {number}" for number in range(120)} <= set(shown)
    assert sum(" XP" in one for one in shown) == 120


def test_beyond_that_it_says_how_many_have_each_rank(tmp_path):
    text = draw(class_of(660), tmp_path / "xp.svg")
    assert text.startswith(
        "660 students: 150 commis, 200 chef de partie, 200 sous-chef, 110 chef; median 32.5 XP"
    )
    assert "Student 5" not in texts(tmp_path / "xp.svg")


@pytest.mark.parametrize(
    "name", ["<b>Eve</b> & co", "$x^2$ and $", "محمد بن سلمان", "王小明", "\\frac{1}{2}", "a\x1b[31m"]
)
@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_any_name_is_shown_as_text(name, ending, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw([standing(Student("x", name, {"01": (3, 5)}))], tmp_path / f"xp.{ending}")
    if ending == "svg" and "\x1b" not in name:
        assert name in texts(tmp_path / "xp.svg")


def test_xp_beyond_the_course_stay_in_the_picture(tmp_path):
    draw([standing(Student("x", "Ada", {"01": (300, 5)}))], tmp_path / "xp.svg")
    root = ElementTree.parse(tmp_path / "xp.svg").getroot()
    width = float(root.attrib["viewBox"].split()[2])
    (label,) = [one for one in root.iter("{http://www.w3.org/2000/svg}text") if one.text == "300 XP ★ ★ ★"]
    assert float(label.attrib["x"]) + 80 < width  # it begins at the bar's end


def test_a_format_that_is_unknown_leaves_nothing_behind(tmp_path):
    with pytest.raises(ValueError):
        draw(class_of(3), tmp_path / "xp.docx")
    assert list(tmp_path.iterdir()) == []


@given(st.text(max_size=80))
def test_a_name_is_at_most_so_wide_and_keeps_both_ends(name):
    short = short_name(name)
    assert _width(short) <= NAME_WIDTH or "…" not in short
    assert "\n" not in short


def test_names_that_differ_at_either_end_stay_apart():
    assert short_name(f"Anna {LONG}") != short_name(f"Berta {LONG}")
    assert short_name(f"{LONG} junior") != short_name(f"{LONG} senior")
    assert short_name("Ada Lovelace") == "Ada Lovelace"
    assert len(short_name("王小明" * 10)) <= NAME_WIDTH // 2 + 1
