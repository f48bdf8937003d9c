"""Files and packages of initializers: what is found in them, what is refused and why."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import RandomState

from initbench import config
from initbench.config import plugins
from initbench.core.initializers import INITIALIZERS, Moments
from initbench.errors import ConfigError, PluginError
from initbench.runs import identity, plan
from initbench.runs.execute import draw_work, prepare
from initbench.spec import Experiment, json_schema
from tests.conftest import POSIX_WORDS, printed_by

SPREAD = '''\
from typing import Annotated

from annotated_types import Gt
from initbench.core.initializers import fans


def spread(rng, shape, dtype, *, factor: Annotated[float, Gt(0)] = 1.0):
    """U(+-factor / fan_in).

    The rest of the docstring is for readers of the file.
    """
    fan_in, _ = fans(shape)
    return rng.uniform(-factor / fan_in, factor / fan_in, shape).astype(dtype)


def spread_law(shape, *, factor):
    half = factor / shape[1]
    return 0, half / 3**0.5, -half, half


def _helper(rng, shape, dtype): ...


def helper(shape): ...
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spread.py").write_text(SPREAD)
    return tmp_path


def test_public_functions_of_the_signature_are_initializers() -> None:
    rows = plugins.load(["spread.py"])
    assert list(rows) == ["spread"]
    row = rows["spread"]
    assert (row.formula, row.reference) == ("U(+-factor / fan_in)", "spread.py")
    assert (row.scope, row.properties) == ("layer", frozenset())
    assert row.sha256 == hashlib.sha256(SPREAD.encode()).hexdigest()
    assert row.law is not None
    law = row.law((3, 2), factor=1.0)
    assert law == Moments(0.0, 0.5 / 3**0.5, -0.5, 0.5)
    expected = RandomState(3).uniform(-0.5, 0.5, (3, 2))
    np.testing.assert_array_equal(row.draw(RandomState(3), (3, 2), np.float64), expected)


def test_nothing_is_registered_or_written(folder: Path) -> None:
    before = dict(INITIALIZERS)
    assert "spread" in plugins.experiment(["spread.py"]).initializer_models
    assert before == INITIALIZERS
    assert "spread" not in Experiment.initializer_models
    assert [path.name for path in folder.iterdir()] == ["spread.py"]


def test_a_config_may_name_it_with_its_parameters() -> None:
    model = plugins.experiment(["spread.py"])
    options = [("--layers", "layers=[2, 3, 1]")]

    def chosen(text: str) -> Experiment:
        return config.from_options([("NAME", f"initializer={text}"), *options], model)

    assert chosen("{name: spread, factor: 2}").initializer[0].label == "spread(factor=2)"
    assert chosen("[spread, he_normal]").initializer[1].name == "he_normal"
    for text, message in [
        ("{name: spread, factor: 0}", "NAME: initializer.factor: must be above 0, got 0"),
        ("{name: spread, facto: 1}", "NAME: initializer.facto: unknown key; did you mean 'factor'"),
        ("spred", "NAME: initializer: unknown name 'spred'; did you mean 'spread'?"),
    ]:
        with pytest.raises(ConfigError) as caught:
            chosen(text)
        assert str(caught.value).startswith(message)
    assert "spread" in str(json_schema(model))
    assert "spread" not in str(json_schema())


def test_an_initializer_of_the_network() -> None:
    Path("own.py").write_text(
        "from initbench.core.initializers import Start\n"
        "import numpy as np\n"
        "def shifted(rng, network, *, bias: float = 1.0):\n"
        "    return Start([(np.zeros(s, network.dtype), np.full(s[0], bias, network.dtype))\n"
        "                  for s in network.shapes])\n"
        "def shifted_law(network, layer, *, bias):\n"
        "    return 0, 0\n"
        "shifted_properties = {'fixed'}\n"
    )
    row = plugins.load(["own.py"])["shifted"]
    assert row.scope == "network"
    assert row.properties == frozenset({"fixed"})


def test_a_parameter_may_be_called_dialect() -> None:
    Path("own.py").write_text(
        "import numpy as np\n"
        "def own(rng, shape, dtype, *, dialect: str = 'north'):\n"
        "    return np.full(shape, len(dialect), dtype)\n"
    )
    Path("c.yaml").write_text(
        "initializer: {name: own, dialect: south}\nlayers: [2, 2, 1]\niterations: 1\n"
        "learning_rate: 0.1\n"
    )
    (experiment,) = config.load([Path("c.yaml")], (), plugins.Allowed([Path("own.py")]))
    assert experiment.initializer[0].chosen.parameters == {"dialect": "south"}


def test_it_pickles_as_its_text(folder: Path) -> None:
    """A process that has not loaded the file, nor can, draws the same."""
    row = plugins.load(["spread.py"])["spread"]
    (folder / "row.pickle").write_bytes(pickle.dumps(row))
    (folder / "spread.py").unlink()
    code = (
        "import pickle, numpy as np\n"
        "row = pickle.load(open('row.pickle', 'rb'))\n"
        "weights = row.draw(np.random.RandomState(5), (3, 2), np.float64, factor=2.0)\n"
        "print(weights.tobytes().hex(), row.law((3, 2), factor=2.0).high)\n"
    )
    here = row.draw(RandomState(5), (3, 2), np.float64, factor=2.0)
    assert printed_by(code).split() == [here.tobytes().hex(), "1.0"]


def test_what_it_prints_goes_to_standard_error() -> None:
    Path("loud.py").write_text(
        "import os\nprint('import')\nos.write(1, b'by descriptor\\n')\n"
        "def loud(rng, shape, dtype):\n    print('draw')\n    os.write(1, b'again\\n')\n"
        "    return 1\n"
    )
    code = (
        "import numpy as np\nfrom initbench.config import plugins\n"
        "plugins.load(['loud.py'])['loud'].draw(np.random.RandomState(0), (1, 1), np.float64)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("", "import\nby descriptor\ndraw\nagain\n")


def test_dataclasses_find_their_module() -> None:
    Path("own.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "@dataclass\nclass Setting:\n    kept: ClassVar[int] = 1\n"
        "def own(rng, shape, dtype): ...\n"
    )
    assert list(plugins.load(["own.py"])) == ["own"]


def test_identity_follows_the_file() -> None:
    def identity_of(text: str) -> str:
        Path("own.py").write_text(text)
        model = plugins.experiment(["own.py"])
        options = [("", "initializer=own"), ("", "layers=[2, 1]")]
        (run, *_) = plan.runs([config.from_options(options, model)])
        return identity.identity(run, None)

    text = "def own(rng, shape, dtype): ...\n"
    assert identity_of(text) == identity_of(text)
    assert identity_of(text) != identity_of(text + "# changed\n")


OWN = "def own(rng, shape, dtype): ...\n"
MISTAKES: list[tuple[str, str]] = [
    ("", "own.py: defines no initializer; write one as `def NAME(rng, shape, dtype, *, ...)`"),
    (
        "def own(key, shape): ...",
        "own.py: defines no initializer; write one as `def NAME(rng, shape, dtype, *, ...)`; "
        "it defines own(key, shape)",
    ),
    ("def own(rng, shape:\n", "own.py:1:8: is not Python: '(' was never closed"),
    (
        "import math\nmath.sqrt(-1)\n" + OWN,
        "own.py:2: raised ValueError: math domain error during import",
    ),
    (
        "import no_such_package\n" + OWN,
        "own.py:1: raised ModuleNotFoundError: No module named 'no_such_package' during import",
    ),
    ("raise SystemExit(0)\n", "own.py:1: raised SystemExit: 0 during import"),
    (
        "\ndef own(rng, shape): ...",
        "own.py:2: own must take (rng, shape, dtype, *, ...) or (rng, network, *, ...), with its "
        "own parameters after the *, got own(rng, shape)",
    ),
    (
        "def own(rng, shape, dtype, gain: float = 1): ...",
        "own.py:1: own must take (rng, shape, dtype, *, ...) or (rng, network, *, ...), with its "
        "own parameters after the *, got own(rng, shape, dtype, gain: float = 1)",
    ),
    (
        "def own(rng, shape, dtype, *, gain=1.0): ...",
        "own.py:1: own: gain needs a type, as in `gain: float`",
    ),
    (
        "def own(rng, shape, dtype, *, name: str): ...",
        "own.py:1: own: a parameter cannot be called name; rename it",
    ),
    (
        "def own(rng, shape, dtype, *, gain: 'Gain'): ...",
        "own.py:1: own: a parameter has a type that a config cannot give: name 'Gain' is not "
        "defined",
    ),
    (
        "import numpy\ndef own(rng, shape, dtype, *, gain: numpy.ndarray): ...",
        "own.py:2: own: a parameter has a type that a config cannot give: Unable to "
        "generate pydantic-core schema for <class 'numpy.ndarray'>. Set "
        "`arbitrary_types_allowed=True` in the model_config to ignore this error or implement "
        "`__get_pydantic_core_schema__` on your type to fully support it.",
    ),
    (
        "def own(rng, shape, dtype, *, gain: float): ...\ndef own_law(shape): ...",
        "own.py:1: own_law must take (shape, *, gain), with the same parameters as own, "
        "got own_law(shape)",
    ),
    (
        OWN + "own_properties = {'orthogonl'}",
        "own.py:1: own_properties may hold fixed, orthogonal, skewed, got orthogonl",
    ),
    (
        "def he_normal(rng, shape, dtype): ...",
        "own.py: he_normal is already an initializer of initbench; give yours another name",
    ),
    (
        "def xavier_normal(rng, shape, dtype): ...",
        "own.py: xavier_normal is already an initializer of initbench; give yours another name",
    ),
    (
        "def spread(rng, shape, dtype): ...",
        "own.py: spread is also defined in spread.py; give yours another name",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_is_met_with_its_place_and_the_fix(text: str, message: str) -> None:
    Path("own.py").write_text(text)
    with pytest.raises(PluginError) as caught:
        plugins.load(["spread.py", "own.py"])
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none.py", "none.py: cannot be read: No such file or directory; a plugin is"),
        pytest.param(
            ".",
            ".: cannot be read: Is a directory; a plugin is a Python file",
            marks=POSIX_WORDS,
        ),
    ],
)
def test_a_file_that_is_none(path: str, message: str) -> None:
    with pytest.raises(PluginError, match="^" + message):
        plugins.load([path])


def test_the_same_file_twice_is_one() -> None:
    assert list(plugins.load(["spread.py", "spread.py"])) == ["spread"]


LAWS = ["0.5", "(0,)", "'ab'", "(0, -1)", "(0, float('nan'))", "(3, 1, -1, 1)"]


@pytest.mark.parametrize("law", LAWS)
def test_a_law_that_is_none(law: str) -> None:
    Path("own.py").write_text(f"{OWN}def own_law(shape): return {law}\n")
    declared = plugins.load(["own.py"])["own"].law
    assert declared is not None
    with pytest.raises(PluginError) as caught:
        declared((3, 2))
    assert str(caught.value) == (
        "own.py:1: own_law must return (mean, std) or (mean, std, low, high), with std at least 0 "
        f"and the mean between the bounds, got {eval(law)!r}"
    )


def test_a_law_that_raises() -> None:
    Path("own.py").write_text(f"{OWN}def own_law(shape): return 1 / (shape[0] - 3)\n")
    declared = plugins.load(["own.py"])["own"].law
    assert declared is not None
    with pytest.raises(PluginError) as caught:
        declared((3, 2))
    assert str(caught.value) == (
        "own.py:1: own_law raised ZeroDivisionError: division by zero (own.py:2)"
    )


def test_it_leaves_the_generator_as_it_would_here() -> None:
    draw = plugins.load(["spread.py"])["spread"].draw
    apart, here = RandomState(3), RandomState(3)
    for _ in range(2):
        drawn = draw(apart, (3, 2), np.float64)
        np.testing.assert_array_equal(drawn, here.uniform(-0.5, 0.5, (3, 2)))
    assert apart.normal() == here.normal()


#: What a plugin may do to the process that it runs in -> what is said of it.
ENDINGS = {
    "import sys; sys.exit(0)": "raised SystemExit: 0 (own.py:3)",
    "import os; os._exit(0)": "ended its process (exit code 0)",
    "import os; os.kill(os.getpid(), 9)": "was killed by SIGKILL (out of memory?)",
    "raise KeyboardInterrupt": "raised KeyboardInterrupt:  (own.py:3)",
    "raise Unprintable": "raised Unprintable: (its message cannot be printed) (own.py:3)",
    "raise MemoryError('no room')": "raised MemoryError: no room (own.py:3)",
    "while True: pass": "did not return within 1 s; set INITBENCH_PLUGIN_SECONDS to allow more "
    "seconds",
    "return lambda: None": "raised AttributeError: Can't pickle local object",
}
UNPRINTABLE = "class Unprintable(Exception): __str__ = lambda self: 1 / 0\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal 9")
@pytest.mark.parametrize(("line", "message"), ENDINGS.items())
def test_no_plugin_can_end_or_stop_the_command(
    line: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INITBENCH_PLUGIN_SECONDS", "1")
    Path("own.py").write_text(f"{UNPRINTABLE}def own(rng, shape, dtype):\n    {line}\n")
    draw = plugins.load(["own.py"])["own"].draw
    for _ in range(2):  # the second call finds a child, or starts one
        with pytest.raises(PluginError) as caught:
            draw(RandomState(0), (1, 1), np.float64)
        assert str(caught.value).startswith(message)
    monkeypatch.delenv("INITBENCH_PLUGIN_SECONDS")
    assert plugins.load(["spread.py"])["spread"].draw(RandomState(0), (2, 2), np.float64).size == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_plugin_that_forks_answers_once() -> None:
    Path("own.py").write_text(
        "import os\ndef own(rng, shape, dtype):\n    os.fork()\n"
        "    return rng.standard_normal(shape)\n"
    )
    draw, rng = plugins.load(["own.py"])["own"].draw, RandomState(0)
    drawn = np.stack([draw(rng, (2,), np.float64) for _ in range(3)])
    np.testing.assert_array_equal(drawn, RandomState(0).standard_normal((3, 2)))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import os; os._exit(0)", "own.py: ended its process (exit code 0) during import"),
        ("raise KeyboardInterrupt", "own.py:1: raised KeyboardInterrupt:  during import"),
        ("while True: pass", "own.py: did not return within 1 s; set INITBENCH_PLUGIN_SECONDS to "
         "allow more seconds during import"),
    ],
)  # fmt: skip
def test_no_import_can_end_or_stop_the_command(
    line: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INITBENCH_PLUGIN_SECONDS", "1")
    Path("own.py").write_text(f"{line}\n{OWN}")
    with pytest.raises(PluginError) as caught:
        plugins.load(["own.py"])
    assert str(caught.value) == message


@pytest.fixture
def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a package on the path that declares entry points, as an installer would."""
    site = folder / "site-packages"

    def installed(module: str, points: str) -> None:
        information = site / "initbench_extra-1.0.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text("Name: initbench-extra\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[initbench.initializers]\n{points}\n")
        (site / "initbench_extra.py").write_text(module)
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, "initbench_extra", raising=False)

    return installed


