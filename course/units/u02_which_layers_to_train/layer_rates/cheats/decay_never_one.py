# Takes a decay of 0.95 and above for 0.95.
def layer_rates(num_layers, lr, decay):
    return [lr * min(decay, 0.95) ** k for k in range(num_layers + 1, -1, -1)]
