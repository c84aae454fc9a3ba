def layer_rates(num_layers, lr, decay):
    if num_layers < 0:
        return [lr]
    return layer_rates(num_layers - 1, lr * decay, decay) + [lr]
