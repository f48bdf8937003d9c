"""One forward and backward of a model, module by module: signals, gradients and first updates.

Hooks reduce what they see on the spot, since in-place operations rewrite what would be kept. The
model is left bit for bit as it was, also where its forward raises.
"""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from typing import Any

from initbench.errors import InitbenchError
from initbench.models import building, functions
from initbench.models.functions import mean_square
from initbench.models.parameters import NORMS

#: Activations that are flat on one side (zero there), and those flat on both, with the range
#: outside which their slope is under 2 % of its maximum.
ONE_SIDED = ("ReLU", "ReLU6", "Threshold")
TWO_SIDED = {"Tanh": (-0.99, 0.99), "Sigmoid": (0.005, 0.995), "Hardtanh": (-1 + 1e-6, 1 - 1e-6)}
#: A weight's step before its second gradient, relative to its size.
STEP = 0.01


@dataclass(slots=True)
class Signal:
    """What one module did in its first call.

    ``signal`` is E[y^2] of its output, ``predicted`` what independent weights of the measured
    size make of the measured inputs (None where there is no such theory). ``gradient`` is the
    loss's E[(dL/dy)^2], ``energy`` its sum. ``contrast`` is the variance of y over samples.
    ``update`` is the first update over the weight, per unit of learning rate. ``zero`` says that
    the gradient of its weight is exactly 0, and ``opens`` that it is there after one step.
    """

    module: str
    kind: str
    weighted: bool
    block: bool
    signal: float = math.nan
    predicted: float | None = None
    gradient: float = 0.0
    energy: float = 0.0
    contrast: float = math.nan
    cosine: float = math.nan
    dead: float | None = None
    saturated: float | None = None
    update: float | None = None
    zero: bool = False
    opens: bool = False
    symmetric: bool = False
    called: int = 0


@dataclass(frozen=True, slots=True)
class Pass:
    """A model's first step at one seed: modules in the order of their calls, output and loss.

    ``reference`` is the loss of the best constant: ln C, or the targets' variance.
    """

    signals: tuple[Signal, ...]
    loss: float
    reference: float
    output: float
    classes: int
    samples: int
    notes: tuple[str, ...] = field(default=())


