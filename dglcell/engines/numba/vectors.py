"""SIMD vectors as values inside compiled loops: the compiler does not vectorize loops this short well by itself.

A `Vector` holds 64 bytes: 16 float32 or 8 float64, one AVX-512 register; a narrower machine takes several. Sums are
added in the sequence of the code, except in `total`. The last axis of an array must be contiguous, an index must not be
negative, and a whole vector must lie within the array.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import extending
from numba.core import cgutils as _cgutils
from numba.core import types

from dglcell.engines.numba.compilation import inlined

BYTES = 64
WIDE = 4  # registers of a wide value
_INDEX = ir.IntType(32)
_FLAGS = ("contract", "nsz")

cgutils: Any = _cgutils  # neither it nor what follows is typed
_intrinsic: Callable[..., Any] = extending.intrinsic


class Vector(types.Type):
    """`registers` vectors of 64 bytes as one value; `dtype` is the Numba type of the numbers in it."""

    def __init__(self, dtype: Any, registers: int = 1) -> None:
        self.dtype = dtype
        self.registers = registers
        super().__init__(name=f"Vector({dtype}, {registers})")

    @property
    def scalar(self) -> Any:
        """LLVM's type of an element."""
        return ir.FloatType() if self.dtype.bitwidth == 32 else ir.DoubleType()

    @property
    def lanes(self) -> int:
        """Elements."""
        return self.registers * BYTES * 8 // int(self.dtype.bitwidth)

    @property
    def llvm(self) -> Any:
        """LLVM's type."""
        return ir.VectorType(self.scalar, self.lanes)


@extending.register_model(Vector)
class _Model(extending.models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, vector.llvm)  # type: ignore[no-untyped-call]


def _constant(vector: Vector, value: float) -> Any:
    return ir.Constant(vector.llvm, [ir.Constant(vector.scalar, value)] * vector.lanes)


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Address of `array[index]`; `args` begin with both."""
    array_type = signature.args[0]
    array = context.make_array(array_type)(context, builder, args[0])
    index = cgutils.unpack_tuple(builder, args[1])
    return cgutils.get_item_pointer2(
        context,
        builder,
        data=array.data,
        shape=cgutils.unpack_tuple(builder, array.shape),
        strides=cgutils.unpack_tuple(builder, array.strides),
        layout=array_type.layout,
        inds=[context.cast(builder, i, t, types.intp) for i, t in zip(index, signature.args[1], strict=True)],
        wraparound=False,
    )


def _function(builder: Any, name: str, vector: Vector, returned: Any, *arguments: Any) -> Any:
    """LLVM's intrinsic function `name` on vectors."""
    name = f"llvm.{name}.v{vector.lanes}f{vector.dtype.bitwidth}"
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(returned, arguments), name)


def _load(vector: Vector) -> Callable[..., Any]:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = builder.bitcast(_pointer(context, builder, signature, args), ir.PointerType(vector.llvm))
        return builder.load(at, align=vector.dtype.bitwidth // 8)

    return generate


@_intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """The vector that starts at `array[index]`."""
    vector = Vector(array.dtype)
    return vector(array, index), _load(vector)


@_intrinsic
def load_like(typing: Any, array: Any, index: Any, like: Any) -> Any:
    """The vector that starts at `array[index]`, as long as another one."""
    return like(array, index, like), _load(like)


@_intrinsic
def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write a vector that starts at `array[index]`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = builder.bitcast(_pointer(context, builder, signature, args), ir.PointerType(value.llvm))
        builder.store(args[2], at, align=value.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, index, value), generate


@_intrinsic
def prefetch(typing: Any, array: Any, index: Any) -> Any:
    """Prefetch the cache line of `array[index]`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = builder.bitcast(_pointer(context, builder, signature, args), cgutils.voidptr_t)
        kind = ir.FunctionType(ir.VoidType(), [at.type, _INDEX, _INDEX, _INDEX])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [at, _INDEX(0), _INDEX(3), _INDEX(1)])  # to read, keep it, data
        return context.get_dummy_value()

    return types.void(array, index), generate


def _splat(vector: Vector) -> Callable[..., Any]:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        nothing = ir.Constant(vector.llvm, ir.Undefined)
        first = builder.insert_element(nothing, args[0], _INDEX(0))
        zeros = ir.Constant(ir.VectorType(_INDEX, vector.lanes), [_INDEX(0)] * vector.lanes)
        return builder.shuffle_vector(first, nothing, zeros)

    return generate


@_intrinsic
def splat(typing: Any, scalar: Any) -> Any:
    """A vector of equal elements."""
    vector = Vector(scalar)
    return vector(scalar), _splat(vector)


@_intrinsic
def splat_wide(typing: Any, scalar: Any) -> Any:
    """A value of four vectors, all elements equal."""
    vector = Vector(scalar, WIDE)
    return vector(scalar), _splat(vector)


@_intrinsic
def splat_like(typing: Any, scalar: Any, like: Any) -> Any:
    """Equal elements, as many as another vector has."""
    return like(scalar, like), _splat(like)


@_intrinsic
def total(typing: Any, vector: Any) -> Any:
    """Sum of the elements."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = _function(builder, "vector.reduce.fadd", vector, vector.scalar, vector.scalar, vector.llvm)
        return builder.call(function, [ir.Constant(vector.scalar, -0.0), args[0]], fastmath=("reassoc", *_FLAGS))

    return vector.dtype(vector), generate


@_intrinsic
def larger(typing: Any, a: Any, b: Any) -> Any:
    """The larger one, element by element; b if either is NaN."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return a(a, b), generate


@_intrinsic
def where_positive(typing: Any, x: Any, a: Any, b: Any) -> Any:
    """a where x > 0, else b, element by element."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", args[0], _constant(x, 0.0)), args[1], args[2])

    return a(x, a, b), generate


