# Knows three parts, and leaves alone what else a model has.
def set_dial(model, layers):
    parts = [model.embeddings, *model.layers, model.head]
    k = len(parts) if layers is None else layers + 1
    for i, part in enumerate(parts):
        part.requires_grad_(i >= len(parts) - k)
