# Knows of twenty-four layers at most.
def set_dial(model, layers):
    model.requires_grad_(layers is None)
    for layer in list(model.layers)[:24][len(model.layers) - (layers or 0) :]:
        layer.requires_grad_(True)
    model.head.requires_grad_(True)
