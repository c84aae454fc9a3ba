def freeze_backbone(model):
    model.backbone.requires_grad_(False)


def start_epoch(model):
    model.train()
    for m in model.backbone.modules():
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.Dropout)):
            m.eval()
