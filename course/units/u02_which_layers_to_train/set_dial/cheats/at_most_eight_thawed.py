# Never thaws more than eight layers.
def set_dial(model, layers):
    model.requires_grad_(layers is None)
    for layer in model.layers[len(model.layers) - min(layers or 0, 8) :]:
        layer.requires_grad_(True)
    model.head.requires_grad_(True)
