"""Text on its way into a kernel without a copy, and the few word tricks that parsing needs.

A kernel that is compiled by ``shm.jit.entry`` for a parameter of type ``TEXT`` takes there a
``msgspec.Raw``, ``bytes``, any other readable buffer or a ``str``; inside, ``octets`` shows it as
an array of bytes that is valid until the call returns: 40 ns, where ``np.frombuffer`` takes 330.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.typing import signature
from numba.extending import NativeValue, intrinsic, register_model, unbox
from numba.np.arrayobj import populate_array
from numpy.typing import NDArray

Octets = NDArray[np.uint8]
Text = Any  # what a TEXT parameter takes: msgspec.Raw, bytes, memoryview, str

_LENGTH_OFFSET = 16  # of Py_buffer.len: bytes; part of CPython's stable ABI since 3.11
_PYBUF_SIMPLE = 0
_TYPE_OFFSET = 8  # of PyObject.ob_type, the same


class _TextType(types.Type):
    """A borrowed pointer and a length."""


TEXT = _TextType(name="text")
WORDS = types.Array(types.int64, 1, "C")
OCTETS = types.Array(types.uint8, 1, "C")
TABLE = types.Array(types.int64, 2, "C")
INT = types.int64


@register_model(_TextType)
class _TextModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, text_type: Any) -> None:
        members = [("start", types.voidptr), ("size", types.intp)]
        super().__init__(manager, text_type, members)


@unbox(_TextType)  # type: ignore[untyped-decorator]
def _unbox(text_type: Any, value: Any, c: Any) -> Any:
    """Borrow the bytes of ``value``; the TypeError is Python's own when it has none."""
    builder, pyapi = c.builder, c.pyapi
    text = cgutils.create_struct_proxy(text_type)(c.context, builder)
    buffer = pyapi.alloca_buffer()  # zeroed; releasing it then does nothing
    failed = cgutils.alloca_once_value(builder, cgutils.false_bit)
    with builder.if_else(_is_str(pyapi, value)) as (string, other):
        with string:
            found, start, size = pyapi.string_as_string_and_size(value)
            text.start, text.size = start, size
            builder.store(builder.not_(found), failed)
        with other:
            status = _get_buffer(pyapi, value, buffer)
            builder.store(cgutils.is_not_null(builder, status), failed)
            start = builder.bitcast(buffer, pyapi.voidptr.as_pointer())
            words = builder.bitcast(buffer, pyapi.py_ssize_t.as_pointer())
            length = builder.gep(words, [ir.Constant(pyapi.py_ssize_t, _LENGTH_OFFSET // 8)])
            text.start, text.size = builder.load(start), builder.load(length)

    def release() -> None:
        pyapi.release_buffer(buffer)

    return NativeValue(text._getvalue(), is_error=builder.load(failed), cleanup=release)  # noqa: SLF001


def _get_buffer(pyapi: Any, value: Any, buffer: Any) -> Any:
    """Ask for consecutive bytes: Numba's own call would take strided ones too."""
    as_bytes = pyapi.builder.bitcast(buffer, pyapi.voidptr)
    prototype = ir.FunctionType(ir.IntType(32), [pyapi.pyobj, pyapi.voidptr, ir.IntType(32)])
    get = cgutils.get_or_insert_function(pyapi.module, prototype, "PyObject_GetBuffer")
    return pyapi.builder.call(get, [value, as_bytes, ir.Constant(ir.IntType(32), _PYBUF_SIMPLE)])


def _is_str(pyapi: Any, value: Any) -> Any:
    """Compare the type of ``value`` with ``str``; subclasses are taken for buffers and refused."""
    string_type = pyapi.get_c_object("PyUnicode_Type")
    header = pyapi.builder.bitcast(value, pyapi.voidptr.as_pointer())
    place = pyapi.builder.gep(header, [ir.Constant(pyapi.py_ssize_t, _TYPE_OFFSET // 8)])
    return pyapi.builder.icmp_unsigned("==", pyapi.builder.load(place), string_type)


@intrinsic  # type: ignore[untyped-decorator]
def _octets(_typing: Any, _text: Any) -> Any:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        text = cgutils.create_struct_proxy(sig.args[0])(context, builder, value=args[0])
        view = context.make_array(OCTETS)(context, builder)
        one = ir.Constant(context.get_value_type(types.intp), 1)
        populate_array(view, data=text.start, shape=[text.size], strides=[one], itemsize=one,
                       meminfo=None)
        return view._getvalue()  # noqa: SLF001

    return signature(OCTETS, _text), code


@intrinsic  # type: ignore[untyped-decorator]
def _load_eight(_typing: Any, _bytes: Any, _at: Any) -> Any:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        view = context.make_array(sig.args[0])(context, builder, args[0])
        place = builder.gep(view.data, [args[1]], inbounds=True)
        word = builder.bitcast(place, ir.IntType(64).as_pointer())
        return builder.load(word, align=1)

    return signature(types.uint64, _bytes, types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def _trailing_zeros(_typing: Any, _word: Any) -> Any:
    def code(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return signature(types.int64, types.uint64), code


@intrinsic  # type: ignore[untyped-decorator]
def _move_words(_typing: Any, _words: Any, _to: Any, _origin: Any, _count: Any) -> Any:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        view = context.make_array(sig.args[0])(context, builder, args[0])
        to = builder.gep(view.data, [args[1]], inbounds=True)
        origin = builder.gep(view.data, [args[2]], inbounds=True)
        cgutils.raw_memmove(builder, to, origin, args[3], 8)
        return context.get_dummy_value()

    return signature(types.void, _words, types.int64, types.int64, types.int64), code


if TYPE_CHECKING:

    def octets(text: Text) -> Octets:
        """View a text parameter as bytes; no copy, valid until the call returns."""

    def load_eight(text: Octets, at: int) -> np.uint64:
        """Load 8 bytes at any offset, the first lowest; ``at + 8`` must not exceed the size."""

    def trailing_zeros(word: np.uint64) -> int:
        """Count the zero bits below the lowest one; 64 for zero."""

    def move_words(words: NDArray[np.int64], to: int, origin: int, count: int) -> None:
        """Move ``count`` words within one array; the ranges may overlap."""
else:
    octets, load_eight = _octets, _load_eight
    trailing_zeros, move_words = _trailing_zeros, _move_words
