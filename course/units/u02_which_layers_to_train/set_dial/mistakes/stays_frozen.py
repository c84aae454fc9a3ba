def set_dial(model, layers):
    if layers is None:
        return
    for parameter in model.embeddings.parameters():
        parameter.requires_grad = False
    for layer in model.layers[: len(model.layers) - layers]:
        for parameter in layer.parameters():
            parameter.requires_grad = False