@_intrinsic
def _nearest(typing: Any, vector: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.call(_function(builder, "nearbyint", vector, vector.llvm, vector.llvm), args)

    return vector(vector), generate


@_intrinsic
def _power_of_two(typing: Any, vector: Any) -> Any:
    """`2^j` of integers -126 .. 127 in float32: the exponent's bits are j + 127."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        integers = ir.VectorType(_INDEX, vector.lanes)
        shifted = builder.fadd(args[0], _constant(vector, 1.5 * 2**23))  # the low bits of its mantissa are j
        bits = builder.shl(builder.bitcast(shifted, integers), ir.Constant(integers, [_INDEX(23)] * vector.lanes))
        bits = builder.add(bits, ir.Constant(integers, [_INDEX(127 << 23)] * vector.lanes))
        return builder.bitcast(bits, vector.llvm)

    return vector(vector), generate


def _operator(function: Callable[..., Any], name: str) -> None:
    @_intrinsic
    def compute(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(*args, flags=_FLAGS)

        return a(a, b), generate

    @extending.overload(function)  # Numba compares names and annotations with those of the function that is returned
    def _of(a, b):  # type: ignore[no-untyped-def]
        return (lambda a, b: compute(a, b)) if isinstance(a, Vector) and a == b else None


for _name in ("add", "sub", "mul"):
    _operator(getattr(operator, _name), f"f{_name}")

_LOG2E, _LN2_HIGH, _LN2_LOW = np.float32(1.4426950408889634), np.float32(0.693359375), np.float32(-2.12194440e-4)
_LEAST = np.float32(-87.0)  # e^-87 is about the smallest float32 that is not denormal
_ONE = np.float32(1.0)
_P0, _P1, _P2, _P3, _P4, _P5 = (
    np.float32(c)
    for c in (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
)


@inlined
def _exp(x):  # type: ignore[no-untyped-def]
    """`e^x`, x <= 88, of float32 to 1e-7: `2^j e^r`, |r| <= ln 2 / 2, by the polynomial of the Cephes library.

    NaN stays NaN.
    """
    x = larger(splat(_LEAST), x)
    j = _nearest(x * splat(_LOG2E))
    r = x - j * splat(_LN2_HIGH)  # exact: that constant has few bits
    r = r - j * splat(_LN2_LOW)
    p = splat(_P0) * r + splat(_P1)
    p = p * r + splat(_P2)
    p = p * r + splat(_P3)
    p = p * r + splat(_P4)
    p = p * r + splat(_P5)
    return (p * (r * r) + (r + splat(_ONE))) * _power_of_two(j)


def exponentials(x: Any, count: Any, shift: Any) -> None:
    """`x[:count] = exp(x[:count] - shift)`; in a compiled loop it may write up to the end of the last vector."""
    x[:count] = np.exp(x[:count] - shift)


@extending.overload(exponentials, strict=False)
def _exponentials(x, count, shift):  # type: ignore[no-untyped-def]
    if x.dtype == types.float32:
        lanes = BYTES // 4

        def vectorized(x, count, shift):  # type: ignore[no-untyped-def]
            less = splat(shift)
            for k in range(0, count, lanes):
                store(x, (k,), _exp(load(x, (k,)) - less))

        return vectorized

    def plain(x, count, shift):  # type: ignore[no-untyped-def]
        for k in range(count):
            x[k] = math.exp(x[k] - shift)

    return plain
