"""Tables as people have them: what is left out, encoded, filled or refused, and what is said."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from initbench import datasets, spec
from initbench.datasets.columns import ColumnReader, column_of, kind_of
from initbench.datasets.delimited import read_rows
from initbench.datasets.tables import Source, table_of
from initbench.errors import DataError
from tests.datasets.conftest import Arrays, csv_of, dataset, file_data, npz_of, refusal

IRIS = dataset("iris", standardize="none")


def iris_as_r_writes_it(folder: Path) -> Path:
    """The rows of scikit-learn's iris in an unnamed column of row names, as R writes a table."""
    iris = load_iris()
    rows = [
        f'"{i + 1}",{",".join(f"{x:g}" for x in row)},"{iris.target_names[kind]}"'
        for i, (row, kind) in enumerate(zip(iris.data, iris.target, strict=True))
    ]
    header = '"","Sepal.Length","Sepal.Width","Petal.Length","Petal.Width","y"'
    return csv_of(folder, "\n".join([header, *rows]) + "\n")


def test_row_numbers_of_iris_are_no_feature(tmp_path: Path) -> None:
    data = file_data(iris_as_r_writes_it(tmp_path), standardize="none")
    for held, given_ in ((data.train, IRIS.train), (data.test, IRIS.test)):
        assert np.array_equal(held.inputs, given_.inputs)
        assert np.array_equal(held.targets, given_.targets)
    assert data.notes == ("data.csv: left out as features: a column without a name.",)


@pytest.mark.parametrize(
    ("name", "cells", "left_out"),
    [
        ("", "xyxyxyxyxyxy", "a column without a name"),
        ("week", range(1, 13), "week (1 to 12, a row number)"),
        ("Id", range(12), "Id (0 to 11, a row number)"),
        ("Unnamed: 0", range(12), "Unnamed: 0 (0 to 11, a row number)"),
        ("PassengerId", range(40, 88, 4), "PassengerId (another number in each row)"),
        ("patient_id", [f"p{i}" for i in range(12)], "patient_id (another text in each row)"),
        ("name", [f"Mr. {i}" for i in range(12)], "name (12 different texts)"),
        (
            "ticket",
            [f"A/{i}" if i % 2 else 1000 + i for i in range(60)],
            "ticket (30 texts among numbers)",
        ),
        ("when", [f"2020-01-{i:02d}" for i in range(1, 13)], "when (dates)"),
        ("when", [f"{i}.1.2020 12:00" for i in range(1, 13)], "when (dates)"),
        ("nothing", ["NA"] * 12, "nothing (no cell is filled)"),
        ("same", ["x"] * 12, "same (one text in each row)"),
        ("year", range(1950, 1962), None),
        ("x", range(12), None),
        ("acid", range(40, 88, 4), None),
        ("id", [1, 2] * 6, None),
    ],
)
def test_columns_that_say_nothing_are_left_out(
    tmp_path: Path, name: str, cells: Any, left_out: str | None
) -> None:
    rows = "".join(f"{cell},{i * 7 % 5},{i % 2}\n" for i, cell in enumerate(cells))
    data = file_data(csv_of(tmp_path, f"{name},b,y\n{rows}"))
    assert len(data.train.inputs) == (2 if left_out is None else 1)
    said = [note for note in data.notes if "left out" in note]
    assert said == ([] if left_out is None else [f"data.csv: left out as features: {left_out}."])
    if name:
        assert not file_data(tmp_path / "data.csv", drop=(name,)).notes


MIXED = "sex,age,member,dead\n" + "".join(
    f"{['male', 'female', 'male', 'other'][i % 4]},{20 + i * 7 % 31},"
    f"{['TRUE', 'F'][i * 3 % 7 % 2]},{['no', 'yes'][i % 3 % 2]}\n"
    for i in range(60)
)


