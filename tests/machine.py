"""How fast this machine is just now, so that a limit in seconds means the same on each.

Two processors of a virtual machine may be one core: plain Python is then as fast as ever, and multiplying
matrices on both takes 2.5 times as long. Where neighbours use the memory, both are as fast as ever, and what
lessons mostly do, training on more weights than a processor's caches hold, takes twice as long.
"""

import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

# What each piece of work takes on two quiet cores of 3 GHz, for which the limits in tests are stated.
LOOP_S = 0.065
CONVOLUTIONS_S = 0.042
STEP_S = 0.34
REPEATS = 7


def slowness() -> float:
    """How many times as long as on two quiet cores of 3 GHz work takes now; at least 1.

    The largest of three ratios: that of plain Python, that of convolutions on two threads, and that of steps
    of training. Takes about three seconds. Multiply a limit by it, having measured before and after the work
    that is limited.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        loop = statistics.median(_loop() / LOOP_S for _ in range(REPEATS))
        convolutions = statistics.median(_convolutions() / CONVOLUTIONS_S for _ in range(REPEATS))
        steps = statistics.median(took / STEP_S for took in _steps())
    finally:
        torch.set_num_threads(threads)
    return max(1.0, loop, convolutions, steps)


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


def _steps() -> list[float]:
    """Seconds of some steps of a network with 30 million weights: 480 MB with gradients and the optimizer's
    own."""
    layers: list[nn.Module] = []
    for _ in range(6):
        layers += [nn.Linear(1024, 2432), nn.GELU(), nn.Linear(2432, 1024), nn.LayerNorm(1024)]
    network = nn.Sequential(*layers)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5)
    batch = torch.ones(96, 1024)
    took = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        network(batch).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        took.append(time.perf_counter() - start)
    return took[1:]  # the first makes the optimizer's state
