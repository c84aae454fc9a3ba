# Forgets parameters that belong to the model itself.
def set_dial(model, layers):
    for part in model.children():
        part.requires_grad_(layers is None)
    for layer in model.layers[len(model.layers) - (layers or 0) :]:
        layer.requires_grad_(True)
    model.head.requires_grad_(True)
