# Counts a norm after the last layer as part of it.
def set_dial(model, layers):
    model.requires_grad_(layers is None)
    for layer in model.layers[len(model.layers) - (layers or 0) :]:
        layer.requires_grad_(True)
    model.head.requires_grad_(True)
    for name, part in model.named_children():
        if "norm" in name or name.startswith("ln"):
            part.requires_grad_(layers is None or layers > 0)
