# Gives rates for twelve layers at most.
def layer_rates(num_layers, lr, decay):
    return [lr * decay**k for k in range(13, -1, -1)][-(num_layers + 2) :]
