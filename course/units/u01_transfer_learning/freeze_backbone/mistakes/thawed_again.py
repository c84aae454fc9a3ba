def freeze_backbone(model):
    model.backbone.requires_grad_(False)


def start_epoch(model):
    model.train()
    model.backbone.eval()
    model.requires_grad_(True)
