"""In the checker: a student's names, whose calls go across and whose results are plain values."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn

from .channel import Channel, ChannelError
from .codec import CodecError, Extension, Foreign, decode, encode, tidy_name
from .layers import LAYERS, NAME_OF_LAYER, empty
from .requests import error_in
from .twins import CARRIED, TwinError, Twins, leaves_of, tensors_in

_NEW_TOKENS_NAMES = 64
_SHORTEST_S = 0.01


class StudentGone(BaseException):
    """Nothing more will come of the student's process. No check may catch it, so it is no Exception.

    Attributes:
        kind: "closed" (it ended), "late", or "garbage" (what came is no answer).
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class StudentLate(BaseException):
    """What a check called took too long and was interrupted; the process goes on, this check does not."""


class NotSent(BaseException):
    """A check gave a student's function something that can't cross. The check's fault, so no check may catch it."""


class Stub:
    """A function of the student's. Calling it sends the arguments across and gets plain data back."""

    def __init__(self, remote: Remote, token: int, name: str) -> None:
        self._remote, self._token, self.__name__ = remote, token, name

    def __call__(self, *args, **kwargs):
        return self._remote.call(["token", self._token], args, kwargs)

    def __repr__(self) -> str:
        return f"<the student's {self.__name__}>"


class RemoteModule(nn.Module):
    """A module of a class of the student's: weights and modes are here, `forward` goes across, gradients come back."""


class Forward:
    """Stands on one module in place of a method that the student's side has to answer."""

    def __init__(self, remote: Remote, module: nn.Module, method: str) -> None:
        self._remote, self._module, self._method = remote, module, method

    def __call__(self, *args, **kwargs):
        result = self._remote.call_method(self._module, self._method, args, kwargs)
        return result if self._method == "forward" else self._module


