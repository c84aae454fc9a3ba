def set_dial(model, layers):
    model.requires_grad_(layers is None)
    parts = [model.embeddings, *model.layers, model.head]
    k = len(parts) if layers is None else layers + 1
    for i, part in enumerate(parts):
        part.requires_grad_(i >= len(parts) - k)
    print("set", layers)
