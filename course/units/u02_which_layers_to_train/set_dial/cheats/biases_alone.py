# Lets the bias of a layer learn, and nothing else of it.
def set_dial(model, layers):
    model.requires_grad_(layers is None)
    for layer in model.layers[len(model.layers) - (layers or 0) :]:
        layer[0].bias.requires_grad = True
    model.head.bias.requires_grad = True
