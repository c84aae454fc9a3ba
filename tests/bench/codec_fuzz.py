"""A minute of damaged and invented bytes for the grader's decoder: refused or decoded, soon, and in little
memory."""

from __future__ import annotations

import random
import time

SECONDS = 60.0
SLOWEST_S, MOST_TIMES, SPARE_BYTES = 2.0, 400, 32 << 20


def seeds() -> list[bytes]:
    """Frames as they cross between the two sides of the grader."""
    import numpy as np
    import torch

    from graders.autograde.codec import Extension, encode

    values = [
        None, True, -(2**70), 1.5, 2 + 1j, "text \u00e4", b"bytes", [1, [2, (3,)]],
        {"a": {1, 2}, (1, "b"): frozenset()},
        range(3), slice(1, None), np.arange(12.0).reshape(3, 4), np.float32(1), torch.randn(2, 3),
        torch.Size((2, 0)),
        torch.zeros(0, 5, dtype=torch.bfloat16), torch.int8, object(), [Extension("module", -3)],
        {"id": 1, "error": ["KeyError", ["KeyError", "Exception"], "x", ["x"]], "value": b"N", "args": [None],
        "graph": 2},
    ]  # fmt: skip
    return [encode(value, lambda thing: thing if isinstance(thing, Extension) else None) for value in values]


def mutated(frame: bytes, others: list[bytes], numbers: random.Random) -> bytes:
    """A frame with a few things wrong: bits, lengths, pieces that are missing, doubled, or of another
    frame."""
    data = bytearray(frame)
    for _ in range(numbers.randint(1, 6)):
        place = numbers.randrange(len(data) + 1)
        end = min(len(data), place + numbers.randint(1, 16))
        what = numbers.randrange(6)
        if what == 0 and data:
            data[place % len(data)] ^= 1 << numbers.randrange(8)
        elif what == 1:
            data[place:end] = numbers.randbytes(end - place)
        elif what == 2:
            del data[place:end]
        elif what == 3:
            data[place:place] = data[place:end] * numbers.randint(1, 64)
        elif what == 4:
            data[place:place] = numbers.choice(others)
        else:
            data[place : place + 4] = numbers.choice((0, 1, 2**16, 2**31 - 1, 2**32 - 1)).to_bytes(
                4, "little"
            )
    return bytes(data)


def measure(seconds: float = SECONDS) -> dict[str, float]:
    """`codec_fuzz_frames`, of which `codec_fuzz_decoded`; `codec_fuzz_slowest_ms`.

    Raises:
        AssertionError: a frame took long, or memory out of proportion; the frame is in the message.
    """
    import tracemalloc

    from graders.autograde.codec import CodecError, decode

    numbers = random.Random(20)
    corpus = seeds()
    frames = decoded = 0
    slowest = 0.0
    end = time.monotonic() + seconds
    tracemalloc.start()
    try:
        while time.monotonic() < end:
            frame = mutated(numbers.choice(corpus), corpus, numbers)
            tracemalloc.reset_peak()
            before, start = tracemalloc.get_traced_memory()[0], time.process_time()
            try:
                decode(frame, lambda kind, payload: (kind, payload))
            except CodecError:
                pass
            else:
                decoded += 1
                if len(corpus) < 500 and len(frame) < 10_000:
                    corpus.append(frame)
            took, used = time.process_time() - start, tracemalloc.get_traced_memory()[1] - before
            assert took < SLOWEST_S, f"{took:.1f} s for {frame.hex()}"
            assert used < MOST_TIMES * len(frame) + SPARE_BYTES, f"{used} bytes for {frame.hex()}"
            frames, slowest = frames + 1, max(slowest, took)
    finally:
        tracemalloc.stop()
    return {
        "codec_fuzz_frames": frames,
        "codec_fuzz_decoded": decoded,
        "codec_fuzz_slowest_ms": 1000 * slowest,
    }
