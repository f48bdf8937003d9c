"""The ladder of imports: a module knows what stands below it, and nothing above or beside it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import initbench

PACKAGE = Path(initbench.__file__).parent

#: From the ground up. A name is a module or a package of initbench.
LADDER = [
    {"core", "errors", "paired"},
    {"frameworks", "provenance", "fields"},
    {"choice", "expectation", "verdict"},
    {"spec"},
    {"records"},
    {"plan", "stats", "datasets", "document", "plugins", "explain", "verify", "judgement"},
    {"config", "gate", "expected", "executors", "store"},
    {"baseline"},
    {"execute", "report", "results"},
    {"diagnose"},
    {"cli"},
]
RUNG = {name: height for height, names in enumerate(LADDER) for name in names}
#: Inside core: the loop stands on what it calls, and that on nothing.
CORE = [
    {"activations", "losses", "optimizers", "blas", "quadrature", "meanfield"},
    {"network", "initializers"},
    {"gains"},
    {"start", "train"},
    {"propagation"},
]
CORE_RUNG = {name: height for height, names in enumerate(CORE) for name in names}
#: Inside core.initializers: the registry stands on the functions, and they on the protocol.
INITIALIZERS = [
    {"protocol", "dialects"},
    {"elementary", "structured"},
    {"scaling", "data_driven"},
    {"recipes"},
    {"registry"},
]
INITIALIZERS_RUNG = {name: height for height, names in enumerate(INITIALIZERS) for name in names}

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def imported(path: Path) -> set[str]:
    """Dotted names of the package's modules that a file imports, in functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.startswith("initbench.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down_the_ladder(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts
    for name in imported(path):
        other = name.split(".")[1:]
        if own[0] == other[0] == "core":
            if own[1] == other[1] == "initializers":
                if own[2] != "__init__":
                    above, below = INITIALIZERS_RUNG[own[2]], INITIALIZERS_RUNG[other[2]]
                    assert below < above, f"{path.name} imports {name}"
            elif own[1] != "__init__":
                assert CORE_RUNG[other[1]] < CORE_RUNG[own[1]], f"{path.name} imports {name}"
        elif own[0] != other[0]:
            assert RUNG[other[0]] < RUNG[own[0]], f"{path.name} imports {name}"


def test_core_is_numpy_and_scipy_only() -> None:
    allowed = {"numpy", "scipy", "annotated_types", "initbench", *sys.stdlib_module_names}
    allowed.add("threadpoolctl")  # asks NumPy which BLAS it has
    for path in (PACKAGE / "core").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert str(node.module).split(".")[0] in allowed, f"{path.name}: {node.module}"
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    assert alias.name.split(".")[0] in allowed, f"{path.name}: {alias.name}"


def test_files_stay_readable() -> None:
    """One file, one job: about 400 lines."""
    for path in MODULES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 480, f"{path.name} has {lines} lines"


def test_help_imports_nothing_heavy() -> None:
    """`initbench --help` waits for click alone."""
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from initbench.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'pydantic', 'yaml', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_frameworks_wait_until_one_of_their_rows_draws() -> None:
    """Naming, listing and checking a framework's row needs no framework."""
    code = (
        "import sys\n"
        "from initbench import config, spec\n"
        "from initbench.report.catalogue import catalogue\n"
        "assert catalogue()['frameworks'] and spec.json_schema()\n"
        "print(sorted({'torch', 'jax', 'keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
