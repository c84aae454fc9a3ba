import numpy as np


def layer_rates(num_layers, lr, decay):
    return [np.float64(lr) * decay**k for k in reversed(range(num_layers + 2))]
