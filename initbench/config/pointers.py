"""Pointers: what other libraries call something, and how a config says it.

A name or key of PyTorch, Keras or JAX is no typing mistake, so that the nearest spelling would
mislead: ``momentum`` of their SGD is an optimizer of its own here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from initbench.core.gains import TORCH_GAINS, torch_gain
from initbench.core.initializers import INITIALIZERS
from initbench.core.initializers.dialects import DIALECTS
from initbench.interop.frameworks import FRAMEWORKS
from initbench.spec.choice import registry_spelling

#: Names that other libraries use, or people, for what has several names here.
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "initializer": {
        "random": ("normal", "uniform"),
        "randn": ("normal",),
        "rand": ("uniform",),
        "gaussian": ("normal",),
        "msra": ("he_normal", "he_uniform"),
        "dirac": ("identity",),
        "default": ("torch_default", "sklearn_default"),
    },
    "activation": {
        "none": ("identity",),
        "sin": ("sine",),
        "lrelu": ("leaky_relu",),
        "prelu": ("leaky_relu",),
    },
    "dataset": {
        "mnist": ("digits",),
        "csv": ("file",),
        "npz": ("file",),
        "parquet": ("file",),
        "table": ("file",),
        "cancer": ("breast_cancer",),
        "spiral": ("spirals",),
    },
    "optimizer": {"adamw": ("adam",), "nag": ("nesterov",)},
}
#: What stands in a config for keys that other libraries have, or people expect.
_KEYS: dict[str, tuple[str, ...]] = {
    "write learning_rate": ("lr", "eta", "step_size"),
    "write iterations, the number of updates": (
        "epochs", "n_epochs", "num_epochs", "steps", "max_steps", "max_iter", "n_iter", "updates",
    ),
    "write batch_size": ("batch", "minibatch", "mini_batch", "minibatch_size"),
    "write layers": (
        "hidden", "hidden_layers", "hidden_layer_sizes", "units", "neurons", "sizes",
        "layer_sizes", "architecture", "network",
    ),
    "write width, with depth in place of layers": (
        "hidden_size", "hidden_dim", "hidden_units", "n_hidden", "num_units",
    ),
    "write depth, with width in place of layers": (
        "num_layers", "n_layers", "num_hidden_layers", "n_hidden_layers",
    ),
    "write initializer": (
        "init", "inits", "initializers", "initialization", "initialisation", "kernel_initializer",
        "kernel_init", "weight_init", "weight_initializer", "weights",
    ),
    "write activation": ("act", "activations", "activation_function", "nonlinearity"),
    "write bias": ("biases", "bias_init", "bias_initializer", "use_bias"),
    "write initializer: {hidden: ..., output: ...}": (
        "output_initializer", "last_layer", "head_init", "final_init", "zero_init_last",
    ),
    "write optimizer": ("optim", "opt", "solver", "optimiser"),
    "write dataset": ("data", "datasets"),
    "write seeds": (
        "seed", "random_state", "random_seed", "n_seeds", "num_seeds", "repeats", "replicates",
        "trials", "runs",
    ),
    "write dtype": ("precision", "float_type"),
    "write log_every": ("log", "log_interval", "log_freq", "log_frequency", "eval_every"),
    "write expect": ("expects", "expectations", "assert", "asserts"),
    "the data set's task decides the loss; remove it": ("loss", "criterion", "loss_function"),
    "`initbench compare --metric NAME` ranks by a metric; remove it": ("metric", "metrics"),
    "nothing here decays weights; remove it": ("weight_decay", "l2", "regularization"),
    "the learning rate stays as it is; remove it": (
        "scheduler", "lr_schedule", "lr_scheduler", "schedule", "warmup", "decay",
    ),
    "a run trains for all of its iterations; remove it": ("early_stopping", "patience"),
    "networks here are dense layers and activations; remove it": (
        "dropout", "batch_norm", "layer_norm", "normalization",
    ),
    "runs train on the CPU; remove it": ("device", "gpu", "cuda"),
}  # fmt: skip
KEYS = {other: here for here, others in _KEYS.items() for other in others}
#: The same of parameters, where the chosen row has the parameter.
_PARAMETERS: dict[str, tuple[str, ...]] = {
    "std": ("stddev", "sigma", "scale"),
    "low": ("a", "minval", "from", "lower"),
    "high": ("b", "maxval", "to", "upper"),
    "bound": ("a", "b", "lower", "upper"),
    "value": ("val", "c", "constant", "equals", "equal", "eq"),
    "gain": ("scale",),
    "epsilon": ("eps",),
    "decay": ("rho", "alpha", "beta", "smoothing_constant"),
    "beta1": ("b1", "beta_1", "momentum"),
    "beta2": ("b2", "beta_2"),
    "momentum": ("beta", "mu", "rho"),
    "negative_slope": ("alpha", "slope", "a"),
    "alpha": ("negative_slope",),
    "frequency": ("omega", "omega_0", "w0", "w"),
    "train_samples": ("n_samples", "samples", "size", "n"),
    "train_random_state": ("random_state", "seed"),
    "random_state": ("seed",),
    "split_random_state": ("random_state", "seed"),
    "test_fraction": ("test_size", "test_split", "split"),
    "standardize": ("normalize", "normalise", "standardise", "scale", "scaling"),
    "validation": (
        "validation_split", "validation_fraction", "validation_size", "val", "val_size",
    ),
    "centers": ("classes", "n_classes", "num_classes", "clusters"),
    "classes": ("n_classes", "num_classes", "arms"),
    "features": ("n_features", "columns", "inputs", "x"),
    "path": ("file", "filename", "csv", "url"),
    "target": ("label", "labels", "target_column", "class", "output", "y"),
    "missing": ("na", "na_values", "impute", "fill"),
    "one_hot": ("categorical", "categoricals"),
    "drop": ("exclude", "ignore", "remove"),
    "min": ("minimum",),
    "max": ("maximum",),
    "atol": ("tolerance", "tol"),
}  # fmt: skip
#: What is said of them beyond their names.
_UNITS = {"bound": ", the cut in units of std on either side"}
#: Words for the values of some keys.
VALUES: dict[str, dict[Any, str]] = {
    "dialect": {
        "pytorch": "torch", "tensorflow": "keras", "tf": "keras", "flax": "jax",
        "scikit-learn": "sklearn", "scikit_learn": "sklearn",
    },
    "distribution": {"untruncated_normal": "normal", "gaussian": "normal"},
    "dtype": {"double": "float64", "float": "float64", "single": "float32", "half": "float32"},
    "standardize": {True: "features", False: "none"},
    "task": {"binary": "classification", "multiclass": "classification"},
    "missing": {"ignore": "drop", "impute": "mean", "mode": "most_frequent"},
    "batch_size": {"full": "null", "all": "null", "none": "null"},
}  # fmt: skip
#: The scale and the mode that :func:`initbench.core.initializers.variance_scaling` has for each of
#: its families.
_FAMILIES = {"he": (2.0, "fan_in"), "lecun": (1.0, "fan_in"), "glorot": (1.0, "fan_avg")}
_MODES = ("fan_in", "fan_out", "fan_avg")
#: Keys that variance_scaling has, and the families' own initializers have not.
_SCALING = ("mode", "scale", "distribution")


def of_name(kind: str, name: str, known: Collection[str]) -> list[str]:
    """The names here that another library's name, or the beginning of names, may stand for."""
    spelt = registry_spelling(name)
    if named := NAMES.get(kind, {}).get(spelt):
        return list(named)
    # scikit-learn's functions are called so: load_iris, make_moons.
    if kind == "dataset" and (plain := spelt.partition("_")[2]) in known:
        return [plain]
    return [each for each in known if spelt and each.startswith(f"{spelt}_")]


