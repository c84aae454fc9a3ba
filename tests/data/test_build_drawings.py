"""The build script makes the file from the npm packages alone, to the byte, and refuses other versions."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tlwidgets.data.sheets import link_things, read_sheets, write_sheets

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_drawings.py"
SQUARE = '<path fill="#c00000" d="M0 0h8v8H0z"/>'
CIRCLE = '<circle cx="8" cy="8" r="6" fill="#0000c0"/>'
BAR = '<path fill="#008000" d="M0 12h16v3H0z"/>'
OBJECTS = {
    "ball": ("Activities", CIRCLE),
    "round_thing": ("Objects", CIRCLE.replace("c0", "bf")),
    "red_box": ("Objects", SQUARE),
    "shelf": ("Objects", BAR),
    "one_thirty": ("Travel & Places", SQUARE),
    "flag": ("Flags", BAR),
    "rare": ("Objects", BAR),
}


@pytest.fixture
def build(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    import build_drawings

    return build_drawings


def packages(build, folder, version=None):
    """npm packages of a few objects; "rare" is not drawn in every style."""
    entries = {
        str(i): {"name": slug.replace("_", " "), "slug": slug, "group": group}
        for i, (slug, (group, _)) in enumerate(OBJECTS.items())
    }
    contents = {build.NAMES: ("data-by-emoji.json", entries)}
    for style, wanted in build.STYLES.items():
        icons = {slug.replace("_", "-"): {"body": body} for slug, (_, body) in OBJECTS.items()}
        if style == "noto":
            del icons["rare"]
        contents[wanted] = ("icons.json", {"width": 16, "height": 16, "icons": icons})
    for (name, number), (file, content) in contents.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "package.json").write_text(json.dumps({"version": version or number}))
        (folder / name / file).write_text(json.dumps(content))
    return folder


def test_the_same_packages_give_the_same_bytes_wherever_they_lie(build, tmp_path):
    one, other = (build.build(packages(build, tmp_path / name)) for name in ("one", "other"))
    assert one == other
    things, pictures = read_sheets(one)
    assert write_sheets(things, pictures) == one


def test_objects_of_all_styles_are_kept_but_for_clock_faces_and_other_categories(build, tmp_path):
    things, pictures = read_sheets(build.build(packages(build, tmp_path)))
    assert [thing.name for thing in things] == ["ball", "round thing", "red box", "shelf"]
    assert list(pictures) == list(build.STYLES)
    assert [thing.family for thing in things] == [0, 0, 1, 2]


def test_a_drawing_is_on_white_and_what_is_not_square_is_centred(build):
    half = build.draw({"body": SQUARE}, {"width": 16, "height": 16})
    assert half.shape == (72, 72, 3) and half.dtype == np.uint8
    assert (half[:36, :36] == (192, 0, 0)).all() and (half[36:] == 255).all() and (half[:, 36:] == 255).all()
    wide = build.draw({"body": SQUARE, "height": 8, "width": 8}, {})
    assert (wide == (192, 0, 0)).all()
    flat = build.draw({"body": '<path fill="#000" d="M0 0h16v8H0z"/>', "height": 8}, {"width": 16})
    assert (flat[18:54] == 0).all() and (flat[:18] == 255).all() and (flat[54:] == 255).all()


def test_a_missing_package_is_named(build, tmp_path):
    with pytest.raises(
        SystemExit, match="There is no unicode-emoji-json in .* Install unicode-emoji-json@0.9.0"
    ):
        build.build(tmp_path)


def test_another_version_is_refused_before_anything_is_written(build, tmp_path):
    modules = packages(build, tmp_path, version="9.9.9")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(modules), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "is there in version 9.9.9" in done.stderr


def test_check_tells_other_drawings_from_the_committed_ones(build, tmp_path):
    modules = packages(build, tmp_path)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(modules), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "DIFFERS" in done.stdout


def test_look_alikes_and_names_are_linked_through_any_chain():
    def drawing(*spots):
        image = np.full((72, 72, 3), 255, np.uint8)
        for row, column in spots:
            image[row : row + 18, column : column + 18] = 0
        return image

    left, right, low = drawing((0, 0)), drawing((0, 54)), drawing((54, 20))
    names = ["pear", "plum", "green pear tree", "cat face", "dog face"]
    pictures = {"a": np.stack([left, low, drawing((20, 20)), drawing((40, 0)), drawing((30, 45))])}
    assert link_things(names, pictures) == [0, 1, 0, 2, 3]
    pictures["b"] = np.stack([low, drawing((18, 0), (0, 18)), right, drawing((54, 0)), drawing((20, 45))])
    assert link_things(names, pictures) == [0, 0, 0, 1, 2]
    mirrored = {"a": np.stack([left, right])}
    assert link_things(["knife", "sword"], mirrored) == [0, 0]


def test_drawings_of_another_shape_or_a_broken_table_are_told():
    with pytest.raises(ValueError, match="'noto' has drawings of shape .*expected"):
        write_sheets([], {"noto": np.zeros((1, 72, 72, 3), np.uint8)})