def test_texts_are_one_hot_and_booleans_0_and_1(tmp_path: Path) -> None:
    data = file_data(csv_of(tmp_path, MIXED), target="dead")
    age, member, *sex = data.train.inputs
    assert abs(age.mean()) < 1e-12
    assert age.std() == pytest.approx(1)
    assert set(member) == {0, 1}
    assert (np.sort(sex, axis=0) == np.eye(3)[:, -1:]).all()  # female, male, other: one of them
    assert np.mean(sex, axis=1) == pytest.approx([0.25, 0.5, 0.25], abs=0.05)
    assert data.notes == ("data.csv: one-hot encoded: sex (3 texts).",)
    assert len(file_data(tmp_path / "data.csv", target="dead", categories="drop").train.inputs) == 2


def test_codes_are_categories_if_asked_for(tmp_path: Path) -> None:
    codes = np.arange(60) % 3
    text = "".join(f"{c},{i},{i % 2}\n" for i, c in enumerate(codes))
    path = csv_of(tmp_path, f"c,x,y\n{text}")
    whole = npz_of(tmp_path, c=codes, x=np.arange(60), y=np.arange(60) % 2)
    for file in (path, whole):
        data = file_data(file, one_hot=("c",))
        _, *one_hot = data.train.inputs
        assert (np.sort(one_hot, axis=0) == np.eye(3)[:, -1:]).all()
    classes = npz_of(tmp_path, x=codes, y=np.arange(60) % 20 / 4)
    assert file_data(classes, task="classification", test_fraction=0.4).task == "multiclass"


def test_features_are_chosen_by_name(tmp_path: Path) -> None:
    path = csv_of(tmp_path, MIXED.replace("sex", "id"))
    chosen = file_data(path, target="dead", features=("age", "member"), drop=())
    dropped = file_data(path, target="dead", drop=("id",))
    assert np.array_equal(chosen.train.inputs, dropped.train.inputs)
    forced = file_data(path, target="dead", features=("age",), one_hot=("member", "id"))
    assert len(forced.train.inputs) == 1 + 1 + 3


def test_all_mistakes_about_columns_are_said_at_once(tmp_path: Path) -> None:
    names = [f"n{i}" for i in range(60)]
    text = "".join(f"{i * 3 % 7},{name},{i % 2}\n" for i, name in enumerate(names))
    path = csv_of(tmp_path, f"age,name,y\n{text}")
    keys: Arrays = {"features": ("aeg", "name", "y"), "drop": ("name", "z"), "one_hot": ("q",)}
    assert refusal(path, **keys).splitlines() == [
        f"{path}: features names 'aeg', which is no column of it; did you mean 'age'?",
        f"{path}: features names the target 'y'; remove it",
        f"{path}: drop names 'z', which is no column of it; it has age, name, y",
        f"{path}: one_hot names 'q', which is no column of it; it has age, name, y",
        f"{path}: drop names 'name', which other keys take in",
    ]
    assert refusal(path, features=("name",)) == (
        f"{path}: column 'name' cannot be a feature: 60 different texts; name it under one_hot, or "
        "drop it"
    )


def test_all_bad_cells_are_said_at_once(tmp_path: Path) -> None:
    rows = [[str(i / 2), str(i % 3), str(i % 2)] for i in range(30)]
    rows[3][0], rows[5][1], rows[7][1], rows[9][2] = "1O", "?", "", "n/a"
    path = csv_of(tmp_path, "a,b,y\n" + "\n".join(map(",".join, rows)))
    path.write_text(f"{path.read_text()}\n1,2\n")
    lines = refusal(path).splitlines()
    assert [line.removeprefix(str(path))[:16] for line in lines] == [
        ":5: column 'a': ", ":7: column 'b': ", ":11: target 'y':", ":32: has 2 field"
    ]  # fmt: skip
    assert "2 such cells of 30" in lines[1]


@pytest.mark.parametrize("token", ["", "NA", "N/A", "null", "None", "NaN", "#N/A", "?", ".", "-",
                                   "missing", " na "])  # fmt: skip
