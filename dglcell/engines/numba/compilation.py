"""How the loops of the fused CPU engine are compiled: once for this machine, cached on disk, without the GIL.

The loops are serial, and `threads` runs one call per thread, each on its own part of the rows: this compiles in a third
of the time that `prange` takes and does not change OpenMP's number of threads. A cached loop is compiled again when its
own file changes, but not when a file that it imports changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

LOWEST = -1e30

# Sums may be reordered (SIMD); infinities and NaN keep their meaning, so that a diverging run is noticed.
_FLAGS = {"reassoc", "contract", "nsz"}

compiled: Callable[..., Any] = numba.njit(fastmath=_FLAGS, cache=True, nogil=True)
# Inlined into another loop: a call with a dozen arrays would cost more than the work on one row.
inlined: Callable[..., Any] = numba.njit(fastmath=_FLAGS, nogil=True, forceinline=True)
