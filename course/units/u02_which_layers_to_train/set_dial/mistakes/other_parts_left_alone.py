def set_dial(model, layers):
    model.embeddings.requires_grad_(layers is None)
    for number, layer in enumerate(model.layers):
        layer.requires_grad_(layers is None or number >= len(model.layers) - layers)
    model.head.requires_grad_(True)
