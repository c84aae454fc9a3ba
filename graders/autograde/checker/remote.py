"""The student's process as the checker sees it: calls go across, and results come back as plain values."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from graders.off_limits import names_off_limits

from ..codec import CodecError, Extension, Foreign, decode, encode, tidy_name
from ..protocol.channel import Channel, ChannelError
from ..protocol.layers import LAYERS, NAME_OF_LAYER, empty
from ..protocol.mirrored_modules import CARRIED, MirroredModules, MirrorError, leaves_of, tensors_in
from ..protocol.requests import error_in
from .gradients import connected
from .restore import restore

_MOST_CLASSES = 64
_SHORTEST_S = 0.01


class StudentGone(BaseException):
    """Nothing more will come from the student's process. Not an Exception, since no check may catch it.

    Attributes:
        kind: "closed" (it ended), "late", or "garbage" (its reply was malformed).
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class StudentLate(BaseException):
    """A call took too long and was interrupted; the process goes on, this check does not."""


class NotSent(BaseException):
    """A check passed an argument that cannot be sent. This is the check's fault, so no check may catch it."""


class Stub:
    """A stand-in for a student's function: calling it sends the arguments across and returns plain data."""

    def __init__(self, remote: RemoteStudent, token: int, name: str) -> None:
        self._remote, self._token, self.__name__ = remote, token, name

    def __call__(self, *args, **kwargs):
        return self._remote.call(["token", self._token], args, kwargs)

    def __repr__(self) -> str:
        return f"<the student's {self.__name__}>"


class RemoteModule(nn.Module):
    """A module of a student's own class: weights and modes are here, `forward` runs on the other side."""


class Forward:
    """Replaces a method of one module by a call to the student's side."""

    def __init__(self, remote: RemoteStudent, module: nn.Module, method: str) -> None:
        self._remote, self._module, self._method = remote, module, method

    def __call__(self, *args, **kwargs):
        result = self._remote.call_method(self._module, self._method, args, kwargs)
        return result if self._method == "forward" else self._module


