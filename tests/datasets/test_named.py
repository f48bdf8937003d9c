"""Named data sets: shapes, tasks, and the parameters that draw them."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.datasets

from initbench import spec
from initbench.datasets import named
from initbench.spec.datasets import SpiralsDataset
from tests.datasets.conftest import dataset

SHAPES = {
    "circles": ("binary", 2, 1, 300, 100),
    "moons": ("binary", 2, 1, 300, 100),
    "spirals": ("binary", 2, 1, 300, 100),
    "blobs": ("multiclass", 2, 3, 300, 100),
    "digits": ("multiclass", 64, 10, 1347, 450),
    "breast_cancer": ("binary", 30, 1, 426, 143),
    "wine": ("multiclass", 13, 3, 133, 45),
    "iris": ("multiclass", 4, 3, 112, 38),
    "diabetes": ("regression", 10, 1, 331, 111),
}


@pytest.mark.parametrize("name", sorted(spec.DATASET_MODELS.keys() - {"file"}))
def test_shapes_and_task(name: str) -> None:
    task, inputs, outputs, train, test = SHAPES[name]
    data = dataset(name)
    assert data.task == task
    for split, count in ((data.train, train), (data.test, test)):
        assert (split.inputs.shape, split.targets.shape) == ((inputs, count), (outputs, count))
        for array in (split.inputs, split.targets):
            assert (array.dtype.name, array.flags.c_contiguous) == ("float64", True)
        if task == "binary":
            assert set(split.targets.flat) == {0, 1}
        if task == "multiclass":
            assert (np.sort(split.targets, axis=0) == np.eye(outputs)[:, -1:]).all()


def test_circles_are_the_article_s_to_the_last_bit() -> None:
    data = dataset("circles")
    for split, count, state in ((data.train, 300, 1), (data.test, 100, 2)):
        x, y = sklearn.datasets.make_circles(count, noise=0.05, random_state=state)
        assert np.array_equal(split.inputs, x.T)
        assert np.array_equal(split.targets, y[None])


def test_parameters_reach_scikit_learn() -> None:
    circles = dataset("circles", noise=0.2, factor=0.3, train_samples=20, train_random_state=7)
    x, _ = sklearn.datasets.make_circles(20, noise=0.2, factor=0.3, random_state=7)
    assert np.array_equal(circles.train.inputs, x.T)
    moons = dataset("moons", noise=0.3, test_samples=30, test_random_state=9)
    x, _ = sklearn.datasets.make_moons(30, noise=0.3, random_state=9)
    assert np.array_equal(moons.test.inputs, x.T)


def test_train_and_test_blobs_share_centers() -> None:
    data = dataset("blobs", cluster_std=0, centers=4, features=3, random_state=5)
    x, _ = sklearn.datasets.make_blobs(400, 3, centers=4, cluster_std=0, random_state=5)
    assert np.array_equal(data.train.inputs, x[:300].T)
    train, test = (
        {(*x, int(t.argmax())) for x, t in zip(split.inputs.T, split.targets.T, strict=True)}
        for split in (data.train, data.test)
    )
    assert (train, len(train)) == (test, 4)


def test_spirals_have_an_arm_a_class() -> None:
    data = dataset("spirals", classes=3, noise=0, turns=2.0, train_samples=301)
    assert data.train.targets.sum(axis=1).tolist() == [101, 100, 100]
    radius = np.hypot(*data.train.inputs)
    assert 0 < radius.min() < radius.max() < 1
    arm = data.train.targets.argmax(axis=0)
    angle = 2 * np.pi * (2 * radius + arm / 3)
    assert np.allclose(data.train.inputs, radius * np.array([np.cos(angle), np.sin(angle)]))


def test_spirals_are_drawn_by_their_state_and_noise() -> None:
    drawn = [
        named._spirals(SpiralsDataset(noise=noise), 50, state)[0]
        for noise, state in ((0.02, 1), (0.02, 1), (0.02, 2), (0.0, 1))
    ]
    assert [np.array_equal(drawn[0], other) for other in drawn[1:3]] == [True, False]
    assert 0.01 < (drawn[0] - drawn[3]).std() < 0.03
