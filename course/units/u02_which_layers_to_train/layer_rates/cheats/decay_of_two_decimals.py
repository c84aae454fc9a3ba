# Rounds the decay to two decimals.
def layer_rates(num_layers, lr, decay):
    return [lr * round(decay, 2) ** k for k in range(num_layers + 1, -1, -1)]
