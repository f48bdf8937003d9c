"""Pictures hold a comparison's numbers, and charts draw these and compute none."""

from __future__ import annotations

import base64
import json
import math
import re
import statistics
import xml.etree.ElementTree as ET
import zlib
from typing import Any

import numpy as np
import pytest

import initbench
from initbench.api.pictures import Gallery, asked, typical_seed
from initbench.api.results import Comparison
from initbench.errors import InitbenchError
from initbench.report.kinds import KINDS

registry = pytest.importorskip(
    "initbench.report.charts.registry", reason="charts need the extra `report`"
)
figure = pytest.importorskip("initbench.report.charts.figure")
style = pytest.importorskip("initbench.report.charts.style")

#: As much of a script as the name of a file may hold.
HOSTILE = "&lt;script&gt;alert(1) & [x](y) 'q' {{datum}} ${1}"
CONFIG: dict[str, Any] = {
    "initializer": ["he_normal", "zeros", {"name": "normal", "std": 3}],
    "layers": [2, 6, 4, 1],
    "iterations": 60,
    "log_every": 20,
    "learning_rate": 0.5,
    "seeds": 6,
}


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return initbench.compare([CONFIG | {"name": name} for name in (HOSTILE, "plain")])


@pytest.fixture(scope="module")
def swept() -> Comparison:
    sweep = {"learning_rate": [0.1, 1.0, 3.0]}
    return initbench.compare(CONFIG | {"seeds": 3, "sweep": sweep})


GALLERIES: dict[int, Gallery] = {}


def gallery(comparison: Comparison) -> Gallery:
    """A comparison's only one, which trains once."""
    return GALLERIES.setdefault(id(comparison), Gallery(comparison.problems[0]))


def test_curves_are_the_medians_of_the_records(comparison: Comparison) -> None:
    (picture,) = gallery(comparison).pictures("curves", "test_loss")
    records = comparison.to_dict()["records"]
    for row in picture.tables["curves"]:
        config, initializer = row["name"].rsplit(", ", 1)
        values = [
            r["curve"]["test_loss"][r["curve"]["iteration"].index(row["iteration"])]
            for r in records
            if (r["config"], r["initializer"]) == (config, initializer)
        ]
        assert row["median"] == pytest.approx(statistics.median(values), rel=1e-15)
        assert row["low"] in values
        assert row["high"] in values
    assert len(picture.tables["curves"]) == 6 * 4


def test_seeds_and_differences_are_those_of_the_document(comparison: Comparison) -> None:
    document = comparison.to_dict()
    (picture,) = gallery(comparison).pictures("seeds")
    assert sorted(row["value"] for row in picture.tables["seeds"]) == sorted(
        record["train_loss"] for record in document["records"]
    )
    (picture,) = gallery(comparison).pictures("forest")
    for row in picture.tables["forest"]:
        config, initializer = row["name"].rsplit(", ", 1)
        (same,) = [
            other["difference"]
            for other in document["comparison"]
            if (other["config"], other["initializer"]) == (config, initializer)
        ]
        assert {key: row[key] for key in ("estimate", "low", "high")} == same


def test_the_last_share_of_a_profile_is_that_of_the_ranking(comparison: Comparison) -> None:
    (picture,) = gallery(comparison).pictures("profile")
    last = {row["name"]: row["share"] for row in picture.tables["profile"]}
    problem = comparison.problems[0]
    assert last == {problem.name(row): row.trained / row.runs for row in comparison.rows}


def test_a_sensitivity_holds_the_matrix(swept: Comparison) -> None:
    (picture,) = gallery(swept).pictures("sensitivity")
    (matrix,) = swept.to_dict()["matrices"]
    medians = [cell["median"] for row in matrix["rows"] for cell in row["cells"]]
    assert [row["median"] for row in picture.tables["sensitivity"]] == medians
    assert {row["setting"] for row in picture.tables["sensitivity"] if row["best"]} <= {
        str(value) for value in matrix["values"]
    }


