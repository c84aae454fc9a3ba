"""The student's process: runs cells in one namespace and answers the checker.

The code it runs can overwrite anything here. Nothing depends on that: only plain values are sent, and what is
not sent earns nothing.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import io
import linecache
import sys
import traceback
import types
import warnings
from collections import OrderedDict
from typing import Any, cast

import torch
from torch import Tensor, nn

from graders.off_limits import off_limits

from ..cells import runner as cells
from ..cells.magics import strip_magics
from ..cells.runner import CellRunner, interrupted_after, load_without_workers
from ..cells.shell import Shell, display
from ..codec import CodecError, Extension, decode, encode
from ..own_time import OwnTime
from ..protocol.channel import Channel, ChannelError
from ..protocol.layers import LAYERS, NAME_OF_LAYER, empty
from ..protocol.mirrored_modules import MirroredModules, leaves_of, patched, tensors_in
from ..protocol.requests import error_out

_GRAPHS = 64
_FRAMES = 40
_GRADERS = (__file__, cells.__file__, ast.__file__)  # frames in these files are not the student's


class Output(io.TextIOBase):
    """Keeps text up to a limit, and silently drops the rest."""

    encoding = "utf-8"

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._parts: list[str] = []

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        room = self._most - self._size
        if room > 0:
            self._parts.append(text[:room])
            self._size += min(len(text), room)
        return len(text)

    def writable(self) -> bool:
        return True

    def take(self) -> str:
        text, self._parts = "".join(self._parts), []
        return text


class Student:
    """A namespace, the objects in it that the checker knows, and the replies to the checker's requests."""

    def __init__(self, channel: Channel, output_bytes: int) -> None:
        self._channel = channel
        self._output, self._dropped = Output(output_bytes), Output(0)
        self._main = types.ModuleType("__main__")
        self._main.__dict__.update(display=display, get_ipython=Shell)
        self._cells = CellRunner(self._main.__dict__)
        self._mirrored = MirroredModules(-1)
        self._classes: dict[str, type[nn.Module]] = {}
        self._graphs: OrderedDict[int, tuple[list[Tensor], list[Tensor]]] = OrderedDict()
        self._graph = 0
        self._to_describe: list[nn.Module] = []
        sys.modules["__main__"] = self._main
        sys.path.append("")  # for a module that a cell wrote (`%%writefile`)
        sys.breakpointhook = lambda *arguments, **options: None  # nobody is there to answer
        load_without_workers()

    def serve(self) -> None:
        """Answer until the checker hangs up."""
        answers = {"run": self._run, "fetch": self._fetch, "call": self._call, "backward": self._backward}
        while True:
            try:
                request = cast(dict, decode(self._channel.receive()))  # the checker sends nothing else
            except ChannelError:
                return
            own = OwnTime()
            try:
                with interrupted_after(request["seconds"]) as own:
                    reply = answers[request["do"]](request)
                    data = encode({"id": request["id"], **reply, "own": own.seconds, "late": own.late})
            except BaseException as error:  # including sys.exit(), which ends a cell, not the process
                reply = {"error": error_out(error), "output": "", "modules": None}
                data = encode({"id": request["id"], **reply, "own": own.seconds, "late": own.late})
            self._channel.send(data)

    def _run(self, request: dict) -> dict:
        source, file = strip_magics(request["source"]), f"<cell {request['name'] or request['id']}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        error = None
        with contextlib.redirect_stdout(self._output), contextlib.redirect_stderr(self._output):
            try:
                self._cells.run(source, file)
            except BaseException as raised:
                error = error_out(raised)
                self._print_traceback(raised)
        return {"error": error, "output": self._output.take()}

    def _print_traceback(self, error: BaseException) -> None:
        with contextlib.suppress(Exception):  # a student's __str__
            report = traceback.TracebackException(type(error), error, error.__traceback__, limit=-_FRAMES)
            place = next(
                (n for n, frame in enumerate(report.stack) if frame.filename.startswith("<cell ")), 0
            )
            own = [frame for frame in report.stack[place:] if frame.filename not in _GRADERS]
            report.stack = traceback.StackSummary.from_list(own[-8:])
            self._output.write("".join(report.format()))

    def _fetch(self, request: dict) -> dict:
        self._to_describe = []
        values, imported, names = {}, {}, self._main.__dict__
        for name in request["names"]:
            if name not in names:
                continue
            thing = names[name]
            if isinstance(thing, types.ModuleType):
                imported[name] = thing.__name__
            values[name] = self._encoded(thing)
        return {"values": values, "imported": imported, "modules": self._described(self._to_describe)}

    def _encoded(self, thing: object) -> bytes:
        try:
            return encode(thing, self._lift)
        except CodecError as error:
            unsendable = Extension("unsendable", str(error))
            return encode(unsendable, lambda _: unsendable)

    def _call(self, request: dict) -> dict:
        given = request["modules"]
        self._mirrored.apply(given, self._build)
        known = {row[0]: row[3] for row in given["tensors"]}
        args = [decode(data, self._lower) for data in request["args"]]
        kwargs = {name: decode(data, self._lower) for name, data in request["kwargs"].items()}
        leaves = leaves_of(args, kwargs, self._mirrored, given)
        roots = [self._mirrored.get(node["token"]) for node in given["modules"]]
        reply: dict = {"error": None, "value": b"", "args": [], "kwargs": {}, "graph": 0}
        self._to_describe = roots
        args, kwargs = (
            list(map(_as_a_result, args)),
            {name: _as_a_result(one) for name, one in kwargs.items()},
        )
        try:
            value = self._called(request, args, kwargs)
        except BaseException as error:
            reply["error"] = error_out(error)
        else:
            reply["value"] = self._result(value)
            reply["graph"] = self._keep_graph(value, leaves)
        reply["args"] = [self._changed(*pair) for pair in zip(args, request["args"], strict=True)]
        reply["kwargs"] = {
            name: self._changed(kwargs[name], data) for name, data in request["kwargs"].items()
        }
        reply["modules"] = self._described(self._to_describe, known)
        return reply

    def _called(self, request: dict, args: list, kwargs: dict) -> object:
        kind, token, *name = request["target"]
        target = self._mirrored.get(token)
        if kind == "method":
            target = target if name[0] == "forward" else getattr(target, name[0])
        quiet = self._dropped
        with (
            contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet), warnings.catch_warnings(),
            torch.set_grad_enabled(request["grad"]), _default_dtype(), off_limits(request["off_limits"]),
        ):  # fmt: skip
            warnings.simplefilter("ignore")
            return target(*args, **kwargs)

    def _result(self, value: object) -> bytes:
        try:
            return encode(value, self._lift)
        except CodecError as error:
            raise ValueError(f"the result cannot be read: {error}") from None

    def _changed(self, thing: object, before: bytes) -> bytes | None:
        if not isinstance(thing, (list, dict, set, Tensor)) and type(thing).__module__ != "numpy":
            return None
        now = self._encoded(thing)
        return None if now == before else now

    def _keep_graph(self, value: object, leaves: list[Tensor]) -> int:
        outputs = tensors_in(value)
        if not outputs:
            return 0
        self._graph += 1
        self._graphs[self._graph] = (outputs, leaves)
        if len(self._graphs) > _GRAPHS:
            self._graphs.popitem(last=False)
        return self._graph

    def _backward(self, request: dict) -> dict:
        outputs, leaves = self._graphs[request["graph"]]
        pairs = [
            (output, gradient)
            for output, gradient in zip(outputs, request["gradients"], strict=True)
            if gradient is not None and output.grad_fn is not None
        ]
        if not pairs or not leaves:
            return {"error": None, "gradients": [None] * len(leaves)}
        found = torch.autograd.grad(
            [output for output, _ in pairs], leaves, [gradient for _, gradient in pairs],
            allow_unused=True, retain_graph=True,
        )  # fmt: skip
        return {"error": None, "gradients": [None if one is None else one.detach() for one in found]}

    def _described(self, modules: list[nn.Module], known: dict | None = None) -> dict:
        return self._mirrored.describe(modules, self._class_of, known)

    def _class_of(self, module: nn.Module) -> list:
        if type(module) in NAME_OF_LAYER and not patched(module):
            return ["nn", NAME_OF_LAYER[type(module)]]
        return ["own", type(module).__name__]

    def _lift(self, thing: object) -> Extension | None:
        if isinstance(thing, nn.Module):
            self._to_describe.append(thing)
            return Extension("module", self._mirrored.token(thing))
        if type(thing) is nn.Parameter:
            return Extension("parameter", [self._mirrored.token(thing), thing.detach(), thing.requires_grad])
        if callable(thing):
            name = getattr(thing, "__name__", "")
            token = self._mirrored.token(thing)
            return Extension("callable", [token, type(thing).__name__, name if type(name) is str else ""])
        return None

    def _lower(self, kind: str, payload: Any) -> object:
        if kind == "module" or kind == "callable":
            return self._mirrored.get(payload)
        if kind == "parameter":
            token, value, learns = payload
            if token not in self._mirrored:
                self._mirrored.adopt(token, nn.Parameter(value, requires_grad=learns))
            return self._mirrored.get(token)
        if kind == "generator":
            return torch.Generator().set_state(payload)
        return _ours(str(payload))

    def _build(self, ref: list) -> nn.Module:
        kind, name = ref[:2]
        if kind == "nn":
            return empty(LAYERS[name])
        key = ref[2] if kind == "shared" else name
        if key not in self._classes:
            self._classes[key] = _shared_class(name, ref[2]) if kind == "shared" else _opaque_class(name)
        return empty(self._classes[key])


@contextlib.contextmanager
def _default_dtype():
    """Use the default dtype that checks rely on, whatever a cell has set."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _as_a_result(argument: object) -> object:
    """A tensor that needs gradients, as the result of an operation: not a leaf, so it may change in place."""
    if type(argument) is not Tensor or not argument.requires_grad:
        return argument
    with torch.enable_grad():
        return argument.clone()


def _shared_class(name: str, source: str) -> type[nn.Module]:
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": nn.functional, "Tensor": Tensor}
    names["shared_module"] = lambda cls: cls
    flags = __future__.annotations.compiler_flag
    exec(compile(source, f"<class {name}>", "exec", flags, dont_inherit=True), names)
    return names[name]


def _opaque_class(name: str) -> type[nn.Module]:
    def forward(self, *args, **kwargs):
        raise NotImplementedError(
            f"this {name} can be inspected and changed, but not called, in the process in which your "
            "function runs"
        )

    return type(name, (nn.Module,), {"forward": forward})


def _ours(name: str):
    def absent(*args, **kwargs):
        raise NotImplementedError(f"the check's {name} cannot be called from your function")

    absent.__name__ = name
    return absent
