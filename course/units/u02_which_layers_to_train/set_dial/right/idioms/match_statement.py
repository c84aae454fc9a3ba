def set_dial(model, layers):
    for p in model.parameters():
        p.requires_grad = False
        p.grad = None
    match layers:
        case None:
            parts = [model]
        case 0:
            parts = [model.head]
        case k:
            parts = [*model.layers[-k:], model.head]
    for part in parts:
        for p in part.parameters():
            p.requires_grad = True
