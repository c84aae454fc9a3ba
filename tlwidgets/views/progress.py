"""A progress bar for work that keeps its cell busy."""

from __future__ import annotations

import time
from collections.abc import Callable

from .environment import is_live
from .train_state import time_words


def progress_bar(title: str) -> Callable[[int, int, str], None]:
    """A function that shows a bar when it is first called, and moves it: `tell(done, total, what_comes_next)`.

    `Arena.fight(on_progress=progress_bar("the arena"))` draws itself so, and `with telling(progress_bar("looking"))` what is
    computed within. Of several pieces of work, one after the other, each begins anew. Drawn ten times a second at most. Where
    nobody looks (papermill, nbconvert), nothing is shown.
    """
    if not is_live():
        return lambda done, total, words: None
    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.IntProgress(value=0, max=1, description=title, style={"description_width": "initial"})
    text = ipywidgets.Label()
    started, first, last, drawn = 0.0, 0, (0, 0), None

    def tell(done: int, total: int, words: str) -> None:
        nonlocal started, first, last, drawn
        if drawn is None:
            display(ipywidgets.HBox([bar, text]))
        if drawn is None or done < last[0] or total != last[1]:
            started, first = time.monotonic(), done
        last = done, total
        if first < done < total and time.monotonic() - drawn < 0.1:
            return
        drawn = time.monotonic()
        bar.max, bar.value = total, done
        left = ""
        if done > first and done < total:
            seconds = (time.monotonic() - started) / (done - first) * (total - done)
            left = f", about {time_words(seconds)} left"
        text.value = f"{done:,} of {total:,}{left}: {words}"

    return tell