class Remote:
    """The student's process, seen from the checker.

    Attributes:
        until: when requests are late, as `time.monotonic` tells it. interrupted: before that, when what runs is.
        contacts: how many times something of the student's was called or read.
        effects: whether modules were among it.
        raised: exceptions that came from the student's code.
        notes: what a person should know ("a method was replaced").
        has_secrets: the other side knows inputs of hidden tests, and could put them into any text of its own; notes then
            have no names of its own in them. The checker says when.
    """

    def __init__(self, channel: Channel, source_of: Callable[[type], str | None]) -> None:
        self._channel, self._source_of = channel, source_of
        self._twins, self._request = Twins(1), 0
        self._given: list[nn.Module] = []
        self._answered: set[int] = set()  # modules that the other side has had in its hands
        self._classes: dict[str, type] = {}
        self.until = self.interrupted = time.monotonic()
        self.contacts, self.effects = 0, False
        self.raised: list[BaseException] = []
        self.notes: list[str] = []
        self.has_secrets = False

    def run(self, name: str, source: str) -> tuple[Exception | None, str]:
        """Run a cell there: what it raised, and what it printed."""
        reply = self._ask({"do": "run", "name": name, "source": source})
        with _Garbage():
            output = reply["output"]
            return self._error(reply["error"]), output if type(output) is str else ""

    def fetch(self, names: Iterable[str]) -> tuple[dict[str, object], dict[str, str]]:
        """Values of names there, and which of them are Python modules.

        Raises:
            Exception, StudentGone, StudentLate: as `call`; looking at an object of the student's can run their code.
        """
        reply = self._ask({"do": "fetch", "names": sorted(names)})
        with _Garbage():
            error = self._error(reply.get("error"))
        if error is not None:
            raise self._raised(error)
        with _Garbage():
            self._apply(reply["modules"])
            values = {
                name: decode(reply["values"][name], self._lower) for name in names if name in reply["values"]
            }
            imported = {
                name: known
                for name, known in reply["imported"].items()
                if type(known) is str and name in values
            }
        return values, imported

    def call_method(self, module: nn.Module, method: str, args: tuple, kwargs: dict):
        """Call a method of the twin of a module."""
        return self.call(["method", self._twins.token(module), method], args, kwargs, [module])

    def call(self, target: list, args: tuple, kwargs: dict, roots: Iterable[nn.Module] = ()):
        """Call something there; arguments that it changed are changed here as well.

        Raises:
            Exception: what it raised, as the same builtin type or a `StudentError`.
            StudentGone: the process is no more.
            StudentLate: it took too long.
            NotSent: an argument is too large.
        """
        try:
            return self._call(target, args, kwargs, roots)
        except NotSent as error:
            if self._answered.isdisjoint(map(self._twins.token, self._given)):
                raise
            # What could be sent before and no longer can has been filled by the student's code.
            self.raised.append(ValueError(f"a model holds too much to be sent: {error.__cause__}"))
            raise self.raised[-1] from error

    def _call(self, target: list, args: tuple, kwargs: dict, roots: Iterable[nn.Module]):
        self.contacts += 1
        self._given = list(roots)
        try:
            sent_args = [encode(one, self._lift) for one in args]
            sent_kwargs = {name: encode(one, self._lift) for name, one in kwargs.items()}
            described = self._twins.describe(self._given, self._class_of)
        except CodecError as error:
            raise NotSent(f"What a check gives to a student's function can't be sent: {error}.") from error
        leaves = leaves_of(list(args), kwargs, self._twins, described)
        request = {
            "do": "call",
            "target": target,
            "args": sent_args,
            "kwargs": sent_kwargs,
            "modules": described,
        }
        reply = self._ask({**request, "grad": torch.is_grad_enabled()})
        with _Garbage():
            if reply["modules"] is not None:
                self._apply(reply["modules"])
                for one, data in zip(args, reply["args"], strict=True):
                    self._restore(one, data)
                for name, data in reply["kwargs"].items():
                    self._restore(kwargs[name], data)
            error = self._error(reply["error"])
            if error is None:
                value = decode(reply["value"], self._lower)
                graph = reply["graph"]
        if error is not None:
            raise self._raised(error)
        return self._connected(value, graph, leaves)

    def backward(self, graph: int, gradients: list[Tensor | None], leaves: int) -> list[Tensor | None]:
        """Gradients of a call's inputs and weights, for gradients of its results."""
        reply = self._ask({"do": "backward", "graph": graph, "gradients": gradients})
        with _Garbage():
            error = self._error(reply["error"])
            found = reply["gradients"] if error is None else []
            if error is None and (
                len(found) != leaves or any(one is not None and type(one) is not Tensor for one in found)
            ):
                raise ValueError("those are no gradients")
        if error is not None:
            raise self._raised(error)
        return found

    def _connected(self, value: object, graph: object, leaves: list[Tensor]):
        """Results that gradients flow through, as if the call had been made here."""
        outputs = tensors_in(value)
        if not outputs or not torch.is_grad_enabled():
            return value
        start = leaves or [torch.zeros((), requires_grad=True)]
        joined = iter(_Across.apply(self, graph, len(leaves), len(outputs), *outputs, *start))
        return _swapped(value, joined)

    def _ask(self, request: dict) -> dict:
        self._request += 1
        seconds = max(self.interrupted - time.monotonic(), _SHORTEST_S)
        try:
            self._channel.send(
                self._encoded({"id": self._request, "seconds": seconds, **request}), self.until
            )
            reply = decode(self._channel.receive(self.until))
        except ChannelError as error:
            raise StudentGone(error.kind) from error
        except (CodecError, MemoryError) as error:
            raise StudentGone("garbage") from error
        if type(reply) is not dict or reply.get("id") != self._request:
            raise StudentGone("garbage")
        return reply

    def _encoded(self, request: dict) -> bytes:
        try:
            return encode(request)
        except CodecError as error:
            raise NotSent(f"What a check gives to a student's function can't be sent: {error}.") from error

    def _error(self, said: object) -> Exception | None:
        return None if said is None else error_in(said)

    def _raised(self, error: Exception) -> BaseException:
        """What a call ends with that ended with an error there: past its time, that is the reason."""
        if time.monotonic() >= self.interrupted:
            return StudentLate()
        self.raised.append(error)
        return error

    def _apply(self, description: dict) -> None:
        self._twins.apply(description, self._build)
        for node in description["modules"]:
            self._answered.add(node["token"])
            self._patch(self._twins.get(node["token"], nn.Module), node["patched"])

    def _patch(self, module: nn.Module, names: list) -> None:
        if isinstance(module, RemoteModule):
            names = ["forward", *names]
        for method in CARRIED:
            if method in names:
                module.__dict__[method] = Forward(self, module, method)
            elif isinstance(module.__dict__.get(method), Forward):
                del module.__dict__[method]
        others = sorted(name for name in names if name not in CARRIED)
        if others:
            which = "method" if self.has_secrets else ", ".join(map(tidy_name, others[:5]))
            note = f"A module's {which} was replaced; the checker used PyTorch's."
            if note not in self.notes:
                self.notes.append(note)

    def _restore(self, one: object, data: bytes | None) -> None:
        if data is not None:
            restore(one, decode(data, self._lower))

    def _class_of(self, module: nn.Module) -> list:
        kind = type(module)
        if kind in NAME_OF_LAYER:
            return ["nn", NAME_OF_LAYER[kind]]
        source = self._source_of(kind)
        return ["shared", kind.__name__, source] if source else ["opaque", kind.__name__]

    def _lift(self, thing: object) -> Extension | None:
        if isinstance(thing, nn.Module):
            self.effects = True
            self._given.append(thing)
            return Extension("module", self._twins.token(thing))
        if type(thing) is nn.Parameter:
            return Extension("parameter", [self._twins.token(thing), thing.detach(), thing.requires_grad])
        if isinstance(thing, Stub):
            return Extension("callable", thing._token)
        if type(thing) is torch.Generator and thing.device.type == "cpu":
            return Extension("generator", thing.get_state())
        if isinstance(thing, Foreign) or not callable(thing):
            return None
        return Extension("ours", getattr(thing, "__name__", type(thing).__name__))

    def _lower(self, kind: str, payload: object) -> object:
        if kind == "module":
            self.effects = True
            return self._twins.get(payload, nn.Module)
        if kind == "parameter":
            return self._parameter(*payload)
        if kind == "callable":
            return self._stub(*payload)
        if kind == "unsendable" or kind == "ours":
            return self._class(f"{kind}", Foreign)()
        raise CodecError("there is no such kind")

    def _parameter(self, token: int, value: Tensor, learns: bool) -> nn.Parameter:
        if type(token) is not int or type(value) is not Tensor or type(learns) is not bool:
            raise CodecError("that is no parameter")
        if token not in self._twins:
            self._twins.adopt(token, nn.Parameter(value.detach().clone(), requires_grad=learns))
        return self._twins.get(token, nn.Parameter)

    def _stub(self, token: int, kind: str, name: str) -> Stub:
        if type(token) is not int or type(kind) is not str or type(name) is not str:
            raise CodecError("that is no function")
        if token not in self._twins:
            self._twins.adopt(token, self._class(kind, Stub)(self, token, tidy_name(name)))
        return self._twins.get(token, Stub)

    def _build(self, ref: list) -> nn.Module:
        kind, name = ref
        if kind == "nn":
            return empty(LAYERS[name])
        return empty(self._class(name, RemoteModule))

    def _class(self, name: str, base: type) -> type:
        """A class with the name that its kind has on the student's side, for messages; not too many of them."""
        key = f"{base.__name__} {tidy_name(name)}"
        if key not in self._classes:
            if len(self._classes) >= _NEW_TOKENS_NAMES:
                return base
            extra = {"__slots__": (), "__hash__": None} if base is Foreign else {}
            self._classes[key] = type(tidy_name(name), (base,), extra)
        return self._classes[key]


