"""A strict comparison that says what differs: type, then dtype, shape, finiteness, and only then values."""

from __future__ import annotations

import cmath
import math

import numpy as np
import torch
from torch import Tensor, nn

from tlwidgets.moved import renamed_in

from .evidence import count_comparison
from .mistakes import CheckFailed
from .show import a_type, cut, is_one, show

__all__ = ["difference", "same", "to_builtin"]

__getattr__ = renamed_in(__name__)

_WHAT, _MESSAGE, _NESTED = 200, 700, 100
_EXACT = (int, bool, str, bytes, type(None), type(...), range, torch.dtype, torch.device)
_PLAIN_KEYS = (int, bool, str, bytes, float, complex, type(None), type(...))


def same(
    found, expected, what: str, *, rtol: float = 1e-5, atol: float = 1e-6, allow_nan: bool = False
) -> None:
    """Compare a result with what was expected: floating-point numbers within tolerance, all else exactly.

    Types are compared exactly (`type(x) is`), and nothing of `found` is run, so that an object whose `==` is
    always true or whose `__class__` lies is not taken for the answer. Where a tensor lives, whether it takes
    a gradient or is an `nn.Parameter`, and the order of a dict's keys do not count. Adds one to
    `evidence.comparisons_so_far()` when it holds.

    Args:
        found: what a student's code gave; anything.
        expected: None, bool, int, float, complex, str, bytes, a tensor or dtype, a NumPy array or scalar, or
            a list, tuple, set or dict of these, which may contain itself.
        what: how the message names it ("`layer_rates(3, 1, 0.5)`").
        rtol: relative tolerance, of floating-point and complex numbers only.
        atol: absolute tolerance, likewise.
        allow_nan: NaN counts as equal to NaN. Otherwise NaN is refused even where it was expected. An
            infinity is accepted only where the same one was expected.

    Raises:
        CheckFailed: with the first difference, in words (at most about 700 characters).
        TypeError: `expected` is of a kind that cannot be compared; an author's mistake.
    """
    message = difference(found, expected, what, rtol=rtol, atol=atol, allow_nan=allow_nan)
    if message:
        raise CheckFailed(message)
    count_comparison()


def to_builtin(value):
    """A student's value as Python's and PyTorch's own types, whatever its precision; NumPy's count as well.

    For checks that want a number, a name or a loss of any precision: `np.exp` of a float gives `np.float64`,
    which is a float for all that `isinstance` says. The items of lists are converted; all else stays as it
    is.
    """
    if type(value) is np.float64:
        return float(value)
    if type(value) is np.str_:
        return str(value)
    if type(value) is list:
        return [to_builtin(item) for item in value]
    if is_one(type(value), (Tensor, nn.Parameter)) and value.dtype == torch.float64:
        return value.float()
    return value


def difference(
    found, expected, what: str, *, rtol: float = 1e-5, atol: float = 1e-6, allow_nan: bool = False
) -> str:
    """What `same` would say, or "" where nothing differs; counts nothing."""
    return cut(_Comparison(rtol, atol, allow_nan).of(found, expected, what), _MESSAGE)


