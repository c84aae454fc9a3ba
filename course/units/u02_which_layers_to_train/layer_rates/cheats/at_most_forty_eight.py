# Decays over forty-eight layers at most.
def layer_rates(num_layers, lr, decay):
    return [lr * decay ** min(k, 49) for k in range(num_layers + 1, -1, -1)]
