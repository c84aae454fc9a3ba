"""A camera and a microphone for Chromium that play what is known: two colours side by side, and a tone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import wavfile

TONE = 523.25  # hertz
WIDTH, HEIGHT = 64, 48
RED, BLUE = (81, 90, 240), (41, 240, 110)  # brightness and two colour differences, of ITU-R BT.601


def arguments(folder: Path) -> list[str]:
    """Write both files to `folder`; returns the words of Chromium's command line that make devices of
    them."""
    rate = 48_000
    tone = 0.5 * np.sin(2 * np.pi * TONE * np.arange(4 * rate) / rate)
    wavfile.write(folder / "microphone.wav", rate, (32_767 * tone).astype(np.int16))
    (folder / "camera.y4m").write_bytes(_film())
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={folder / 'microphone.wav'}",
        f"--use-file-for-fake-video-capture={folder / 'camera.y4m'}",
    ]


def _film() -> bytes:
    """Two frames, the left half red and the right one blue (YUV4MPEG2, colours at half the resolution)."""
    planes = []
    for plane, share in enumerate((1, 2, 2)):
        row = np.repeat([RED[plane], BLUE[plane]], WIDTH // share // 2)
        planes.append(np.tile(row, HEIGHT // share).astype(np.uint8).tobytes())
    frame = b"FRAME\n" + b"".join(planes)
    return f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + 2 * frame
