# Knows parameters by the names weight and bias.
def set_dial(model, layers):
    def turn(part, on):
        for module in part.modules():
            for name in ("weight", "bias"):
                parameter = getattr(module, name, None)
                if parameter is not None:
                    parameter.requires_grad = on

    turn(model, layers is None)
    for layer in model.layers[len(model.layers) - (layers or 0) :]:
        turn(layer, True)
    turn(model.head, True)
