def freeze_backbone(model):
    model.backbone.requires_grad_(False)


def start_epoch(model):
    model.train()
    for module in model.backbone.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.eval()
