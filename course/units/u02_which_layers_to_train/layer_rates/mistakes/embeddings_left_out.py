def layer_rates(num_layers, lr, decay):
    return [lr * decay ** (num_layers - place) for place in range(num_layers + 1)]
