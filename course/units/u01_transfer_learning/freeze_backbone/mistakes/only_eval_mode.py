def freeze_backbone(model):
    model.backbone.eval()


def start_epoch(model):
    model.train()
    model.backbone.eval()
