def layer_rates(num_layers, lr, decay):
    return [lr * decay ** (num_layers + 1 - place) for place in range(num_layers + 2)][::-1]
