"""The table is written whole, read back as it was printed, and only from claims that hold."""

import json

import pytest

from course.claims import (
    Claim,
    Lesson,
    __main__,
    claims_table,
    judge,
    quoted_numbers,
    read_table,
    table,
)
from course.claims.table import FIELDS, read_machines, write_whole

pytestmark = pytest.mark.slow

GOOD = Claim("good", "01", "A is more than B.", "experiment", "a", "b")
OTHER = Claim("also", "02", "Nothing changed.", "experiment", "zero", unit="tensors")


def numbers(seed):
    return {"a": 0.8 + 0.01 * seed, "b": 0.5, "zero": 0.0}


@pytest.fixture
def course(monkeypatch):
    lessons = {
        claim.lesson: Lesson(claim.lesson, {"experiment": numbers}, (claim,)) for claim in (GOOD, OTHER)
    }
    monkeypatch.setattr(__main__, "lessons", lambda: lessons)
    return lessons


def test_a_table_reads_back_as_it_was_written(tmp_path):
    verdict = judge(GOOD, [numbers(seed) for seed in range(5)])
    write_whole(tmp_path / "claims.md", claims_table([verdict]))
    row = read_table(tmp_path / "claims.md")["good"]
    assert {name: row[name] for name in FIELDS} == {
        "this": "82.0",
        "against": "50.0",
        "difference": "32.0",
        "low": f"{verdict.low:.1f}",
        "high": f"{verdict.high:.1f}",
        "favour": "5",
        "seeds": "5",
    }
    assert row["statement"] == GOOD.statement
    assert list(tmp_path.iterdir()) == [tmp_path / "claims.md"]


def test_the_command_measures_every_lesson_and_writes_the_table(course, tmp_path, capsys):
    out = tmp_path / "docs" / "claims.md"
    assert __main__.main(["--out", str(out)]) == 0
    assert list(read_table(out)) == ["good", "also"]
    assert "good holds: +32.0 points" in capsys.readouterr().out
    assert "torch" in out.read_text(encoding="utf-8").splitlines()[-1]


def test_measuring_one_lesson_keeps_the_rows_of_the_others_and_where_they_were_measured(
    course, tmp_path, monkeypatch
):
    out = tmp_path / "claims.md"
    monkeypatch.setattr(table, "machine", lambda: "the first machine")
    __main__.main(["--out", str(out)])
    before = read_table(out)
    monkeypatch.setattr(table, "machine", lambda: "another machine")
    course["02"] = Lesson("02", {"experiment": lambda seed: {"zero": 0.0, "spare": 1.0}}, (OTHER,))
    assert __main__.main(["--out", str(out), "--lesson", "02", "--seeds", "6"]) == 0
    after = read_table(out)
    assert read_machines(out) == {"01": "the first machine", "02": "another machine"}
    assert after["good"] == before["good"]
    assert (before["also"]["seeds"], after["also"]["seeds"]) == ("5", "6")


def test_measuring_one_experiment_keeps_the_other_rows_of_its_lesson(course, tmp_path, monkeypatch):
    out, recorded = tmp_path / "claims.md", []
    monkeypatch.setattr(table, "machine", lambda: "the first machine")
    more = Claim("more", "01", "C is more than B.", "second", "c", "b")
    course["01"] = Lesson(
        "01",
        {"experiment": numbers, "second": lambda seed: {"c": 0.9 + 0.01 * seed, "b": 0.5}},
        (GOOD, more),
        records={"experiment": lambda seeds: recorded.append("experiment")},
    )
    __main__.main(["--out", str(out)])
    before = read_table(out)
    monkeypatch.setattr(table, "machine", lambda: "another machine")
    assert __main__.main(["--out", str(out), "--experiment", "second", "--seeds", "6"]) == 0
    after = read_table(out)
    assert {claim: row["seeds"] for claim, row in after.items()} == {"good": "5", "more": "6", "also": "5"}
    assert after["good"] == before["good"]
    assert read_machines(out)["01"] == "the first machine; another machine"
    assert recorded == ["experiment"]  # after the first measurement only


def test_a_claim_that_fails_leaves_the_table_as_it_was_and_exits_with_1(course, tmp_path, capsys):
    out = tmp_path / "claims.md"
    out.write_text("as it was", encoding="utf-8")
    course["01"] = Lesson("01", {"experiment": lambda seed: {"a": 0.4, "b": 0.5}}, (GOOD,))
    assert __main__.main(["--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "good does NOT hold" in said.out and "Not every claim holds" in said.err
    assert out.read_text(encoding="utf-8") == "as it was"


def test_too_few_seeds_are_measured_but_not_written(course, tmp_path):
    out = tmp_path / "claims.md"
    assert __main__.main(["--out", str(out), "--seeds", "2"]) == 0
    assert not out.exists()
    with pytest.raises(SystemExit):
        __main__.main(["--out", str(out), "--seeds", "1"])


def test_verdicts_can_be_read_by_a_program(course, tmp_path, capsys):
    __main__.main(["--out", str(tmp_path / "claims.md"), "--json"])
    verdicts = json.loads(capsys.readouterr().out)
    assert [verdict["claim"]["id"] for verdict in verdicts] == ["good", "also"]
    assert all(verdict["holds"] for verdict in verdicts)


def test_quotes_are_found_in_prose():
    quote = '<span data-claim="good.{}">{}</span>'
    text = f"It was {quote.format('this', '82.0')} per cent for {quote.format('seeds', '5')} seeds."
    assert quoted_numbers(text) == [("good", "this", "82.0"), ("good", "seeds", "5")]
