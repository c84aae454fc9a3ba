"""Modules that exist on both sides: described as plain values, and made equal from a description.

A student's function may change a model, and a check then looks at the model. Objects never cross: each side has a twin of the
other's module, named by a token, and after a call the caller's twin is made equal to the one that was changed. What crosses is
flags, modes, plain attributes, structure and values; code never does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from .codec import CodecError
from .layers import NAME_OF_LAYER

# Methods that, replaced on one module, are asked of the student's side each time the checker's twin is used.
CARRIED = ("forward", "train", "eval")
_STATE = frozenset(nn.Module().__dict__)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_PLAIN = (bool, int, float, str, bytes, complex, torch.Size, torch.dtype, type(None))
_MANY, _DEEP = 20_000, 64


class TwinError(ValueError):
    """A description that describes nothing."""


class Twins:
    """Objects by token, tokens by object. Tokens that this side gives out count in steps of `step` (1 or -1)."""

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
        """Name an object as the other side, which made it, does.

        Raises:
            TwinError: the other side can't have given out such a token, or there are too many.
        """
        if type(token) is not int or token * self._step >= 0:
            raise TwinError("that is no token of the other side")
        self._put(token, thing)

    def _put(self, token: int, thing: object) -> None:
        if len(self._things) >= _MANY:
            raise TwinError("there are too many objects")
        self._things[token], self._tokens[id(thing)] = thing, token

    def get(self, token: object, kind: type | None = None):
        """The object of a token.

        Raises:
            TwinError: there is none, or it is of another kind.
        """
        thing = self._things.get(token) if type(token) is int else None
        if thing is None or (kind is not None and not isinstance(thing, kind)):
            raise TwinError("there is no such object")
        return thing

    def __contains__(self, token: object) -> bool:
        return type(token) is int and token in self._things

    def describe(
        self,
        roots: Iterable[nn.Module],
        class_of: Callable[[nn.Module], list],
        known: dict[int, Tensor] | None = None,
    ) -> dict:
        """Plain values that say all of these modules and what is below them.

        Args:
            class_of: a plain value that tells the other side what to make of a module that it does not know.
            known: values that the other side has, by token; those that are the same are left out.

        Raises:
            CodecError: a weight is no ordinary tensor in the machine's memory.
        """
        nodes, tensors, seen = [], {}, set()
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
        """Tokens by name; 0 for what is not there, or not yet (of `nn.LazyLinear`)."""
        return {
            name: 0 if thing is None or is_lazy(thing) else self.token(thing) for name, thing in owned.items()
        }

    def apply(self, description: dict, build: Callable[[list], nn.Module]) -> None:
        """Make this side's twins equal to a description; those that are not there yet are built.

        Args:
            build: an empty module for a class.

        Raises:
            TwinError: it describes nothing. Twins may be left half changed.
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
            raise TwinError(str(error)) from error

    def _apply_tensor(self, token: int, is_parameter: bool, learns: bool, value, gradient) -> None:
        if value is not None and type(value) is not Tensor:
            raise TwinError("a weight is no tensor")
        if token not in self:
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
                _name(name): self.get(token, owned) if token else _to_come(state[f"_{kind}"].get(name))
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
    """What was set on a module that is a plain value (`in_features`, `p`, whatever a student added)."""
    return {name: value for name, value in module.__dict__.items() if _is_attribute(name, value)}


def patched(module: nn.Module) -> list[str]:
    """Which of its methods do something else than its class says, and those of its class that are not PyTorch's."""
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
    """Whether a value is made of builtin values alone."""
    kind = type(value)
    if kind is list or kind is tuple:
        return depth < 8 and len(value) <= 1000 and all(is_plain(item, depth + 1) for item in value)
    if kind is dict:
        return depth < 8 and len(value) <= 1000 and all(
            type(key) is str and is_plain(item, depth + 1) for key, item in value.items()
        )  # fmt: skip
    return kind in _PLAIN


def tensors_in(value: object) -> list[Tensor]:
    """The tensors in a plain value that gradients flow through, in order; parameters aside."""
    if type(value) is Tensor:
        return [value] if value.requires_grad else []
    items = value.values() if type(value) is dict else value if type(value) in (list, tuple) else ()
    return [tensor for item in items for tensor in tensors_in(item)]


def leaves_of(args: list, kwargs: dict, twins: Twins, described: dict) -> list[Tensor]:
    """What a call's gradients go to, in the same order on both sides: tensors among the arguments, weights of modules."""
    weights = [
        twins.get(token)
        for token, is_parameter, learns, *_ in described["tensors"]
        if is_parameter and learns
    ]
    return [*tensors_in(args), *tensors_in(kwargs), *weights]


def _to_come(thing: object) -> object:
    """A weight whose shape its first input will tell, which the other side does not know of; None for anything else."""
    return thing if is_lazy(thing) else None


def _is_attribute(name: str, value: object) -> bool:
    return name not in _STATE and type(name) is str and is_plain(value)


def _name(name: object) -> str:
    if type(name) is not str or not 0 < len(name) <= 200:
        raise TwinError("a name is a text")
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
        raise CodecError("it has a weight that is no ordinary tensor in the machine's memory")
    value = one.detach()
    return value if type(value) is Tensor else value.as_subclass(Tensor)


def _set_value(thing: Tensor, value: Tensor) -> None:
    with torch.no_grad():
        if thing.shape != value.shape or thing.dtype != value.dtype:
            thing.data = value.clone()
        elif not torch.equal(thing, value):
            thing.copy_(value)


def _check_no_circle(modules: list[nn.Module]) -> None:
    """A module that contains itself would make every walk endless."""
    done: set[int] = set()

    def walk(module: nn.Module, above: tuple[int, ...]) -> None:
        if id(module) in above or len(above) > _DEEP:
            raise TwinError("a module contains itself")
        if id(module) not in done:
            for child in module._modules.values():
                if child is not None:
                    walk(child, (*above, id(module)))
            done.add(id(module))

    for module in modules:
        walk(module, ())