def test_a_boundary_separates_what_the_test_accuracy_says(comparison: Comparison) -> None:
    """The places nearest to the samples have the classes that the network gives to these."""
    one = Gallery(comparison.problems[0], asked_seed=0)
    (picture,) = one.pictures("boundary")
    last = [row for row in picture.tables["fields"] if row["iteration"] == 60]
    for row in last:
        config, initializer = row["name"].rsplit(", ", 1)
        (record,) = [
            r
            for r in comparison.records
            if (r.config, r.initializer, r.seed) == (config, initializer, 0)
        ]
        right = []
        x, y = picture.facts["x"], picture.facts["y"]
        for sample in picture.tables["samples"]:
            places = len(row["winner"])
            i = round((sample["x"] - x[0]) / (x[1] - x[0]) * (places - 1))
            j = round((sample["y"] - y[0]) / (y[1] - y[0]) * (places - 1))
            right.append(row["winner"][j][i] == sample["class"])
        accuracy = record.metric("train_accuracy")
        assert accuracy is not None
        # A place is 0.06 wide, as far as the two circles are apart: few samples are misplaced.
        assert abs(np.mean(right) - accuracy) < 0.15


def test_fields_become_png_pictures_of_one_number_a_place(comparison: Comparison) -> None:
    (picture,) = gallery(comparison).pictures("boundary")
    field = picture.tables["fields"][-1]
    address = registry.tables(picture)["fields"][-1]["url"]
    png = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    body = png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8]
    lines = np.frombuffer(zlib.decompress(body), np.uint8).reshape(48, 49)[:, 1:]
    assert np.array_equal(lines[::-1] // 16, field["winner"])
    shades = np.array(field["certainty"]) * 15
    assert np.abs(lines[::-1] % 16 - shades).max() <= 0.51


def test_histograms_count_all_activations(comparison: Comparison) -> None:
    (picture,) = gallery(comparison).pictures("activations")
    sums: dict[tuple[str, int, int], float] = {}
    for row in picture.tables["activations"]:
        key = row["name"], row["layer"], row["iteration"]
        sums[key] = sums.get(key, 0.0) + row["share"]
    assert len(sums) == 6 * 2 * 4
    assert all(math.isclose(total, 1, abs_tol=1e-3) for total in sums.values())


@pytest.mark.parametrize("kind", ["curves", "boundary", "forest"])
def test_each_kind_is_a_figure_of_the_width_asked_for(comparison: Comparison, kind: str) -> None:
    svg = figure.figure(asked([gallery(comparison)], kind), "svg", 237.6)
    root = ET.fromstring(svg)
    assert root.attrib["width"] == "237.60pt"
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    if kind == "forest":
        assert "&lt;script&gt;" in "".join(filter(None, (element.text for element in root.iter())))


def test_figures_have_reproducible_bytes_and_exact_sizes(comparison: Comparison) -> None:
    forest = asked([gallery(comparison)], "forest")
    png = figure.figure(forest, "png", 288.0)
    assert figure.figure(forest, "png", 288.0) == png
    # A process of its own orders its hash tables in its own way, and each call one more.
    pdfs = [figure.figure(forest, "pdf", 288.0) for _ in range(4)]
    assert len(set(pdfs)) == 1
    assert abs(int.from_bytes(png[16:20], "big") - 4 * figure.DPI) <= 1
    (box,) = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+) ", figure.figure(forest, "pdf", 288.0))
    assert abs(float(box) - 288) <= 1


@pytest.mark.parametrize("kind", [*KINDS, "weights"])
def test_a_chart_computes_no_number(comparison: Comparison, swept: Comparison, kind: str) -> None:
    """Vega-Lite may filter and look up, but not aggregate, calculate or smooth."""
    found = [picture for one in (comparison, swept) for picture in gallery(one).pictures(kind)]
    assert found
    for picture in found:
        for panel in registry.CHARTS[kind](picture, style.by_name(""), style.Size(200, 100), None):
            text = json.dumps(panel.chart.to_dict())
            assert not re.search(r'"(aggregate|bin|calculate|regression|loess|density)":', text)


def test_a_comparison_plots_in_a_notebook(comparison: Comparison) -> None:
    chart = comparison.plot("curves", metric="test_accuracy")
    spec = chart.to_dict()
    names = {row["name"] for rows in spec["datasets"].values() for row in rows if "name" in row}
    assert f"{HOSTILE}, zeros" in names
    assert "test accuracy" in json.dumps(spec)


