"""The wire between the retrieval grid and its views: the state goes whole, sounds when they are to be played."""

from __future__ import annotations

import traitlets

from .assets import script, style
from .panel import sentence
from .wire import PanelWidget, unknown_request


class RetrievalWidget(PanelWidget):
    """The pictures of the list go once, as one sheet; those found go with the state, at most 24 of about a kilobyte.

    From the browser, beside a panel's usual messages: pick {query}; ask {text}; sound {side, index}.
    To the browser: sound {side, index} with a WAV file as its buffer.
    """

    _esm = script("retrieval_grid")
    _css = style("retrieval_grid")
    _sheet = traitlets.Bytes().tag(sync=True)

    @traitlets.default("_sheet")
    def _first_sheet(self) -> bytes:
        return self.panel.sheet()

    def _answer(self, panel, kind, content: dict) -> None:
        try:
            if kind == "pick":
                panel.pick(content.get("query"))
            elif kind == "ask":
                panel.ask(content.get("text") or "")
            elif kind == "sound":
                side, index = content.get("side"), content.get("index")
                self.send({"type": "sound", "side": side, "index": index}, buffers=[panel.wav(side, index)])
            elif kind == "hello":
                super()._answer(panel, kind, content)
            else:
                raise ValueError(unknown_request(kind))
        except Exception as error:  # `encode` is anybody's code: whatever it raises is told, not lost
            panel._say("error", sentence(error))