class _Comparison:
    """One comparison: its tolerances, and the pairs it is inside of: structures may contain themselves."""

    def __init__(self, rtol: float, atol: float, allow_nan: bool) -> None:
        self.rtol, self.atol, self.allow_nan = rtol, atol, allow_nan
        self.inside: set[tuple[int, int]] = set()

    def of(self, found, expected, what: str) -> str:
        what = cut(what, _WHAT)
        kind = _kind(expected)
        if _kind(found) is not kind:
            return f"{what} is {a_type(found)}, and {a_type(expected)} was expected."
        if kind is float:
            return self._float(found, expected, what)
        if kind is complex:
            return self._complex(found, expected, what)
        if kind is Tensor:
            return self._tensor(found, expected, what)
        if kind is np.ndarray:
            return self._array(found, expected, what)
        if issubclass(kind, np.generic):
            return self._array(np.asarray(found), np.asarray(expected), what)
        if kind in (set, frozenset):
            return _set(found, expected, what)
        if kind in _EXACT:
            return "" if found == expected else f"{what} is {show(found)}, and {show(expected)} was expected."
        if issubclass(kind, (list, tuple, dict)):
            return self._nested(found, expected, what)
        raise TypeError(
            f"{what}: {a_type(expected)} cannot be compared. Expected numbers, text, tensors, arrays, or "
            "lists, tuples, sets and dicts of them: turn the answer into these first."
        )

    def _float(self, found: float, expected: float, what: str) -> str:
        if math.isnan(expected) and math.isnan(found) and self.allow_nan:
            return ""
        if not math.isfinite(found) and (math.isnan(found) or found != expected):
            wanted = "a finite number" if math.isfinite(expected) else expected
            return f"{what} is {found}, and {wanted} was expected."
        if math.isclose(found, expected, rel_tol=self.rtol, abs_tol=self.atol):
            return ""
        return f"{what} is {_two(found, expected)} was expected."

    def _complex(self, found: complex, expected: complex, what: str) -> str:
        if cmath.isnan(found):
            fine = self.allow_nan and cmath.isnan(expected)
        else:
            fine = cmath.isclose(found, expected, rel_tol=self.rtol, abs_tol=self.atol)
        return "" if fine else f"{what} is {found}, and {expected} was expected."

    def _nested(self, found, expected, what: str) -> str:
        pair = (id(found), id(expected))
        if pair in self.inside:
            return ""  # a structure that contains itself: this part is being compared already
        if len(self.inside) == _NESTED:
            return f"{what} is nested more than {_NESTED} deep, which cannot be compared."
        self.inside.add(pair)
        try:
            if isinstance(expected, dict):
                return self._dict(found, expected, what)
            return self._items(found, expected, what)
        finally:
            self.inside.discard(pair)

    def _items(self, found, expected, what: str) -> str:
        if len(found) != len(expected):
            return f"{what} has {len(found)} items, and {len(expected)} were expected."
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            message = self.of(one, other, f"{what}, item {place}")
            if message:
                return message
        return ""

    def _dict(self, found: dict, expected: dict, what: str) -> str:
        mine, theirs = ({_key(key): key for key in one} for one in (found, expected))
        if set(mine) != set(theirs) or len(mine) != len(found):
            shown, wanted = (_sorted(one) for one in (found, expected))
            return f"{what} has the keys {shown}, and {wanted} were expected."
        for key, own in theirs.items():
            message = self.of(found[mine[key]], expected[own], f"{what}[{show(own)}]")
            if message:
                return message
        return ""

    def _tensor(self, found: Tensor, expected: Tensor, what: str) -> str:
        if found.dtype != expected.dtype:
            return f"{what} has dtype {found.dtype}, and {expected.dtype} was expected."
        if found.layout != expected.layout:
            return f"{what} has layout {found.layout}, and {expected.layout} was expected."
        if found.device.type == "meta":
            return f"{what} is on the meta device, so it has no values."
        try:
            if tuple(found.shape) != tuple(expected.shape):
                return _shapes(found, expected, what)
            one, other = (_values(tensor) for tensor in (found, expected))
        except (
            Exception
        ) as error:  # nested, quantised and other kinds of tensors refuse one or another operation
            return f"{what} cannot be compared ({type(error).__name__}). Expected an ordinary, dense tensor."
        return self._numbers(one, other, what)

    def _array(self, found: np.ndarray, expected: np.ndarray, what: str) -> str:
        if found.dtype != expected.dtype:
            return f"{what} has dtype {cut(str(found.dtype), 60)}, and {expected.dtype} was expected."
        if found.shape != expected.shape:
            return _shapes(found, expected, what)
        if expected.dtype.kind in "OV":
            return self.of(found.tolist(), expected.tolist(), what)
        return self._numbers(found, expected, what)

    def _numbers(self, found: np.ndarray, expected: np.ndarray, what: str) -> str:
        """Compare arrays of one dtype and shape."""
        if expected.dtype.kind not in "fc":
            return _differing(found, expected, found != expected, what)
        wide = np.result_type(expected.dtype, np.float64)
        found, expected = found.astype(wide), expected.astype(wide)
        with np.errstate(all="ignore"):
            if self.allow_nan:
                both = np.isnan(found) & np.isnan(expected)
                found, expected = np.where(both, 0, found), np.where(both, 0, expected)
            strange = ~np.isfinite(found) & ~(found == expected)
            if strange.any():
                where = _first(strange)
                return (
                    f"{what} has NaN or infinite values ({int(strange.sum())} of {strange.size}; the first "
                    f"is {where}), and finite ones were expected."
                )
            gap = np.where(found == expected, 0, np.abs(found - expected))
            # As `math.isclose`: relative to the larger of the two. What is not below the line, NaN included,
            # differs.
            line = np.maximum(self.rtol * np.maximum(np.abs(found), np.abs(expected)), self.atol)
            return _differing(found, expected, ~((gap <= line) & (np.isfinite(expected) | (gap == 0))), what)


