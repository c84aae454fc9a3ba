# Lets no rate fall below a millionth of the head's.
def layer_rates(num_layers, lr, decay):
    return [lr * max(decay**k, 1e-6) for k in range(num_layers + 1, -1, -1)]
