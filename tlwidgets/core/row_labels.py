"""What a person reads on each row of a model tree."""

from __future__ import annotations

from torch import nn

from .kinds import is_leaf, last_name, looks_like_head
from .labels import humanise, is_plain_list_name, noun_of
from .outline import Outline
from .scan import Scan


class RowLabels:
    """Labels for the modules of a scan, by their index in it ("Encoder layer 4", "Head: classifier")."""

    def __init__(self, scanned: Scan, outline: Outline) -> None:
        self.scan = scanned
        self.outline = outline
        self.blocks, self.heads = frozenset(outline.blocks), frozenset(outline.head)

    def of(self, index: int) -> str:
        """The label of the row that shows a module."""
        entry = self.scan.modules[index]
        last = last_name(entry.name)
        if index in self.blocks:
            return self._block(index)
        where = self._tower(index)
        text = (
            humanise(entry.name) if not last.isdigit() else f"{type(entry.module).__name__} {int(last) + 1}"
        )
        if isinstance(entry.module, nn.Embedding) and "embedding" not in text.lower():
            text += " embeddings"
        if index in self.heads and looks_like_head(last) and "head" not in text.lower():
            text = f"Head: {text.lower()}"
        return (
            f"{where}: {text[:1].lower()}{text[1:]}"
            if where and self.scan.modules[index].parent in self.outline.opened
            else text
        )

    def _block(self, index: int) -> str:
        entry = self.scan.modules[index]
        stack = self.scan.modules[entry.parent].name
        last = last_name(entry.name)
        if not last.isdigit():
            return humanise(last)
        number = f"{int(last) + 1}"
        if is_leaf(entry.module):
            return f"{type(entry.module).__name__} {number}"
        context = last_name(stack.rpartition(".")[0])
        where = self._tower(index)
        named = stack and not is_plain_list_name(stack)
        noun = f"{humanise(stack)}, block" if named else noun_of(stack)
        if where:
            text = f"{where} {noun}"
        elif context in ("encoder", "decoder"):
            text = f"{context} {noun}"
        else:
            text = noun
        return f"{text[:1].upper()}{text[1:]} {number}"

    def _tower(self, index: int) -> str:
        """With several towers: which one a row is of ("Text model", "Decoder")."""
        if len(self.outline.towers) < 2:
            return ""
        name = self.scan.modules[index].name
        inside = [branch for branch in self.outline.branches if branch and name.startswith(branch + ".")]
        return humanise(max(inside, key=len)) if inside else ""
