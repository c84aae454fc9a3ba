def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.detach()


def start_epoch(model):
    model.train()
    model.backbone.eval()