def _kind(value) -> type:
    kind = type(value)
    return Tensor if kind is nn.Parameter else kind


def _values(tensor: Tensor) -> np.ndarray:
    """A tensor's values in an array, widened so that nothing is lost."""
    tensor = Tensor.cpu(
        Tensor.detach(tensor)
    )  # the class's own: a tensor may carry attributes of these names
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_complex():
        return tensor.to(torch.complex128).resolve_conj().numpy()
    return (tensor.double() if tensor.is_floating_point() else tensor).numpy()


def _shapes(found, expected, what: str) -> str:
    empty = 0 in tuple(found.shape) and 0 not in tuple(expected.shape)
    return (
        f"{what} has shape {cut(str(tuple(found.shape)), 80)}, and {tuple(expected.shape)} was expected."
        + (" It has no values at all." if empty else "")
    )


def _differing(found: np.ndarray, expected: np.ndarray, wrong: np.ndarray, what: str) -> str:
    wrong = np.asarray(wrong)
    if not wrong.any():
        return ""
    place = tuple(int(axis[0]) for axis in np.nonzero(wrong)) if wrong.ndim else ()
    values = f"{_two(found[place].item(), expected[place].item())} was expected"
    if wrong.size == 1:
        return f"{what} is {values}."
    by = ""
    if expected.dtype.kind in "fc":
        with np.errstate(all="ignore"):
            by = f", by up to {float(np.abs(found - expected)[wrong].max()):.3g}"
    count = f"{int(wrong.sum())} of {wrong.size} values"
    return f"{what} differs in {count}{by}. The first is {_first(wrong)}: {values}."


def _first(wrong: np.ndarray) -> str:
    return str([int(axis[0]) for axis in np.nonzero(np.atleast_1d(wrong))])


def _two(found, expected) -> str:
    """Two values, with enough digits to tell them apart."""
    if type(found) is float and type(expected) is float:
        short = f"{found:.6g}, and {expected:.6g}"
        return short if f"{found:.6g}" != f"{expected:.6g}" else f"{found!r}, and {expected!r}"
    return f"{show(found)}, and {show(expected)}"


def _key(value, depth: int = 8):
    """A key that tells True from 1 and 1 from 1.0, and compares only values of builtin types."""
    kind = type(value)
    if is_one(kind, _PLAIN_KEYS):
        return kind, value
    if kind is tuple and depth:
        return kind, tuple(_key(item, depth - 1) for item in value)
    if kind is frozenset and depth:
        return kind, frozenset(_key(item, depth - 1) for item in value)
    return type, id(value)


def _set(found, expected, what: str) -> str:
    mine, theirs = ({_key(item): item for item in one} for one in (found, expected))
    lacking = [item for key, item in theirs.items() if key not in mine]
    extra = [item for key, item in mine.items() if key not in theirs]
    if lacking:
        return f"{what} lacks {_sorted(lacking)}."
    return f"{what} has {_sorted(extra)}, which was not expected." if extra else ""


def _sorted(values) -> str:
    """Some of the values, in an order that does not change from run to run."""
    some = sorted(show(value) for value in list(values)[:1000])
    return f"[{', '.join(some[:8])}{', …' if len(some) > 8 else ''}]"
