"""Groups: one submission, credited to each member; a student in several places has one that counts."""

import json

import pytest
from small_course import UNIT, SmallCourse

from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import Assignment
from graders.autograde.records import GradingError
from graders.autograde.submission.folders import choose_submissions, submission_folders
from graders.autograde.submission.groups import members_of


@pytest.fixture
def course(tmp_path) -> SmallCourse:
    return SmallCourse(tmp_path)


class Found:
    """Who is credited with which folder, and what was said."""

    def __init__(self, course: SmallCourse, *names: str, known=(), groups=None) -> None:
        for name in names:
            (course.folder / "submitted" / name / UNIT).mkdir(parents=True)
        if groups is not None:
            content = {"format": 1, "groups": groups}
            (course.folder / "groups.json").write_text(json.dumps(content))
        self.said: dict[str, str] = {}
        self.folders = submission_folders(
            open_course(course.folder), Assignment(UNIT, (), ""), known, self.said.__setitem__
        )
        self.credit = {folder.path.parent.name: folder.members for folder in self.folders.values()}
        everybody = [one for members in self.credit.values() for one in members]
        assert len(everybody) == len(set(everybody))  # nobody is credited twice


def test_a_folder_named_after_several_is_credited_to_each(course):
    found = Found(course, "ben+fay", "ada")
    assert found.credit == {"ben+fay": ("ben", "fay"), "ada": ("ada",)}
    assert found.folders["ben+fay"].group == "ben+fay" and found.folders["ada"].group == ""
    assert found.said == {}


def test_own_work_counts_before_that_of_a_group_which_keeps_its_other_members(course):
    found = Found(course, "ben+fay", "ben")
    assert found.credit == {"ben+fay": ("fay",), "ben": ("ben",)}
    assert set(found.said) == {"ben"}
    said = found.said["ben"]
    assert "Handed in more than once: submitted/ben and submitted/ben+fay" in said
    assert "submitted/ben counts for ben, as a folder of one's own comes first" in said


def test_of_two_groups_the_first_by_name_counts(course):
    found = Found(course, "ben+gus", "ben+fay", "gus+ben+fay")
    assert found.credit == {"ben+fay": ("ben", "fay"), "ben+gus": ("gus",)}
    assert "submitted/ben+fay counts for ben, as it is the first by name" in found.said["ben"]
    assert set(found.said) == {"ben", "fay", "gus"}


def test_the_same_group_in_two_spellings_is_graded_once_and_said(course):
    found = Found(course, "ben+fay", "fay+ben")
    assert list(found.credit) == ["ben+fay"] and "ben+fay" in found.said


def test_a_file_puts_people_together_who_hand_in_under_one_name(course):
    groups = [{"members": ["fay", "ben"]}, {"members": ["ada", "gus"], "units": ["02-other"]}]
    found = Found(course, "ben", "ada", groups=groups)
    assert found.credit == {"ben": ("ben", "fay"), "ada": ("ada",)}
    assert found.folders["ben"].group == "fay+ben"


def test_of_a_group_in_the_file_one_submission_is_graded(course):
    found = Found(course, "ben", "fay", groups=[{"members": ["fay", "ben"]}])
    assert found.credit == {"fay": ("ben", "fay")}
    assert "this is the group fay+ben, whose submission in submitted/fay counts" in found.said["ben"]


def test_the_file_comes_before_names_of_folders(course):
    found = Found(course, "ben", "fay", "ben+fay", "fay+gus", groups=[{"members": ["fay", "ben"]}])
    assert found.credit == {"ben+fay": ("ben", "fay"), "fay+gus": ("gus",)}
    assert set(found.said) == {"ben", "fay"}


@pytest.mark.parametrize(
    ("name", "known", "members"),
    [
        ("ben+fay", (), ("ben", "fay")),
        ("fay+ben+fay", (), ("ben", "fay")),
        ("ben+fay", ("ben+fay",), ()),
        ("ana+course@x.org", (), ()),
        ("ana@x.org+ben@x.org", (), ("ana@x.org", "ben@x.org")),
        ("c++", (), ()),
        ("=1+1", (), ()),
        ("+ben+fay", (), ()),
        ("Zoë+m. o'neil-smith", (), ("Zoë", "m. o'neil-smith")),
        ("ben", (), ()),
    ],
)
def test_a_name_is_a_groups_unless_it_is_a_students_or_an_address(name, known, members):
    assert members_of(name, {id: id for id in known}) == members


def test_a_student_whose_id_has_a_plus_sign_is_said_where_it_may_be_a_group(course):
    found = Found(course, "ben+fay", known=("ben+fay", "ben", "fay"))
    assert found.credit == {"ben+fay": ("ben+fay",)}
    assert "nbgrader db student remove ben+fay --force" in found.said["ben+fay"]


def test_a_member_the_group_and_the_folder_choose_the_groups_submission(course):
    found = Found(course, "fay+ben", "ada")
    for name in ("ben", "fay", "ben+fay", "fay+ben"):
        assert list(choose_submissions(found.folders, name, Assignment(UNIT, (), ""))) == ["ben+fay"]


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ([{"members": ["ben"]}], "in groups.0.members: expected a list of two students or more"),
        ([{"members": ["ben", "fay"]}, {"members": ["gus", "fay"]}], "fay is in two groups of 01-soup"),
        ([{"member": ["ben", "fay"]}], "has a mistake in groups.0"),
        ("ben+fay", "in groups: expected a list of groups"),
    ],
)
def test_a_mistake_in_the_file_gets_a_sentence(course, groups, sentence):
    with pytest.raises(GradingError, match="No grade was changed") as caught:
        Found(course, "ben", groups=groups)
    assert sentence in str(caught.value)
