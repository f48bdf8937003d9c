"""Files of data: what is read, and what a file must not be, word by word."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from initbench.datasets.cells import MAX_GUESSED_CLASSES
from tests.conftest import POSIX_WORDS
from tests.datasets.conftest import Arrays, csv_of, file_data, npz_of, refusal

ROWS = [(i, i * i, i % 2) for i in range(20)]
CSV = "a,b,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in ROWS)


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        CSV.replace(",", ";"),
        CSV.replace(",", "\t"),
        "\ufeffy,a,b\n" + "".join(f"{y},{a},{b}\n" for a, b, y in ROWS),
        CSV.replace("\n", "\r\n"),
        CSV.replace("\n", "\n\n"),
        "\n".join(",".join(f'"{cell}"' for cell in row.split(",")) for row in CSV.split()),
        "y,a,b\n" + "".join(f"{y}, {a} ,{b}.0\n" for a, b, y in ROWS),
        "a,b,y\n" + "".join(f"{a},{b},{['no', 'yes'][y]}\n" for a, b, y in ROWS),
        "a,b,y\n" + "".join(f"{a},{b},{y * 7 - 3}\n" for a, b, y in ROWS),
    ],
    ids=["comma", "semicolon", "tab", "bom", "crlf", "blank", "quoted", "order", "text", "ints"],
)
def test_a_csv_file_however_written(tmp_path: Path, text: str) -> None:
    data = file_data(csv_of(tmp_path, text), standardize="none")
    train, test = train_test_split(
        np.array(ROWS), test_size=0.25, random_state=0, stratify=[row[2] for row in ROWS]
    )
    assert data.task == "binary"
    for split, rows in ((data.train, train), (data.test, test)):
        assert np.array_equal(split.inputs, rows[:, :2].T)
        assert np.array_equal(split.targets, rows[:, 2:].T)


@pytest.mark.parametrize(
    ("targets", "parameters", "task", "outputs"),
    [
        ([f"{i % 2 / 2}" for i in range(60)], {}, "regression", 1),
        (["abc"[i % 3] for i in range(60)], {}, "multiclass", 3),
        ([f"{i * 0.5}" for i in range(60)], {}, "regression", 1),
        ([f"{i % MAX_GUESSED_CLASSES}" for i in range(60)], {}, "multiclass", MAX_GUESSED_CLASSES),
        ([f"{i % (MAX_GUESSED_CLASSES + 1)}" for i in range(60)], {}, "regression", 1),
        ([f"{i % 3}" for i in range(60)], {"task": "regression"}, "regression", 1),
        ([f"{i % 2 / 2}" for i in range(60)], {"task": "classification"}, "binary", 1),
    ],
)
def test_the_task_that_a_target_poses(
    tmp_path: Path, targets: list[str], parameters: Arrays, task: str, outputs: int
) -> None:
    text = "a,y\n" + "".join(f"{i},{target}\n" for i, target in enumerate(targets))
    data = file_data(csv_of(tmp_path, text), test_fraction=0.5, **parameters)
    assert (data.task, len(data.train.targets)) == (task, outputs)


FILL = "fill it or drop the row, or write missing: drop, mean, median or most_frequent"
FILL_TARGET = "fill it, remove the row, or write missing_target: drop"
MEND = "correct it, or name b under drop or one_hot"
BAD_CSV = [
    ("a,b,y\n1,2,0\n1,2\n", ":3: has 2 fields; the header has 3"),
    ("a,b,y\n1,2,0\n\n1,2,0,4\n3\n", ":4: has 4 fields; the header has 3 (2 such lines)"),
    ("a,b,y\n1,2,0\n1,x,0\n", f":3: column 'b': 'x' is not a number, and other cells are; {MEND}"),
    ("a,b,y\n\n1,2,0\n1,,0\n", f":4: column 'b': is empty; {FILL}"),
    ("a,b,y\n1,1,0\n1, ,0\n1,?,0\n", f":3: column 'b': is empty (2 such cells of 3); {FILL}"),
    ("a,b,y\n1,1,0\n1,NA,0\n", f":3: column 'b': 'NA' is missing; {FILL}"),
    (CSV + "1,2,\n", f":22: target 'y': is empty; {FILL_TARGET}"),
    (CSV + "1,2,NaN\n", f":22: target 'y': 'NaN' is missing; {FILL_TARGET}"),
    ("a,b,y\n1,2,0\n\n1,-inf,1\n", f":4: column 'b': '-inf' is infinite; {MEND}"),
    ("a,b,y\n1,2,0\n1,1e999,1\n", f":3: column 'b': '1e999' is too large a number; {MEND}"),
    (
        "a;b;y\n1;2;0\n1;1,5;1\n",
        ":3: column 'b': '1,5' is a number that other programs read differently or not at all; "
        f'write decimal: "," if the comma is the decimal mark, or {MEND}',
    ),
    *(
        (
            f"a;b;y\n1;2;0\n1;{cell};1\n",
            f":3: column 'b': {cell!r} is a number that other programs read differently or not at "
            f"all; {MEND}",
        )
        for cell in ("1_000", "$5", "5%", "١٢", "1.000.000")
    ),
    (
        "a;b;y\n1;2;0\n1;1,000;1\n",
        ":3: column 'b': '1,000' is a number that other programs read differently or not at all; "
        f'write decimal: "," if the comma is the decimal mark; if it parts thousands, {MEND}',
    ),
    ("a,yy\n1,2\n", ": has no column 'y' for the target; did you mean 'yy'?"),
    ("a,b\n1,2\n", ": has no column 'y' for the target; it has a, b"),
    ("", ": has no column 'y' for the target; it has no columns"),
    ("y\n1\n2\n", ": has no column besides the target 'y'; add features"),
    ("a,y\n" + "1,2\n" * 5, ": target 'y' is 2.0 in every row; it needs at least 2 values"),
    ("a,y\n" + "1,u\n" * 5, ": target 'y' is u in every row; it needs at least 2 values"),
    ("a,y\n" + "1,2\n" * 3, ": has 3 samples; at least 4 are needed"),
    ("a,y\n", ": has 0 samples; at least 4 are needed"),
    (b"a,y\n\xe9,1\n", ": is not UTF-8 (invalid continuation byte); save it as UTF-8"),
    (f"a,y\n{'1' * 200_000},1\n", ":2: is not CSV: field larger than field limit (131072)"),
    ('a,y\n1,2\n"1,3\n1,4\n', ":3: is not CSV: unexpected end of data"),
    ("a,a,y\n1,2,3\n", ":1: names 'a' more than once; give each column its name"),
    (
        "5.1,3.5,y\n4.9,3.0,0\n",
        ":1: holds 2 numbers where the names of columns should stand; put a line of names above "
        "the rows",
    ),
    (
        "150,4,y\n4.9,3.0,0\n",
        ":1: holds 2 numbers where the names of columns should stand; put a line of names above "
        "the rows",
    ),
    ("a,b,y\n1,2,3,\n1,2,3,\n", ":2: ends with a delimiter, as all rows do and the header not"),
    (
        "a;b,c;y\n1;2,3;4\n",
        ":1: commas and semicolons both cut the first lines evenly; quote cells that hold one",
    ),
    (
        "a,y\n9,01\n2,1\n3,0\n4,0\n",
        ":3: target 'y': '1' is the same number as '01' in line 2; write both in one way",
    ),
    (
        'a,y\n9,u\n2," u"\n3,v\n4,v\n',
        ":3: target 'y': 'u' and the cell in line 2 differ in blanks alone; write both in one way",
    ),
    (
        "a,y\n9,1\n2,x\n3,0\n4,0\n",
        ":3: target 'y': 'x' is not a number, and other cells are; correct it, or write task: "
        "classification to take the cells as they are written",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD_CSV, ids=range(len(BAD_CSV)))
def test_a_csv_file_that_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = csv_of(tmp_path, text)
    assert refusal(path) == f"{path}{message}"


def test_texts_are_no_regression(tmp_path: Path) -> None:
    path = csv_of(tmp_path, "a,y\n" + "1,u\n2,v\n" * 5)
    assert (
        refusal(path, task="regression")
        == f"{path}: target 'y' holds texts; a regression needs numbers"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv", "{path}: cannot be read: No such file or directory"),
        ("none.npz", "{path}: cannot be read: No such file or directory"),
        pytest.param("folder.csv", "{path}: cannot be read: Is a directory", marks=POSIX_WORDS),
        ("a\0.csv", "'a\\x00.csv' holds the character NUL, which a file name cannot have"),
    ],
)
def test_a_path_to_no_data(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert refusal(tmp_path / name) == message.format(path=tmp_path / name)


def test_an_npz_file_of_several_arrays(tmp_path: Path) -> None:
    x, z = np.arange(120.0).reshape(20, 3, 2), np.arange(20) % 7 == 0
    data = file_data(npz_of(tmp_path, x=x, z=z, y=np.arange(20) % 2), standardize="none")
    assert (data.task, data.train.inputs.shape) == ("binary", (7, 15))
    rows = {tuple(row) for row in np.column_stack([x.reshape(20, 6), z])}
    assert {tuple(row) for row in np.hstack([data.train.inputs, data.test.inputs]).T} == rows


Y = np.arange(12) % 2
BAD_NPZ: list[tuple[Arrays, str]] = [
    ({"x": Y, "Y": Y}, "has no array 'y' for the target; it has x, Y"),
    ({"y": Y}, "has no array besides the target 'y'; add features"),
    ({"x": Y, "y": Y[:, None]}, "target 'y' must have one axis, got shape (12, 1)"),
    ({"x": Y, "y": 3}, "target 'y' must have one axis, got shape ()"),
    ({"x": Y[1:], "y": Y}, "array 'x' must hold 12 rows of numbers, got shape (11,) of int64"),
    ({"x": 3.0, "y": Y}, "array 'x' must hold 12 rows of numbers, got shape () of float64"),
    (
        {"x": Y.astype(str), "y": Y},
        "array 'x' must hold 12 rows of numbers, got shape (12,) of <U21",
    ),
    (
        {"x": np.where(Y, np.nan, 0), "y": Y},
        f"row 2: array 'x': 'NaN' is missing (6 such cells of 12); {FILL}",
    ),
    (
        {"x": Y, "y": np.where(Y, 0, np.inf)},
        "row 1: target 'y': 'inf' is infinite (6 such cells); correct it, or write task: "
        "classification to take the cells as they are written",
    ),
    ({"x": Y, "y": Y > 1}, "target 'y' is False in every row; it needs at least 2 values"),
    ({"x": np.empty((0, 2)), "y": np.empty(0)}, "has 0 samples; at least 4 are needed"),
    (
        {"x": np.array([None] * 12), "y": Y},
        "is not an NPZ file of plain arrays: "
        "Object arrays cannot be loaded when allow_pickle=False",
    ),
]


@pytest.mark.parametrize(("arrays", "message"), BAD_NPZ, ids=range(len(BAD_NPZ)))
def test_an_npz_file_that_is_refused(tmp_path: Path, arrays: Arrays, message: str) -> None:
    path = npz_of(tmp_path, **arrays)
    assert refusal(path) == f"{path}: {message}"


@pytest.mark.parametrize("kind", ["text", "npy", "empty", "cut", "flipped", "member", "header"])
def test_no_npz_file_at_all(tmp_path: Path, kind: str) -> None:
    whole = npz_of(tmp_path, x=np.arange(500), y=np.arange(500) % 2)
    path, content = tmp_path / "bad.npz", whole.read_bytes()
    np.save(tmp_path / "y.npy", Y)
    npy = (tmp_path / "y.npy").read_bytes()
    members = {"member": b"hi", "header": b"\x93NUMPY\x01\x00\x04\x00{'d'"}
    if kind in members:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("y.npy", npy)
            archive.writestr("x.npy", members[kind])
    else:
        flipped = content[:1000] + bytes([content[1000] ^ 255]) + content[1001:]
        kinds = {"text": b"hello", "npy": npy, "empty": b"", "cut": content[:900]}
        path.write_bytes({**kinds, "flipped": flipped}[kind])
    assert refusal(path).startswith(f"{path}: is not an NPZ file of plain arrays: ")
