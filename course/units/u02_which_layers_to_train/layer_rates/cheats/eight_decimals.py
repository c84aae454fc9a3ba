# Rounds to eight decimals.
def layer_rates(num_layers, lr, decay):
    return [round(lr * decay**k, 8) for k in range(num_layers + 1, -1, -1)]