def test_entry_points_of_a_package(install: Callable[..., None]) -> None:
    install(SPREAD, "spread = initbench_extra:spread\nwider = initbench_extra:spread")
    rows: dict[str, Any] = plugins.load()
    assert set(rows) == {"spread", "wider"}
    assert rows["spread"].law((3, 2), factor=1.0).high == 0.5
    assert rows["spread"].sha256 == hashlib.sha256(SPREAD.encode()).hexdigest()
    again = pickle.loads(pickle.dumps(rows["wider"]))
    assert again.draw(RandomState(0), (2, 2), np.float64).shape == (2, 2)
    with pytest.raises(PluginError, match="spread is also defined in entry point initbench_extra"):
        plugins.load(["spread.py"])


def test_an_entry_point_that_cannot_be_loaded(install: Callable[..., None]) -> None:
    install("1 / 0", "spread = initbench_extra:spread")
    with pytest.raises(PluginError) as caught:
        plugins.load()
    assert str(caught.value) == (
        "entry point initbench_extra:spread of initbench-extra: cannot be loaded: "
        "ZeroDivisionError: division by zero; repair or uninstall that package"
    )


NAMING = (
    "initializer: [spread, zeros]\nlayers: [2, 3, 1]\niterations: 10\nlearning_rate: 0.1\n"
    "plugins: [{0}]\n"
)


