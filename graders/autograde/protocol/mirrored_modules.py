"""Modules that exist on both sides: described as plain values, from which the mirror image is updated.

A student's function may change a model, and a check then inspects the model. Objects never cross: each side
has its own copy of the other's module, identified by a token, and after a call the caller's copy is made
equal to the one that was changed. Flags, modes, plain attributes, structure and values cross; code never
does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ..codec import CodecError
from .layers import NAME_OF_LAYER

# If one of these methods was replaced on a module, the checker's copy calls the student's side for it.
CARRIED = ("forward", "train", "eval")
_STATE = frozenset(nn.Module().__dict__)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_PLAIN = (bool, int, float, str, bytes, complex, torch.Size, torch.dtype, type(None))
_MANY, _DEEP = 20_000, 64


class MirrorError(ValueError):
    """A description is malformed."""


class MirroredModules:
    """Objects by token, and tokens by object. This side numbers its own in steps of `step` (1 or -1)."""

    def __init__(self, step: int) -> None:
        self._step, self._last = step, 0
        self._things: dict[int, object] = {}
        self._tokens: dict[int, int] = {}

    def token(self, thing: object) -> int:
        """The token of an object; a new one the first time. The object is kept."""
        found = self._tokens.get(id(thing))
        if found is None:
            self._last += self._step
            found = self._last
            self._put(found, thing)
        return found

    def adopt(self, token: object, thing: object) -> None:
        """Register an object under the token that the other side, which created it, uses.

        Raises:
            MirrorError: the other side cannot have issued such a token, or there are too many objects.
        """
        if type(token) is not int or token * self._step >= 0:
            raise MirrorError("that is not a token of the other side")
        self._put(token, thing)

    def _put(self, token: int, thing: object) -> None:
        if len(self._things) >= _MANY:
            raise MirrorError("there are too many objects")
        self._things[token], self._tokens[id(thing)] = thing, token

    def get(self, token: object, kind: type | None = None):
        """The object of a token.

        Raises:
            MirrorError: there is no such object, or it is of another kind.
        """
        thing = self._things.get(token) if type(token) is int else None
        if thing is None or (kind is not None and not isinstance(thing, kind)):
            raise MirrorError("there is no such object")
        return thing

    def __contains__(self, token: object) -> bool:
        return type(token) is int and token in self._things

    def describe(
        self,
        roots: Iterable[nn.Module],
        class_of: Callable[[nn.Module], list],
        known: dict[int, Tensor] | None = None,
    ) -> dict:
        """Describe these modules, and all modules below them, as plain values.

        Args:
            class_of: a plain value from which the other side can build a module that it does not know yet.
            known: values that the other side has already, by token; unchanged ones are left out.

        Raises:
            CodecError: a weight is not an ordinary tensor in main memory.
        """
        nodes, seen = [], set()
        tensors: dict[int, Tensor] = {}
        pending = list(roots)
        while pending:
            module = pending.pop(0)
            if id(module) in seen:
                continue
            seen.add(id(module))
            state = module.__dict__
            pending += [child for child in state["_modules"].values() if child is not None]
            for owned in (*state["_parameters"].values(), *state["_buffers"].values()):
                if owned is not None and not is_lazy(owned):
                    tensors.setdefault(self.token(owned), owned)
            nodes.append(
                {
                    "token": self.token(module),
                    "class": class_of(module),
                    "training": bool(state["training"]),
                    "attributes": plain_attributes(module),
                    "patched": patched(module),
                    "transient": sorted(state["_non_persistent_buffers_set"]),
                    **{kind: self._names(state[f"_{kind}"]) for kind in ("parameters", "buffers", "modules")},
                }
            )
        return {
            "modules": nodes,
            "tensors": [_tensor(token, one, known or {}) for token, one in tensors.items()],
        }

    def _names(self, owned: dict) -> dict[str, int]:
        """Tokens by name; 0 for something missing, or not yet initialised (in `nn.LazyLinear`)."""
        return {
            name: 0 if thing is None or is_lazy(thing) else self.token(thing) for name, thing in owned.items()
        }

    def apply(self, description: dict, build: Callable[[list], nn.Module]) -> None:
        """Make this side's copies equal to a description; missing ones are built.

        Args:
            build: makes an empty module for a class.

        Raises:
            MirrorError: the description is malformed. The copies may be left half changed.
        """
        try:
            for token, is_parameter, learns, value, gradient in description["tensors"]:
                self._apply_tensor(token, is_parameter, learns, value, gradient)
            nodes = [(node["token"], node) for node in description["modules"]]
            for token, node in nodes:
                if token not in self:
                    self.adopt(token, build(node["class"]))
            for token, node in nodes:
                self._fill(self.get(token, nn.Module), node)
            _check_no_circle([self.get(token) for token, _ in nodes])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
            raise MirrorError(str(error)) from error

    def _apply_tensor(self, token: int, is_parameter: bool, learns: bool, value, gradient) -> None:
        if value is not None and type(value) is not Tensor:
            raise MirrorError("a weight is not a tensor")
        if token not in self:
            if value is None:
                raise MirrorError("a new weight has no value")
            fresh = value.detach().clone()
            self.adopt(token, nn.Parameter(fresh, requires_grad=bool(learns)) if is_parameter else fresh)
            thing = self.get(token)
        else:
            thing = self.get(token, Tensor)
            if value is not None:
                _set_value(thing, value.detach())
        if thing.is_leaf and thing.requires_grad != learns:
            thing.requires_grad_(bool(learns))
        if is_parameter and (gradient is None) != (thing.grad is None):
            thing.grad = None if gradient is None else gradient.detach().reshape(thing.shape)
        elif gradient is not None:
            _set_value(thing.grad, gradient.detach())

    def _fill(self, module: nn.Module, node: dict) -> None:
        state = module.__dict__
        state["training"] = node["training"] is True
        for kind, owned in (("parameters", nn.Parameter), ("buffers", Tensor), ("modules", nn.Module)):
            new = {
                _name(name): self.get(token, owned) if token else _if_lazy(state[f"_{kind}"].get(name))
                for name, token in node[kind].items()
            }
            state[f"_{kind}"].clear()
            state[f"_{kind}"].update(new)
        state["_non_persistent_buffers_set"] = {_name(name) for name in node["transient"]}
        attributes = {_name(name): value for name, value in node["attributes"].items() if name not in _STATE}
        for name in [
            name for name, value in state.items() if name not in attributes and _is_attribute(name, value)
        ]:
            del state[name]
        for name, value in attributes.items():
            if is_plain(value) and not callable(getattr(type(module), name, None)):
                state[name] = value


def plain_attributes(module: nn.Module) -> dict:
    """Attributes of a module that are plain values (`in_features`, `p`, anything a student added)."""
    return {name: value for name, value in module.__dict__.items() if _is_attribute(name, value)}


def patched(module: nn.Module) -> list[str]:
    """Methods that were replaced on the module, or that its class defines differently from PyTorch."""
    state = module.__dict__
    names = [name for name in state if name not in _STATE and callable(getattr(type(module), name, None))]
    names += (
        ["forward"] if any(state.get(hooks) for hooks in _HOOKS) or state.get("_compiled_call_impl") else []
    )
    if type(module) not in NAME_OF_LAYER:
        names += [
            name for name in ("train", "eval") if getattr(type(module), name) is not getattr(nn.Module, name)
        ]
    return sorted(set(names))


def is_plain(value: object, depth: int = 0) -> bool:
    """Whether a value consists of builtin values only."""
    if type(value) is list or type(value) is tuple:
        return depth < 8 and len(value) <= 1000 and all(is_plain(item, depth + 1) for item in value)
    if type(value) is dict:
        return depth < 8 and len(value) <= 1000 and all(
            type(key) is str and is_plain(item, depth + 1) for key, item in value.items()
        )  # fmt: skip
    return type(value) in _PLAIN


def tensors_in(value: object) -> list[Tensor]:
    """The tensors in a plain value through which gradients flow, in order, without parameters."""
    if type(value) is Tensor:
        return [value] if value.requires_grad else []
    if type(value) is dict:
        return [tensor for item in value.values() for tensor in tensors_in(item)]
    if type(value) is list or type(value) is tuple:
        return [tensor for item in value for tensor in tensors_in(item)]
    return []


def leaves_of(args: list, kwargs: dict, mirrored: MirroredModules, described: dict) -> list[Tensor]:
    """Where a call's gradients go, in the same order on both sides: tensor arguments, weights of modules."""
    weights = [
        mirrored.get(token)
        for token, is_parameter, learns, *_ in described["tensors"]
        if is_parameter and learns
    ]
    return [*tensors_in(args), *tensors_in(kwargs), *weights]


