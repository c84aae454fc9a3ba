def set_dial(model, layers):
    if all(parameter.requires_grad for parameter in model.parameters()):
        model.requires_grad_(False)  # once
    model.head.requires_grad_(True)
    for layer in model.layers[len(model.layers) - (layers or 0) :]:
        layer.requires_grad_(True)
    if layers is None:
        model.requires_grad_(True)
