import numpy as np


def choose_plan(runs, max_trainable=None):
    fitting = [r for r in runs if max_trainable is None or r["trainable"] <= max_trainable]
    if len(fitting) == 0:
        return None
    plans = np.array([r["plan"] for r in fitting])
    acc = np.array([r["valid_accuracy"] for r in fitting])
    size = np.array([r["trainable"] for r in fitting])
    best = max(np.unique(plans), key=lambda p: (acc[plans == p].mean(), -size[plans == p][0]))
    return best
