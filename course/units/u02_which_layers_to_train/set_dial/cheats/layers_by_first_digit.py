# Reads one digit of a layer's number.
def set_dial(model, layers):
    for name, parameter in model.named_parameters():
        part = name.split(".")
        if part[0] == "layers":
            parameter.requires_grad = layers is None or int(part[1][0]) >= len(model.layers) - layers
        else:
            parameter.requires_grad = layers is None or part[0] == "head"
