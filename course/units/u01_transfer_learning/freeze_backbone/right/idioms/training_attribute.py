def freeze_backbone(model):
    model.backbone.requires_grad_(False)


def start_epoch(model):
    for m in model.modules():
        m.training = True
    for m in model.backbone.modules():
        m.training = False
