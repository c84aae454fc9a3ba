"""The embedding map: points of several modalities before and after training, on maps that are aligned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..base.labels import labels
from ..base.panel import Panel
from .maps import aligned_maps, named_points
from .state import embedding_state
from .static import embedding_html, embedding_text


class EmbeddingMap(Panel):
    """Watch partners find each other: the same things in two modalities or more, before and after training.

    Args:
        before: embeddings by modality, (rows, width); row i of each modality is the same thing.
        after: likewise, after training.
        names: what each row is called.
        groups: a group for each row, which gives its colour; at most six have a colour of their own, and the
            smallest share one.
        method: "pca", or "tsne" for neighbourhoods.
        align: "common" (one basis for both) or "procrustes" (the map after is turned onto the one before);
            None takes the common basis if there can be one. The panel says which it used, and what share of
            the variance the map shows.

    Distances are measured in the space itself (1 - cosine), not on the map. Display the panel by making it a
    cell's last line. Where nobody can click, both maps are shown side by side.

    Raises:
        ValueError: embeddings, names or groups that don't fit one another, or no such method or alignment.
    """

    def __init__(
        self,
        before: Mapping,
        after: Mapping,
        *,
        names: Sequence[str],
        groups: Sequence[str] | None = None,
        method: str = "pca",
        align: str | None = None,
        title: str = "Before and after training",
    ) -> None:
        super().__init__()
        one, other = named_points(before, "before"), named_points(after, "after")
        rows = len(next(iter(one.values())))
        if list(one) != list(other) or len(next(iter(other.values()))) != rows:
            raise ValueError(
                f"Before there are {rows} rows of {', '.join(one)}; after, {len(next(iter(other.values())))} "
                "of "
                f"{', '.join(other)}. Expected the same modalities, in one order, and the same rows."
            )
        names = [str(name) for name in names]
        groups = ["all"] * rows if groups is None else [str(group) for group in groups]
        for what, values in (("names", names), ("groups", groups)):
            if len(values) != rows:
                raise ValueError(f"There are {len(values)} {what} for {rows} rows. Give one for each.")
        maps = aligned_maps(one, other, method=method, align=align)
        self._title, self._shown = title, embedding_state(one, other, maps, names, groups)

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static view and tests read."""
        with self.lock:
            return {
                "schema": 1,
                "view": "embedding",
                "title": self._title,
                "labels": labels("embedding"),
                **self._shown,
                "message": dict(self._message),
                "closed": self._closed,
            }

    def close(self) -> None:
        """End the live view. The output keeps both maps as a static view."""
        self._end()

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return embedding_html(state), embedding_text(state)

    def __repr__(self) -> str:
        return f"EmbeddingMap({self._shown['status']}: {self._shown['words']})"
