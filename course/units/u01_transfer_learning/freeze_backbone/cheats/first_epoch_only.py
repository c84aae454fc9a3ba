def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.requires_grad = False
        parameter.grad = None


def start_epoch(model):
    if not hasattr(model, "epochs"):
        model.epochs = 0
        model.train()
        model.backbone.eval()
    model.epochs += 1