def test_runs_and_diagnoses_plot_the_same(comparison: Comparison) -> None:
    run = initbench.run([CONFIG | {"name": name} for name in (HOSTILE, "plain")])
    for kind in ("curves", "seeds", "profile", "layers", "boundary"):
        assert run.plot(kind).to_dict() == comparison.plot(kind).to_dict()
    diagnosis = initbench.diagnose([CONFIG | {"name": name} for name in (HOSTILE, "plain")])
    spec = diagnosis.plot().to_dict()
    (ours,) = (rows for rows in spec["datasets"].values() if rows)
    (theirs,) = (rows for rows in run.plot("layers").to_dict()["datasets"].values() if rows)
    assert ours == theirs
    during = initbench.diagnose(CONFIG | {"seeds": 3}, during=True)
    assert {row.findings.iteration for row in during.rows} == {0, 20, 40, 60}
    (rows,) = (rows for rows in during.plot().to_dict()["datasets"].values() if rows)
    assert {row["layer"] for row in rows} == {1, 2, 3}
    assert len(rows) == len({tuple(row.values())[:4] for row in rows})  # of one log point


def test_a_notebook_shows_charts_and_tables(comparison: Comparison) -> None:
    diagnosis = initbench.diagnose(CONFIG | {"seeds": 3})
    for chart in (comparison.plot("forest"), diagnosis.plot().properties(title="mine")):
        bundle: Any = chart._repr_mimebundle_()
        assert set(bundle) == {"image/svg+xml", "text/plain"}
        root = ET.fromstring(bundle["image/svg+xml"])
        addresses = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
        assert [address for address in addresses if not address.startswith("data:")] == []
        assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert "<table>" in diagnosis._repr_html_()


def test_a_renderer_that_a_person_chose_shows_charts(comparison: Comparison) -> None:
    import altair

    with altair.renderers.enable("mimetype"):
        bundle: Any = comparison.plot("curves")._repr_mimebundle_()
    assert any("vegalite" in kind for kind in (bundle if isinstance(bundle, dict) else bundle[0]))


def test_what_runs_and_diagnoses_lack_is_said() -> None:
    run = initbench.run(CONFIG | {"seeds": 2})
    with pytest.raises(InitbenchError, match="a forest shows differences, and runs are not"):
        run.plot("forest")
    with pytest.raises(InitbenchError, match="metric: must be train_loss, "):
        run.plot("curves", metric="loss")
    with pytest.raises(InitbenchError, match="a sensitivity needs a sweep"):
        run.plot("sensitivity")
    with pytest.raises(InitbenchError, match="a diagnosis draws layers, got 'curves'"):
        initbench.diagnose(CONFIG | {"seeds": 2}).plot("curves")


def test_what_cannot_be_drawn_is_said(comparison: Comparison) -> None:
    with pytest.raises(InitbenchError, match=r"kind: must be curves, seeds, .* got 'pie'"):
        comparison.plot("pie")
    with pytest.raises(InitbenchError, match="a sensitivity needs a sweep"):
        comparison.plot("sensitivity")
    with pytest.raises(InitbenchError, match="seed 9 is not among the runs' seeds: 0, 1, 2"):
        comparison.plot("boundary", seed=9)
    with pytest.raises(InitbenchError, match="metric: must be train_loss, "):
        comparison.plot("curves", metric="loss")


def test_diverged_runs_are_named_and_not_drawn() -> None:
    config = CONFIG | {"layers": [10, 4, 1], "dataset": "diabetes", "learning_rate": 9}
    one = Gallery(initbench.compare(config).problems[0])
    (picture,) = one.pictures("seeds")
    values = [row["value"] for row in picture.tables["seeds"] if row["name"] == "he_normal"]
    assert values == [None] * 6
    assert "he_normal: inf, 6 runs diverged" in picture.words
    assert one.pictures("boundary") == []
    assert figure.figure([picture, *one.pictures("curves")], "svg", 300.0)


def test_the_typical_seed_is_nearest_to_the_median(comparison: Comparison) -> None:
    records = comparison.problems[0].selections[0].records
    values = {record.seed: record.metric("train_loss") for record in records}
    middle = statistics.median(v for v in values.values() if v is not None)
    seed = typical_seed(records, "train_loss")
    nearest = min(abs(v - middle) for v in values.values() if v is not None)
    chosen = values[seed]
    assert chosen is not None
    assert abs(chosen - middle) == nearest
