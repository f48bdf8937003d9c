"""PyTorch, eager, gradients by autograd: the loop of every tutorial, and one stacked by hand."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import torch
from task import Task, batches, pack, unpack
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its name in PyTorch's own documentation

from initbench.core.arrays import Array

torch.set_num_threads(1)


def plain(task: Task, theta: Array, iterations: int) -> tuple[Array, float]:
    """One run: ``nn.Linear`` layers and ``torch.optim.SGD``."""
    linears = [nn.Linear(w.shape[2], w.shape[1]) for w, _ in unpack(theta, task.sizes)]
    modules: list[nn.Module] = []
    for linear, (w, b) in zip(linears, unpack(theta, task.sizes), strict=True):
        linear.weight = nn.Parameter(torch.from_numpy(w[0]))
        linear.bias = nn.Parameter(torch.from_numpy(b[0]))
        modules += [linear, nn.ReLU()]
    network = nn.Sequential(*modules[:-1])
    optimizer = torch.optim.SGD(network.parameters(), task.learning_rate, momentum=task.momentum)
    binary = task.loss == "binary_cross_entropy"
    criterion = nn.BCEWithLogitsLoss() if binary else nn.CrossEntropyLoss()
    all_inputs, all_targets = _data(task)
    inputs, targets = all_inputs, all_targets

    began = perf_counter()
    order = batches(task, 1) if task.batch_size else None
    for _ in range(iterations):
        if order is not None:
            indices = torch.from_numpy(next(order)[0])
            inputs, targets = all_inputs[indices], all_targets[indices]
        optimizer.zero_grad()
        loss = criterion(network(inputs), targets)
        loss.backward()
        optimizer.step()
    seconds = perf_counter() - began
    end = [
        (linear.weight.detach().numpy()[None], linear.bias.detach().numpy()[None])
        for linear in linears
    ]
    return pack(end, task.sizes), seconds


def stacked(task: Task, theta: Array, iterations: int) -> tuple[Array, float]:
    """All runs at once, features first: ``baddbmm`` on (R, O, I) weights, updates in place.

    The loss is summed over runs, so that each run's gradient is that of its own mean.
    """
    runs, samples = len(theta), task.batch_size or len(task.inputs)
    parameters = [
        torch.from_numpy(array).requires_grad_()
        for w, b in unpack(theta, task.sizes)
        for array in (w, b[:, :, None])
    ]
    velocities = [torch.zeros_like(parameter) for parameter in parameters]
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))
    binary = task.loss == "binary_cross_entropy"
    criterion = F.binary_cross_entropy_with_logits if binary else F.cross_entropy
    all_inputs, all_targets = _data(task)
    inputs, targets = (
        all_inputs.T.expand(runs, -1, -1),
        all_targets.mT.expand(runs, 1, -1) if binary else all_targets,
    )

    began = perf_counter()
    order = batches(task, runs) if task.batch_size else None
    for _ in range(iterations):
        if order is not None:
            indices = torch.from_numpy(next(order))
            inputs, targets = all_inputs[indices].transpose(1, 2), all_targets[indices]
        outputs = inputs
        for weights, bias in layers[:-1]:
            outputs = torch.relu(torch.baddbmm(bias, weights, outputs))
        weights, bias = layers[-1]
        logits = torch.baddbmm(bias, weights, outputs)
        loss = criterion(logits, targets, reduction="sum") / samples
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            if task.momentum:
                for velocity, gradient in zip(velocities, gradients, strict=True):
                    velocity.mul_(task.momentum).add_(gradient)
                gradients = tuple(velocities)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(gradient, alpha=task.learning_rate)
    seconds = perf_counter() - began
    arrays = [parameter.detach().numpy() for parameter in parameters]
    end = [(w, b[:, :, 0]) for w, b in zip(arrays[::2], arrays[1::2], strict=True)]
    return pack(end, task.sizes), seconds


def _data(task: Task) -> tuple[torch.Tensor, torch.Tensor]:
    inputs = torch.from_numpy(task.inputs)
    if task.loss == "binary_cross_entropy":
        return inputs, torch.from_numpy(task.labels.astype(task.dtype))[:, None]
    return inputs, torch.from_numpy(task.labels.astype(np.int64))
