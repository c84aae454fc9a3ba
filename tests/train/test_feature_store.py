"""Features are kept in memory and files, found again by each run with the same prefix, and verified."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from tests.train.feature_tasks import bert, both, head, pictures, relative, resnet, texts
from tlwidgets.core import ModelTree
from tlwidgets.train import Control, FeatureCache, FeaturesComputed, TaskData, fit


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "features")


# -- once, for all runs with the same prefix -----------------------------------------------------------------


def test_a_second_run_with_another_head_starts_from_the_cache(cache, data, make_model):
    def run(seed_of_head=0, poke=0.0, examples=data):
        model = make_model()
        torch.manual_seed(seed_of_head)
        nn.init.normal_(model[4].weight)
        with torch.no_grad():
            model[0].weight[0, 0] += poke
        return fit(model, head(ModelTree.of(model)), examples, epochs=2, cache=cache).cache[0]

    assert not run()["warm"]
    assert run()["warm"]
    assert run(seed_of_head=1)["warm"]
    assert not run(poke=1e-3)["warm"], "other frozen weights are another prefix"
    other = TaskData((data.train[0] + 1e-3, data.train[1]), data.valid, data.test)
    assert not run(examples=other)["warm"], "other data have other features"


def test_what_does_not_fit_into_memory_goes_to_files(tmp_path, make_model, data):
    small = FeatureCache(tmp_path, memory_bytes=100)
    spilled, plain = both(make_model, head, data, small, epochs=3)
    assert spilled.cache[0]["on_disk"]
    assert spilled.curves.loss == pytest.approx(plain.curves.loss, rel=1e-6)


@pytest.mark.parametrize("in_files", [False, True], ids=["memory", "files"])
@pytest.mark.parametrize(
    "make_model, data", [(bert, TaskData(texts())), (resnet, TaskData(pictures()))], ids=["text", "pictures"]
)
def test_half_precision_takes_half_the_room_and_stays_near(tmp_path, make_model, data, in_files):
    runs = {}
    for half in (False, True):
        cache = FeatureCache(tmp_path / f"half-{half}", half=half, keep=in_files)
        model = make_model()
        runs[half] = fit(model, head(ModelTree.of(model)), data, epochs=3, lr=1e-2, cache=cache)
        assert runs[half].cached
        assert runs[half].cache[0]["half"] is half
        assert runs[half].cache[0]["on_disk"] is in_files
    assert runs[True].cache[0]["nbytes"] == runs[False].cache[0]["nbytes"] / 2
    assert 0 < relative(runs[True].curves.loss, runs[False].curves.loss) < 0.02


def test_whole_and_half_features_are_not_taken_for_each_other(tmp_path):
    for half in (False, True, False, True):
        model = bert()
        cache = FeatureCache(tmp_path, half=half, keep=True)
        run = fit(model, head(ModelTree.of(model)), TaskData(texts()), epochs=2, cache=cache)
        assert run.cache[0]["half"] is half
    assert run.cache[0]["warm"]
    assert len(list(tmp_path.iterdir())) == 2


def test_files_outlive_the_session(tmp_path, make_model, data):
    def run(cache):
        model = make_model()
        return fit(model, head(ModelTree.of(model)), data, epochs=2, cache=cache)

    cold, warm = run(FeatureCache(tmp_path, keep=True)), run(FeatureCache(tmp_path, keep=True))
    assert not cold.cache[0]["warm"]
    assert warm.cache[0]["warm"]
    assert warm.curves.loss == cold.curves.loss


def test_the_folder_is_bounded_and_the_oldest_goes_first(tmp_path):
    cache = FeatureCache(tmp_path, keep=True, disk_bytes=3000)
    for number in range(4):
        rows = cache.allocate(f"key{number}", [((200,), torch.float32)])
        rows.put([(torch.arange(200), torch.full((200,), float(number)))])
        rows.finish()
        os.utime(tmp_path / f"key{number}", (number, number))
    assert cache.find("key0") is None
    assert float(cache.find("key3")[0][0]) == 3.0


def test_what_another_process_removes_meanwhile_is_in_nobody_s_way(tmp_path, monkeypatch):
    first, second = (FeatureCache(tmp_path, keep=True) for _ in range(2))

    def kept(cache, key):
        rows = cache.allocate(key, [((200,), torch.float32)])
        rows.put([(torch.arange(200), torch.ones(200))])
        rows.finish()

    kept(first, "old")
    listed = list(second._entries())
    monkeypatch.setattr(second, "_entries", lambda: iter(listed))
    first.clear()
    kept(second, "new")
    assert second.find("new") is not None and second.find("old") is None


_KILLED_WHILE_IT_WRITES = """
import os, signal, sys, torch
from tlwidgets.train import FeatureCache
rows = FeatureCache(sys.argv[1], keep=True).allocate("killed", [((200,), torch.float32)])
rows.put([(torch.arange(100), torch.ones(100))])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_when_a_day_has_passed(tmp_path):
    def parts():
        return list(tmp_path.glob(".part-*"))

    subprocess.run([sys.executable, "-c", _KILLED_WHILE_IT_WRITES, str(tmp_path)])
    cache = FeatureCache(tmp_path, keep=True)
    left = parts()
    cache.allocate("soon", [((200,), torch.float32)]).discard()
    assert len(left) == 1 and parts() == left  # its process may be writing still
    day_ago = time.time() - 86_500
    os.utime(left[0], (day_ago, day_ago))
    cache.allocate("later", [((200,), torch.float32)]).discard()
    assert parts() == [] and cache.find("killed") is None


# -- faults --------------------------------------------------------------------------------------------------


def test_a_folder_that_can_not_be_written_is_said_and_training_goes_on(tmp_path, make_model, data):
    taken = tmp_path / "taken"
    taken.write_text("a file where the folder should be")
    run, plain = both(make_model, head, data, FeatureCache(taken, keep=True), epochs=2)
    assert run.cache[0]["why"].startswith(f"the folder {taken} cannot be used")
    assert run.curves.loss == plain.curves.loss


def test_a_disk_that_fills_up_is_said_and_nothing_half_written_stays(tmp_path, make_model, data, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    run, plain = both(make_model, head, data, FeatureCache(tmp_path, keep=True), epochs=2)
    assert "cannot be written (No space left on device)" in run.cache[0]["why"]
    assert run.curves.loss == plain.curves.loss
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_disk_has_left_is_refused_before_writing(tmp_path, make_model, data, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    run, _ = both(make_model, head, data, FeatureCache(tmp_path, keep=True), epochs=2)
    assert "the disk of" in run.cache[0]["why"]


def test_a_damaged_file_is_computed_again(tmp_path, make_model, data):
    def run():
        model = make_model()
        return fit(model, head(ModelTree.of(model)), data, epochs=2, cache=FeatureCache(tmp_path, keep=True))

    first = run()
    for file in tmp_path.glob("*/0.bin"):
        content = bytearray(file.read_bytes())
        content[5] ^= 255
        file.write_bytes(content)
    again = run()
    assert not again.cache[0]["warm"]
    assert again.curves.loss == first.curves.loss


def test_stop_while_features_are_computed_leaves_nothing(tmp_path):
    control = Control()

    def stop(event):
        if isinstance(event, FeaturesComputed):
            control.stop()

    model = bert()
    run = fit(
        model,
        head(ModelTree.of(model)),
        TaskData(texts(200)),
        epochs=3,
        cache=FeatureCache(tmp_path, keep=True),
        control=control,
        on_event=stop,
    )
    assert (run.status, run.steps) == ("stopped", 0)
    assert list(tmp_path.iterdir()) == []