def _if_lazy(thing: object) -> object:
    """A lazy weight, which the other side does not know about; None for anything else."""
    return thing if isinstance(thing, Tensor) and is_lazy(thing) else None


def _is_attribute(name: str, value: object) -> bool:
    return name not in _STATE and type(name) is str and is_plain(value)


def _name(name: object) -> str:
    if type(name) is not str or not 0 < len(name) <= 200:
        raise MirrorError("a name is not a short string")
    return name


def _tensor(token: int, one: Tensor, known: dict[int, Tensor]) -> list:
    value, gradient = _value(one), one.grad if one.is_leaf else None
    same = token in known and known[token].dtype == value.dtype and torch.equal(known[token], value)
    return [
        token,
        isinstance(one, nn.Parameter),
        bool(one.requires_grad and one.is_leaf),
        None if same else value,
        None if gradient is None else _value(gradient),
    ]


def _value(one: Tensor) -> Tensor:
    if one.layout is not torch.strided or one.device.type != "cpu" or one.is_quantized:
        raise CodecError("it has a weight that is not an ordinary tensor in main memory")
    value = one.detach()
    return value if type(value) is Tensor else value.as_subclass(Tensor)


def _set_value(thing: Tensor, value: Tensor) -> None:
    with torch.no_grad():
        if thing.shape != value.shape or thing.dtype != value.dtype:
            thing.data = value.clone()
        elif not torch.equal(thing, value):
            thing.copy_(value)


def _check_no_circle(modules: list[nn.Module]) -> None:
    """Refuse a module that contains itself, since walking over it would never end."""
    done: set[int] = set()

    def walk(module: nn.Module, above: tuple[int, ...]) -> None:
        if id(module) in above or len(above) > _DEEP:
            raise MirrorError("a module contains itself")
        if id(module) not in done:
            for child in module._modules.values():
                if child is not None:
                    walk(child, (*above, id(module)))
            done.add(id(module))

    for module in modules:
        walk(module, ())