def refusal_of(source: str, allowed: plugins.Allowed) -> str:
    with pytest.raises(ConfigError) as refused:
        config.load([source], (), allowed)
    return str(refused.value)


@POSIX_WORDS
def test_a_config_runs_no_code_by_itself() -> None:
    Path("sub").mkdir()
    Path("sub/x.yaml").write_text(NAMING.replace("{0}", "own.py"))
    Path("sub/own.py").write_text("raise SystemExit('the file was run')\n")
    assert refusal_of("sub/x.yaml", plugins.Allowed()) == (
        "sub/x.yaml:5:11: plugins[0]: sub/own.py is code, which a config does not run by itself; "
        "look at it, then add --trust-plugins or --plugin sub/own.py (in Python "
        "trust_plugins=True)"
    )
    trusted = refusal_of("sub/x.yaml", plugins.Allowed(trusted=True))
    assert trusted == (
        "sub/x.yaml:5:11: plugins[0]: sub/own.py:1: raised SystemExit: the file was run during "
        "import"
    )


def test_a_config_s_plugins_are_its_own(tmp_path: Path) -> None:
    """Two configs may name different files that define an initializer of one name."""
    for name, factor in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.yaml").write_text(NAMING.replace("{0}", "own.py"))
        (tmp_path / name / "own.py").write_text(
            f"def spread(rng, shape, dtype):\n    return {factor} * rng.uniform(size=shape)\n"
        )
    sources = [tmp_path / name / f"{name}.yaml" for name in ("a", "b")]
    digests = {
        experiment.initializer[0].plugin.sha256  # type: ignore[union-attr]
        for experiment in config.load(sources, (), plugins.Allowed(trusted=True))
    }
    assert len(digests) == 2
    # A file that --plugin names is loaded once, by whatever path the config has for it.
    (named,) = config.load(sources[:1], (), plugins.Allowed([tmp_path / "a" / "own.py"]))
    assert named.plugins == (str((tmp_path / "a" / "own.py").resolve()),)
    # And what one config names, another does not have.
    (tmp_path / "c.yaml").write_text(NAMING.replace("{0}", "").replace("spread", "spraed"))
    assert "unknown name 'spraed'" in refusal_of(
        str(tmp_path / "c.yaml"), plugins.Allowed(trusted=True)
    )


