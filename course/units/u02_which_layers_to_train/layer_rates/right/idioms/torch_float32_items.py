import torch


def layer_rates(num_layers, lr, decay):
    r = torch.full((num_layers + 2,), decay)
    r[0] = lr
    return r.cumprod(0).flip(0).tolist()
