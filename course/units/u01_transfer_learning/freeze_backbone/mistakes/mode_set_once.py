def freeze_backbone(model):
    model.backbone.requires_grad_(False)
    model.train()
    model.backbone.eval()
    model.epochs = 0


def start_epoch(model):
    model.epochs += 1
    if model.epochs > 1:
        model.train()
