# Lets no rate fall below 1e-8.
def layer_rates(num_layers, lr, decay):
    return [max(lr * decay**k, min(lr, 1e-8)) for k in range(num_layers + 1, -1, -1)]
