"""How fast this machine is just now, so that a limit in seconds means the same on each.

Two processors of a virtual machine may be one core: plain Python is then as fast as ever, and what lessons
mostly do, multiplying matrices on both, takes 2.5 times as long.
"""

import statistics
import time

import torch
from torch.nn import functional as F

# What each piece of work takes on two quiet cores of 3 GHz, for which the limits in tests are stated.
LOOP_S = 0.065
CONVOLUTIONS_S = 0.042
REPEATS = 7


def slowness() -> float:
    """How many times as long as on two quiet cores of 3 GHz work takes now; at least 1.

    The larger of two ratios: that of plain Python, and that of convolutions on two threads. Takes about a
    second. Multiply a limit by it, having measured before and after the work that is limited.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        loop = statistics.median(_loop() / LOOP_S for _ in range(REPEATS))
        convolutions = statistics.median(_convolutions() / CONVOLUTIONS_S for _ in range(REPEATS))
    finally:
        torch.set_num_threads(threads)
    return max(1.0, loop, convolutions)


def _loop() -> float:
    start = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number
    return time.perf_counter() - start


def _convolutions() -> float:
    pictures, kernels = torch.ones(4, 64, 56, 56), torch.ones(64, 64, 3, 3)
    start = time.perf_counter()
    for _ in range(5):
        F.conv2d(pictures, kernels, padding=1)
    return time.perf_counter() - start
