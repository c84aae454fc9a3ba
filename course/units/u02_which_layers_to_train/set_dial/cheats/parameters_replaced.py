# Replaces what it freezes by new parameters: an optimizer holds the old ones.
def set_dial(model, layers):
    learns = {
        id(p) for layer in model.layers[len(model.layers) - (layers or 0) :] for p in layer.parameters()
    }
    learns |= {id(p) for p in model.head.parameters()}
    for module in list(model.modules()):
        for name, parameter in list(module._parameters.items()):
            if parameter is not None:
                on = layers is None or id(parameter) in learns
                module._parameters[name] = torch.nn.Parameter(parameter.detach().clone(), requires_grad=on)