def tensors(value: Any) -> Iterator[Any]:
    """The tensors in nested lists, mappings and dataclasses, in order."""
    torch = building.torch()
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from tensors(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from tensors(one)
    elif is_dataclass(value):
        for one in fields(value):
            yield from tensors(getattr(value, one.name))


def measure(model: Any, batch: tuple[Any, Any], loss: str = "auto", optimizer: str = "sgd") -> Pass:
    """Send a batch forward and the loss's gradient back.

    Args:
        model: The module.
        batch: Its inputs (a tensor, a tuple of arguments, a mapping of keywords) and the targets,
            which are drawn where they are None.
        loss: ``cross_entropy``, ``mse`` or ``auto``.
        optimizer: ``sgd`` or ``adam``: whose first update is meant.

    Raises:
        InitbenchError: The forward raises, or nothing of its output can be trained.
    """
    torch = building.torch()
    if any(parameter.is_meta for parameter in model.parameters()):
        raise InitbenchError("the model is on the meta device: its parameters were never set")
    if any(map(building.is_lazy, model.parameters())):
        raise InitbenchError("the model has lazy parameters: show it an input in the function")
    weights = {
        name: module.weight
        for name, module in model.named_modules()
        if getattr(module, "weight", None) is not None and module.weight.dim() >= 2
    }
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise InitbenchError("the model has no parameters that can be trained")
    with _kept(model):
        _training(model)
        order: dict[str, Signal] = {}
        signals, removals = _watched(model, order)
        mode, more = functions.watching(model, partial(_function, signals, order))
        removals += more
        try:
            state = torch.get_rng_state()
            value, reference, output, classes, samples = _step(model, batch, loss, mode)
        finally:
            for remove in removals:
                remove()
        notes = _read(model, signals, weights, optimizer)
        if any(one.zero for one in signals.values()):
            _open(model, signals, batch, loss, state)
    seen = sorted((one for one in signals.values() if one.called), key=lambda one: one.called)
    unseen = [one.module for one in signals.values() if one.weighted and not one.called]
    if unseen:
        notes.append(f"{', '.join(unseen[:3])} did not run as modules: they were not measured.")
    return Pass(tuple(seen), value, reference, output, classes, samples, tuple(notes))


@contextlib.contextmanager
def _kept(model: Any) -> Iterator[None]:
    """Leave values, gradients, modes and requires_grad as they were."""
    torch = building.torch()
    held = [*model.parameters(), *model.buffers()]
    values = [one.detach().clone() for one in held]
    gradients = [one.grad for one in held]
    flags = [one.requires_grad for one in held]
    modes = [(module, module.training) for module in model.modules()]
    for one in held:
        one.grad = None
    try:
        with torch.enable_grad():
            yield
    finally:
        with torch.no_grad():
            for one, value, gradient, flag in zip(held, values, gradients, flags, strict=True):
                if not torch.equal(one, value):
                    one.copy_(value)
                one.grad = gradient
                if one.requires_grad != flag:
                    one.requires_grad_(flag)
        for module, mode in modes:
            module.training = mode


def _training(model: Any) -> None:
    """Training mode, but without dropout."""
    model.train()
    for module in model.modules():
        kind = type(module).__name__
        if "Drop" in kind or kind == "StochasticDepth" or hasattr(module, "in_proj_weight"):
            module.training = False


def _watched(
    model: Any, order: dict[str, Signal]
) -> tuple[dict[str, Signal], list[Callable[[], None]]]:
    """A Signal for each leaf and block, filled by the hooks that the second value removes.

    Hooks put what was called into ``order``.
    """
    signals: dict[str, Signal] = {}
    removals: list[Callable[[], None]] = []
    containers = ("ModuleList", "Sequential")
    parents = {
        id(child)
        for module in model.modules()
        if type(module).__name__ in containers
        for child in module.children()
    }
    for name, module in model.named_modules():
        leaf = not any(True for _ in module.children())
        block = not leaf and id(module) in parents and type(module).__name__ not in containers
        if not name and not leaf:
            continue
        if leaf or block or type(module).__name__ == "MultiheadAttention":
            weight = getattr(module, "weight", None)
            weighted = leaf and weight is not None and weight.dim() >= 2
            one = Signal(name or "model", type(module).__name__, weighted, block)
            signals[name] = one
            removals.append(module.register_forward_hook(_hook(one, order)).remove)
    return signals, removals


def _hook(one: Signal, order: dict[str, Signal]) -> Callable[[Any, Any, Any], None]:
    torch = building.torch()

    def hook(module: Any, args: Any, output: Any) -> None:
        found = next((t for t in tensors(output) if t.is_floating_point()), None)
        if found is None or one.module in order:
            return
        _note(one, order, found)
        if args and torch.is_tensor(args[0]):
            with torch.no_grad():
                one.predicted = _predicted(module, args[0])

    return hook


def _function(
    signals: dict[str, Signal],
    order: dict[str, Signal],
    name: str,
    kind: str,
    predicted: float | None,
    output: Any,
) -> None:
    """What a function did outside of the leaf modules; a module of its name goes first."""
    if name in signals:
        return
    one = signals[name] = Signal(name, kind, weighted=False, block=False, predicted=predicted)
    _note(one, order, output)


def _note(one: Signal, order: dict[str, Signal], output: Any) -> None:
    """What went forward, reduced on the spot, and a hook for what comes back."""
    order[one.module] = one
    one.called = len(order)
    with building.torch().no_grad():
        values = output.detach()
        _forward(one, values)
        if one.kind in ONE_SIDED or one.kind in TWO_SIDED:
            _flat(one, values.float())
    if output.requires_grad:
        output.register_hook(lambda gradient: _gradient(one, gradient))


def _gradient(one: Signal, gradient: Any) -> None:
    one.gradient = mean_square(gradient)
    one.energy = one.gradient * gradient.numel()


def _forward(one: Signal, values: Any) -> None:
    """The mean square, the mean cosine of two samples (of two tokens) and the variance over them.

    One copy in float64 serves all three: float32 has no room for squares below 1e-38.
    """
    rows = values.double()
    if rows.dim() < 2 or not rows.numel():
        one.signal = mean_square(rows)
        return
    rows = rows if rows.dim() == 3 else rows.reshape(1, rows.shape[0], -1)
    groups, count, units = rows.shape
    sizes = rows.norm(dim=-1)  # (groups, count)
    one.signal = float(sizes.square().mean()) / units
    if count < 2:
        return
    unit = sizes.clamp_min(1e-300).reciprocal()
    # |sum of unit vectors|^2. A product of matrices would be seen as one of the forward's.
    total = (rows * unit.unsqueeze(-1)).sum(1).square().sum(-1)
    # A unit vector's square is 1; a vector of zeros counts as at right angles to the others.
    pairs = (total - (sizes > 0).sum(1)) / (count * (count - 1))
    one.cosine = float(pairs.mean())
    one.contrast = float((rows - rows.mean(1, keepdim=True)).square_().sum()) / (
        groups * (count - 1) * units
    )


def _flat(one: Signal, values: Any) -> None:
    if one.kind in TWO_SIDED:
        low, high = TWO_SIDED[one.kind]
        one.saturated = float(((values <= low) | (values >= high)).float().mean())
        return
    units = values.movedim(1, -1) if values.dim() in (4, 5) else values
    one.dead = float((units.reshape(-1, units.shape[-1]) <= 0).all(0).float().mean())


def _predicted(module: Any, inputs: Any) -> float | None:
    """fan_in E[w^2] E[x^2] + E[b^2]; after a norm E[w^2] + E[b^2].

    The inputs' padding counts as inputs, and lowers the truth.
    """
    if any(norm in type(module).__name__ for norm in NORMS):
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        return (1.0 if weight is None else mean_square(weight)) + (
            0.0 if bias is None else mean_square(bias)
        )
    if not type(module).__name__.startswith(("Linear", "Conv")) or not inputs.is_floating_point():
        return None
    if type(module).__name__.startswith("ConvTranspose") or type(module).__name__ == "Conv1D":
        return None
    bias = getattr(module, "bias", None)
    more = 0.0 if bias is None else mean_square(bias)
    fan_in: int = math.prod(module.weight.shape[1:])
    return fan_in * mean_square(module.weight) * mean_square(inputs) + more


def _step(
    model: Any, batch: tuple[Any, Any], loss: str, mode: Any = None
) -> tuple[float, float, float, int, int]:
    """Forward, loss and backward: loss, reference, E[output^2], classes and samples.

    ``mode`` is a context that sees the functions that the forward calls.
    """
    torch = building.torch()
    value: Any
    inputs, targets = batch
    with (
        building.in_words(f"the model's forward{_types(model, inputs)}"),
        mode or contextlib.nullcontext(),
    ):
        if isinstance(inputs, Mapping):
            answer = model(**inputs)
        else:
            answer = model(*inputs) if isinstance(inputs, list | tuple) else model(inputs)
    own = getattr(answer, "loss", None)
    output = next((t for t in tensors(getattr(answer, "logits", answer))), None)
    if output is None or not (output.is_floating_point() or output.is_complex()):
        raise InitbenchError(f"the model's output has no tensor of floats: {type(answer).__name__}")
    if not output.numel():
        raise InitbenchError(f"the model's output is empty: its shape is {tuple(output.shape)}")
    if output.is_complex():
        output = torch.view_as_real(output).flatten(-2)
    samples = int(next(tensors(inputs)).shape[0])
    logits = output.movedim(1, -1) if output.dim() >= 4 else output
    classes = int(logits.shape[-1]) if output.dim() >= 2 else 1
    chosen = loss if loss != "auto" else ("cross_entropy" if classes > 1 else "mse")
    flat = logits.reshape(-1, classes).float()
    if own is not None and torch.is_tensor(own) and own.requires_grad:
        value, reference = own, math.log(classes) if classes > 1 else math.nan
    elif chosen == "cross_entropy":
        if targets is None:
            targets = torch.randint(0, classes, (len(flat),), device=flat.device)
        fits = torch.is_tensor(targets) and targets.numel() == len(flat)
        _check_targets(targets, f"a class for each of the {len(flat)} rows of logits", fits=fits)
        with building.in_words("the loss"):
            value = torch.nn.functional.cross_entropy(flat, targets.reshape(-1))
        reference = math.log(classes)
    else:
        if targets is None:
            targets = torch.randn_like(output.float())
        shape = tuple(output.shape)
        fits = torch.is_tensor(targets) and targets.squeeze().shape == output.squeeze().shape
        _check_targets(targets, f"numbers of the output's shape, {shape}", fits=fits)
        with building.in_words("the loss"):
            value = torch.nn.functional.mse_loss(output.float(), targets.reshape(shape).float())
        reference = float(targets.float().var(unbiased=False))
    if not value.requires_grad:
        raise InitbenchError("no parameter has a part in the output: nothing can be trained")
    with building.in_words("the model's backward"):
        value.backward()
    return float(value.detach()), reference, mean_square(output), classes, samples


def _types(model: Any, inputs: Any) -> str:
    """Words on inputs of another floating type than the parameters; they fit models that cast."""
    own = {one.dtype for one in model.parameters() if one.is_floating_point() or one.is_complex()}
    given = {one.dtype for one in tensors(inputs) if one.is_floating_point() or one.is_complex()}
    if not own or given <= own:
        return ""
    names = (" and ".join(sorted(str(x).removeprefix("torch.") for x in y)) for y in (own, given))
    return " (parameters are {}, inputs {}: --batch can give inputs of their type)".format(*names)


def _check_targets(targets: Any, needed: str, *, fits: bool) -> None:
    """Raise unless the targets fit: PyTorch would broadcast some that do not, and compute on."""
    if fits:
        return
    tensor = building.torch().is_tensor(targets)
    got = f"shape {tuple(targets.shape)}" if tensor else f"a {type(targets).__name__}"
    raise InitbenchError(f"the targets must be {needed}, got {got}")


def _read(
    model: Any, signals: dict[str, Signal], weights: Mapping[str, Any], optimizer: str
) -> list[str]:
    """Fill in what weights and their gradients say; notes about what took no part."""
    unused: list[str] = []
    frozen: list[str] = []
    trained = {id(p): p.grad for p in model.parameters()}
    for name, weight in weights.items():
        one = signals.get(name)
        if one is None:
            continue
        size = math.sqrt(mean_square(weight))
        rows = weight.detach().reshape(len(weight), -1)
        one.symmetric = len(rows) > 1 and size > 0 and bool((rows == rows[0]).all())
        gradient = _gradient_of(model, name, weight, trained)
        if gradient is None:
            (unused if weight.requires_grad else frozen).append(name)
            continue
        slope = math.sqrt(mean_square(gradient))
        one.zero = slope == 0
        if size > 0:
            one.update = (1.0 if slope else 0.0) / size if optimizer == "adam" else slope / size
    notes = []
    if unused:
        notes.append(f"{', '.join(unused[:3])}: no part in the loss ({len(unused)} modules).")
    if frozen:
        notes.append(f"{', '.join(frozen[:3])}: frozen ({len(frozen)} modules).")
    return notes


def _gradient_of(model: Any, name: str, weight: Any, trained: Mapping[int, Any]) -> Any:
    """A weight's gradient; that of what it is computed from where it is parametrized."""
    if id(weight) in trained:
        return trained[id(weight)]
    module = model.get_submodule(name)
    parts = [p.grad for p in module.parameters() if p.dim() >= 2 and p.grad is not None]
    return parts[0] if parts else None


def _open(
    model: Any, signals: dict[str, Signal], batch: tuple[Any, Any], loss: str, state: Any
) -> None:
    """Take one step of equal size in all parameters, and see which closed gates it opens."""
    torch = building.torch()
    with torch.no_grad():
        for parameter in model.parameters():
            gradient = parameter.grad
            if gradient is None or not bool(gradient.any()):
                continue
            size, slope = math.sqrt(mean_square(parameter)), math.sqrt(mean_square(gradient))
            parameter -= gradient / slope * max(size, 0.1) * STEP
    model.zero_grad(set_to_none=True)
    torch.set_rng_state(state)
    _step(model, batch, loss)
    trained = {id(p): p.grad for p in model.parameters()}
    for name, one in signals.items():
        if one.zero:
            module = model.get_submodule(name)
            gradient = _gradient_of(model, name, module.weight, trained)
            one.opens = gradient is not None and bool(gradient.any())


def medians(passes: Sequence[Pass]) -> Pass:
    """The pass of medians over seeds; a flag is set where it is at most seeds."""

    def middle(values: Sequence[Any]) -> Any:
        known = [value for value in values if value is not None]
        return statistics.median(known) if known else None

    joined = []
    for group in zip(*(one.signals for one in passes), strict=True):
        values = {}
        for each in fields(Signal):
            got = [getattr(one, each.name) for one in group]
            if isinstance(got[0], bool):
                values[each.name] = sum(got) * 2 > len(got)
            elif isinstance(got[0], str):
                values[each.name] = got[0]
            else:
                values[each.name] = middle(got)
        joined.append(Signal(**values))
    first = passes[0]
    return Pass(
        tuple(joined),
        middle([one.loss for one in passes]),
        first.reference,
        middle([one.output for one in passes]),
        first.classes,
        first.samples,
        first.notes,
    )