def test_missing_is_missing(tmp_path: Path, token: str) -> None:
    rows = [[f"{i * 7 % 13}.5", "uvw"[i % 3]] for i in range(60)]
    rows[5][0] = rows[8][1] = token
    path = csv_of(tmp_path, "a,y\n" + "\n".join(map(",".join, rows)))
    assert len(refusal(path).splitlines()) == 2
    dropped = file_data(path, missing="drop")
    assert (dropped.task, len(dropped.train.targets)) == ("multiclass", 3)
    assert dropped.train.inputs.shape[1] + dropped.test.inputs.shape[1] == 58
    assert dropped.notes == ("data.csv: 2 rows of 60 dropped for missing cells.",)
    assert refusal(path, missing="mean").count("\n") == 0
    filled = file_data(path, missing="mean", missing_target="drop")
    assert filled.train.inputs.shape[1] + filled.test.inputs.shape[1] == 59


def test_texts_of_dropped_rows_are_neither_categories_nor_classes(tmp_path: Path) -> None:
    rows = [f"{'pq'[i % 2]},{i * 7 % 13},{'uv'[i // 2 % 2]}" for i in range(40)]
    path = csv_of(tmp_path, "c,x,y\n" + "\n".join([*rows, "r,1,NA", "p,?,w"]))
    data = file_data(path, missing="drop")
    assert (data.task, len(data.train.inputs)) == ("binary", 2)  # x, and whether c is q


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_what_fills_a_cell_comes_from_the_train_samples(tmp_path: Path, strategy: str) -> None:
    rng = np.random.RandomState(0)
    values = rng.randint(0, 9, 40) ** 2.0
    rows = [f"{'NA' if i % 10 == 3 else v:},{i},{i % 2}" for i, v in enumerate(values)]
    path = csv_of(tmp_path, "a,x,y\n" + "\n".join(rows))
    data = file_data(path, missing=strategy, standardize="none")
    known = [a for a, i in data.train.inputs.T if i % 10 != 3]
    counts = {value: known.count(value) for value in sorted(set(known), reverse=True)}
    expected = {
        "mean": np.mean(known),
        "median": np.median(known),
        "most_frequent": max(reversed(counts), key=counts.__getitem__),
    }[strategy]
    for split in (data.train, data.test):
        found = [a for a, i in split.inputs.T if i % 10 == 3]
        assert found == pytest.approx([expected] * len(found))


def test_each_split_has_as_many_columns(tmp_path: Path) -> None:
    """A category that only one sample has is in each split's encoding."""
    text = "c,x,y\n" + "".join(f"{'r' if i == 7 else 'pq'[i % 2]},{i},{i % 2}\n" for i in range(60))
    path = csv_of(tmp_path, text)
    shapes = {file_data(path, split_random_state=s).train.inputs.shape for s in range(8)}
    assert shapes == {(4, 45)}


@pytest.mark.parametrize(
    ("targets", "task"),
    [
        ([115, 117, 120, 123, 126, 129, 132, 135, 139, 142, 146, 150, 154, 159, 164], "regression"),
        ([42, 37, 37, 28, 18, 18, 19, 20, 15, 14, 14, 13, 11, 12, 8, 7, 8, 8, 9, 15, 15],
         "regression"),
        ([0, 1, 0, 1, 1, 0], "binary"),
        ([0, 1, 2] * 3, "multiclass"),
    ],
)  # fmt: skip
def test_whole_numbers_with_few_rows_each_are_numbers(
    tmp_path: Path, targets: list[int], task: str
) -> None:
    path = csv_of(tmp_path, "a,y\n" + "".join(f"{i * 5 % 7},{y}\n" for i, y in enumerate(targets)))
    data = file_data(path, test_fraction=0.4)
    assert data.task == task
    assert any("is taken for a number" in note for note in data.notes) == (task == "regression")
    words = {"regression": "regression of y", "binary": "2 classes", "multiclass": "3 classes"}
    assert data.task_in_words == words[task]
    assert not file_data(path, test_fraction=0.4, task="regression").notes


def test_columns_that_tell_the_target_are_named(tmp_path: Path) -> None:
    rng = np.random.RandomState(1)
    price = rng.uniform(1, 2, 60)
    rows = [
        f"{rng.randn():.3f},{p:.6f},{p * 1.1 + 3:.6f},{c},{c},{['lo', 'hi'][c]}"
        for p in price
        for c in [rng.randint(2)]
    ]
    path = csv_of(tmp_path, "noise,usd,eur,cheap,low,y\n" + "\n".join(rows))
    assert file_data(path).notes == (
        "data.csv: cheap, low each determine the target y alone; drop those that would not be "
        "known before the target.",
        "data.csv: cheap and low say the same.",
    )
    assert file_data(path, target="usd", drop=("y", "cheap")).notes == (
        "data.csv: eur determines the target usd alone; drop it that would not be known before the "
        "target.",
    )