def of_value(key: str, value: Any) -> str:
    """What a wrong value of a key is written as here."""
    if key == "gain" and (gain := _torch_gain(value, {"a": 0.01})):
        return f"; write {gain:.6g}, PyTorch's gain for {value}"
    word = value.lower() if isinstance(value, str) else value
    known = VALUES.get(key, {})
    # A list cannot be looked up, and 1 is no other key than True.
    found = known.get(word) if isinstance(word, str | bool) else None
    return f"; write {found}" if found else ""


def of_key(
    kind: str, chosen: str, key: str, known: Collection[str], beside: Mapping[str, Any]
) -> str:
    """What an unknown key of a chosen row, or of the config where none is, is written as here.

    Args:
        kind: The key of the config that has the row; empty for a key of the config itself.
        chosen: The row's name.
        key: The unknown key.
        known: The keys that there are in its place.
        beside: All keys that are given there, with their values.
    """
    if not kind:
        return _of_config(key, beside[key])
    if kind == "initializer" and chosen in INITIALIZERS:
        if hint := _of_initializer(chosen, key, known, beside):
            return hint
    elif kind == "initializer":
        # A plugin's initializer may lack a key of this name for reasons of its own.
        return _of_framework(chosen)
    for here, others in _PARAMETERS.items():
        if here in known and key in others:
            return f"; write {here}{_UNITS.get(here, '')}"
    if kind == "optimizer":
        return _of_optimizer(chosen, key, beside)
    return _ELSEWHERE.get((kind, key), "")


#: Parameters of a data set or an initializer that stand elsewhere, or nowhere.
_ELSEWHERE = {
    **{("dataset", key): "; the delimiter is found by itself; remove it"
       for key in ("sep", "delimiter", "separator")},
    ("dataset", "header"): "; the first line names the columns; remove it",
    ("dataset", "shuffle"): "; splits are drawn at random; remove it",
    **{("initializer", key): "; seeds is a key of the config; remove it"
       for key in ("seed", "random_state", "rng", "generator")},
}  # fmt: skip