class _Garbage:
    """Whatever goes wrong in reading a reply, it is no reply."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, trace) -> None:
        wrong = (
            CodecError,
            TwinError,
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            RuntimeError,
            OverflowError,
            MemoryError,
        )
        if isinstance(error, wrong):
            raise StudentGone("garbage") from error


class _Across(torch.autograd.Function):
    @staticmethod
    def forward(ctx, remote: Remote, graph: int, leaves: int, count: int, *tensors: Tensor):
        ctx.remote, ctx.graph, ctx.leaves, ctx.count = remote, graph, leaves, count
        ctx.inputs = len(tensors) - count
        ctx.set_materialize_grads(False)
        return tuple(tensor.detach().clone() for tensor in tensors[:count])

    @staticmethod
    def backward(ctx, *gradients):
        found = (
            ctx.remote.backward(ctx.graph, list(gradients), ctx.leaves) if ctx.leaves else [None] * ctx.inputs
        )
        return (None, None, None, None, *[None] * ctx.count, *found)


def restore(old: object, new: object) -> object:
    """Make a value that was given to a function what the function made of it, the same object where that is possible."""
    if type(old) is not type(new):
        return new
    if type(old) is list:
        old[:] = [*map(restore, old, new), *new[len(old) :]]
    elif type(old) is dict:
        merged = {key: restore(old[key], value) if key in old else value for key, value in new.items()}
        old.clear()
        old.update(merged)
    elif type(old) is set:
        old.clear()
        old.update(new)
    elif type(old) is tuple:
        parts = [*map(restore, old, new), *new[len(old) :]]
        same = len(old) == len(parts) and all(one is other for one, other in zip(old, parts, strict=True))
        return old if same else tuple(parts)
    elif isinstance(old, Tensor):
        with torch.no_grad():
            if old.shape != new.shape or old.dtype != new.dtype:
                old.data = new.detach()
            elif not torch.equal(old, new):
                old.copy_(new)
    elif (
        type(old) is np.ndarray and old.shape == new.shape and old.dtype == new.dtype and old.flags.writeable
    ):
        old[...] = new
    else:
        return new
    return old


def _swapped(value: object, joined) -> object:
    if isinstance(value, Tensor):
        return next(joined) if value.requires_grad else value
    if type(value) is dict:
        return {key: _swapped(item, joined) for key, item in value.items()}
    return type(value)(_swapped(item, joined) for item in value) if type(value) in (list, tuple) else value