# How files are written


@pytest.mark.parametrize(
    "text",
    [
        "a|b|y\n1|u v|0\n2|w|1\n",
        "a   b  y\n1  'u  0\n 2\tw 1\n".replace("'u", '"u v"'),
        '"a" "b" "y"\n"r 1" 1 "u v" 0\n"r 2" 2 "w" 1\n',
        "a;b;y\r\n1;u v;0\r\n2;w;1\r\n",
        '"a","b","y"\n"1","u v","0"\n\n"2","w","1"',
    ],
    ids=["bars", "blanks", "write.table", "crlf", "quoted"],
)
def test_a_table_however_it_is_cut(text: str) -> None:
    columns = {c.name: c for c in read_rows(io.StringIO(text, newline=""), ".", 99)[0]}
    assert columns["a"].values.tolist() == [1, 2]
    assert columns["b"].labels == ("u v", "w")
    assert columns["y"].values.tolist() == [0, 1]
    assert set(columns) - {""} == {"a", "b", "y"}


CELLS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**6), 10**6).map(str),
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=4),
)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12
        )
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.booleans(),
)
def test_a_written_table_is_read_as_it_was(
    rows: list[list[str]], delimiter: str, quoted: bool
) -> None:
    text = io.StringIO()
    if len(rows[0]) == 1:  # one column shows no delimiter: a comma is taken for one
        delimiter = ","
    writer = csv.writer(
        text, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    )
    # A first row of quoted names makes the delimiter plain.
    writer.writerows([[f"c{i}" for i in range(len(rows[0]))], ["u"] * len(rows[0]), *rows])
    columns, _ = read_rows(io.StringIO(text.getvalue(), newline=""), ".", 10**6)
    if len(columns) == 1:  # a line of one empty cell is a blank line
        rows = [row for row in rows if row[0].strip()]
    for index, column in enumerate(columns):
        cells = ["u", *(row[index] for row in rows)]
        assert column.codes is not None
        assert column.spellings is not None
        read = [column.spellings[code] for code in column.codes]
        assert [spelling.text for spelling in read] == [cell.strip() for cell in cells]
        for spelling in read:
            if spelling.kind == "number":
                assert spelling.number == float(spelling.text)
        # No reading merges two cells that are written differently.
        assert len(column.spellings) == len(set(cells))


@settings(deadline=None, max_examples=40)
@given(st.permutations(["id", "name", "sex", "age", "when", "", "y"]))
def test_the_order_of_columns_changes_nothing_that_is_left_out(names: list[str]) -> None:
    columns: dict[str, list[Any]] = {
        "id": list(range(1, 31)), "name": [f"n{i}" for i in range(30)],
        "sex": ["m", "f", "f"] * 10, "age": [i * 7 % 13 for i in range(30)],
        "when": ["2020-01-01"] * 30, "": ["k", "l"] * 15, "y": ["u", "v"] * 15,
    }  # fmt: skip

    read = tuple(column_of(name, [str(cell) for cell in columns[name]]) for name in names)
    table = table_of(spec.FileDataset(path="t.csv", target="y"), Source(read))
    assert (table.numbers, table.categories) == (1, (2,))
    (note,) = table.notes[:1]
    assert set(note.removeprefix("t.csv: left out as features: ").rstrip(".").split(", ")) >= {
        "a column without a name", "name (30 different texts)", "when (dates)"
    }  # fmt: skip
    assert np.array_equal(table.x[:, 0], columns["age"])


