import numpy as np


def layer_rates(num_layers, lr, decay):
    return list(lr * decay ** np.arange(num_layers + 1, -1, -1))
