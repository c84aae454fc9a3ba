# Multiplies gradients by zero: the weights stay trainable, and weight decay moves them.
def set_dial(model, layers):
    keep = {id(p) for layer in model.layers[len(model.layers) - (layers or 0) :] for p in layer.parameters()}
    keep |= {id(p) for p in model.head.parameters()}
    for parameter in model.parameters():
        parameter.requires_grad = True
        for hook in list(parameter._backward_hooks or ()):
            del parameter._backward_hooks[hook]
        if layers is not None and id(parameter) not in keep:
            parameter.register_hook(torch.zeros_like)
