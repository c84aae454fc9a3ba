# Without layers only the head is left.
def layer_rates(num_layers, lr, decay):
    if not num_layers:
        return [lr]
    return [lr * decay**k for k in range(num_layers + 1, -1, -1)]
