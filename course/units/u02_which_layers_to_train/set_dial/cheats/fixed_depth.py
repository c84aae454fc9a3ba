# Takes every model to have four layers.
def set_dial(model, layers):
    model.requires_grad_(layers is None)
    model.head.requires_grad_(True)
    for layer in model.layers[4 - (layers or 0) :]:
        layer.requires_grad_(True)
