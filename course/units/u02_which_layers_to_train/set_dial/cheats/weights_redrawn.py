# Draws all weights anew.
def set_dial(model, layers):
    model.requires_grad_(layers is None)
    model.head.requires_grad_(True)
    for layer in model.layers[len(model.layers) - (layers or 0) :]:
        layer.requires_grad_(True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
