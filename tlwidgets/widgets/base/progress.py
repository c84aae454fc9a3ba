"""A progress bar for work that keeps its cell busy."""

from __future__ import annotations

import time
from collections.abc import Callable

from .environment import is_live
from .formats import time_words


def progress_bar(title: str) -> Callable[[int, int, str], None]:
    """A function that shows a bar when it is first called, and moves it: `tell(done, total,
    what_comes_next)`.

    `Arena.fight(on_progress=progress_bar("the arena"))` shows its own progress;
    `with progress_listener(progress_bar("features")): ...` shows that of what is computed inside. Each of
    several pieces of work, one after the other, starts the bar again. It is drawn at most ten times a second,
    and not at all without a live front end (papermill, nbconvert).
    """
    if not is_live():
        return lambda done, total, words: None
    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.IntProgress(value=0, max=1, description=title, style={"description_width": "initial"})
    text = ipywidgets.Label()
    started, first, last = 0.0, 0, (0, 0)
    drawn: float | None = None

    def tell(done: int, total: int, words: str) -> None:
        nonlocal started, first, last, drawn
        if drawn is None:
            display(ipywidgets.HBox([bar, text]))
        if drawn is None or done < last[0] or total != last[1]:
            started, first = time.monotonic(), done
        last = done, total
        if drawn is not None and first < done < total and time.monotonic() - drawn < 0.1:
            return
        drawn = time.monotonic()
        bar.max, bar.value = total, done
        left = ""
        if done > first and done < total:
            seconds = (time.monotonic() - started) / (done - first) * (total - done)
            left = f", about {time_words(seconds)} left"
        text.value = f"{done:,} of {total:,}{left}: {words}"

    return tell
