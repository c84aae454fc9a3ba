# No rate above a tenth.
def layer_rates(num_layers, lr, decay):
    return [min(lr, 0.1) * decay**k for k in range(num_layers + 1, -1, -1)]
