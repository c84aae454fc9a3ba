"""Which parts of a model are its heads, turning features into a task's answer, and why we think so.

There is no list of models. A head is, in this order, what PEFT saves beside an adapter, what stands beside a
pretrained model, what has a head's name, what follows the layers, and the last part of a chain. Wrappers
(`DataParallel`, a module that holds the model, PEFT's own, a compiled module) are looked through.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain

from torch import nn

from .kinds import (
    is_leaf,
    is_pretrained_model,
    kind_of,
    last_name,
    looks_like_backbone,
    looks_like_head,
    names_a_backbone,
    names_a_modality,
)
from .scan import Scan

LISTS = (nn.ModuleList, nn.Sequential)
SAVED = "as `modules_to_save` of PEFT says"
_NAMED = "by name"


class HeadFinder:
    """Finds the heads of a scanned model in two steps, since what is a head is not a layer.

    Attributes:
        modules: why each is a head, by its index in `Scan.modules`.
        parameters: the same for single parameters, by their slot.
        unsure: parts that may be new but are not treated as a head, by their index.
        bare: whether this is a pretrained model without a head.
    """

    def __init__(self, scan: Scan, children: list[list[int]]) -> None:
        self.scan, self.children = scan, children
        self.modules: dict[int, str] = {}
        self.parameters: dict[int, str] = {}
        self.unsure: list[int] = []
        self.bare = False
        self._pretrained: set[int] = set()  # pretrained models, and what they are in
        for index, entry in enumerate(scan.modules):
            if is_pretrained_model(entry.module):
                node = index
                while node >= 0 and node not in self._pretrained:
                    self._pretrained.add(node)
                    node = scan.modules[node].parent

    def before_the_layers(self) -> None:
        """Find what PEFT saves, and what stands beside a pretrained model."""
        if self._pretrained:
            self._beside_pretrained(0)
            if not self.modules and not self.parameters:
                self.bare = True
        for index, entry in enumerate(self.scan.modules):
            if "modules_to_save" in entry.module._modules and self._owns(index):
                self.modules[index] = SAVED

    def after_the_layers(self, opened: Collection[int], stacks: Collection[int], rows: list[int]) -> None:
        """Find the heads of a custom model, once it is known where its layers are.

        Args:
            opened: what is shown in parts.
            stacks: the lists of layers.
            rows: what is shown first.
        """
        if not (self.modules or self.parameters or self._pretrained):
            self._search(0, opened, stacks, rows)

    def _search(self, node: int, opened: Collection[int], stacks: Collection[int], rows: list[int]) -> None:
        node = self._inside_wrappers(node, stacks)
        kids = self._owners(node)
        if self._beside_backbone(kids) or self._by_name(kids, opened) or self._projections(kids):
            return
        if node not in stacks and self._after_stack(kids, opened, stacks, rows):
            return
        self._last(rows, node, stacks)

    # -- pretrained models -----------------------------------------------------------------------------------

    def _beside_pretrained(self, node: int) -> None:
        module = self.scan.modules[node].module
        if hasattr(type(module), "base_model_prefix"):
            self._of_pretrained(node)
            return
        kids = self._owners(node)
        models = [kid for kid in kids if kid in self._pretrained]
        name = ", ".join(f"`{self.scan.modules[kid].name}`" for kid in models)
        reason = f"beside the pretrained {name}"
        beside = [kid for kid in kids if kid not in models]
        peft = type(module).__module__.startswith("peft.")
        if peft:  # what stands there is an adapter: the vectors of a prompt
            beside = []
        for kid in beside:
            own = self.scan.modules[kid]
            foreign = not type(own.module).__module__.startswith("torch.nn.")
            last = last_name(own.name)
            if foreign and not is_leaf(own.module) and (looks_like_backbone(last) or names_a_modality(last)):
                self.unsure.append(kid)
            else:
                self.modules[kid] = reason
        if not peft:
            for slot in self._own_slots(node):
                self.parameters[slot] = reason
        found = bool(self.modules or self.parameters)
        for kid in models:
            known = set(self.modules)
            self._beside_pretrained(kid)
            if (
                found
            ):  # a model that is used for its features keeps its own output layer, if that is pretrained
                for head in set(self.modules) - known:
                    if self._predicts_tokens(head):
                        del self.modules[head]

    def _of_pretrained(self, node: int) -> None:
        """A model of `transformers`: what it has beside its base model; parts with a head's name."""
        module = self.scan.modules[node].module
        kids = self._owners(node)
        prefix = getattr(module, "base_model_prefix", "")
        base = self._name(node, prefix) if prefix else None
        if base is not None:
            reason = f"beside the pretrained `{self.scan.modules[base].name}`"
            for kid in kids:
                if kid != base and self._kind(kid) != "norm":
                    self.modules[kid] = reason
            for slot in self._own_slots(node):
                self.parameters[slot] = reason
            return
        named = [kid for kid in kids if looks_like_head(self._last_name(kid)) and not self._deep(kid)]
        if named:
            self.modules |= dict.fromkeys(named, _NAMED)
        elif not self._projections(kids):
            self._inner_models(kids)

    def _inner_models(self, kids: list[int]) -> None:
        """A model made of two (`EncoderDecoderModel`): what stands between them, and the last one's head."""
        models = [kid for kid in kids if is_pretrained_model(self.scan.modules[kid].module)]
        if models:
            self.modules |= (
                {
                    kid: "between two pretrained models"
                    for kid in kids
                    if kid not in models and not self._deep(kid)
                }
                if len(models) > 1
                else {}
            )
            self._of_pretrained(models[-1])

    def _predicts_tokens(self, head: int) -> bool:
        return self._last_name(head) == "lm_head" or self.scan.modules[head].first in self._tied_slots()

    def _tied_slots(self) -> set[int]:
        seen: set[int] = set()
        again = set()
        for slot, parameter in enumerate(self.scan.slots):
            if parameter in seen:
                again.add(slot)
            seen.add(parameter)
        return again

    # -- models of one's own ---------------------------------------------------------------------------------

    def _inside_wrappers(self, node: int, stacks: Collection[int]) -> int:
        while node not in stacks:
            kids = self._owners(node)
            module = self.scan.modules[node].module
            if len(kids) != 1 or self._own_slots(node) or isinstance(module, (*LISTS, nn.ModuleDict)):
                break
            if is_leaf(self.scan.modules[kids[0]].module):
                break
            node = kids[0]
        return node

    def _beside_backbone(self, kids: list[int]) -> bool:
        backbones = [kid for kid in kids if names_a_backbone(self._last_name(kid)) and not self._is_leaf(kid)]
        rest = [kid for kid in kids if kid not in backbones]
        if not backbones or not rest:
            return False
        heads = [kid for kid in rest if kid > backbones[0] or looks_like_head(self._last_name(kid))]
        heads = heads or [kid for kid in rest if self._kind(kid) != "embeddings"]
        name = f"`{self.scan.modules[backbones[0]].name}`"
        self.modules |= {kid: f"beside {name}, a backbone by name" for kid in heads}
        return bool(heads)

    def _by_name(self, kids: list[int], opened: Collection[int]) -> bool:
        named = [kid for kid in kids if looks_like_head(self._last_name(kid)) and kid not in opened]
        if not named:
            return False
        self.modules |= dict.fromkeys(named, _NAMED)
        place = max((kid for kid in kids if kid in opened), default=0)
        for kid in kids:  # a second head, whose output the first cannot be fed with
            if kid > place and kid not in named and self._kind(kid) == "module":
                if any(self._side_by_side(kid, head) for head in named):
                    self.modules[kid] = f"fed with the same features as `{self.scan.modules[named[0]].name}`"
                elif place:
                    self.unsure.append(kid)
        return True

    def _projections(self, kids: list[int]) -> bool:
        found = [kid for kid in kids if self._last_name(kid).endswith("projection")]
        reason = "projecting features into the space where they are compared"
        self.modules |= dict.fromkeys(found, reason)
        return bool(found)

    def _after_stack(
        self, kids: list[int], opened: Collection[int], stacks: Collection[int], rows: list[int]
    ) -> bool:
        holding = [kid for kid in kids if kid in opened or kid in stacks]
        if not holding:
            return False
        after = [kid for kid in kids if kid > holding[-1] and self._kind(kid) in ("module", "head")]
        name = self.scan.modules[holding[-1]].name
        self.modules |= {kid: f"after `{name}`, which holds the layers" for kid in after}
        before = [kid for kid in kids if kid < holding[0] and self._kind(kid) == "module"]
        self.unsure += [] if after else before
        whole = self.scan.modules[holding[-1]]
        if after and holding[-1] not in stacks:  # a whole model, which may have a head of its own
            known = set(self.modules)
            inside = [row for row in rows if holding[-1] < row < whole.end]
            self._search(holding[-1], opened, stacks, inside)
            for head in set(self.modules) - known:
                if self._widths(head)[1] and self._widths(head)[1] == self._widths(after[0])[0]:
                    del self.modules[head]  # what comes out of it is what the new head takes
                    self.unsure.append(head)
        return bool(after)

    def _last(self, rows: list[int], node: int, stacks: Collection[int]) -> None:
        """The last part of a chain, and those beside it that take the same features."""
        if len(rows) < 2:
            return
        last = rows[-1]
        if self._kind(last) not in ("module", "head"):
            return
        if not self._is_leaf(last) and (self._deep(last) or self._is_a_block(last, rows)):
            return
        self.modules[last] = "the last part"
        if self.scan.modules[last].parent != node or node in stacks:
            return
        for kid in reversed(rows[:-1]):
            if self.scan.modules[kid].parent != node or not self._side_by_side(kid, last):
                break
            self.modules[kid] = f"fed with the same features as `{self.scan.modules[last].name}`"

    def _is_a_block(self, row: int, rows: list[int]) -> bool:
        """Whether a part is one of several that look alike, or a chain that does not end in weights."""
        entry = self.scan.modules[row]
        if isinstance(entry.module, nn.Sequential):
            ends = list(entry.module._modules.values())
            computes = bool(ends) and is_leaf(ends[-1]) and bool(ends[-1]._parameters)
            return not computes or any(self._types(other) == self._types(row) for other in rows[:-1])
        types = [type(self.scan.modules[other].module) for other in rows[:-1]]
        return type(entry.module) in types or isinstance(entry.module, nn.ModuleList)

    def _types(self, index: int) -> list[str]:
        entry = self.scan.modules[index]
        return [type(each.module).__name__ for each in self.scan.modules[index : entry.end]]

    def _side_by_side(self, one: int, other: int) -> bool:
        """Whether two parts take features of one width, and neither's output fits the other's input."""
        (first_in, first_out), (second_in, second_out) = self._widths(one), self._widths(other)
        known = 0 not in (first_in, first_out, second_in, second_out)
        return known and first_in == second_in and first_out != second_in and second_out != first_in

    def _widths(self, index: int) -> tuple[int, int]:
        """Width of the input and the output of a part made of linear layers; 0 where it isn't."""
        entry = self.scan.modules[index]
        inner = [each.module for each in self.scan.modules[index : entry.end]]
        linear = [each for each in inner if isinstance(each, nn.Linear)]
        return (linear[0].in_features, linear[-1].out_features) if linear else (0, 0)

    # -- what a part is --------------------------------------------------------------------------------------

    def _owners(self, node: int) -> list[int]:
        return [child for child in self.children[node] if self._owns(child)]

    def _owns(self, index: int) -> bool:
        return self.scan.modules[index].last > self.scan.modules[index].first

    def _own_slots(self, node: int) -> Iterable[int]:
        entry, inside = self.scan.modules[node], self.children[node]
        return range(entry.first, self.scan.modules[inside[0]].first if inside else entry.last)

    def _name(self, node: int, child: str) -> int | None:
        """The child of this name, if it has weights."""
        return next((kid for kid in self._owners(node) if self._last_name(kid) == child), None)

    def _last_name(self, index: int) -> str:
        return last_name(self.scan.modules[index].name)

    def _kind(self, index: int) -> str:
        return kind_of(self.scan.modules[index].name, self.scan.modules[index].module)

    def _is_leaf(self, index: int) -> bool:
        return is_leaf(self.scan.modules[index].module)

    def _deep(self, index: int) -> bool:
        """Whether a part holds a list of blocks, as a backbone does."""
        inner = self.scan.modules[index : self.scan.modules[index].end]
        return any(
            isinstance(each.module, LISTS)
            and sum(not is_leaf(child) and has_weights(child) for child in each.module.children()) > 1
            for each in inner
        )


def has_weights(module: nn.Module) -> bool:
    """Whether a module, or one within it, has a parameter."""
    return any(each._parameters for each in module.modules())


def ancestors(scan: Scan, indices: Iterable[int]) -> set[int]:
    """The modules around these modules, the model itself among them."""
    found: set[int] = set()
    for index in indices:
        node = scan.modules[index].parent
        while node >= 0 and node not in found:
            found.add(node)
            node = scan.modules[node].parent
    return found


def subtree(scan: Scan, indices: Iterable[int]) -> frozenset[int]:
    """These modules, and all within them."""
    return frozenset(chain.from_iterable(range(index, scan.modules[index].end) for index in indices))