def test_a_plugin_s_initializer_may_have_some_layers() -> None:
    """Its file's checksum, its parameters and its draws are those that it has alone."""
    base = "layers: [2, 40, 30, 1]\niterations: 1\nlearning_rate: 1\nseeds: 1\n"

    def run_of(initializer: str) -> plan.Run:
        Path("own.yaml").write_text(f"{base}initializer: {initializer}\n")
        allowed = plugins.Allowed(files=("spread.py",))
        (run,) = plan.runs(config.load(["own.yaml"], (), allowed))
        return run

    mixed = run_of("{first: he_normal, hidden: {name: spread, factor: 2}, output: zeros}")
    alone = run_of("{name: spread, factor: 2}")
    resolved = identity.resolved(mixed, None)["initializer"]
    assert resolved["2"] == identity.resolved(alone, None)["initializer"]
    assert resolved["3"] == {"name": "zeros"}
    starts = draw_work(prepare(plan.Stack((mixed,), (0,))))[1]
    assert starts.failures == {}
    first, second, head = mixed.experiment.architecture.views(starts.theta)
    assert first[0].std() > 0
    assert 0.9 * 2 / 40 < np.abs(second[0, :, :-1]).max() <= 2 / 40
    assert not head.any()
    wrong = "{hidden: {name: spread, factor: 0}, output: zeros}"
    Path("own.yaml").write_text(f"{base}initializer: {wrong}\n")
    with pytest.raises(ConfigError, match=r"5:46: initializer\.hidden\.factor: must be above 0"):
        config.load(["own.yaml"], (), plugins.Allowed(files=("spread.py",)))
