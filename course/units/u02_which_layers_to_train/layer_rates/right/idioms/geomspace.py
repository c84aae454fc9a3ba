import numpy as np


def layer_rates(num_layers, lr, decay):
    return np.geomspace(lr * decay ** (num_layers + 1), lr, num_layers + 2).tolist()
