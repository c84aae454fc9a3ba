"""How long a click on a layer takes until its new state is on the page."""

from __future__ import annotations

_CLICKS = """
async ([label, count]) => {
  const all = '.jp-NotebookPanel:not(.lm-mod-hidden) .tl-freeze [role=treeitem]';
  const rows = [...document.querySelectorAll(all)];
  const row = rows.find((one) => one.querySelector('.tl-label').textContent === label);
  const figure = row.closest('.tl-freeze').querySelector('.tl-summary');
  const times = [];
  for (let click = 0; click < count; click++) {
    const state = row.getAttribute('aria-checked');
    const figures = figure.textContent;
    const start = performance.now();
    row.querySelector('.tl-lock').click();
    while (row.getAttribute('aria-checked') === state || figure.textContent === figures)
      await new Promise((next) => requestAnimationFrame(next));
    times.push(performance.now() - start);
  }
  return times;
}
"""


def click_times(notebook, count: int, label: str = "Encoder layer 4") -> list[float]:
    """Milliseconds from each click until state and numbers have changed, to the next frame drawn."""
    return notebook.page.evaluate(_CLICKS, [label, count])
