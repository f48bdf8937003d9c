"""The BLAS that NumPy multiplies with. Speed and last bits depend on it."""

from __future__ import annotations

from functools import cache

import numpy as np
from threadpoolctl import threadpool_info

#: OpenBLAS kernels that multiply small matrices without packing them first: SkylakeX's, which the
#: other two include. With them one matrix product took 0.4 to 0.7 of the time of a product for each
#: row, for 2 to 10 rows beside 3 to 129; with the kernels Haswell and Zen it took 1.2 to 3.4 times.
SMALL_MATRIX_KERNELS = frozenset({"SkylakeX", "Cooperlake", "SapphireRapids"})


@cache
def blas() -> str:
    """Library, version and the kernel that it chose for this CPU, as in "openblas 0.3.31 Zen"."""
    found = [
        " ".join(filter(None, (one["internal_api"], one["version"], one.get("architecture"))))
        for one in threadpool_info()
        # SciPy's wheels bring a BLAS of their own; the products here are NumPy's.
        if one["user_api"] == "blas" and "scipy.libs" not in one["filepath"]
    ]
    # threadpoolctl does not know every library (Apple's Accelerate); NumPy names its own.
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return ", ".join(found) or f"{built['name']} {built['version']}"


def multiplies_small_matrices_well() -> bool:
    """Whether one product of matrices with few rows is faster than a product for each row."""
    return not SMALL_MATRIX_KERNELS.isdisjoint(blas().split())