class RemoteStudent:
    """The student's process, seen from the checker.

    Attributes:
        left: seconds of its own time after which running code is interrupted. The checker sets this for each
            cell; each request takes off what it used.
        used: seconds of its own time that it has used, as it says itself: the worker, which knows, ends it if
            they are too many.
        until: when requests count as late however busy the machine is, as a reading of `time.monotonic`.
        late: whether anything was interrupted.
        contacts: how many times something of the student's was called or read.
        effects: whether modules were among it.
        raised: exceptions that came from the student's code.
        notes: what a person should know ("a method was replaced").
        has_secrets: whether the other side knows inputs of hidden tests, which it could put into any text;
            notes then leave out the names it chose. The checker sets this.
    """

    def __init__(self, channel: Channel, source_of: Callable[[type], str | None]) -> None:
        self._channel, self._source_of = channel, source_of
        self._mirrored, self._request = MirroredModules(1), 0
        self._given: list[nn.Module] = []
        self._answered: set[int] = set()  # tokens of modules that the other side has described
        self._classes: dict[str, type] = {}
        self.until = time.monotonic()
        self.left = self.used = 0.0
        self.late = self._was_late = False
        self.contacts, self.effects = 0, False
        self.raised: list[BaseException] = []
        self.notes: list[str] = []
        self.has_secrets = False

    def run(self, name: str, source: str) -> tuple[Exception | None, str]:
        """Run a cell there; returns what it raised and what it printed."""
        reply = self._ask({"do": "run", "name": name, "source": source})
        with _MalformedReply():
            output = reply["output"]
            return self._error(reply["error"]), output if type(output) is str else ""

    def fetch(self, names: Iterable[str]) -> tuple[dict[str, object], dict[str, str]]:
        """The values of names there, and which of them are Python modules.

        Raises:
            Exception, StudentGone, StudentLate: as `call`, since inspecting a student's object can run their
                code.
        """
        reply = self._ask({"do": "fetch", "names": sorted(names)})
        with _MalformedReply():
            error = self._error(reply.get("error"))
        if error is not None:
            raise self._raised(error)
        with _MalformedReply():
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
        """Call a method of the other side's copy of a module."""
        return self.call(["method", self._mirrored.token(module), method], args, kwargs, [module])

    def call(self, target: list, args: tuple, kwargs: dict, roots: Iterable[nn.Module] = ()):
        """Call something there; changes to its arguments are made here as well.

        Raises:
            Exception: what it raised, as the same builtin type or a `StudentError`.
            StudentGone: the process ended.
            StudentLate: it took too long.
            NotSent: an argument is too large.
        """
        try:
            return self._call(target, args, kwargs, roots)
        except NotSent as error:
            if self._answered.isdisjoint(map(self._mirrored.token, self._given)):
                raise
            # It could be sent before, so the student's code has filled it.
            self.raised.append(ValueError(f"a model holds too much to be sent: {error.__cause__}"))
            raise self.raised[-1] from error

    def _call(self, target: list, args: tuple, kwargs: dict, roots: Iterable[nn.Module]):
        self.contacts += 1
        self._given = list(roots)
        try:
            sent_args = [encode(one, self._lift) for one in args]
            sent_kwargs = {name: encode(one, self._lift) for name, one in kwargs.items()}
            described = self._mirrored.describe(self._given, self._class_of)
        except CodecError as unfit:
            raise NotSent(
                f"An argument that a check passes to a student's function cannot be sent: {unfit}."
            ) from unfit
        leaves = leaves_of(list(args), kwargs, self._mirrored, described)
        request = {
            "do": "call",
            "target": target,
            "args": sent_args,
            "kwargs": sent_kwargs,
            "modules": described,
            "off_limits": list(names_off_limits()),
        }
        reply = self._ask({**request, "grad": torch.is_grad_enabled()})
        with _MalformedReply():
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
        outputs = tensors_in(value)
        if not outputs or not torch.is_grad_enabled():
            return value
        return connected(value, outputs, leaves, partial(self._backward, graph))

    def _backward(self, graph: object, gradients: list[Tensor | None], leaves: int) -> list[Tensor | None]:
        """The gradients of a call's inputs and weights, given the gradients of its results."""
        reply = self._ask({"do": "backward", "graph": graph, "gradients": gradients})
        with _MalformedReply():
            error = self._error(reply["error"])
            found = reply["gradients"] if error is None else []
            if error is None and (
                len(found) != leaves or any(one is not None and type(one) is not Tensor for one in found)
            ):
                raise ValueError("those are not gradients")
        if error is not None:
            raise self._raised(error)
        return found

    def _ask(self, request: dict) -> dict:
        self._request += 1
        seconds, begin = max(self.left, _SHORTEST_S), time.monotonic()
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
        wall, own = time.monotonic() - begin, reply.get("own")
        own = min(max(own, 0.0), wall) if type(own) is float and isfinite(own) else wall
        self.left, self.used = self.left - own, self.used + own
        self._was_late = reply.get("late") is True
        self.late |= self._was_late
        return reply

    def _encoded(self, request: dict) -> bytes:
        try:
            return encode(request)
        except CodecError as error:
            raise NotSent(
                f"An argument that a check passes to a student's function cannot be sent: {error}."
            ) from error

    def _error(self, said: object) -> Exception | None:
        return None if said is None else error_in(said)

    def _raised(self, error: Exception) -> BaseException:
        """What to raise for an error there; if its time was up, that is the reason."""
        if self._was_late:
            return StudentLate()
        self.raised.append(error)
        return error

    def _apply(self, description: dict) -> None:
        self._mirrored.apply(description, self._build)
        for node in description["modules"]:
            self._answered.add(node["token"])
            self._patch(self._mirrored.get(node["token"], nn.Module), node["patched"])

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
            note = f"A module's {which} was replaced; the checker used PyTorch's own."
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
            return Extension("module", self._mirrored.token(thing))
        if type(thing) is nn.Parameter:
            return Extension("parameter", [self._mirrored.token(thing), thing.detach(), thing.requires_grad])
        if isinstance(thing, Stub):
            return Extension("callable", thing._token)
        if type(thing) is torch.Generator and thing.device.type == "cpu":
            return Extension("generator", thing.get_state())
        if isinstance(thing, Foreign) or not callable(thing):
            return None
        return Extension("ours", getattr(thing, "__name__", type(thing).__name__))

    def _lower(self, kind: str, payload: Any) -> object:
        if kind == "module":
            self.effects = True
            return self._mirrored.get(payload, nn.Module)
        if kind == "parameter":
            return self._parameter(*payload)
        if kind == "callable":
            return self._stub(*payload)
        if kind == "unsendable" or kind == "ours":
            return self._class(f"{kind}", Foreign)()
        raise CodecError("there is no such kind of extension")

    def _parameter(self, token: int, value: Tensor, learns: bool) -> nn.Parameter:
        if type(token) is not int or type(value) is not Tensor or type(learns) is not bool:
            raise CodecError("that is not a parameter")
        if token not in self._mirrored:
            self._mirrored.adopt(token, nn.Parameter(value.detach().clone(), requires_grad=learns))
        return self._mirrored.get(token, nn.Parameter)

    def _stub(self, token: int, kind: str, name: str) -> Stub:
        if type(token) is not int or type(kind) is not str or type(name) is not str:
            raise CodecError("that is not a function")
        if token not in self._mirrored:
            self._mirrored.adopt(token, self._class(kind, Stub)(self, token, tidy_name(name)))
        return self._mirrored.get(token, Stub)

    def _build(self, ref: list) -> nn.Module:
        kind, name = ref
        if kind == "nn":
            return empty(LAYERS[name])
        return empty(self._class(name, RemoteModule))

    def _class(self, name: str, base: type) -> type:
        """A class named as on the student's side, for messages. The number of such classes is limited."""
        key = f"{base.__name__} {tidy_name(name)}"
        if key not in self._classes:
            if len(self._classes) >= _MOST_CLASSES:
                return base
            extra = {"__slots__": (), "__hash__": None} if base is Foreign else {}
            self._classes[key] = type(tidy_name(name), (base,), extra)
        return self._classes[key]


class _MalformedReply:
    """Any error while a reply is read means that the reply is treated as malformed."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, trace) -> None:
        wrong = (
            CodecError,
            MirrorError,
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
