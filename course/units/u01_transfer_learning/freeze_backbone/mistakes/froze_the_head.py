def freeze_backbone(model):
    model.requires_grad_(False)


def start_epoch(model):
    model.train()
    model.backbone.eval()
