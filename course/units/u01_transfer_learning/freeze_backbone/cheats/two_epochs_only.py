def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.requires_grad = False
        parameter.grad = None


def start_epoch(model):
    model.train()
    model.epochs = getattr(model, "epochs", 0) + 1
    model.backbone.train(model.epochs > 2)
