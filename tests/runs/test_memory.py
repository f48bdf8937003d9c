"""Estimates of memory against what tracemalloc sees NumPy allocate, and what is done with them."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tracemalloc
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from initbench import config, datasets
from initbench.core.engine import numpy_stack
from initbench.datasets import DataSize, loading, memory
from initbench.datasets.memory import Memory
from initbench.errors import DataError, JobsError
from initbench.runs import cost, execute, plan, runner
from initbench.runs.runner import Execution
from initbench.spec import Experiment
from initbench.spec.datasets import BlobsDataset, CirclesDataset, MoonsDataset, SpiralsDataset

#: An estimate is within this factor of the peak, either way, where the peak is above BASE: below it
#: are small arrays that the estimate leaves out.
FACTOR, BASE = 1.3, 4 * 2**20


def experiment(folder: Path, **fields: Any) -> Experiment:
    written = {
        "initializer": "he_normal", "width": 64, "depth": 3, "optimizer": "gd", "iterations": 2,
        "log_every": 2, "learning_rate": 0.001, "dtype": "float64", "batch_size": None, "seeds": 1,
    } | fields  # fmt: skip
    samples = {"train_samples": written.pop("samples", 300), "test_samples": 100}
    blobs = {"name": "blobs", "centers": 4, "features": written.pop("features", 20)}
    path = folder / "memory.yaml"
    path.write_text(json.dumps(written | {"dataset": blobs | samples}))
    (loaded,) = config.load([path])
    return loaded


@pytest.mark.parametrize("runs", [1, 3])
@pytest.mark.parametrize(
    "fields",
    [
        {"width": 512},
        {"width": 512, "optimizer": "adam", "dtype": "float32"},
        {"width": 700, "depth": 4, "optimizer": "momentum", "dtype": "float32", "batch_size": 32},
        {"width": 700, "depth": 2, "initializer": "orthogonal", "dtype": "float32"},
        {"width": 500, "depth": 2, "initializer": "lsuv", "batch_size": 8},
        {"width": 500, "optimizer": "rmsprop", "initializer": "sparse", "batch_size": 8},
        {"width": 700, "initializer": {"hidden": "he_normal", "output": "zeros"}, "batch_size": 8},
        {"samples": 10_000},
        {"samples": 20_000, "optimizer": "adam", "dtype": "float32", "batch_size": 64},
        {"samples": 5_000, "width": 100, "depth": 10, "dtype": "float32"},
        {"samples": 5_000, "features": 500, "width": 10, "batch_size": 50},
        {"samples": 5_000, "activation": "gelu", "width": 100},
    ],
    ids=str,
)
def test_the_estimate_of_a_stack_is_within_a_third_of_its_peak(
    tmp_path: Path, fields: dict[str, Any], runs: int
) -> None:
    one = experiment(tmp_path, **fields, seeds=runs)
    planned = plan.runs([one])
    work = execute.prepare(plan.Stack(tuple(planned), tuple(range(runs))))
    tracemalloc.start()
    try:
        execute.train_work(lambda *_: None, work)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak > BASE
    estimate = cost.stack_bytes(one, datasets.load(one.dataset).size, runs)
    assert 1 / FACTOR < estimate / peak < FACTOR


@pytest.mark.parametrize(
    "choice",
    [
        BlobsDataset(train_samples=20_000, features=100),
        BlobsDataset(train_samples=100_000, features=10, centers=10),
        MoonsDataset(train_samples=300_000),
        CirclesDataset(train_samples=300_000),
        SpiralsDataset(train_samples=300_000),
    ],
    ids=lambda choice: str(choice.name),
)
def test_the_estimate_of_samples_is_within_a_third_of_their_peak(
    monkeypatch: pytest.MonkeyPatch, choice: Any
) -> None:
    loading._named.__wrapped__(type(choice)())  # imports what it needs
    tracemalloc.start()
    try:
        loading._named.__wrapped__(choice)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    for limit, fits in ((FACTOR * peak, True), (peak / FACTOR, False)):
        monkeypatch.setattr(loading, "available_memory", lambda held=limit: Memory(held, "this"))
        with nullcontext() if fits else pytest.raises(DataError):
            loading._named.__wrapped__(choice)


def test_samples_without_room_are_refused_before_they_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choice = BlobsDataset(train_samples=10**7 - 100, features=20)
    monkeypatch.setattr(loading, "available_memory", lambda: Memory(2**30, "this container"))
    with pytest.raises(DataError) as caught:
        loading.load(choice)
    assert str(caught.value) == (
        "blobs needs 3.2 GiB (10,000,000 samples of 20 features), this container has 1.0 GiB; "
        "use fewer samples"
    )


def test_jobs_have_room_side_by_side() -> None:
    """Three stacks of 3, 2 and 1 GiB and 0.5 GiB of data, which the driver holds once more."""
    stacks = [2**31, 3 * 2**30, 2**30]
    assert cost.fitting_jobs(3, stacks, 2**29) == (3, "")


@pytest.mark.parametrize(("size", "fit"), [(7.9, 2), (6.4, 1), (0.2, 1)])
def test_only_so_many_jobs_as_have_room(
    monkeypatch: pytest.MonkeyPatch, size: float, fit: int
) -> None:
    monkeypatch.setattr(
        cost, "available_memory", lambda: Memory(int(size * 2**30), "this container")
    )
    found, why = cost.fitting_jobs(3, [2**31, 3 * 2**30, 2**30], 2**29)
    assert found == fit
    assert why.startswith("3 jobs need 8.0 GiB, this container has ")


def test_jobs_that_were_asked_for_and_do_not_fit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = experiment(tmp_path, width=200, seeds=4)
    least = cost.stack_bytes(one, datasets.load(one.dataset).size, 1)
    monkeypatch.setattr(cost, "available_memory", lambda: Memory(3 * least, "this machine"))
    with pytest.raises(JobsError, match=r"^4 jobs need .* MiB, this machine has .*; give --jobs 2"):
        runner.train_afresh(plan.runs([one]), Execution(jobs=4))
    stacks = plan.stacks(plan.runs([one]), 4, runner.train_samples)
    assert runner._in_memory(stacks, 4, asked=False) == 2


def test_what_fits_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for available in (None, Memory(2**40, "this machine")):
        monkeypatch.setattr(cost, "available_memory", lambda found=available: found)
        assert cost.memory_excess(experiment(tmp_path), DataSize(300, 100, 2**20)) is None


def test_what_does_not_fit_is_refused_with_the_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = experiment(tmp_path).model_copy(update={"layers": (2, 100_000, 100_000, 1)})
    monkeypatch.setattr(cost, "available_memory", lambda: Memory(2**33, "this machine"))
    # 10^10 parameters, of 8 bytes, and the largest layer in three copies beside them: 298.0 GiB.
    assert cost.memory_excess(large, DataSize(300, 100, 2**20)) == (
        "one run needs 298.0 GiB (10,000,500,001 parameters, data of 1.0 MiB), this machine has "
        "8.0 GiB; use smaller layers, fewer samples or a smaller batch_size"
    )


@pytest.mark.parametrize(
    ("groups", "files", "size"),
    [
        ("0::/", {"memory.max": "1048576"}, 2**20),
        ("0::/a/b", {"memory.max": "max", "a/memory.max": "4096", "a/b/memory.max": "8192"}, 4096),
        ("0::/of/the/host", {"memory.max": "2048"}, 2048),
        ("3:cpu:/\n5:cpuacct,memory:/a", {"memory/a/memory.limit_in_bytes": "512"}, 512),
        ("0::/", {"memory.max": "max"}, None),
        ("0::/../../etc", {}, None),
        ("", {}, None),
    ],
)
def test_limits_of_containers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    groups: str,
    files: dict[str, str],
    size: int | None,
) -> None:
    (tmp_path / "own").write_text(groups)
    for name, text in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    machine = Memory(2**50, "this machine")
    monkeypatch.setattr(memory, "_machine", lambda: [machine])
    monkeypatch.setattr(memory, "_process", list)
    expected = machine if size is None else Memory(size, "this container")
    assert memory.available_memory() == expected


def test_memory_that_runs_out_fails_its_stack_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NumPy's own error names the size; the other architecture's runs come out."""
    train = numpy_stack.train

    def greedy(task: Any, *others: Any) -> Any:
        if task.architecture.sizes[1] == 65:
            np.empty(2**59)
        return train(task, *others)

    monkeypatch.setattr(execute, "train", greedy)
    experiments = [experiment(tmp_path, width=width, seeds=2) for width in (64, 65)]
    records = runner.train_afresh(plan.runs(experiments), Execution(jobs=1))
    assert [record.status for record in records] == ["ok", "ok", "failed", "failed"]
    assert records[2].reason.startswith("memory ran out: Unable to allocate 4.00 EiB")


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is enforced on Linux")
def test_the_limit_of_a_process_is_respected(tmp_path: Path) -> None:
    """Under `ulimit -v` of 4 GiB, a network of 5.4 GiB is refused with the limit's name."""
    experiment(tmp_path)
    command = [sys.executable, "-m", "initbench", "run", str(tmp_path / "memory.yaml"),
               "--set", "width=15000", "--set", "depth=3", "--set", "dtype=float32"]  # fmt: skip
    limit = (4 * 2**30, 4 * 2**30)
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit),
    )  # fmt: skip
    assert done.returncode == 2
    assert "this process (ulimit -v) has 4.0 GiB; use smaller layers" in done.stderr
