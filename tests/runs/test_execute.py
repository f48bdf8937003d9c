from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from initbench import config, datasets
from initbench.core.initializers import INITIALIZERS, Initializer
from initbench.errors import ExecutorError
from initbench.runs import execute, identity, plan
from initbench.runs import workers as executors
from initbench.runs.records import Record
from initbench.runs.workers import Dask, Processes, Workers

CONFIG = """
initializer: [he_normal, {name: normal, std: 10}, glorot_uniform]
layers: [2, 6, 4, 1]
iterations: 40
log_every: 10
learning_rate: 0.1
batch_size: 16
dataset: {name: moons, train_samples: 60, test_samples: 20}
seeds: 4
"""


@pytest.fixture
def long(tmp_path: Path) -> list[Any]:
    """Runs that tell of themselves long before they end."""
    path = tmp_path / "long.yaml"
    path.write_text(CONFIG)
    return config.load([path], [("--set", "iterations=3000"), ("--set", "log_every=100")])


@pytest.fixture
def experiments(tmp_path: Path) -> list[Any]:
    path = tmp_path / "small.yaml"
    path.write_text(CONFIG)
    return config.load([path], [("--set", "sweep={learning_rate: [0.1, 1]}")])


def train(
    experiments: list[Any],
    jobs: int,
    report: Callable[[Any], None] = lambda _: None,
    workers: Workers | None = None,
) -> list[Record]:
    """On the workers; without, in this process or as many as there are jobs."""
    runs = plan.runs(experiments)
    stacks = plan.stacks(runs, jobs, samples)
    identities = identity.identities(runs, datasets.fingerprint)
    done: dict[int, Record] = {}
    own = Processes(jobs) if jobs > 1 and workers is None else None
    with closing(own) if own else nullcontext():
        for batch in execute.execute(stacks, identities, workers or own, report):
            done |= zip(batch.positions, batch.records, strict=True)
    return [dataclasses.replace(done[position], seconds=0.0) for position in range(len(runs))]


def samples(experiment: Any) -> int:
    return int(datasets.load(experiment.dataset).train.inputs.shape[1])


