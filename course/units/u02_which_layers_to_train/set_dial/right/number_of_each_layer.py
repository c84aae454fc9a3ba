def set_dial(model, layers):
    model.requires_grad_(layers is None)
    model.head.requires_grad_(True)
    for number, layer in enumerate(model.layers):
        if layers is not None and number >= len(model.layers) - layers:
            layer.requires_grad_(True)
