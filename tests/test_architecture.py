"""The ladder of imports: a module knows what stands below it, and nothing above or beside it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import initbench
from tests.conftest import printed_by

PACKAGE = Path(initbench.__file__).parent

#: The wings, from the roof to the ground: a package of initbench, or a module beside them. Those in
#: one row do not import each other.
WINGS = [
    ["__main__", "pytest_plugin"],
    ["cli", "torch"],
    ["api"],
    ["report"],
    ["models"],
    ["gate", "diagnosis"],
    ["config", "analysis"],
    ["runs"],
    ["datasets"],
    ["spec"],
    ["interop", "audit"],
    ["core"],
    ["files", "metrics", "signals", "wording"],
    ["errors"],
    ["printable"],
]
#: The modules inside each wing, from the roof to the ground.
ROOMS = {
    "cli": [
        [
            "new_command", "validate_command", "run_command", "compare_command", "report_command",
            "plot_command", "check_command", "baseline_command", "diagnose_command",
            "explain_command", "verify_command", "show_command", "clean_command", "list_command",
            "schema_command",
        ],
        ["display", "options", "output"],
        ["streams"],
    ],
    "api": [
        ["flows", "gating", "initializers", "explaining", "models", "stored"],
        ["pages"],
        ["results"],
        ["folder", "pictures", "sources"],
    ],
    "report": [["page"], ["charts", "render"], ["views"], ["kinds"]],
    "report.page": [["compose"], ["charts", "content"]],
    "report.charts": [["figure"], ["registry"], ["training", "comparing", "networks"], ["style"]],
    "report.views": [
        ["compare", "networks"],
        ["story"],
        ["pictures"],
        [
            "run", "check", "configs", "diagnose", "explain", "fans", "verify", "model",
            "model_diagnosis",
            "show", "listing", "overview", "settings", "facts",
        ],
        ["parameters", "rows", "diagnosis_lines"],
        ["screen", "diagnosis_rows"],
        ["records", "texts", "titles", "regression"],
        ["view"],
    ],
    "report.render": [
        ["rich", "markdown", "csv", "json", "html", "latex", "junit", "github", "benchmark_action"],
        ["sparkline"],
    ],
    "gate": [
        ["check", "sensitivity"],
        ["replay", "baseline", "training"],
        ["reading"],
        ["outcomes", "expectations"],
        ["verdicts"],
    ],
    "diagnosis": [
        ["diagnose", "portraits"],
        ["predicting", "advice", "calibration", "cautions"],
        ["measuring", "rules"],
        ["findings"],
        ["growth"],
    ],
    "models": [
        ["describing", "diagnosing"],
        ["verifying"],
        ["laws", "signals"],
        ["parameters", "batches", "functions", "room"],
        ["building"],
    ],
    "config": [
        ["starter"],
        ["loading"],
        ["amount", "sweep", "settle", "promises"],
        ["layers"],
        ["overrides", "messages"],
        ["document", "plugins", "pointers"],
    ],
    "analysis": [
        ["deciding"],
        ["contests", "overview", "curves"],
        ["comparison"],
        ["selection", "standing"],
        ["sequential"],
        ["best"],
        ["summary", "intervals", "paired"],
    ],
    "runs": [
        ["replay"],
        ["runner", "salvage"],
        ["execute", "identity"],
        ["plan", "store", "workers"],
        ["cost", "database", "records"],
        ["provenance"],
    ],
    "datasets": [
        ["loading"],
        ["named", "files", "preparation"],
        ["tables"],
        ["delimited", "archives", "leaks", "given", "cells"],
        ["columns"],
        ["problems", "memory", "recent"],
    ],
    "spec": [
        ["schema", "kinds"],
        ["experiment"],
        ["biases"],
        ["by_layer"],
        ["initializers", "datasets", "expectations"],
        ["choice"],
        ["fields", "parameters"],
    ],
    "interop": [["frameworks", "plugin_functions"], ["plugin_process"]],
    "audit": [["explain", "fans", "verify"]],
    "core": [
        ["propagation", "by_layer"],
        ["draw"],
        ["gains"],
        ["engine", "initializers", "meanfield"],
        ["architecture", "means"],
        ["quadrature"],
        ["activations", "losses", "optimizers"],
        ["arrays"],
    ],
    "core.engine": [["numpy_stack"], ["protocol", "blas"]],
    "core.initializers": [
        ["advice", "biases"],
        ["registry"],
        ["network_wide", "uniform_biases"],
        ["scaling", "data_dependent"],
        ["distributions", "structured"],
        ["protocol", "dialects"],
    ],
}  # fmt: skip

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def height(rungs: list[list[str]], name: str) -> int:
    """How far above the ground a name stands."""
    return next(i for i, names in enumerate(reversed(rungs)) if name in names)


def ladder() -> str:
    """The wings and their modules as a text; CONTRIBUTING.md shows it."""
    lines = []
    for wings in WINGS:
        for wing in wings:
            rooms = " > ".join(" ".join(names) for names in ROOMS.get(wing, []))
            lines.append(f"{wing:10} {rooms}".rstrip())
        lines.append("")
    return "\n".join(lines)


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
        other = tuple(name.split(".")[1:])
        shared = next(i for i in range(len(own)) if own[i] != (*other, "")[i])
        if own[shared] == "__init__":
            continue  # a wing's door stands before all of its rooms
        rungs = ROOMS[".".join(own[:shared])] if shared else WINGS
        assert height(rungs, other[shared]) < height(rungs, own[shared]), f"imports {name}"


def test_every_module_has_its_place() -> None:
    """No room is listed that is not there, and none is there unlisted."""
    listed = {name for names in WINGS for name in names}
    for wing, rungs in ROOMS.items():
        listed |= {f"{wing}.{name}" for names in rungs for name in names}
    there = set()
    for path in MODULES:
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        there.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    assert listed == there


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


def test_commands_parse_call_and_print() -> None:
    """They have no logic that the Python API lacks: the wings that compute are out of their sight.

    What they parse and print needs configs, results and views.
    """
    seen = {
        "api",
        "cli",
        "config",
        "errors",
        "files",
        "metrics",
        "printable",
        "report",
        "runs",
        "signals",
        "spec",
        "wording",
    }
    for path in (PACKAGE / "cli").glob("*.py"):
        for name in imported(path):
            assert name.split(".")[1] in seen, f"{path.name}: {name}"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        used |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        others = {str(module).split(".")[0] for module in used} - set(sys.stdlib_module_names)
        assert others <= {"click", "rich", "initbench"}, path.name


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
    assert printed_by(code).strip() == "[]"


def test_frameworks_wait_until_one_of_their_rows_draws() -> None:
    """Naming, listing and checking a framework's row needs no framework."""
    code = (
        "import sys\n"
        "from initbench import spec\n"
        "from initbench.report.views.listing import catalogue\n"
        "assert catalogue()['frameworks'] and spec.json_schema()\n"
        "print(sorted({'torch', 'jax', 'keras'} & set(sys.modules)))\n"
    )
    assert printed_by(code).strip() == "[]"