def test_records_do_not_depend_on_jobs_or_stacks(
    experiments: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = train(experiments, 1)
    assert together == train(experiments, 2)
    monkeypatch.setattr(plan, "MAX_STACK", 1)
    assert together == train(experiments, 1)


def test_records_say_who_they_are(experiments: list[Any]) -> None:
    first, last = (lambda records: (records[0], records[-1]))(train(experiments, 1))
    assert (first.config, first.initializer, first.seed) == ("small", "he_normal", 0)
    assert first.setting == {"learning_rate": 0.1}
    assert first.curve.iteration == (0, 10, 20, 30, 40)
    assert (last.initializer, last.seed) == ("glorot_uniform", 3)
    assert last.setting == {"learning_rate": 1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_reaches_the_end_of_every_stack(experiments: list[Any], jobs: int) -> None:
    news: list[execute.Progress] = []
    train(experiments, jobs, news.append)
    stacks = {one.stack.positions for one in news}
    assert len(stacks) == 2
    for positions in stacks:
        # Between the two, a worker tells what it has reached now and then.
        iterations = [one.iteration for one in news if one.stack.positions == positions]
        assert iterations == sorted(iterations)
        assert (iterations[0], iterations[-1]) == (0, 40)


def test_a_deadly_initializer_fails_and_no_other(
    experiments: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(experiments, 1)
    monkeypatch.setitem(INITIALIZERS, "normal", Initializer(leave, "-", "-", None))
    records = train(experiments, 2)
    failed = [record for record in records if record.status == "failed"]
    assert {record.initializer for record in failed} == {"normal(std=10)"}
    assert {record.reason for record in failed} == {
        "its worker died in each of 3 tries (was it killed, or out of memory?)"
    }
    assert [r for r in records if r.status != "failed"] == [
        r for r in whole if r.initializer != "normal(std=10)"
    ]


def leave(*_: object, **__: object) -> NoReturn:
    os._exit(1)


def test_a_run_that_cannot_be_drawn_fails_alone(
    experiments: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise ZeroDivisionError("by a plugin")

    whole = train(experiments, 1)
    monkeypatch.setitem(INITIALIZERS, "normal", Initializer(broken, "-", "-", None))
    records = train(experiments, 1)
    failed = [record for record in records if record.status == "failed"]
    assert {record.initializer for record in failed} == {"normal(std=10)"}
    assert {record.reason for record in failed} == {"raised ZeroDivisionError: by a plugin"}
    assert {(record.iterations, record.metric("train_loss")) for record in failed} == {(0, None)}
    assert [r for r in records if r.status != "failed"] == [
        r for r in whole if r.initializer != "normal(std=10)"
    ]


CATALOGUE = """
initializer: [{names}]
layers: [2, 7, 4, 1]
iterations: 6
log_every: 3
learning_rate: 0.01
batch_size: 16
activation: {activation}
dtype: {dtype}
dataset: {{name: moons, train_samples: 60, test_samples: 20}}
seeds: 2
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["relu", "sine"])
def test_every_initializer_trains_alike_alone_and_in_company(
    activation: str, dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And in any order: nothing that one run draws reaches another."""
    names = [{"constant": "{name: constant, value: 0.1}"}.get(name, name) for name in INITIALIZERS]
    paths = []
    for label, listed in (("one", names), ("two", names[::-1])):
        paths.append(tmp_path / f"{label}.yaml")
        text = CATALOGUE.format(names=", ".join(listed), activation=activation, dtype=dtype)
        paths[-1].write_text(f"name: catalogue\n{text}")
    together = train(config.load(paths[:1]), 1)
    assert {record.status for record in together} == {"ok"}
    assert len({record.id for record in together}) == 2 * len(INITIALIZERS)
    reversed_order = train(config.load(paths[1:]), 1)
    monkeypatch.setattr(plan, "MAX_STACK", 1)
    assert train(config.load(paths[:1]), 1) == together

    def order(record: Record) -> tuple[str, int]:
        return record.initializer, record.seed

    assert sorted(reversed_order, key=order) == sorted(together, key=order)


def test_what_an_initializer_has_to_say_is_in_the_record(tmp_path: Path) -> None:
    path = tmp_path / "narrow.yaml"
    path.write_text(CATALOGUE.format(names="lsuv", activation="relu", dtype="float64"))
    overrides = [("--set", "layers=[2, 1, 1, 1, 1]"), ("--seeds", "seeds=6")]
    records = train(config.load([path], overrides), 1)
    assert {record.status for record in records} == {"ok"}
    # Dead already in the first layer, or later, or not at all.
    said = {record.note for record in records}
    assert len(said) > 1
    assert all("did not converge: variance 0" in note for note in said if note)
    assert {record.reason for record in records} == {""}


@pytest.fixture(scope="module")
def dask() -> Iterator[Dask]:
    pytest.importorskip("distributed", reason="Dask is not installed")
    with closing(Dask(None, 2)) as workers:
        yield workers


def children() -> set[int]:
    """Processes of pools; Dask's are its nannies'."""
    return {int(child.pid or 0) for child in multiprocessing.active_children()}


def test_records_do_not_depend_on_the_executor(experiments: list[Any], dask: Dask) -> None:
    news: list[execute.Progress] = []
    records = train(experiments, 4, news.append, workers=dask)
    assert records == train(experiments, 1)
    assert {one.iteration for one in news} >= {0, 40}


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_process_that_is_killed_costs_its_stack_only(
    long: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_STACK", 4)
    before = children()
    killed: list[int] = []

    def kill(_: execute.Progress) -> None:
        if not killed and len(mine := children() - before) == 2:
            killed.append(min(mine))
            os.kill(killed[0], signal.SIGKILL)

    with closing(Processes(2)) as workers:
        assert train(long, 2, kill, workers=workers) == train(long, 1)
    assert killed


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_process_that_is_killed_while_idle_is_replaced(experiments: list[Any]) -> None:
    before = children()
    with closing(Processes(1)) as workers:
        records = train(experiments, 1, workers=workers)
        [idle] = children() - before
        os.kill(idle, signal.SIGKILL)
        while idle in children():
            time.sleep(0.01)
        assert train(experiments, 1, workers=workers) == records


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_dask_worker_that_is_killed_costs_its_stacks_only(
    long: list[Any], monkeypatch: pytest.MonkeyPatch, dask: Dask
) -> None:
    monkeypatch.setattr(plan, "MAX_STACK", 4)
    pids = dask._client.run(os.getpid)
    killed: list[int] = []

    def kill(_: execute.Progress) -> None:
        if not killed:
            killed.append(min(pids.values()))
            os.kill(killed[0], signal.SIGKILL)

    assert train(long, 2, kill, workers=dask) == train(long, 1)
    assert killed


def test_a_local_cluster_is_closed_to_others_and_leaves_nothing() -> None:
    pytest.importorskip("distributed", reason="Dask is not installed")
    with closing(Dask(None, 1)) as workers:
        where = workers._client.scheduler.address
        assert where.startswith("tls://127.0.0.1:")
        [folder] = workers._client.run(lambda dask_worker: dask_worker.local_directory).values()
        host, port = where.removeprefix("tls://").split(":")
        stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((host, int(port)), timeout=10) as plain,
            pytest.raises(ssl.SSLError, match="certificate required"),
            stranger.wrap_socket(plain) as wrapped,
        ):
            wrapped.recv(1)
        parent = Path(folder).parent.parent
        assert parent.name.startswith("initbench-dask-")
        assert parent.stat().st_mode & 0o077 == 0  # no other user looks into it
    assert not parent.exists()


def test_a_local_cluster_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a worker dies while it starts."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")

    def cluster(**_: object) -> NoReturn:
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(distributed, "LocalCluster", cluster)
    with pytest.raises(ExecutorError) as raised:
        Dask(None, 1)
    assert str(raised.value) == (
        "the local Dask cluster did not start (RuntimeError: Nanny failed to start.); try again, "
        "or train with --executor processes"
    )


def test_without_cryptography_no_cluster_is_open_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed")
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ExecutorError, match="the package cryptography is not installed"):
        Dask(None, 1)


def test_a_scheduler_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed")
    monkeypatch.setattr(executors, "PATIENCE", 0.2)
    with pytest.raises(ExecutorError, match=r"127\.0\.0\.1:9 does not answer .*`dask scheduler`"):
        Dask("tcp://127.0.0.1:9", 1)


@pytest.mark.parametrize("error", [OSError("no"), TypeError("no"), KeyboardInterrupt()])
def test_a_cluster_that_cannot_be_used_is_closed(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    closed: list[bool] = []

    class Cluster:
        def __init__(self, **_: object) -> None: ...

        def close(self) -> None:
            closed.append(True)

    def client(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(distributed, "LocalCluster", Cluster)
    monkeypatch.setattr(distributed, "Client", client)
    with pytest.raises((ExecutorError, KeyboardInterrupt)) as raised:
        Dask(None, 1)
    assert closed == [True]
    if isinstance(error, Exception):
        assert str(raised.value) == "the local Dask cluster does not answer (no); try again"


class Pretended:
    """Workers of which each holds two tasks, as Dask's may: one that dies takes both along."""

    apart = False
    room = 2

    def __init__(self, deadly: str) -> None:
        self.deadly = deadly
        self.flying: list[tuple[Future[Any], Any]] = []
        self.tried: list[list[int]] = []

    def submit(self, ticket: int, task: Any, *arguments: Any) -> Future[Any]:
        del ticket
        future: Future[Any] = Future()
        self.flying.append((future, partial(task, lambda *_: None, *arguments)))
        return future

    def news(self) -> Iterator[Any]:
        """The moment in which tasks end."""
        together = [task.args[1] for _, task in self.flying]
        dead = any(self.deadly in str(work.chosen) for work in together)
        for future, task in self.flying:
            if dead:
                future.set_exception(KeyError("death"))
            else:
                future.set_result(task())
        if together:
            self.tried.append([len(work.seeds) for work in together])
        self.flying = []
        yield from ()

    def deaths(self, error: BaseException) -> int:
        return int(isinstance(error, KeyError))

    def close(self) -> None:
        pass


def test_company_is_no_guilt(experiments: list[Any]) -> None:
    workers = Pretended("'std': 10.0")
    records = train(experiments, 2, workers=workers)
    assert {r.initializer for r in records if r.status == "failed"} == {"normal(std=10)"}
    assert sum(r.status == "failed" for r in records) == 8
    # Both stacks of 12 died together; then each initializer was tried alone, the deadly one twice.
    assert workers.tried == [[12, 12], *[[4]] * 8]


def test_what_is_no_death_is_raised(
    experiments: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> NoReturn:
        raise ZeroDivisionError("a bug of the engine")

    monkeypatch.setattr("initbench.core.draw.draw", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        train(experiments, 2, workers=Pretended("nobody"))


def work_of(experiments: list[Any], nudges: list[int]) -> execute.Work:
    runs = [plan.Run(e, e.initializer[0], 0, nudge) for e in experiments[:1] for nudge in nudges]
    return execute.prepare(plan.Stack(tuple(runs), tuple(range(len(runs)))))


def test_twins_start_one_unit_in_the_last_place_away(experiments: list[Any]) -> None:
    work = work_of(experiments, [0, 1, 2])
    theta = execute.draw_work(work)[1].theta
    drawn = theta.copy()
    execute.nudge(theta, work)
    moved = np.abs(theta - drawn) / np.spacing(np.abs(drawn))
    biases = np.zeros_like(theta[:1])
    for view in work.task.architecture.views(biases):
        view[..., -1] = 1
    assert (moved[0] == 0).all()
    # A unit below a power of two is half as large.
    assert np.isin(moved[1:, biases[0] == 0], [0.5, 1.0]).all()
    assert (moved[1:, biases[0] == 1] == 0).all()
    assert (theta[1] != theta[2]).any()
    up = (theta[1] > drawn[1])[biases[0] == 0]
    assert 0 < up.sum() < up.size


def test_weights_of_zero_have_no_twins(tmp_path: Path) -> None:
    path = tmp_path / "zeros.yaml"
    path.write_text(CONFIG.replace("he_normal", "zeros"))
    work = work_of(config.load([path]), [0, 1])
    theta = execute.draw_work(work)[1].theta
    execute.nudge(theta, work)
    assert (theta == 0).all()


def test_a_twin_trains_the_same_alone_and_beside_its_run(experiments: list[Any]) -> None:
    def train_runs(nudges: list[int]) -> list[Record]:
        run = plan.runs(experiments)[0]
        runs = [dataclasses.replace(run, nudge=nudge) for nudge in nudges]
        stacks = plan.stacks(runs, 1, samples)
        identities = identity.identities(runs, datasets.fingerprint)
        done = {
            position: record
            for batch in execute.execute(stacks, identities, None, lambda _: None)
            for position, record in zip(batch.positions, batch.records, strict=True)
        }
        return [dataclasses.replace(done[i], seconds=0.0) for i in range(len(runs))]

    together = train_runs([0, 1, 2])
    assert train_runs([1]) == [together[1]]
    assert len({record.id for record in together}) == 3