def _of_config(key: str, value: Any) -> str:
    if key in ("momentum", "nesterov"):
        return f"; {_momentum({key: value})}"
    return f"; {KEYS[key]}" if key in KEYS else ""


def _of_framework(chosen: str) -> str:
    row = FRAMEWORKS.get(chosen)
    if row is None:
        return ""
    same = row.formula.removeprefix("as ")
    return f"; {chosen} takes no parameters here; write {{name: {same}, ...}}"


def _of_initializer(
    chosen: str, key: str, known: Collection[str], beside: Mapping[str, Any]
) -> str:
    """What an initializer of a family takes as variance_scaling, or as a gain."""
    if key in ("a", "negative_slope", "nonlinearity", *_SCALING) and "gain" in known:
        rows = (rows for name, rows in DIALECTS.items() if name == beside.get("dialect"))
        dialect = next(rows, {})
        drawn = dialect[chosen].name if chosen in dialect else chosen
        family, _, distribution = drawn.partition("_")
        if family in _FAMILIES and not beside.keys().isdisjoint(_SCALING):
            return f"; write {_variance_scaling(family, distribution, beside)}"
        if key not in _SCALING:
            return _gain(key, beside)
    return _ELSEWHERE.get(("initializer", key), "")


def _variance_scaling(family: str, distribution: str, beside: Mapping[str, Any]) -> str:
    """The row of variance_scaling that draws what a family's initializer with these keys would."""
    scale, mode = _FAMILIES[family]
    if gain := _torch_gain(beside.get("nonlinearity", "leaky_relu"), beside):
        scale = gain**2 if {"a", "negative_slope", "nonlinearity"} & beside.keys() else scale
    given = {
        "scale": beside.get("scale") if _is_number(beside.get("scale")) else scale,
        "mode": beside.get("mode") if beside.get("mode") in _MODES else mode,
        "distribution": distribution,
    }
    wanted = str(beside.get("distribution"))
    wanted = VALUES["distribution"].get(wanted, wanted)
    if wanted in ("normal", "uniform", "truncated_normal"):
        given["distribution"] = wanted
    return (
        f"{{name: variance_scaling, scale: {given['scale']:.6g}, mode: {given['mode']}, "
        f"distribution: {given['distribution']}}}"
    )


def _gain(key: str, beside: Mapping[str, Any]) -> str:
    """The gain of a nonlinearity, of a negative slope, or of both."""
    name = beside.get("nonlinearity", "leaky_relu")
    gain = _torch_gain(name, beside)
    if not gain:
        return "; write gain: exact, the gain for the activation that the config names"
    if "nonlinearity" not in beside:
        return f"; write gain: {gain:.6g}, which is sqrt(2 / (1 + {key}^2))"
    return f"; write gain: {gain:.6g}, PyTorch's gain for {name}"


def _torch_gain(name: Any, beside: Mapping[str, Any]) -> float:
    """PyTorch's ``calculate_gain`` by its own names; 0 for what it does not know."""
    known = "identity" if name == "linear" or str(name).startswith("conv") else name
    if not isinstance(known, str) or known not in TORCH_GAINS:
        return 0.0
    slope = next((beside[key] for key in ("a", "negative_slope") if key in beside), 0.0)
    return torch_gain(known, {"negative_slope": float(slope) if _is_number(slope) else 0.0})


def _is_number(value: Any) -> bool:
    """Whether a value is a number that can be computed with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e100


def _of_optimizer(chosen: str, key: str, beside: Mapping[str, Any]) -> str:
    if key in ("momentum", "nesterov"):
        if chosen in ("gd", "momentum"):
            return f"; {_momentum(beside)}"
        return f"; {chosen} has no momentum here; remove it, or write optimizer: adam"
    if key == "learning_rate" or KEYS.get(key) == "write learning_rate":
        rate = beside[key] if _is_number(beside[key]) else "..."
        return f"; write learning_rate: {rate} as a key of its own, beside optimizer"
    if key == "betas":
        return "; write beta1 and beta2"
    if key in ("amsgrad", "centered", "maximize", "foreach", "fused", "dampening"):
        return f"; {chosen} has no variants here; remove it"
    return f"; {KEYS[key]}" if key in ("weight_decay", "l2") else ""


def _momentum(beside: Mapping[str, Any]) -> str:
    """The optimizer that has the momentum that other libraries' SGD takes."""
    value = beside.get("momentum", 0.9)
    share = value if _is_number(value) and 0 <= value < 1 else 0.9
    name = "nesterov" if beside.get("nesterov") else "momentum"
    return f"write optimizer: {{name: {name}, momentum: {share}}}"
