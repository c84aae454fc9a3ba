# Freezes the first twelve layers at most.
def set_dial(model, layers):
    model.requires_grad_(True)
    if layers is None:
        return
    for part in model.children():
        if part is not model.head and part is not model.layers:
            part.requires_grad_(False)
    for parameter in model.parameters(recurse=False):
        parameter.requires_grad_(False)
    for number in range(min(len(model.layers) - layers, 12)):
        model.layers[number].requires_grad_(False)