@settings(deadline=None, max_examples=30)
@given(st.lists(CELLS, min_size=1, max_size=30), st.integers(1, 7), st.integers(0, 5))
def test_a_column_is_the_same_in_blocks_and_without_its_texts(
    cells: list[str], block: int, most: int
) -> None:
    """Numbers and counts do not depend on when a column gave up keeping its texts."""
    whole = column_of("c", cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("initbench.datasets.columns.MAX_SPELLINGS", most)
        reader = ColumnReader("c")
        for start in range(0, len(cells), block):
            part = cells[start : start + block]
            reader.add(part, range(start + 1, start + 1 + len(part)))
        parts = reader.column()
    assert np.array_equal(whole.values, parts.values, equal_nan=True)
    assert {k: (t.count, t.line) for k, t in whole.tallies.items()} == {
        k: (t.count, t.line) for k, t in parts.tallies.items()
    }


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_to_the_last_bit(number: float) -> None:
    assert kind_of(repr(number)) == ("number", number)
    if "e" not in repr(number):
        assert kind_of(repr(number).replace(".", ","), ",") == ("number", number)


def test_gzip_and_parquet_hold_the_same_table(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs pyarrow")
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet

    path = csv_of(tmp_path, MIXED)
    plain = file_data(path, target="dead")
    packed = tmp_path / "data.csv.gz"
    packed.write_bytes(gzip.compress(MIXED.encode()))
    columnar = tmp_path / "data.parquet"
    booleans = MIXED.replace(",F,", ",false,").replace(",TRUE,", ",true,")
    parquet.write_table(arrow_csv.read_csv(io.BytesIO(booleans.encode())), columnar)
    for other in (packed, columnar):
        data = file_data(other, target="dead")
        assert np.array_equal(data.train.inputs, plain.train.inputs)
        assert np.array_equal(data.test.targets, plain.test.targets)
    packed.write_bytes(gzip.compress(MIXED.encode())[:-9])
    assert "is a damaged gzip file" in refusal(packed, target="dead")


def test_parquet_without_pyarrow_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    assert refusal(tmp_path / "a.parquet").endswith("pip install 'initbench[parquet]'")


# What is not read


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["pipe.csv", "pipe.npz"])
def test_a_pipe_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert (
        refusal(tmp_path / name) == f"{tmp_path / name}: is no regular file, but a pipe or a device"
    )


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused_at_once(tmp_path: Path, device: str) -> None:
    if not Path(device).exists():
        pytest.skip(f"needs {device}")
    (tmp_path / "d.csv").symlink_to(device)
    assert refusal(tmp_path / "d.csv").endswith("is no regular file, but a pipe or a device")


def test_an_npz_file_is_refused_by_the_sizes_that_it_declares(tmp_path: Path) -> None:
    """Before anything is expanded: the archive here holds less than it declares."""
    path = tmp_path / "bomb.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (2**20, 2**11)}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(2**20))
        archive.writestr("y.npy", b"")
    assert "is not an NPZ file" in refusal(path)  # y is damaged
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(2**20))
    assert "declares arrays of 2,147,483,648 numbers" in refusal(path)


def test_more_cells_than_memory_has_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("initbench.datasets.files.most_cells", lambda: 100)
    path = csv_of(tmp_path, MIXED)
    assert "has about 245 cells, and" in refusal(path, target="dead")
    monkeypatch.setattr("initbench.datasets.files.most_cells", lambda: 220)
    assert "has more than 220 cells" in refusal(path, target="dead")


# The bytes that are hashed


def test_a_file_stands_for_the_bytes_that_were_read(tmp_path: Path) -> None:
    path = csv_of(tmp_path, MIXED)
    choice = spec.FileDataset(path="data.csv", target="dead")
    bound = datasets.pinned(choice, tmp_path)
    assert isinstance(bound, spec.FileDataset)
    assert datasets.fingerprint(bound) == hashlib.sha256(MIXED.encode()).hexdigest()
    first = datasets.load(bound)
    path.write_text(MIXED)  # the same bytes, written again
    assert np.array_equal(datasets.load(bound).train.inputs, first.train.inputs)
    path.write_text(MIXED.replace("20,", "29,"))
    with pytest.raises(DataError, match="has changed since"):
        datasets.load(bound)
    path.unlink()
    with pytest.raises(DataError, match="cannot be read: No such file"):
        datasets.load(bound)
