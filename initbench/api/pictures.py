"""Results -> pictures -> charts: what a kind of picture needs, gathered for each problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType

from initbench import datasets
from initbench.analysis import comparison
from initbench.analysis.comparison import Contest, Row
from initbench.analysis.contests import contests
from initbench.analysis.intervals import median
from initbench.analysis.overview import Matrix, matrices
from initbench.diagnosis import diagnose as diagnosis
from initbench.diagnosis.diagnose import Diagnosis
from initbench.diagnosis.portraits import Portrait, in_the_plane, portraits
from initbench.errors import InitbenchError
from initbench.metrics import METRICS
from initbench.report.kinds import KINDS
from initbench.report.views import networks, pictures, titles
from initbench.report.views.pictures import JudgedContest, Picture
from initbench.runs import identity, plan
from initbench.runs.records import Record
from initbench.spec import Experiment

#: Why a problem has no picture of a kind.
WITHOUT = {
    "boundary": "boundaries need data of two inputs, in classes",
    "activations": "activations need hidden layers, and a run that did not fail",
    "sensitivity": "a sensitivity needs a sweep",
    "forest": "differences need two initializers",
}


@dataclass(frozen=True)
class Gallery:
    """The pictures of one problem. What takes training is made once, when it is first needed.

    ``seed`` names the runs whose networks are looked at, one for each initializer; by default the
    one that is most typical of the best row. ``told`` is called with the share of that training
    which is done.
    """

    problem: JudgedContest
    asked_seed: int | None = None
    told: Callable[[float], None] = lambda _: None

    @cached_property
    def diagnoses(self) -> list[Diagnosis]:
        """What each initializer's networks promise before training."""
        return diagnosis.diagnose(self.problem.contest.experiments).diagnoses

    @cached_property
    def portraits(self) -> list[Portrait]:
        """One run of each initializer, trained again and looked at while it trains."""
        experiments = self.problem.contest.experiments
        planned = plan.runs(experiments)
        ids = identity.identities(planned, datasets.fingerprint)
        run_of = dict(zip(ids, planned, strict=True))
        records = [
            record
            for selection in self.problem.selections
            for record in selection.records
            if record.seed == self.seed and record.status != "failed"
        ]
        return portraits(records, [run_of[record.id] for record in records], self.told)

    @property
    def seed(self) -> int:
        """The seed of the runs that are looked at."""
        if self.asked_seed is not None:
            known = {r.seed for s in self.problem.selections for r in s.records}
            if self.asked_seed not in known:
                raise InitbenchError(
                    f"seed {self.asked_seed} is not among the runs' seeds: "
                    f"{', '.join(map(str, sorted(known)))}"
                )
            return self.asked_seed
        return typical_seed(self._best_records(), self.problem.metric)

    def _best_records(self) -> Sequence[Record]:
        if not self.problem.rows:
            return self.problem.selections[0].records
        best = self.problem.rows[0]
        return next(
            s.records
            for s in self.problem.selections
            if (s.records[0].config, s.records[0].initializer) == (best.config, best.initializer)
        )

    @cached_property
    def matrices(self) -> list[Matrix]:
        """The maps of the problem's sweep; none without one."""
        return matrices([self.problem.contest], self.problem.metric)

    def pictures(
        self, kind: str, metric: str | None = None, *, log: bool | None = None
    ) -> list[Picture]:
        """The pictures of one kind; none where the problem has none."""
        problem = self.problem
        found: Iterable[Picture | None]
        match kind:
            case "curves":
                found = [pictures.curves(problem, metric or problem.metric, log=log)]
            case "profile":
                found = [pictures.profile(problem)]
            case "seeds":
                found = [pictures.seeds(problem)]
            case "forest":
                found = [pictures.forest(problem)] if len(problem.rows) > 1 else []
            case "sensitivity":
                found = [pictures.sensitivity(problem, matrix) for matrix in self.matrices]
            case "layers":
                named = pictures.judged_diagnoses(problem, self.diagnoses)
                found = [pictures.layers(problem.series, named)]
            case "boundary":
                found = [networks.boundary(problem, self.portraits)] if self.flat else []
            case "activations":
                found = [networks.activations(problem, self.portraits)]
            case "weights":
                found = [networks.weights(problem, self.portraits)]
            case _:
                raise InitbenchError(f"kind: must be {_listed(tuple(KINDS))}, got {kind!r}")
        return [picture for picture in found if picture is not None]

    @property
    def flat(self) -> bool:
        """Whether the problem is a classification of points in the plane."""
        return in_the_plane(datasets.load(self.problem.contest.experiments[0].dataset))


def asked(
    galleries: Sequence[Gallery],
    kind: str,
    metric: str | None = None,
    *,
    log: bool | None = None,
) -> list[Picture]:
    """The pictures of a kind of all problems, or the error that says why there are none."""
    if metric is not None:
        known_metric(metric)
    found = [one for g in galleries for one in g.pictures(kind, metric, log=log)]
    if not found:
        raise InitbenchError(
            f"there is nothing to draw: {WITHOUT.get(kind, 'no run has finished')}"
        )
    return found


def known_metric(metric: str) -> str:
    """The metric, or the error that there is none of its name."""
    if metric not in METRICS:
        raise InitbenchError(f"metric: must be {_listed(tuple(METRICS))}, got {metric!r}")
    return metric


def judged_contests(
    competing: Sequence[Contest], metric: str, rows: Sequence[Row]
) -> tuple[JudgedContest, ...]:
    """Each contest with its title and its rows."""
    return tuple(
        JudgedContest.of(
            titles.problem(contest.experiments),
            contest,
            metric,
            [row for row in rows if row.problem == number],
        )
        for number, contest in enumerate(competing)
    )


def problems_of(
    experiments: Sequence[Experiment], records: Sequence[Record], metric: str
) -> tuple[JudgedContest, ...]:
    """The problems of runs that nobody has compared yet."""
    competing = contests(experiments, records)
    return judged_contests(competing, metric, comparison.compare(competing, metric))


def typical_seed(records: Sequence[Record], metric: str) -> int:
    """The seed whose run ended nearest to the median; the first of equals."""
    values = {r.seed: value for r in records if (value := r.metric(metric)) is not None} or {
        r.seed: 0.0 for r in records
    }
    middle = median(list(values.values()))
    return min(values, key=lambda seed: values[seed] != middle and abs(values[seed] - middle))


def drawing() -> ModuleType:
    """The module that makes figures, or the error that says how to install what it needs."""
    try:
        from initbench.report.charts import figure
    except ModuleNotFoundError as error:
        if error.name not in {"altair", "vl_convert", "pikepdf"}:
            raise
        raise InitbenchError(
            "charts need Altair, vl-convert and pikepdf; try: pip install 'initbench[report]'"
        ) from None
    return figure


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"
