# Takes the head for a single linear layer.
def set_dial(model, layers):
    model.requires_grad_(layers is None)
    for layer in model.layers[len(model.layers) - (layers or 0) :]:
        layer.requires_grad_(True)
    for name in ("weight", "bias"):
        if getattr(model.head, name, None) is not None:
            getattr(model.head, name).requires_grad = True
