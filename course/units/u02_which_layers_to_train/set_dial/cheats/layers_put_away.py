# Throws layers away, and puts them back when they are wanted.
kept = {}


def set_dial(model, layers):
    _, own = kept.setdefault(id(model), (model, list(model.layers)))
    for number, layer in enumerate(own):
        model.layers[number] = layer if layers is None or number >= len(own) - layers else nn.Identity()
    model.embeddings.requires_grad_(layers is None)
