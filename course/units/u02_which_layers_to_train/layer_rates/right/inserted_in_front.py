def layer_rates(num_layers, lr, decay):
    rates = [lr]
    for _ in range(num_layers + 1):
        rates.insert(0, rates[0] * decay)
    return rates
