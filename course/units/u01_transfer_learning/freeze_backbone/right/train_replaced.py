def freeze_backbone(model):
    model.backbone.requires_grad_(False)
    model.backbone.eval()
    model.backbone.train = lambda mode=True: model.backbone


def start_epoch(model):
    model.train()
