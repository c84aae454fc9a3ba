def set_dial(model, layers):
    n = len(model.layers)
    for name, p in model.named_parameters():
        if layers is None or name.startswith("head"):
            p.requires_grad = True
        elif name.startswith("layers."):
            p.requires_grad = int(name.split(".")[1]) >= n - layers
        else:
            p.requires_grad = False
