"""Frames over a socket, with deadlines: the other end may be silent, slow or hostile."""

from __future__ import annotations

import socket
import struct
import time

from ..records import FRAME_BYTES

_HEAD = struct.Struct("<I")
_PIECE = 1 << 18


class ChannelError(Exception):
    """The other end is gone ("closed"), too slow ("late"), or sends something malformed ("garbage")."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Channel:
    """One end of a socket that carries frames of bytes.

    A deadline is a reading of `time.monotonic`; None means no deadline.
    """

    def __init__(self, end: socket.socket, frame_bytes: int = FRAME_BYTES + 1024) -> None:
        self._end, self._most = end, frame_bytes

    def fileno(self) -> int:
        """The descriptor, for polling."""
        return self._end.fileno()

    def close(self) -> None:
        """Hang up."""
        self._end.close()

    def send(self, data: bytes, until: float | None = None) -> None:
        """Send a frame.

        Raises:
            ChannelError: "closed" or "late".
        """
        left = memoryview(_HEAD.pack(len(data)) + data)
        while left:
            left = left[self._within(until, self._end.send, left) :]

    def receive(self, until: float | None = None) -> bytes:
        """The next frame. Memory is allocated as data arrives, not as it is announced.

        Raises:
            ChannelError: "closed", "late", or "garbage" for a frame that is too large.
        """
        size = _HEAD.unpack(self._exactly(_HEAD.size, until))[0]
        if size > self._most:
            raise ChannelError("garbage")
        return self._exactly(size, until)

    def _exactly(self, size: int, until: float | None) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self._within(until, self._end.recv, min(size - len(data), _PIECE))
            if not piece:
                raise ChannelError("closed")
            data += piece
        return bytes(data)

    def _within(self, until: float | None, act, *arguments):
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            raise ChannelError("late")
        try:
            self._end.settimeout(left)
            return act(*arguments)
        except TimeoutError as error:
            raise ChannelError("late") from error
        except OSError as error:
            raise ChannelError("closed") from error
