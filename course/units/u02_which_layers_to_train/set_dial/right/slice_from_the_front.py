def set_dial(model, layers):
    for parameter in model.parameters():
        parameter.requires_grad = layers is None
    for layer in model.layers[len(model.layers) - (layers or 0) :]:
        for parameter in layer.parameters():
            parameter.requires_grad = True
    for parameter in model.head.parameters():
        parameter.requires_grad = True
